//! `jsorc run`: the daemon.

use super::arguments::RunArgs;
use super::context::Context;
use super::failure::{Exit, Failure};
use super::{interrupt, logging};
use crate::api;
use crate::daemon::Keeper;
use tokio_util::sync::CancellationToken;

pub(super) async fn command(context: Context, args: RunArgs) -> Result<Exit, Failure> {
    let settings = context.settings(&[])?;
    let config = settings.loaded.config.clone();
    logging::start(&context, &config);
    let health = api::listen(&config.health_listen).await?;
    let rest = api::listen(&config.api_listen).await?;
    let stop = CancellationToken::new();
    interrupt::stop_on_signal(stop.clone());
    let services = config.keep_alive.join(", ");
    tracing::info!(
        "jsorc {} keeps {services} alive every {} s{}",
        env!("CARGO_PKG_VERSION"),
        config.interval.as_secs_f32(),
        if args.dry_run {
            ", as a dry run: nothing is written"
        } else {
            ""
        },
    );
    let identity = settings.instance.identity();
    let sink = Box::new(logging::record);
    let (keeper, ends) = Keeper::new(context.inputs.clone(), settings, args.dry_run, sink)?;
    let health = tokio::spawn(api::serve_health(
        health,
        ends.snapshots.clone(),
        stop.clone(),
    ));
    let rest = tokio::spawn(api::serve_rest(rest, ends.clone(), stop.clone()));
    let local = {
        let stop = stop.clone();
        tokio::spawn(async move { api::serve_local(&identity, ends, stop).await })
    };
    // As a task it is where its events are: no thread has to be woken for each of them.
    let ended = tokio::spawn(keeper.run(stop.clone())).await;
    stop.cancel();
    // All end with the token; how they end changes nothing any more.
    let _ = tokio::join!(health, rest, local);
    if ended.is_err() {
        let hint = "the line above says where; it is started again by whoever supervises it";
        return Err(Failure::failed(
            "jsorc ended by a fault of its own",
            Some(hint.into()),
        ));
    }
    tracing::info!("stopped");
    Ok(Exit::Fine)
}
