//! Services that are in front of pods of their own set: they are in order once one of those is
//! ready.

use super::at::At as _;
use super::edges::{Label, Node, first_label};
use super::workload;
use serde_json::Value;
use std::collections::HashMap;

/// The workloads that are meant to run, found by the labels of their pods.
pub struct Backs<'a> {
    labelled: HashMap<Label<'a>, Vec<&'a Node<'a>>>,
}

impl<'a> Backs<'a> {
    /// The workloads of a set.
    #[must_use]
    pub fn new(all: &'a [Node<'a>]) -> Self {
        let mut labelled: HashMap<Label<'_>, Vec<&Node<'_>>> = HashMap::new();
        for node in all.iter().filter(|node| runs_pods(node)) {
            let labels = pod_labels(node.value).and_then(Value::as_object);
            for (label, value) in labels.into_iter().flatten() {
                if let Some(value) = value.as_str() {
                    labelled.entry((label, value)).or_default().push(node);
                }
            }
        }
        Self { labelled }
    }

    /// Whether an object is a Service that selects pods which are meant to run.
    #[must_use]
    pub fn has_front(&self, node: &Node<'_>) -> bool {
        let selector = node.value.at("/spec/selector");
        let Some(selector) = selector.filter(|_| node.key.is("", "Service")) else {
            return false;
        };
        let Some(label) = first_label(selector) else {
            return false;
        };
        let mut backs = self.labelled.get(&label).into_iter().flatten();
        backs.any(|other| {
            other.key.namespace == node.key.namespace
                && pod_labels(other.value).is_some_and(|labels| workload::selects(selector, labels))
        })
    }
}

fn runs_pods(node: &Node<'_>) -> bool {
    let replicas = node.value.at("/spec/replicas").and_then(Value::as_i64);
    matches!(
        &*node.key.kind,
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Pod"
    ) && replicas != Some(0)
}

fn pod_labels(value: &Value) -> Option<&Value> {
    workload::template(value)?.at("/metadata/labels")
}
