//! Where the kinds that run pods keep their pod template, and what the pods read.

use super::at::At as _;
use super::key::ObjectKey;
use serde_json::Value;
use std::collections::BTreeSet;

/// The JSON pointer of an object's pod template (for a Pod, of itself).
#[must_use]
pub fn template_pointer(kind: &str) -> Option<&'static str> {
    match kind {
        "Pod" => Some(""),
        "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "ReplicationController"
        | "Job" => Some("/spec/template"),
        "CronJob" => Some("/spec/jobTemplate/spec/template"),
        _ => None,
    }
}

/// The pod template of an object, if its kind has one.
#[must_use]
pub fn template(object: &Value) -> Option<&Value> {
    object.at(template_pointer(object.get("kind")?.as_str()?)?)
}

/// The pod template of an object, to change it.
pub fn template_mut(object: &mut Value) -> Option<&mut Value> {
    let pointer = template_pointer(object.get("kind")?.as_str()?)?;
    object.pointer_mut(pointer)
}

/// The pod spec of an object, to change it.
pub fn pod_spec_mut(object: &mut Value) -> Option<&mut Value> {
    template_mut(object)?.get_mut("spec")
}

/// The `ConfigMap`s, Secrets and claims that a workload's pods read, as keys in its namespace.
#[must_use]
pub fn reads(object: &Value, namespace: Option<&str>) -> BTreeSet<ObjectKey> {
    let mut found = BTreeSet::new();
    let Some(pods) = template(object).and_then(|template| template.get("spec")) else {
        return found;
    };
    let mut add = |kind: &str, name: Option<&Value>| {
        if let Some(name) = name.and_then(Value::as_str) {
            found.insert(ObjectKey::new("", kind, namespace, name));
        }
    };
    for volume in items(pods, "volumes") {
        add("ConfigMap", volume.at("/configMap/name"));
        add("Secret", volume.at("/secret/secretName"));
        add(
            "PersistentVolumeClaim",
            volume.at("/persistentVolumeClaim/claimName"),
        );
        for source in volume
            .at("/projected/sources")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            add("ConfigMap", source.at("/configMap/name"));
            add("Secret", source.at("/secret/name"));
        }
    }
    for container in items(pods, "initContainers").chain(items(pods, "containers")) {
        for source in items(container, "envFrom") {
            add("ConfigMap", source.at("/configMapRef/name"));
            add("Secret", source.at("/secretRef/name"));
        }
        for variable in items(container, "env") {
            add("ConfigMap", variable.at("/valueFrom/configMapKeyRef/name"));
            add("Secret", variable.at("/valueFrom/secretKeyRef/name"));
        }
    }
    for secret in items(pods, "imagePullSecrets") {
        add("Secret", secret.get("name"));
    }
    found
}

/// The items of a list field, none when it is absent.
pub fn items<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}
