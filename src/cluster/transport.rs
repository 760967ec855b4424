//! The HTTP stack below every request: HTTP/2 where the server speaks it, a deadline on every
//! answer, and a guard that lets a reader change nothing.
//!
//! kube's own default stack speaks HTTP/1.1 only, retries fifteen times out of sight and waits
//! for ever on a dead connection, so this one is put together from kube's layers over hyper.
//! PINGs notice a dead link after about 15 s; the deadline directly above hyper also covers name
//! look-up, TCP, TLS and HTTP/2 set-up, without which a re-dial into a dead path would hang.

use super::client::Setup;
use http::{HeaderValue, Method, Request, Response, header};
use hyper::body::Incoming;
use hyper_rustls::{FixedServerNameResolver, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{Body, ConfigExt};
use rustls::pki_types::ServerName;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tower::{BoxError, Layer, Service, ServiceBuilder};

/// How long the head of an answer may take, from name look-up on.
const READ_DEADLINE: Duration = Duration::from_secs(8);
/// The same for writes, which admission webhooks may hold for up to 30 s.
const WRITE_DEADLINE: Duration = Duration::from_secs(32);
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// What a server may send of one answer before we have read it: memory that thousands of objects
/// would otherwise wait in.
const STREAM_WINDOW: u32 = 256 * 1024;

/// Whether requests may change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Reads, dry runs and reviews of one's own rights.
    ReadOnly,
    /// Everything.
    ReadWrite,
}

/// A request that a reader must not send.
#[derive(Debug, thiserror::Error)]
#[error("a reader refused to send {0} {1}")]
pub struct Refused(Method, String);

/// No answer came in time.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {0:?}")]
pub struct DeadlineExceeded(pub Duration);

/// Counts the requests of all connections of one process.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// How many requests have been sent.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The layers that a request passes, over connections of their own.
pub(super) fn stack(
    setup: &Setup,
    rights: Rights,
) -> impl Service<Request<Body>, Response = Response<Incoming>, Error = BoxError, Future: Send>
+ Clone
+ Send
+ Sync
+ use<> {
    let config = &setup.config;
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(config.connect_timeout.or(Some(READ_DEADLINE)));
    http.set_keepalive(Some(Duration::from_secs(30)));
    let builder = HttpsConnectorBuilder::new()
        .with_tls_config(setup.tls.clone())
        .https_or_http();
    let fixed = config
        .tls_server_name
        .clone()
        .and_then(|name| ServerName::try_from(name).ok());
    let https = match fixed {
        Some(name) => builder
            .with_server_name_resolver(FixedServerNameResolver::new(name))
            .enable_all_versions()
            .wrap_connector(http),
        None => builder.enable_all_versions().wrap_connector(http),
    };
    let hyper: HyperClient<_, Body> = HyperClient::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .http2_keep_alive_interval(PING_EVERY)
        .http2_keep_alive_timeout(PING_ANSWER_WITHIN)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(4 * STREAM_WINDOW)
        .build(https);
    ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(setup.auth.as_ref())
        .layer(&setup.headers)
        .layer(GuardLayer {
            rights,
            counter: setup.counter.clone(),
        })
        .map_err(BoxError::from)
        .service(hyper)
}

#[derive(Clone)]
struct GuardLayer {
    rights: Rights,
    counter: Counter,
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard {
            inner,
            layer: self.clone(),
        }
    }
}

#[derive(Clone)]
struct Guard<S> {
    inner: S,
    layer: GuardLayer,
}

impl<S> Service<Request<Body>> for Guard<S>
where
    S: Service<Request<Body>, Response = Response<Incoming>>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let writes = changes_something(
            request.method(),
            request.uri().path(),
            request.uri().query(),
        );
        if writes && self.layer.rights == Rights::ReadOnly {
            let refused = Refused(request.method().clone(), request.uri().path().to_owned());
            return Box::pin(async move { Err(refused.into()) });
        }
        let agent = HeaderValue::from_static(concat!("jsorc/", env!("CARGO_PKG_VERSION")));
        request
            .headers_mut()
            .entry(header::USER_AGENT)
            .or_insert(agent);
        self.layer.counter.0.fetch_add(1, Ordering::Relaxed);
        let (method, path) = (request.method(), request.uri().path());
        let deadline = if is_read(method) || is_review(method, path) {
            READ_DEADLINE
        } else {
            WRITE_DEADLINE
        };
        let answer = self.inner.call(request);
        Box::pin(async move {
            match tokio::time::timeout(deadline, answer).await {
                Ok(answer) => {
                    let answer = answer.map_err(Into::into)?;
                    for warning in answer.headers().get_all(header::WARNING) {
                        // The text follows a code and an agent: `299 - "text"` (RFC 7234).
                        let text = warning
                            .to_str()
                            .unwrap_or("")
                            .split('"')
                            .nth(1)
                            .unwrap_or("");
                        tracing::warn!("the API server warns: {text}");
                    }
                    Ok(answer)
                }
                Err(_) => Err(DeadlineExceeded(deadline).into()),
            }
        })
    }
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether a request could leave a trace in the cluster. Reviews are answered and not stored.
fn changes_something(method: &Method, path: &str, query: Option<&str>) -> bool {
    let dry_run = query.is_some_and(|query| query.split('&').any(|pair| pair == "dryRun=All"));
    !is_read(method) && !dry_run && !is_review(method, path)
}

/// Whether a request only asks for one's own name or rights.
fn is_review(method: &Method, path: &str) -> bool {
    let reviews = [
        "selfsubjectreviews",
        "selfsubjectaccessreviews",
        "selfsubjectrulesreviews",
    ];
    *method == Method::POST && reviews.iter().any(|review| path.ends_with(review))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_sends_reads_dry_runs_and_reviews_only() {
        let rows = [
            (Method::GET, "/api/v1/pods", None, false),
            (Method::PATCH, "/api/v1/pods/a", None, true),
            (
                Method::PATCH,
                "/api/v1/pods/a",
                Some("fieldManager=x&dryRun=All"),
                false,
            ),
            (Method::PATCH, "/api/v1/pods/a", Some("dryRun=Alle"), true),
            (Method::DELETE, "/api/v1/pods/a", Some("dryRun="), true),
            (
                Method::POST,
                "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                None,
                false,
            ),
            (
                Method::PUT,
                "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                None,
                true,
            ),
            (Method::POST, "/api/v1/namespaces/a/secrets", None, true),
        ];
        for (method, path, query, expected) in rows {
            assert_eq!(
                changes_something(&method, path, query),
                expected,
                "{method} {path} {query:?}"
            );
        }
    }
}
