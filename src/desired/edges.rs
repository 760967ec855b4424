//! What has to be there before an object: edges from the references between objects.
//!
//! Namespace → what is in it; definition → its custom resources; accounts and roles → bindings →
//! workloads; maps, secrets and claims → the workloads that read them; Service → the workloads
//! behind it; webhooks and API services last, after the pods that answer them. `jsorc.dev/after`
//! adds edges inside a service.

use super::at::At as _;
use super::instance::AFTER_ANNOTATION;
use super::key::ObjectKey;
use super::set::{Need, Prerequisite};
use super::workload::{items, reads, selects, template};
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

/// All objects, found by what an edge can lead to, so that no object looks at every other one.
pub struct Graph<'a> {
    all: &'a [Node<'a>],
    named: HashMap<(&'a str, &'a str), Vec<&'a Node<'a>>>,
    definitions: HashMap<(&'a str, &'a str), Vec<&'a Node<'a>>>,
    bindings: HashMap<&'a str, Vec<&'a Node<'a>>>,
    fronts: HashMap<Label<'a>, Vec<&'a Node<'a>>>,
}

/// A label with its value.
pub type Label<'a> = (&'a str, &'a str);

impl<'a> Graph<'a> {
    /// A graph over all objects.
    #[must_use]
    pub fn new(all: &'a [Node<'a>]) -> Self {
        let mut graph = Self {
            all,
            named: HashMap::with_capacity(all.len()),
            definitions: HashMap::new(),
            bindings: HashMap::new(),
            fronts: HashMap::new(),
        };
        for node in all {
            graph.add(node);
        }
        graph
    }

    fn add(&mut self, node: &'a Node<'a>) {
        let kind = &*node.key.kind;
        let name = (kind, &*node.key.name);
        self.named.entry(name).or_default().push(node);
        match kind {
            "CustomResourceDefinition" => {
                let defined = (
                    text(node.value, "/spec/group"),
                    text(node.value, "/spec/names/kind"),
                );
                self.definitions.entry(defined).or_default().push(node);
            }
            "RoleBinding" | "ClusterRoleBinding" => {
                for subject in items(node.value, "subjects") {
                    let account = text(subject, "/name");
                    self.bindings.entry(account).or_default().push(node);
                }
            }
            "Service" => {
                if let Some(label) = node.value.at("/spec/selector").and_then(first_label) {
                    self.fronts.entry(label).or_default().push(node);
                }
            }
            _ => {}
        }
    }

    /// What has to be there before an object.
    #[must_use]
    pub fn prerequisites(&self, node: &Node<'_>) -> Vec<Prerequisite> {
        let mut found = BTreeSet::new();
        let mut consider = |other: &Node<'_>| {
            if other.key != node.key
                && let Some(need) = edge(node, other)
            {
                found.insert(Prerequisite {
                    key: other.key.clone(),
                    need,
                });
            }
        };
        if looks_at_all(node) {
            self.all.iter().for_each(consider);
        } else {
            self.candidates(node, &mut consider);
        }
        found.into_iter().collect()
    }

    /// Everything that an edge of this object could lead to, and little more.
    fn candidates(&self, node: &Node<'_>, consider: &mut dyn FnMut(&Node<'a>)) {
        let mut named = |kind: &str, name: &str| {
            let found = self.named.get(&(kind, name)).into_iter().flatten();
            found.for_each(|other| consider(other));
        };
        if let Some(namespace) = &node.key.namespace {
            named("Namespace", namespace);
        }
        let value = node.value;
        match &*node.key.kind {
            "RoleBinding" | "ClusterRoleBinding" => {
                named(text(value, "/roleRef/kind"), text(value, "/roleRef/name"));
                items(value, "subjects").for_each(|s| named("ServiceAccount", text(s, "/name")));
            }
            "PersistentVolumeClaim" => {
                named("StorageClass", text(value, "/spec/storageClassName"));
            }
            "Ingress" => {
                named("IngressClass", text(value, "/spec/ingressClassName"));
                backends(value).for_each(|name| named("Service", name));
                certificates(value).for_each(|name| named("Secret", name));
            }
            "HorizontalPodAutoscaler" => named(
                text(value, "/spec/scaleTargetRef/kind"),
                text(value, "/spec/scaleTargetRef/name"),
            ),
            "ServiceAccount" => {
                items(value, "imagePullSecrets").for_each(|s| named("Secret", text(s, "/name")));
            }
            _ => {}
        }
        if let Some(pods) = template(value) {
            named("ServiceAccount", text(pods, "/spec/serviceAccountName"));
            named("PriorityClass", text(pods, "/spec/priorityClassName"));
            for read in reads(value, node.key.namespace.as_deref()) {
                named(&read.kind, &read.name);
            }
            self.around_pods(pods, consider);
        }
        let kind = (&*node.key.group, &*node.key.kind);
        let definitions = self.definitions.get(&kind).into_iter().flatten();
        definitions.for_each(|other| consider(other));
    }

    /// The bindings of the pods' account, and the Services in front of them.
    fn around_pods(&self, pods: &Value, consider: &mut dyn FnMut(&Node<'a>)) {
        let account = text(pods, "/spec/serviceAccountName");
        let bindings = self.bindings.get(account).into_iter().flatten();
        let labels = pods.at("/metadata/labels").and_then(Value::as_object);
        let pairs = labels.into_iter().flatten();
        let fronts = pairs
            .filter_map(|(label, value)| self.fronts.get(&(label.as_str(), value.as_str()?)))
            .flatten();
        bindings.chain(fronts).for_each(|other| consider(other));
    }
}

/// Objects with edges by service or to any kind: few, and they look at all others.
fn looks_at_all(node: &Node<'_>) -> bool {
    let annotations = node.value.at("/metadata/annotations");
    annotations.is_some_and(|annotations| annotations.get(AFTER_ANNOTATION).is_some())
        || matches!(
            &*node.key.kind,
            "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" | "APIService"
        )
}

/// The label by which a selector is found: all of its labels have to be there.
#[must_use]
pub fn first_label(selector: &Value) -> Option<Label<'_>> {
    let (label, value) = selector.as_object()?.iter().next()?;
    Some((label, value.as_str()?))
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
            .at("/metadata/annotations")
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
                .filter_map(|hook| hook.at("/clientConfig/service"))
                .collect()
        }
        "APIService" => value.at("/spec/service").into_iter().collect(),
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
            let labels = pods.at("/metadata/labels").unwrap_or(&Value::Null);
            other.key.namespace == node.key.namespace
                && other
                    .value
                    .at("/spec/selector")
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
            same_namespace && certificates(node.value).any(|name| name == &*other.key.name)
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
    let default = ingress.at("/spec/defaultBackend/service/name");
    let rules = ingress
        .at("/spec/rules")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let paths = rules
        .flat_map(|rule| {
            rule.at("/http/paths")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        })
        .filter_map(|path| path.at("/backend/service/name"));
    default.into_iter().chain(paths).filter_map(Value::as_str)
}

fn certificates(ingress: &Value) -> impl Iterator<Item = &str> {
    let tls = ingress.at("/spec/tls").and_then(Value::as_array);
    tls.into_iter()
        .flatten()
        .map(|tls| text(tls, "/secretName"))
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.at(pointer).and_then(Value::as_str).unwrap_or("")
}
