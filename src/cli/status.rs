//! `jsorc status`: from the daemon, else from inventory and cluster.

use super::arguments::{Output, StatusArgs};
use super::context::{Context, print_whole};
use super::failure::{Exit, Failure};
use super::interrupt::interrupted;
use super::plan::observed;
use super::server::{address, call, nobody};
use crate::daemon::{Access, Settings};
use crate::report::status::{StatusView, json, text};
use http::Method;
use serde_json::Value;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(2);

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
    let server = address(args.server.as_deref(), settings)?;
    let query = format!(
        "services={}&text=true&colour={}&width={}&verbose={}",
        args.services.join(","),
        context.palette.is_coloured(),
        context.width.unwrap_or_default(),
        context.globals.verbose > 0
    );
    let answer = call(Method::GET, &format!("{server}/v1/status?{query}")).await?;
    match answer {
        Some((_, document)) => Ok(document),
        None if args.server.is_some() => Err(nobody(&server)),
        None => looked(context, settings).await.map_err(|failure| Failure {
            message: format!("no daemon answers at {server}, and {}", failure.message),
            ..failure
        }),
    }
}

async fn looked(context: &Context, settings: &Settings) -> Result<Value, Failure> {
    let connected = context.connect(settings).await?;
    let session = observed(context, settings, &connected, Access::ReadOnly, false).await?;
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

fn is_healthy(document: &Value) -> bool {
    let well = ["Running", "Disabled", "NotConfigured", "Suspended"];
    let services = document.get("services").and_then(Value::as_array);
    services.is_none_or(|services| {
        services.iter().all(|service| {
            service["phase"]
                .as_str()
                .is_some_and(|phase| well.contains(&phase))
        })
    })
}
