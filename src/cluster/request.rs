//! One request and its answer: sent once, read within a deadline, classified.

use super::classify::refused;
use super::client::Client;
use super::transport::{DeadlineExceeded, Refused};
use super::wording;
use crate::engine::{Body as Document, WriteError};
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use kube::client::Body;
use serde::Deserialize;
use serde_json::Value;
use std::error::Error;
use std::time::Duration;

/// How long the body of an answer may take after its head.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// Asks for whole objects.
pub(super) const WHOLE: &str = "application/json";
/// Asks for the metadata of one object.
pub(super) const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
/// Asks for the metadata of the objects of a list.
pub(super) const METADATA_LIST: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// A successful answer.
#[derive(Debug)]
pub struct Reply {
    /// Whether something was created.
    pub created: bool,
    /// The document as it came. Whoever takes an object out of it learns whether it is one.
    pub body: Document,
    date: Option<HeaderValue>,
}

impl Reply {
    /// When, by the clock of who answered, if it says so.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        let parser = jiff::fmt::rfc2822::DateTimeParser::new();
        let date = self.date.as_ref()?.to_str().ok()?;
        parser.parse_timestamp(date).ok()
    }

    /// The document as a tree.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn value(&self) -> Result<Value, WriteError> {
        parsed(&self.body)
    }
}

/// What to send.
#[derive(Debug)]
pub struct Call {
    /// The verb.
    pub method: Method,
    /// Path and query.
    pub uri: String,
    /// Type of the body.
    pub content_type: &'static str,
    /// The body, empty for reads.
    pub body: Vec<u8>,
    /// Whether it is about a Secret.
    pub secret: bool,
    /// Type of the answer.
    pub accept: &'static str,
}

impl Call {
    /// A read.
    #[must_use]
    pub fn get(uri: String) -> Self {
        Self {
            method: Method::GET,
            uri,
            content_type: "application/json",
            body: Vec::new(),
            secret: false,
            accept: WHOLE,
        }
    }

    /// A write with a JSON body.
    #[must_use]
    pub fn json(method: Method, uri: String, body: &Value) -> Self {
        Self {
            method,
            uri,
            content_type: "application/json",
            // A tree can always be written.
            body: serde_json::to_vec(body).unwrap_or_default(),
            secret: false,
            accept: WHOLE,
        }
    }
}

/// Sends a request once.
///
/// # Errors
/// What the answer means, or why there is none.
pub async fn send(client: &Client, call: Call) -> Result<Reply, WriteError> {
    let request = Request::builder()
        .method(call.method)
        .uri(&call.uri)
        .header(header::ACCEPT, HeaderValue::from_static(call.accept))
        .header(
            header::CONTENT_TYPE,
            HeaderValue::from_static(call.content_type),
        )
        .body(Body::from(call.body))
        .map_err(|error| WriteError::Invalid(error.to_string()))?;
    let response = client
        .send(request)
        .await
        .map_err(|error| unanswered(&*error))?;
    let status = response.status();
    let date = response.headers().get(header::DATE).cloned();
    let collected = tokio::time::timeout(BODY_DEADLINE, response.into_body().collect()).await;
    let bytes = match collected {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(_)) => return Err(WriteError::Unreachable("the answer broke off".into())),
        Err(_) => return Err(WriteError::TimedOut(BODY_DEADLINE)),
    };
    if !status.is_success() {
        return Err(refused(status, &bytes, call.secret));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| no_json())?;
    Ok(Reply {
        created: status == StatusCode::CREATED,
        body: Box::<str>::from(text).into(),
        date,
    })
}

/// A document as what it ought to be.
///
/// # Errors
/// When it is something else.
pub fn parsed<'a, T: Deserialize<'a>>(document: &'a Document) -> Result<T, WriteError> {
    serde_json::from_str(document.text()).map_err(|error| {
        if error.is_data() {
            WriteError::Unreachable(error.to_string())
        } else {
            no_json()
        }
    })
}

fn no_json() -> WriteError {
    WriteError::Unreachable("the answer is not JSON; is this a Kubernetes API server?".into())
}

/// Reads once, and again a few times while the server is busy or the connection breaks.
///
/// # Errors
/// The last refusal.
pub async fn read(client: &Client, uri: &str) -> Result<Value, WriteError> {
    read_reply(client, uri).await?.value()
}

/// Like [`read`], with the whole answer.
///
/// # Errors
/// The last refusal.
pub async fn read_reply(client: &Client, uri: &str) -> Result<Reply, WriteError> {
    let mut wait = Duration::from_millis(100);
    for _ in 0..3 {
        match send(client, Call::get(uri.to_owned())).await {
            Err(WriteError::Busy { after, .. }) => {
                tokio::time::sleep(after.unwrap_or(wait).min(Duration::from_secs(5))).await;
            }
            Err(WriteError::Unreachable(_)) => tokio::time::sleep(wait).await,
            other => return other,
        }
        wait *= 3;
    }
    send(client, Call::get(uri.to_owned())).await
}

/// Like [`read`], without taking the answer apart.
///
/// # Errors
/// The last refusal.
pub async fn read_text(client: &Client, uri: &str) -> Result<Document, WriteError> {
    read_reply(client, uri).await.map(|reply| reply.body)
}

/// Why a request was not answered, in words that say what to look at.
#[must_use]
pub fn unanswered(error: &(dyn Error + 'static)) -> WriteError {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    let mut deepest = error.to_string();
    while let Some(inner) = source {
        if let Some(deadline) = inner.downcast_ref::<DeadlineExceeded>() {
            return WriteError::TimedOut(deadline.0);
        }
        if let Some(refused) = inner.downcast_ref::<Refused>() {
            return WriteError::Forbidden(refused.to_string());
        }
        deepest = inner.to_string();
        source = inner.source();
    }
    WriteError::Unreachable(wording::connection(error).unwrap_or(deepest))
}
