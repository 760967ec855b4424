//! Talks to a daemon over HTTP: by TCP or by its local socket.

use super::failure::Failure;
use crate::api::local;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// What says where the daemon is.
const ADDRESS: &str = "--server or JSORC_SERVER";
/// A refresh may take as long as its service needs to come up.
const PATIENCE: Duration = Duration::from_secs(40);
/// Whoever is there says at once who it is.
const KNOCK: Duration = Duration::from_secs(3);

/// A way to a daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// `http://HOST:PORT`, perhaps with a path before the daemon's own.
    Http(String),
    /// Its local socket.
    Socket(PathBuf),
}

/// An answer: the code and the document.
pub(super) type Answer = (StatusCode, Value);

impl Door {
    /// The door that `--server` or `JSORC_SERVER` names.
    ///
    /// # Errors
    /// When it is no address.
    pub(super) fn given(given: &str) -> Result<Self, Failure> {
        let url = given.trim_end_matches('/');
        let parsed = url.parse::<Uri>().ok();
        let plain = parsed.as_ref().and_then(Uri::scheme_str) == Some("http");
        if plain && parsed.is_some_and(|uri| uri.authority().is_some()) {
            return Ok(Self::Http(url.to_owned()));
        }
        Err(Failure::usage(
            format!("--server (JSORC_SERVER): `{given}` is no address of a daemon"),
            "write it as http://HOST:PORT",
        ))
    }

    /// Sends one request; `None` when nobody listens there.
    ///
    /// # Errors
    /// When what listens there gives no answer, or is no daemon.
    pub(super) async fn call(&self, method: Method, path: &str) -> Result<Option<Answer>, Failure> {
        match tokio::time::timeout(PATIENCE, self.ask(method, path)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(message)) => Err(Failure::failed(
                format!("{self}: {message}"),
                Some(format!("{ADDRESS} names its address")),
            )),
            Err(_) => Err(Failure::failed(
                format!("{self}: no answer within {} s", PATIENCE.as_secs()),
                Some("the daemon's log says what it is doing".into()),
            )),
        }
    }

    /// Whether the daemon of an instance is behind it, and not another one or another program.
    pub(super) async fn leads_to(&self, identity: &str) -> bool {
        let asked = self.ask(Method::GET, "/v1/instance");
        let answer = tokio::time::timeout(KNOCK, asked).await;
        matches!(answer, Ok(Ok(Some((StatusCode::OK, said)))) if said["instance"] == identity)
    }

    async fn ask(&self, method: Method, path: &str) -> Result<Option<Answer>, String> {
        match self {
            Self::Socket(socket) => {
                let stream = local::connect(socket).await;
                let Some(stream) = stream.map_err(|error| error.to_string())? else {
                    return Ok(None);
                };
                exchange(stream, request(method, "localhost", path)?).await
            }
            Self::Http(url) => {
                let uri: Uri = url.parse().map_err(|_| "it is no address".to_owned())?;
                let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
                let port = uri.port_u16().unwrap_or(80);
                let Ok(stream) = TcpStream::connect((host, port)).await else {
                    return Ok(None);
                };
                let authority = uri.authority().map_or(host, |whole| whole.as_str());
                let prefix = uri.path().trim_end_matches('/');
                exchange(
                    stream,
                    request(method, authority, &format!("{prefix}{path}"))?,
                )
                .await
            }
        }
    }
}

impl std::fmt::Display for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Http(url) => f.write_str(url),
            Self::Socket(path) => write!(f, "{}", path.display()),
        }
    }
}

fn request(method: Method, host: &str, path: &str) -> Result<Request<Full<Bytes>>, String> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, host)
        .body(Full::default())
        .map_err(|_| "it is no address".to_owned())
}

/// One request over a connection of its own.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Option<Answer>, String> {
    let said = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(said)?;
    // It ends with the sender; what it says then, the answer has said before.
    let driven = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(said)?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(said)?;
    driven.abort();
    let value = serde_json::from_slice(&body.to_bytes())
        .map_err(|_| "something answers, but it is no jsorc daemon".to_owned())?;
    Ok(Some((status, value)))
}

/// Nobody listens where the daemon should be.
pub(super) fn nobody(places: &str) -> Failure {
    Failure::failed(
        format!("no daemon answers {places}"),
        Some(format!(
            "start one with `jsorc run`; {ADDRESS} names its address"
        )),
    )
}
