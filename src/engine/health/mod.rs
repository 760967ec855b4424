//! Is a live object what its manifest promises? A pure function of the object, one reason in
//! words for everything that is not in order.
//!
//! The rules are those of kstatus (sigs.k8s.io/cli-utils), with two differences that a keeper of
//! services needs: a running Job is not finished yet, and a claim that waits for its first
//! consumer says so. A generation that its controller has not seen is never in order.

mod rest;
mod workload;

use crate::desired::Resource;
use crate::desired::at::At as _;
use serde_json::Value;

const UNSEEN: &str = "not seen by its controller yet";

/// The state of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// As its manifest promises.
    Current,
    /// On its way; why it is not there yet.
    InProgress(String),
    /// Will not get there by waiting; why.
    Failed(String),
    /// Marked for deletion.
    Terminating,
    /// Not in the cluster.
    NotFound,
}

impl Health {
    /// Whether the object is in order.
    #[must_use]
    pub fn is_current(&self) -> bool {
        *self == Self::Current
    }

    /// Why the object is not in order, `None` when it is.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Current => None,
            Self::InProgress(reason) | Self::Failed(reason) => Some(reason),
            Self::Terminating => Some("is being deleted"),
            Self::NotFound => Some("does not exist"),
        }
    }

    /// Whether its controller has not looked at it yet: it has no pods then that could tell more.
    #[must_use]
    pub fn is_unseen(&self) -> bool {
        self.reason().is_some_and(|reason| reason.ends_with(UNSEEN))
    }

    fn wait(reason: impl Into<String>) -> Self {
        Self::InProgress(reason.into())
    }
}

/// Whether the health of a kind depends on more than its status.
#[must_use]
pub fn judges_spec(api_version: &str, kind: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    matches!(
        (group, kind),
        (
            "apps" | "batch" | "policy" | "apiregistration.k8s.io" | "apiextensions.k8s.io",
            _
        ) | (
            "",
            "Pod" | "ReplicationController" | "Service" | "PersistentVolumeClaim"
        )
    )
}

/// Whether objects of a kind change without anybody meaning to change them: a status, or what
/// controllers fill in. Kinds that are not built in may.
#[must_use]
pub fn changes_by_itself(kind: &Resource) -> bool {
    !matches!(
        (&*kind.group, &*kind.kind),
        ("", "ConfigMap" | "Secret" | "ServiceAccount" | "LimitRange")
            | ("rbac.authorization.k8s.io", _)
            | ("networking.k8s.io", "NetworkPolicy")
            | ("scheduling.k8s.io", "PriorityClass")
            | ("storage.k8s.io", "StorageClass")
    )
}

/// Judges one live object.
#[must_use]
pub fn health(live: &Value) -> Health {
    if live.at("/metadata/deletionTimestamp").is_some() {
        return Health::Terminating;
    }
    if let Some(early) = stale_generation(live).or_else(|| standard_conditions(live)) {
        return early;
    }
    let group = text(live, "/apiVersion")
        .split_once('/')
        .map_or("", |(group, _)| group);
    match (group, text(live, "/kind")) {
        ("apps", "Deployment") => workload::deployment(live),
        ("apps", "StatefulSet") => workload::stateful_set(live),
        ("apps", "DaemonSet") => workload::daemon_set(live),
        ("apps", "ReplicaSet") | ("", "ReplicationController") => workload::replica_set(live),
        ("batch", "Job") => workload::job(live),
        ("", "Pod") => workload::pod(live),
        ("", "PersistentVolumeClaim") => rest::claim(live),
        ("", "Service") => rest::service(live),
        ("", "Namespace") => rest::namespace(live),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => rest::definition(live),
        ("apiregistration.k8s.io", "APIService") => rest::api_service(live),
        ("autoscaling", "HorizontalPodAutoscaler") => rest::autoscaler(live),
        ("policy", "PodDisruptionBudget") => rest::disruption_budget(live),
        _ => ready_condition(live).unwrap_or(Health::Current),
    }
}

fn stale_generation(live: &Value) -> Option<Health> {
    let observed = live.at("/status/observedGeneration")?.as_i64()?;
    let generation = live.at("/metadata/generation")?.as_i64()?;
    (observed < generation).then(|| Health::wait(format!("generation {generation} {UNSEEN}")))
}

/// `Stalled` and `Reconciling`, the conditions that kstatus asks of every kind.
fn standard_conditions(live: &Value) -> Option<Health> {
    if let Some(stalled) = Condition::of(live, "Stalled").filter(|c| c.status == "True") {
        return Some(Health::Failed(stalled.said()));
    }
    Condition::of(live, "Reconciling")
        .filter(|c| c.status == "True")
        .map(|reconciling| Health::wait(reconciling.said()))
}

/// The convention of custom resources.
fn ready_condition(live: &Value) -> Option<Health> {
    let ready = Condition::of(live, "Ready")?;
    Some(if ready.status == "True" {
        Health::Current
    } else {
        Health::wait(ready.said())
    })
}

/// One item of `status.conditions`.
struct Condition<'a> {
    kind: &'a str,
    status: &'a str,
    reason: &'a str,
    message: &'a str,
}

impl<'a> Condition<'a> {
    fn of(live: &'a Value, kind: &'a str) -> Option<Self> {
        let found = live
            .at("/status/conditions")?
            .as_array()?
            .iter()
            .find(|condition| text(condition, "/type") == kind)?;
        Some(Self {
            kind,
            status: text(found, "/status"),
            reason: text(found, "/reason"),
            message: text(found, "/message"),
        })
    }

    fn is_true(live: &'a Value, kind: &'a str) -> bool {
        Self::of(live, kind).is_some_and(|condition| condition.status == "True")
    }

    fn said(&self) -> String {
        match (self.reason, self.message) {
            ("", "") => format!("{} is {}", self.kind, self.status),
            ("", text) | (text, "") => text.to_owned(),
            (reason, message) => format!("{reason}: {message}"),
        }
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.at(pointer).and_then(Value::as_str).unwrap_or("")
}

fn number(value: &Value, pointer: &str) -> i64 {
    value.at(pointer).and_then(Value::as_i64).unwrap_or(0)
}

#[cfg(test)]
mod tests;
