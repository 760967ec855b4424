//! A proxy between jsorc and the API server that counts every request and does to it what a test
//! says: the network's and the server's worst days, at a chosen call.

use std::{
    convert::Infallible,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use http::StatusCode;
use http_body_util::{BodyExt, Collected};
use kube::{Client, Config};

use super::process::{Scratch, kill};

/// What is done to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Pass,
    /// The client is killed before the request reaches the server.
    KillBefore,
    /// The client is killed when the server has answered, before it sees the answer.
    KillBetween,
    /// The client is killed just after it was sent the answer.
    KillAfter,
    /// The connection breaks before the request reaches the server.
    Drop,
    /// The server carries it out, and the answer is lost.
    LoseAnswer,
    /// The answer breaks off in the middle.
    Truncate,
    /// The server refuses with this status and asks to wait so many seconds.
    Refuse(u16, u32),
    /// The server carries it out, and a status says that it did not.
    DoneButRefuse(u16),
    /// It reaches the server twice.
    Repeat,
    /// It reaches the server only after this time, whether or not the client still waits.
    Hold(Duration),
}

/// One request that came through.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its number, from zero.
    pub number: usize,
    /// Its method.
    pub method: String,
    /// Path and query.
    pub uri: String,
    /// The server's answer; zero before there is one.
    pub status: u16,
}

impl Call {
    /// Whether it would change something.
    pub fn is_write(&self) -> bool {
        self.method != "GET" && !self.uri.contains("reviews") && !self.uri.contains("dryRun=All")
    }
}

/// Says what is done to a request.
pub type Plan = Box<dyn FnMut(&Call) -> Fault + Send>;

/// The proxy; it ends with the process.
pub struct FaultProxy {
    shared: Arc<Shared>,
    folder: Scratch,
    _runtime: tokio::runtime::Runtime,
}

struct Shared {
    client: Client,
    /// Where watches go, if that is another server.
    watches: Option<Client>,
    plan: Mutex<Plan>,
    calls: Mutex<Vec<Call>>,
    victim: AtomicU32,
    streams: tokio::sync::watch::Sender<()>,
}

impl FaultProxy {
    /// A proxy to the cluster of a kubeconfig, through which everything passes at first.
    pub fn to(kubeconfig: &Path) -> Self {
        Self::between(kubeconfig, None)
    }

    /// A proxy behind which watches end at another server than all else, as they may behind a load
    /// balancer: each connection has a server of its own.
    pub fn split(kubeconfig: &Path, watches: &Path) -> Self {
        Self::between(kubeconfig, Some(watches))
    }

    fn between(kubeconfig: &Path, watches: Option<&Path>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        // A test may be the first of the process to use TLS.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (shared, port) = runtime.block_on(async {
            let watches = match watches {
                Some(kubeconfig) => Some(client(kubeconfig).await),
                None => None,
            };
            let shared = Arc::new(Shared {
                client: client(kubeconfig).await,
                watches,
                plan: Mutex::new(Box::new(|_| Fault::Pass)),
                calls: Mutex::new(Vec::new()),
                victim: AtomicU32::new(0),
                streams: tokio::sync::watch::Sender::new(()),
            });
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let app = Router::new().fallback(handle).with_state(shared.clone());
            tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
            (shared, port)
        });
        let folder = Scratch::new("proxy");
        let config = format!(
            "apiVersion: v1
kind: Config
current-context: proxy
clusters: [{{name: proxy, cluster: {{server: \"http://127.0.0.1:{port}\"}}}}]
users: [{{name: proxy, user: {{}}}}]
contexts: [{{name: proxy, context: {{cluster: proxy, user: proxy}}}}]
"
        );
        folder.file("kubeconfig", &config);
        Self {
            shared,
            folder,
            _runtime: runtime,
        }
    }

    /// The way through it, as the user of the kubeconfig behind it.
    pub fn kubeconfig(&self) -> std::path::PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Counts from zero again and does from now on what `plan` says.
    pub fn plan(&self, plan: impl FnMut(&Call) -> Fault + Send + 'static) {
        *self.shared.plan.lock().unwrap() = Box::new(plan);
        self.shared.calls.lock().unwrap().clear();
    }

    /// The process that a fault may kill; none before it is said.
    pub fn victim(&self, pid: u32) {
        self.shared.victim.store(pid, Ordering::SeqCst);
    }

    /// Ends every answer that is still on its way: watches, above all.
    pub fn end_streams(&self) {
        self.shared.streams.send_replace(());
    }

    /// All requests so far.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }
}

async fn client(kubeconfig: &Path) -> Client {
    let file = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
    let options = kube::config::KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(file, &options).await;
    let mut config = config.unwrap();
    config.read_timeout = None;
    Client::try_from(config).unwrap()
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Infallible> {
    let (fault, number) = {
        let mut calls = shared.calls.lock().unwrap();
        let call = Call {
            number: calls.len(),
            method: request.method().to_string(),
            uri: request.uri().to_string(),
            status: 0,
        };
        let fault = (shared.plan.lock().unwrap())(&call);
        calls.push(call);
        (fault, calls.len() - 1)
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return Ok(broken());
    };
    let body = body.to_bytes();
    let send = |shared: Arc<Shared>| {
        let mut request = http::Request::builder()
            .method(parts.method.clone())
            .uri(parts.uri.clone());
        for (name, value) in &parts.headers {
            if !matches!(name.as_str(), "host" | "connection" | "content-length") {
                request = request.header(name, value);
            }
        }
        let request = request
            .body(kube::client::Body::from(body.clone()))
            .unwrap();
        async move {
            let watches = request.uri().query().unwrap_or("").contains("watch=true");
            let client = shared.watches.as_ref().filter(|_| watches);
            let answer = client.unwrap_or(&shared.client).send(request).await;
            let status = answer
                .as_ref()
                .map_or(502, |answer| answer.status().as_u16());
            if let Some(call) = shared.calls.lock().unwrap().get_mut(number) {
                call.status = status;
            }
            answer
        }
    };
    match fault {
        Fault::Pass => {}
        Fault::KillBefore => {
            shared.kill().await;
            return Ok(broken());
        }
        Fault::KillBetween => {
            let _ = send(shared.clone()).await;
            shared.kill().await;
            return Ok(broken());
        }
        Fault::KillAfter => {
            let shared = shared.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(3)).await;
                shared.kill().await;
            });
        }
        Fault::Drop => return Ok(broken()),
        Fault::LoseAnswer => {
            let _ = send(shared.clone()).await;
            return Ok(broken());
        }
        Fault::Truncate => {
            return Ok(match send(shared.clone()).await {
                Ok(answer) => truncated(answer).await,
                Err(_) => broken(),
            });
        }
        Fault::Refuse(status, after) => return Ok(refusal(status, after)),
        Fault::DoneButRefuse(status) => {
            let _ = send(shared.clone()).await;
            return Ok(refusal(status, 0));
        }
        Fault::Repeat => {
            let answer = send(shared.clone()).await;
            let _ = send(shared.clone()).await;
            return Ok(shared.forwarded(answer));
        }
        Fault::Hold(time) => {
            // The server gets it even if the client is gone by then.
            let late = send(shared.clone());
            let task = tokio::spawn(async move {
                tokio::time::sleep(time).await;
                late.await
            });
            return Ok(task
                .await
                .map_or_else(|_| broken(), |answer| shared.forwarded(answer)));
        }
    }
    let answer = send(shared.clone()).await;
    Ok(shared.forwarded(answer))
}

async fn truncated(answer: http::Response<kube::client::Body>) -> Response {
    let (parts, body) = answer.into_parts();
    // A watch has no end to wait for: what comes first is enough to break off in.
    let first = tokio::time::timeout(Duration::from_millis(200), first_half(body)).await;
    let breaks = Err(std::io::Error::other("the connection breaks"));
    let parts_of_it = [Ok(first.unwrap_or_default()), breaks];
    let mut response = Response::new(Body::from_stream(futures::stream::iter(parts_of_it)));
    *response.status_mut() = parts.status;
    response
}

async fn first_half(body: kube::client::Body) -> axum::body::Bytes {
    let whole = body.collect().await;
    let whole = whole.map_or_else(|_| axum::body::Bytes::new(), Collected::to_bytes);
    whole.slice(..whole.len() / 2)
}

/// An answer that breaks before its first byte of content.
fn broken() -> Response {
    let breaks: [Result<axum::body::Bytes, std::io::Error>; 1] =
        [Err(std::io::Error::other("the connection breaks"))];
    Response::new(Body::from_stream(futures::stream::iter(breaks)))
}

fn refusal(status: u16, after: u32) -> Response {
    let code = StatusCode::from_u16(status).unwrap();
    let body = serde_json::json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
        "message": "the test refuses", "reason": "InternalError", "code": status,
        "details": {"retryAfterSeconds": after}});
    Response::builder()
        .status(code)
        .header("content-type", "application/json")
        .header("retry-after", after.to_string())
        .body(Body::from(body.to_string()))
        .unwrap()
}

impl Shared {
    fn forwarded(&self, answer: kube::Result<http::Response<kube::client::Body>>) -> Response {
        let Ok(answer) = answer else { return broken() };
        let (mut parts, body) = answer.into_parts();
        parts.headers.remove("transfer-encoding");
        parts.headers.remove("content-length");
        let mut ends = self.streams.subscribe();
        let end = Box::pin(async move { ends.changed().await });
        let stream = futures::StreamExt::take_until(body.into_data_stream(), end);
        Response::from_parts(parts, Body::from_stream(stream))
    }

    /// Kills the victim, once it is known which.
    async fn kill(&self) {
        loop {
            match self.victim.load(Ordering::SeqCst) {
                0 => tokio::time::sleep(Duration::from_millis(1)).await,
                pid => return kill(pid),
            }
        }
    }
}
