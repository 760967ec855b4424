//! From outside a cluster to a Service inside: a local port whose connections go through the API
//! server to one of the Service's ready pods.

use super::hands::Reader;
use super::request::read;
use super::wording;
use crate::engine::WriteError;
use k8s_openapi::api::core::v1::Pod;
use kube::client::UpgradeConnectionError;
use kube::{Api, Client};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use tokio::io::copy_bidirectional;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A local port that leads to a Service for as long as this value lives.
#[derive(Debug)]
pub struct Forward {
    /// The local address.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens local ports. Upgrading a connection needs HTTP/1.1, so it has a client of its own.
#[derive(Clone)]
pub struct Forwarder {
    client: Arc<OnceLock<Client>>,
    reader: Reader,
}

impl Forwarder {
    /// A forwarder over the same cluster as `reader`.
    #[must_use]
    pub fn new(reader: &Reader) -> Self {
        Self {
            client: Arc::default(),
            reader: reader.clone(),
        }
    }

    /// Made when it is needed: most who could forward never do.
    fn client(&self) -> Result<Client, WriteError> {
        if let Some(client) = self.client.get() {
            return Ok(client.clone());
        }
        let mut config = self.reader.client().config().clone();
        config.default_retry = false;
        let client = Client::try_from(config)
            .map_err(|error| WriteError::Unreachable(wording::credentials(&error)))?;
        Ok(self.client.get_or_init(|| client).clone())
    }

    /// A local port for `NAME[:PORT]` in a namespace.
    ///
    /// # Errors
    /// When there is no such Service, port or ready pod.
    pub async fn open(&self, namespace: &str, service: &str) -> Result<Forward, WriteError> {
        let (name, port) = service
            .split_once(':')
            .map_or((service, None), |(name, port)| (name, Some(port)));
        let (pod, port) = self.pod(namespace, name, port).await?;
        self.to_pod(namespace, &pod, port).await
    }

    /// A local port for a port of a pod.
    ///
    /// # Errors
    /// When the pod is not there, or may not be reached.
    pub async fn to_pod(
        &self,
        namespace: &str,
        pod: &str,
        port: u16,
    ) -> Result<Forward, WriteError> {
        let pods: Api<Pod> = Api::namespaced(self.client()?, namespace);
        // The first connection is made at once: what forbids it is told here, where a local
        // connection could only be closed without a word.
        let mut first = Some(
            pods.portforward(pod, &[port])
                .await
                .map_err(|error| refused(&error, namespace))?,
        );
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .map_err(|error| WriteError::Unreachable(format!("no local port: {error}")))?;
        let address = listener
            .local_addr()
            .map_err(|error| WriteError::Unreachable(error.to_string()))?;
        let pod = pod.to_owned();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((mut local, _)) = listener.accept().await {
                let (pods, pod, ready) = (pods.clone(), pod.clone(), first.take());
                connections.spawn(async move {
                    let forward = match ready {
                        Some(ready) => Ok(ready),
                        None => pods.portforward(&pod, &[port]).await,
                    };
                    let Ok(mut forward) = forward else { return };
                    if let Some(mut remote) = forward.take_stream(port) {
                        // Either side may close first; a broken copy is a closed connection to both.
                        let _ = copy_bidirectional(&mut local, &mut remote).await;
                    }
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Forward { address, task })
    }

    /// A port of a pod that runs, by the pod's name; `None` when there is no such pod.
    ///
    /// # Errors
    /// When the server does not say, or the pod may not be reached.
    pub async fn to_running_pod(
        &self,
        namespace: &str,
        pod: &str,
        port: u16,
    ) -> Result<Option<Forward>, WriteError> {
        let uri = format!("/api/v1/namespaces/{namespace}/pods/{pod}");
        let found = match read(self.reader.client(), &uri).await {
            Err(WriteError::Gone | WriteError::NamespaceMissing(_)) => return Ok(None),
            other => other?,
        };
        let runs = text(&found, "/status/phase") == "Running"
            && found.pointer("/metadata/deletionTimestamp").is_none();
        if runs {
            self.to_pod(namespace, pod, port).await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// A ready pod behind a Service, and the port it listens on.
    async fn pod(
        &self,
        namespace: &str,
        name: &str,
        port: Option<&str>,
    ) -> Result<(String, u16), WriteError> {
        let missing = |what: &str| {
            WriteError::Unreachable(format!("service {name} in namespace {namespace} {what}"))
        };
        let root = format!("/api/v1/namespaces/{namespace}");
        let service = match read(self.reader.client(), &format!("{root}/services/{name}")).await {
            Err(WriteError::Gone) => return Err(missing("does not exist")),
            other => other?,
        };
        let ports = service
            .pointer("/spec/ports")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let entry = { ports }
            .find(|entry| {
                port.is_none_or(|port| {
                    text(entry, "/name") == port || number(entry, "/port").to_string() == port
                })
            })
            .ok_or_else(|| missing(&format!("has no port {}", port.unwrap_or_default())))?;
        let selector: Vec<String> = service
            .pointer("/spec/selector")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some(format!("{key}%3D{}", value.as_str()?)))
            .collect();
        if selector.is_empty() {
            return Err(missing("selects no pods"));
        }
        let pods = read(
            self.reader.client(),
            &format!("{root}/pods?labelSelector={}", selector.join(",")),
        )
        .await?;
        let ready = pods
            .get("items")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .find(|pod| is_ready(pod));
        let pod = ready.ok_or_else(|| missing("has no ready pod"))?;
        let target = target_port(entry, pod)
            .ok_or_else(|| missing("names a port that its pod does not have"))?;
        Ok((text(pod, "/metadata/name").to_owned(), target))
    }
}

/// Why a pod cannot be reached; a right that is missing is named as `jsorc rbac` would grant it.
fn refused(error: &kube::Error, namespace: &str) -> WriteError {
    let code = match error {
        kube::Error::Api(status) => status.code,
        kube::Error::UpgradeConnection(UpgradeConnectionError::ProtocolSwitch(code)) => {
            code.as_u16()
        }
        _ => 0,
    };
    match code {
        401 | 403 => WriteError::Forbidden(format!(
            "the right to reach it is missing: create,get pods/portforward in namespace {namespace}"
        )),
        404 => WriteError::Gone,
        _ => {
            WriteError::Unreachable(wording::connection(error).unwrap_or_else(|| error.to_string()))
        }
    }
}

fn is_ready(pod: &Value) -> bool {
    pod.pointer("/metadata/deletionTimestamp").is_none()
        && pod
            .pointer("/status/conditions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .any(|condition| {
                text(condition, "/type") == "Ready" && text(condition, "/status") == "True"
            })
}

/// The number behind a Service's `targetPort`, which may be the name of a container's port.
fn target_port(entry: &Value, pod: &Value) -> Option<u16> {
    match entry.get("targetPort") {
        Some(Value::String(name)) => {
            let containers = pod.pointer("/spec/containers")?.as_array()?;
            let ports = containers
                .iter()
                .filter_map(|c| c.get("ports")?.as_array())
                .flatten();
            { ports }
                .find(|port| text(port, "/name") == name)
                .map(|port| number(port, "/containerPort"))
        }
        Some(Value::Number(number)) => number.as_u64().and_then(|n| n.try_into().ok()),
        _ => Some(number(entry, "/port")),
    }
}

fn number(value: &Value, pointer: &str) -> u16 {
    value
        .pointer(pointer)
        .and_then(Value::as_u64)
        .and_then(|n| n.try_into().ok())
        .unwrap_or(0)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}
