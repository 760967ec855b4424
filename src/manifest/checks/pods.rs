//! Where the pods of a document are.

use super::super::document::Document;
use super::super::yaml::Node;

/// The pod that a document is or makes.
pub(super) struct Pod<'a> {
    pub metadata: Option<&'a Node>,
    pub spec: &'a Node,
}

/// The pod of a workload, whatever its kind.
pub(super) fn pod_of(document: &Document) -> Option<Pod<'_>> {
    let path: &[&str] = match document.kind.as_str() {
        "Pod" => &[],
        "PodTemplate" => &["template"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template"],
        "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "ReplicationController"
        | "Job" => &["spec", "template"],
        _ => return None,
    };
    if !document.is(&document.kind) {
        return None;
    }
    let holder = document.body.at(path)?;
    Some(Pod {
        metadata: holder.get("metadata"),
        spec: holder.get("spec")?,
    })
}

impl<'a> Pod<'a> {
    /// All containers: the main ones, those that run before, and those added for debugging.
    pub(super) fn containers(&self) -> impl Iterator<Item = &'a Node> {
        ["initContainers", "containers", "ephemeralContainers"]
            .into_iter()
            .flat_map(|key| self.spec.list(key))
    }

    /// The labels of the pod.
    pub(super) fn labels(&self) -> Option<&'a Node> {
        self.metadata?.get("labels")
    }
}

/// What a container is called, for people.
pub(super) fn container_name(container: &Node) -> &str {
    container.text_at("name").unwrap_or("?")
}
