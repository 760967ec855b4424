//! What has to be there before an object: edges from the references between objects.
//!
//! Namespace → what is in it; definition → its custom resources; accounts and roles → bindings →
//! workloads; maps, secrets and claims → the workloads that read them; Service → the workloads
//! behind it; webhooks and API services last, after the pods that answer them. `jsorc.dev/after`
//! adds edges inside a service.

use super::instance::AFTER_ANNOTATION;
use super::key::ObjectKey;
use super::set::{Need, Prerequisite};
use super::workload::{items, reads, selects, template, template_pointer};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// An object as the edges need it.
pub struct Node<'a> {
    /// Which object.
    pub key: &'a ObjectKey,
    /// The service it belongs to.
    pub service: &'a str,
    /// The filled manifest.
    pub value: &'a Value,
}

/// All objects, found by the kinds that an edge can lead to.
pub struct Graph<'a> {
    all: &'a [Node<'a>],
    by_kind: HashMap<&'a str, Vec<&'a Node<'a>>>,
}

impl<'a> Graph<'a> {
    /// A graph over all objects.
    #[must_use]
    pub fn new(all: &'a [Node<'a>]) -> Self {
        let mut by_kind: HashMap<&str, Vec<&Node<'_>>> = HashMap::new();
        for node in all {
            by_kind.entry(&node.key.kind).or_default().push(node);
        }
        Self { all, by_kind }
    }

    /// What has to be there before an object.
    #[must_use]
    pub fn prerequisites(&self, node: &Node<'_>) -> Vec<Prerequisite> {
        let mut found = BTreeSet::new();
        for other in self.candidates(node) {
            if other.key != node.key
                && let Some(need) = edge(node, other)
            {
                found.insert(Prerequisite {
                    key: other.key.clone(),
                    need,
                });
            }
        }
        found.into_iter().collect()
    }

    fn candidates(&self, node: &Node<'_>) -> Vec<&'a Node<'a>> {
        let scans_all = node
            .value
            .pointer("/metadata/annotations")
            .is_some_and(|a| a.get(AFTER_ANNOTATION).is_some());
        let kinds: &[&str] = match &*node.key.kind {
            "ValidatingWebhookConfiguration"
            | "MutatingWebhookConfiguration"
            | "APIService"
            | "HorizontalPodAutoscaler" => return self.all.iter().collect(),
            _ if scans_all => return self.all.iter().collect(),
            "RoleBinding" | "ClusterRoleBinding" => &["Role", "ClusterRole", "ServiceAccount"],
            "PersistentVolumeClaim" => &["StorageClass"],
            "Ingress" => &["IngressClass", "Service", "Secret"],
            "ServiceAccount" => &["Secret"],
            kind if template_pointer(kind).is_some() => &[
                "ServiceAccount",
                "RoleBinding",
                "ClusterRoleBinding",
                "ConfigMap",
                "Secret",
                "PersistentVolumeClaim",
                "Service",
                "PriorityClass",
            ],
            _ => &[],
        };
        ["Namespace", "CustomResourceDefinition"]
            .iter()
            .chain(kinds)
            .filter_map(|kind| self.by_kind.get(kind))
            .flatten()
            .copied()
            .collect()
    }
}

fn edge(node: &Node<'_>, other: &Node<'_>) -> Option<Need> {
    if holds_namespace(node, other) || defines(node, other) || written_after(node, other) {
        return Some(Need::Current);
    }
    if answers_for(node, other) {
        return Some(Need::Current);
    }
    (binds(node, other) || workload_needs(node, other) || points_at(node, other))
        .then_some(Need::Applied)
}

fn holds_namespace(node: &Node<'_>, other: &Node<'_>) -> bool {
    other.key.is("", "Namespace") && node.key.namespace.as_ref() == Some(&other.key.name)
}

fn defines(node: &Node<'_>, other: &Node<'_>) -> bool {
    other
        .key
        .is("apiextensions.k8s.io", "CustomResourceDefinition")
        && text(other.value, "/spec/group") == &*node.key.group
        && text(other.value, "/spec/names/kind") == &*node.key.kind
}

fn written_after(node: &Node<'_>, other: &Node<'_>) -> bool {
    node.service == other.service
        && node
            .value
            .pointer("/metadata/annotations")
            .and_then(|annotations| annotations.get(AFTER_ANNOTATION))
            .and_then(Value::as_str)
            .is_some_and(|list| list.split(',').any(|item| item.trim() == other.key.short()))
}

/// Webhooks and API services come after the Service they call and the workloads of its service.
fn answers_for(node: &Node<'_>, other: &Node<'_>) -> bool {
    let called = called_services(node.value);
    if called.is_empty() {
        return false;
    }
    let is_called = |key: &ObjectKey| {
        key.is("", "Service")
            && called
                .iter()
                .any(|(ns, name)| key.namespace.as_deref() == Some(*ns) && &*key.name == *name)
    };
    is_called(other.key) || (node.service == other.service && template(other.value).is_some())
}

fn called_services(value: &Value) -> Vec<(&str, &str)> {
    let at: Vec<&Value> = match text(value, "/kind") {
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => {
            items(value, "webhooks")
                .filter_map(|hook| hook.pointer("/clientConfig/service"))
                .collect()
        }
        "APIService" => value.pointer("/spec/service").into_iter().collect(),
        _ => Vec::new(),
    };
    at.into_iter()
        .map(|service| (text(service, "/namespace"), text(service, "/name")))
        .collect()
}

/// A binding comes after its role and its accounts.
fn binds(node: &Node<'_>, other: &Node<'_>) -> bool {
    if !matches!(&*node.key.kind, "RoleBinding" | "ClusterRoleBinding") {
        return false;
    }
    let role = text(node.value, "/roleRef/kind") == &*other.key.kind
        && text(node.value, "/roleRef/name") == &*other.key.name
        && &*other.key.group == "rbac.authorization.k8s.io";
    role || is_subject(node.value, other.key)
}

fn is_subject(binding: &Value, key: &ObjectKey) -> bool {
    key.is("", "ServiceAccount")
        && items(binding, "subjects").any(|subject| {
            text(subject, "/kind") == "ServiceAccount"
                && text(subject, "/name") == &*key.name
                && key.namespace.as_deref() == subject.get("namespace").and_then(Value::as_str)
        })
}

/// A workload comes after its account, the account's bindings, what its pods read, and the
/// Services in front of it.
fn workload_needs(node: &Node<'_>, other: &Node<'_>) -> bool {
    let Some(pods) = template(node.value) else {
        return false;
    };
    let account = ObjectKey::new(
        "",
        "ServiceAccount",
        node.key.namespace.as_deref(),
        text(pods, "/spec/serviceAccountName"),
    );
    match &*other.key.kind {
        "ServiceAccount" => *other.key == account,
        "RoleBinding" | "ClusterRoleBinding" => is_subject(other.value, &account),
        "ConfigMap" | "Secret" | "PersistentVolumeClaim" => {
            reads(node.value, node.key.namespace.as_deref()).contains(other.key)
        }
        "Service" => {
            let labels = pods.pointer("/metadata/labels").unwrap_or(&Value::Null);
            other.key.namespace == node.key.namespace
                && other
                    .value
                    .pointer("/spec/selector")
                    .is_some_and(|selector| selects(selector, labels))
        }
        "PriorityClass" => text(pods, "/spec/priorityClassName") == &*other.key.name,
        _ => false,
    }
}

/// Ingress → Service and class, claim → storage class, autoscaler → what it scales.
fn points_at(node: &Node<'_>, other: &Node<'_>) -> bool {
    let same_namespace = node.key.namespace == other.key.namespace;
    match (&*node.key.kind, &*other.key.kind) {
        ("PersistentVolumeClaim", "StorageClass") => {
            text(node.value, "/spec/storageClassName") == &*other.key.name
        }
        ("Ingress", "IngressClass") => {
            text(node.value, "/spec/ingressClassName") == &*other.key.name
        }
        ("Ingress", "Service") => {
            same_namespace && backends(node.value).any(|name| name == &*other.key.name)
        }
        ("Ingress", "Secret") => {
            same_namespace
                && node
                    .value
                    .pointer("/spec/tls")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .any(|tls| text(tls, "/secretName") == &*other.key.name)
        }
        ("HorizontalPodAutoscaler", kind) => {
            same_namespace
                && text(node.value, "/spec/scaleTargetRef/kind") == kind
                && text(node.value, "/spec/scaleTargetRef/name") == &*other.key.name
        }
        ("ServiceAccount", "Secret") => {
            same_namespace
                && items(node.value, "imagePullSecrets")
                    .any(|s| text(s, "/name") == &*other.key.name)
        }
        _ => false,
    }
}

fn backends(ingress: &Value) -> impl Iterator<Item = &str> {
    let default = ingress.pointer("/spec/defaultBackend/service/name");
    let rules = ingress
        .pointer("/spec/rules")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let paths = rules
        .flat_map(|rule| {
            rule.pointer("/http/paths")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        })
        .filter_map(|path| path.pointer("/backend/service/name"));
    default.into_iter().chain(paths).filter_map(Value::as_str)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}
