//! What edges between objects look at, and nothing else: the values of thousands of objects are
//! several times as large as their text, and an edge is about a handful of fields.
//!
//! Invariant: the edges of a shape are those of the whole object.

use super::at::At as _;
use super::instance::AFTER_ANNOTATION;
use super::workload::{items, template_pointer};
use serde_json::{Map, Value, json};

/// The shape of an object.
pub(super) fn shape(object: &Value) -> Value {
    let mut shape = json!({"kind": object["kind"]});
    if let Some(after) = object
        .at("/metadata/annotations")
        .and_then(|annotations| annotations.get(AFTER_ANNOTATION))
    {
        shape["metadata"] = json!({"annotations": {AFTER_ANNOTATION: after}});
    }
    let kind = object["kind"].as_str().unwrap_or_default();
    for pointer in looked_at(kind) {
        keep(&mut shape, pointer, object.at(pointer).cloned());
    }
    if let Some(pointer) = template_pointer(kind) {
        let pods = object.at(pointer).map(pods);
        keep(&mut shape, pointer, pods);
    }
    shape
}

/// The fields of each kind that lead to others.
fn looked_at(kind: &str) -> &'static [&'static str] {
    match kind {
        "CustomResourceDefinition" => &["/spec/group", "/spec/names/kind"],
        "RoleBinding" | "ClusterRoleBinding" => &["/roleRef", "/subjects"],
        "Service" => &["/spec/selector"],
        "PersistentVolumeClaim" => &["/spec/storageClassName"],
        "Ingress" => &[
            "/spec/ingressClassName",
            "/spec/defaultBackend",
            "/spec/rules",
            "/spec/tls",
        ],
        "HorizontalPodAutoscaler" => &["/spec/scaleTargetRef"],
        "ServiceAccount" => &["/imagePullSecrets"],
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => &["/webhooks"],
        "APIService" => &["/spec/service"],
        "Deployment" | "StatefulSet" | "ReplicaSet" => &["/spec/replicas"],
        _ => &[],
    }
}

/// A pod template, without what pods are made of.
fn pods(template: &Value) -> Value {
    let mut shape = json!({});
    for pointer in [
        "/metadata/labels",
        "/spec/serviceAccountName",
        "/spec/priorityClassName",
        "/spec/imagePullSecrets",
        "/spec/volumes",
    ] {
        keep(&mut shape, pointer, template.at(pointer).cloned());
    }
    for field in ["initContainers", "containers"] {
        let containers = items(&template["spec"], field).map(reading);
        let readers: Vec<Value> = containers.flatten().collect();
        let readers = (!readers.is_empty()).then_some(Value::from(readers));
        keep(&mut shape, &format!("/spec/{field}"), readers);
    }
    shape
}

/// What a container reads of other objects, if it does.
fn reading(container: &Value) -> Option<Value> {
    let from: Vec<Value> = items(container, "envFrom").cloned().collect();
    let read = items(container, "env").filter(|variable| variable.get("valueFrom").is_some());
    let read: Vec<Value> = read.cloned().collect();
    (!from.is_empty() || !read.is_empty()).then(|| json!({"envFrom": from, "env": read}))
}

/// Puts a part of an object where it was.
fn keep(shape: &mut Value, pointer: &str, part: Option<Value>) {
    let Some(part) = part else { return };
    let mut place = shape;
    for name in pointer.split('/').skip(1) {
        if !place.is_object() {
            *place = Map::new().into();
        }
        place = &mut place[name];
    }
    merge(place, part);
}

fn merge(place: &mut Value, part: Value) {
    match (place, part) {
        (Value::Object(known), Value::Object(more)) => {
            for (name, part) in more {
                merge(known.entry(name).or_insert(Value::Null), part);
            }
        }
        (place, part) => *place = part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_keeps_what_its_pods_read_and_who_they_are() {
        let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "annotations": {AFTER_ANNOTATION: "Job/a", "b": "c"}},
            "spec": {"replicas": 0, "strategy": {}, "template": {"metadata": {"labels": {"a": "b"}},
                "spec": {"serviceAccountName": "web", "volumes": [{"name": "v"}],
                    "containers": [{"name": "x", "image": "x:1", "env": [{"name": "A", "value": "1"}]},
                        {"name": "y", "env": [{"name": "B", "valueFrom": {"secretKeyRef": {"name": "s"}}}]}]}}}});
        let wanted = json!({"kind": "Deployment",
            "metadata": {"annotations": {AFTER_ANNOTATION: "Job/a"}},
            "spec": {"replicas": 0, "template": {"metadata": {"labels": {"a": "b"}},
                "spec": {"serviceAccountName": "web", "volumes": [{"name": "v"}],
                    "containers": [{"envFrom": [],
                        "env": [{"name": "B", "valueFrom": {"secretKeyRef": {"name": "s"}}}]}]}}}});
        assert_eq!(shape(&deployment), wanted);
    }

    #[test]
    fn a_pod_is_its_own_template_and_data_has_no_shape() {
        let pod = json!({"kind": "Pod", "metadata": {"name": "p", "labels": {"a": "b"},
            "annotations": {AFTER_ANNOTATION: "Job/a"}}, "spec": {"containers": []}});
        let wanted = json!({"kind": "Pod",
            "metadata": {"annotations": {AFTER_ANNOTATION: "Job/a"}, "labels": {"a": "b"}}});
        assert_eq!(shape(&pod), wanted);
        let map = json!({"kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "b"}});
        assert_eq!(shape(&map), json!({"kind": "ConfigMap"}));
    }
}
