//! Talks to a daemon over HTTP.

use super::failure::Failure;
use crate::daemon::Settings;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::time::Duration;

/// A refresh may take as long as its service needs to come up.
const PATIENCE: Duration = Duration::from_secs(40);

/// The daemon's address: as given, else where this configuration says that it listens.
pub(super) fn address(given: Option<&str>, settings: &Settings) -> String {
    match given {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("http://{}", settings.loaded.config.api_listen),
    }
}

/// Sends one request; `None` when nobody listens there.
pub(super) async fn call(
    method: Method,
    url: &str,
) -> Result<Option<(StatusCode, Value)>, Failure> {
    let invalid = |error: http::Error| {
        Failure::usage(format!("{url}: {error}"), "write it as http://HOST:PORT")
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
        let value = serde_json::from_slice(&bytes)
            .map_err(|_| (false, "its answer is not JSON".to_owned()))?;
        Ok((status, value))
    };
    match tokio::time::timeout(PATIENCE, answered).await {
        Ok(Ok(answer)) => Ok(Some(answer)),
        Ok(Err((true, _))) => Ok(None),
        Ok(Err((false, message))) => Err(Failure::failed(format!("{url}: {message}"), None)),
        Err(_) => Err(Failure::failed(
            format!("{url}: no answer within {} s", PATIENCE.as_secs()),
            None,
        )),
    }
}
