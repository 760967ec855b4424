//! `jsorc status`: from the daemon, else from inventory and cluster.

use super::arguments::{Output, StatusArgs};
use super::context::{Context, print_whole};
use super::failure::{Exit, Failure};
use super::finding;
use super::interrupt::interrupted;
use super::plan::{as_the_leader, observed};
use crate::daemon::{Access, Connected, Session, Settings};
use crate::report::status::{StatusView, json, text};
use http::Method;
use serde_json::Value;
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(2);
/// How long the reasons of what is not ready are waited for.
const EXPLANATIONS: Duration = Duration::from_secs(1);

pub(super) async fn command(context: &Context, args: StatusArgs) -> Result<Exit, Failure> {
    let settings = context.settings(&args.services)?;
    let mut stop = std::pin::pin!(interrupted());
    loop {
        let mut document = document(context, &settings, &args).await?;
        let healthy = is_healthy(&document);
        let shown = document
            .as_object_mut()
            .and_then(|fields| fields.shift_remove("text"));
        if context.output == Output::Text && args.watch {
            print_whole("\x1b[2J\x1b[H")?;
        }
        context.print(
            || document,
            || {
                shown
                    .as_ref()
                    .and_then(Value::as_str)
                    .unwrap_or("")
                    .to_owned()
            },
        )?;
        if !args.watch {
            return Ok(if args.exit_code && !healthy {
                Exit::Differs
            } else {
                Exit::Fine
            });
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = &mut stop => return Ok(Exit::Interrupted),
        }
    }
}

/// The status document with its text: the daemon's when one answers, else one made by looking.
async fn document(
    context: &Context,
    settings: &Settings,
    args: &StatusArgs,
) -> Result<Value, Failure> {
    let path = format!(
        "/v1/status?services={}&text=true&colour={}&width={}&verbose={}",
        args.services.join(","),
        context.palette.is_coloured(),
        context.width.unwrap_or_default(),
        context.globals.verbose > 0
    );
    let server = args.server.as_deref();
    let asked = finding::ask(context, settings, server, Method::GET, &path).await?;
    let absence = match asked {
        Ok((_, document)) => return Ok(document),
        Err(absence) => absence,
    };
    let places = absence.places();
    let looked = match absence.connected {
        Ok(connected) => Box::pin(looked(context, settings, &connected)).await,
        Err(failure) => Err(failure),
    };
    looked.map_err(|failure| Failure {
        message: format!("no daemon answers {places}, and {}", failure.message),
        ..failure
    })
}

/// Where the services stand by what inventory and cluster say.
async fn looked(
    context: &Context,
    settings: &Settings,
    connected: &Connected,
) -> Result<Value, Failure> {
    let settings = as_the_leader(context, settings.clone(), connected).await?;
    let mut session = observed(context, &settings, connected, Access::ReadOnly, false).await?;
    explained(&mut session).await;
    let view = StatusView {
        interval: None,
        width: context.width,
        verbose: context.globals.verbose > 0,
        palette: context.palette,
        now: jiff::Timestamp::now(),
        zone: jiff::tz::TimeZone::system(),
        leader: None,
    };
    let status = session.status();
    let mut document = json(&status, &view);
    document["text"] = text(&status, &view).into();
    session.close().await;
    Ok(document)
}

/// Waits a moment for the reasons of what is not ready, which are read pod by pod.
async fn explained(session: &mut Session) {
    let until = Instant::now() + EXPLANATIONS;
    while !session.engine().has_explained() && Instant::now() < until {
        session.step(Duration::from_millis(50)).await;
    }
}

/// Services of which nothing can be told without probing them do not count.
fn is_healthy(document: &Value) -> bool {
    let well = ["Running", "Disabled", "NotConfigured", "Suspended"];
    let unprobed = document["source"] == "cluster";
    let services = document.get("services").and_then(Value::as_array);
    services.is_none_or(|services| {
        services.iter().all(|service| {
            let phase = service["phase"].as_str();
            phase.is_some_and(|phase| well.contains(&phase))
                || (unprobed && service["objects"].is_null())
        })
    })
}
