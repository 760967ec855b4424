//! Talks to a daemon over HTTP.

use super::failure::Failure;
use crate::daemon::Settings;
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::time::Duration;

/// What says where the daemon is.
const ADDRESS: &str = "--server, JSORC_SERVER or api.listen";
/// A refresh may take as long as its service needs to come up.
const PATIENCE: Duration = Duration::from_secs(40);

/// The daemon's address: as given, else where this configuration says that it listens.
///
/// # Errors
/// When what was given is no address.
pub(super) fn address(given: Option<&str>, settings: &Settings) -> Result<String, Failure> {
    let Some(given) = given else {
        return Ok(format!("http://{}", settings.loaded.config.api_listen));
    };
    let url = given.trim_end_matches('/');
    let parsed = url.parse::<Uri>().ok();
    let plain = parsed.as_ref().and_then(Uri::scheme_str) == Some("http");
    if plain && parsed.is_some_and(|uri| uri.authority().is_some()) {
        return Ok(url.to_owned());
    }
    Err(Failure::usage(
        format!("--server (JSORC_SERVER): `{given}` is no address of a daemon"),
        "write it as http://HOST:PORT",
    ))
}

/// Sends one request; `None` when nobody listens there.
pub(super) async fn call(
    method: Method,
    url: &str,
) -> Result<Option<(StatusCode, Value)>, Failure> {
    let server = url.split_once("/v1/").map_or(url, |(server, _)| server);
    let invalid = |_| {
        Failure::usage(
            format!("{server} is no address of a daemon"),
            "write it as http://HOST:PORT",
        )
    };
    let request = Request::builder()
        .method(method)
        .uri(url)
        .body(Full::<hyper::body::Bytes>::default())
        .map_err(invalid)?;
    let client: Client<HttpConnector, _> = Client::builder(TokioExecutor::new()).build_http();
    let answered = async {
        let response = client
            .request(request)
            .await
            .map_err(|error| (error.is_connect(), error.to_string()))?;
        let status = response.status();
        let bytes = response
            .into_body()
            .collect()
            .await
            .map_err(|error| (false, error.to_string()))?
            .to_bytes();
        let value = serde_json::from_slice(&bytes).map_err(|_| {
            (
                false,
                "something answers, but it is no jsorc daemon".to_owned(),
            )
        })?;
        Ok((status, value))
    };
    match tokio::time::timeout(PATIENCE, answered).await {
        Ok(Ok(answer)) => Ok(Some(answer)),
        Ok(Err((true, _))) => Ok(None),
        Ok(Err((false, message))) => Err(Failure::failed(
            format!("{server}: {message}"),
            Some(format!("{ADDRESS} names its address")),
        )),
        Err(_) => Err(Failure::failed(
            format!("{server}: no answer within {} s", PATIENCE.as_secs()),
            Some("the daemon's log says what it is doing".into()),
        )),
    }
}

/// Nobody listens where the daemon should be.
pub(super) fn nobody(server: &str) -> Failure {
    Failure::failed(
        format!("no daemon answers at {server}"),
        Some(format!(
            "start one with `jsorc run`; {ADDRESS} names its address"
        )),
    )
}
