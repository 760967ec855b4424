//! Why a workload is not ready: its first pod in trouble, and what the pod or its last warning
//! says.

use super::hands::Reader;
use super::request::read;
use crate::desired::{ObjectKey, Resource};
use crate::engine::WriteError;
use crate::engine::health::{Health, health};
use serde_json::Value;

/// What holds a workload up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The pod, and what it or the scheduler says.
    pub text: String,
    /// Ports of the node that the pod wants, when no node has them free.
    pub ports: Vec<u64>,
}

impl Reader {
    /// One line about the pod that holds a workload up; `None` when no pod does.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn explain(
        &self,
        key: &ObjectKey,
        resource: &Resource,
    ) -> Result<Option<Trouble>, WriteError> {
        let Some(workload) = self.get(key, resource).await? else {
            return Ok(None);
        };
        let Some(namespace) = key.namespace.as_deref() else {
            return Ok(None);
        };
        let Some(selector) = selector(&workload) else {
            return Ok(None);
        };
        let uri = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={selector}");
        let list = read(self.client(), &uri).await?;
        let mut pods: Vec<(Health, &Value)> = list
            .get("items")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|pod| (pod_health(pod), pod))
            .filter(|(health, _)| !health.is_current() && *health != Health::Terminating)
            .collect();
        pods.sort_by_key(|(health, _)| !matches!(health, Health::Failed(_)));
        let Some((health, pod)) = pods.first() else {
            let text = self.warning(namespace, &key.name).await;
            let ports = Vec::new();
            return Ok(text.map(|text| Trouble { text, ports }));
        };
        let name = text(pod, "/metadata/name");
        let reason = health.reason().unwrap_or("not ready");
        let vague = ["pending", "not scheduled yet", "not ready"].contains(&reason);
        let warning = if vague {
            self.warning(namespace, name).await
        } else {
            None
        };
        let said = warning.as_deref().unwrap_or(reason);
        let taken = said.contains("free ports");
        Ok(Some(Trouble {
            text: format!("pod {name} {said}"),
            ports: if taken { node_ports(pod) } else { Vec::new() },
        }))
    }

    /// The last warning about an object; events are a help, so their absence is no error.
    async fn warning(&self, namespace: &str, name: &str) -> Option<String> {
        let uri = format!(
            "/api/v1/namespaces/{namespace}/events?fieldSelector=involvedObject.name%3D{name},type%3DWarning"
        );
        let events = read(self.client(), &uri).await.ok()?;
        let last = events
            .get("items")?
            .as_array()?
            .iter()
            .max_by_key(|event| text(event, "/lastTimestamp"))?;
        let message = text(last, "/message");
        Some(format!(
            "{}: {}",
            text(last, "/reason"),
            message.lines().next().unwrap_or("")
        ))
    }
}

/// The ports of the node that a pod wants for itself.
fn node_ports(pod: &Value) -> Vec<u64> {
    let list = |value: &Value, pointer: &str| -> Vec<Value> {
        let found = value.pointer(pointer).and_then(Value::as_array);
        found.cloned().unwrap_or_default()
    };
    list(pod, "/spec/containers")
        .iter()
        .flat_map(|container| list(container, "/ports"))
        .filter_map(|port| port.get("hostPort")?.as_u64())
        .collect()
}

/// List items carry no kind, by which health is told.
fn pod_health(pod: &Value) -> Health {
    let mut pod = pod.clone();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    health(&pod)
}

fn selector(workload: &Value) -> Option<String> {
    let labels = workload
        .pointer("/spec/selector/matchLabels")?
        .as_object()?;
    let pairs: Vec<String> = labels
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}%3D{}", value.as_str()?)))
        .collect();
    (!pairs.is_empty()).then(|| pairs.join(","))
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}
