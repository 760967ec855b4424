//! `jsorc refresh`: what the original called `config_refresh`.

use super::arguments::RefreshArgs;
use super::context::Context;
use super::failure::{Exit, Failure};
use super::finding;
use super::server::nobody;
use http::{Method, StatusCode};
use serde_json::Value;

pub(super) async fn command(context: &Context, args: RefreshArgs) -> Result<Exit, Failure> {
    let settings = context.settings(&[])?;
    let path = format!("/v1/services/{}/refresh", args.service);
    let server = args.server.as_deref();
    let asked = finding::ask(context, &settings, server, Method::POST, &path).await?;
    let (status, answer) = asked.map_err(|absence| nobody(&absence.places()))?;
    let text = |field: &str| {
        answer
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned()
    };
    if status == StatusCode::NOT_FOUND {
        return Err(Failure::usage(
            text("message"),
            "`jsorc services` lists them",
        ));
    }
    context.print(
        || answer.clone(),
        || match (text("phase").as_str(), text("message").as_str()) {
            ("", message) => message.to_owned(),
            (phase, "") => format!("{}: {phase}", args.service),
            (phase, message) => format!("{}: {phase}: {message}", args.service),
        },
    )?;
    Ok(match status {
        StatusCode::OK => Exit::Fine,
        StatusCode::UNPROCESSABLE_ENTITY => Exit::Usage,
        _ => Exit::Differs,
    })
}
