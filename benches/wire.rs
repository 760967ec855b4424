//! Bare HTTP/2 to the API server: the bound that everything is held against.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use kube::{
    Config,
    client::ConfigExt as _,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::Value;

/// One connection, shared by its copies.
#[derive(Clone)]
pub struct Wire {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    kubeconfig: PathBuf,
    base: String,
    agent: &'static str,
}

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Bytes,
}

impl Wire {
    /// A connection of its own, which the server knows by this `User-Agent`.
    pub async fn new(kubeconfig: &Path, agent: &'static str) -> Self {
        let file = Kubeconfig::read_from(kubeconfig).unwrap();
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(file, &options);
        let config = config.await.unwrap();
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config.rustls_client_config().unwrap())
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(http);
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            kubeconfig: kubeconfig.to_owned(),
            base: config
                .cluster_url
                .to_string()
                .trim_end_matches('/')
                .to_owned(),
            agent,
        }
    }

    /// Another connection of the same kind.
    pub async fn apart(&self) -> Self {
        Self::new(&self.kubeconfig, self.agent).await
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, method: &str, path: &str, kind: &str, body: Bytes) -> Answer {
        let response = self.open(method, path, kind, body).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Answer { status, body }
    }

    /// Server-side apply of a finished body, taking every field.
    pub async fn apply(&self, path: &str, manager: &str, body: Bytes) -> Answer {
        let path = format!("{path}?fieldManager={manager}&force=true");
        self.send("PATCH", &path, "application/apply-patch+yaml", body)
            .await
    }

    /// A merge patch, as a person's edit.
    pub async fn merge(&self, path: &str, body: &Value) -> Answer {
        let kind = "application/merge-patch+json";
        self.send("PATCH", path, kind, body.to_string().into())
            .await
    }

    /// Creates a namespace.
    pub async fn create_namespace(&self, name: &str) {
        let body = serde_json::json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let text = body.to_string();
        let answer = self
            .send(
                "POST",
                "/api/v1/namespaces",
                "application/json",
                text.into(),
            )
            .await;
        assert_eq!(answer.status, 201, "namespace {name}");
    }

    /// Opens a watch; its lines come one by one.
    pub async fn watch(&self, path: &str) -> Lines {
        let response = self
            .open("GET", path, "application/json", Bytes::new())
            .await;
        assert_eq!(response.status().as_u16(), 200, "watch {path}");
        Lines {
            body: response.into_body(),
            rest: Vec::new(),
        }
    }

    async fn open(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        body: Bytes,
    ) -> http::Response<Incoming> {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("user-agent", self.agent)
            .header("accept", "application/json")
            .header("content-type", kind)
            .body(Full::new(body))
            .unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(60), self.client.request(request));
        answer.await.expect("an answer within a minute").unwrap()
    }
}

/// The events of a watch.
pub struct Lines {
    body: Incoming,
    rest: Vec<u8>,
}

impl Lines {
    /// The next event; none at the end.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let frame = self.body.frame().await?.ok()?;
            self.rest.extend(frame.into_data().ok()?);
        }
    }
}
