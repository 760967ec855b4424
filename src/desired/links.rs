//! What leads from an object to others, and others to it, and nothing else of it: the values of
//! thousands of objects are several times as large as their text, and an edge is about a handful of
//! names.

use super::at::At as _;
use super::instance::AFTER_ANNOTATION;
use super::workload::{items, reads, template};
use serde_json::Value;

/// A label and its value.
pub type Label = (Box<str>, Box<str>);
/// A kind and a name of it.
pub type Name = (Box<str>, Box<str>);

/// The links of one object.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// What it is written after, by its annotation.
    pub after: Option<Box<str>>,
    /// What its kind says.
    pub role: Role,
}

/// What an object is to others.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Nothing by its fields.
    #[default]
    None,
    /// It names others, in its own namespace where they have one.
    Names(Box<[Name]>),
    /// A definition of custom resources: their group and kind.
    Defines(Box<str>, Box<str>),
    /// A binding: its role, and the accounts that get it with their namespaces.
    Binds(Name, Box<[(Box<str>, Box<str>)]>),
    /// A Service in front of pods with these labels, if it selects any.
    Fronts(Box<[Label]>),
    /// It runs pods.
    Runs(Box<Pods>),
    /// It makes the API server call these Services: namespace and name.
    Calls(Box<[(Box<str>, Box<str>)]>),
}

/// The pods of a workload.
#[derive(Debug, PartialEq, Eq)]
pub struct Pods {
    /// Their labels.
    pub labels: Box<[Label]>,
    /// Their service account; empty for the default one.
    pub account: Box<str>,
    /// Their priority class; empty for the default one.
    pub priority: Box<str>,
    /// The `ConfigMap`s, Secrets and claims that they read.
    pub reads: Box<[Name]>,
    /// Whether any of them is meant to go on running.
    pub meant_to_run: bool,
}

impl Links {
    /// The links of an object.
    #[must_use]
    pub fn of(object: &Value) -> Self {
        let annotations = object.at("/metadata/annotations");
        let after = annotations.and_then(|annotations| annotations.get(AFTER_ANNOTATION));
        Self {
            after: after.and_then(Value::as_str).map(Into::into),
            role: role(object),
        }
    }

    /// Its pods, if it runs any.
    #[must_use]
    pub fn pods(&self) -> Option<&Pods> {
        match &self.role {
            Role::Runs(pods) => Some(pods),
            _ => None,
        }
    }

    /// The labels of the pods that it is in front of.
    #[must_use]
    pub fn selector(&self) -> &[Label] {
        match &self.role {
            Role::Fronts(labels) => labels,
            _ => &[],
        }
    }
}

impl Pods {
    /// Whether they have all labels of a selector, which has some.
    #[must_use]
    pub fn are_selected(&self, selector: &[Label]) -> bool {
        !selector.is_empty() && selector.iter().all(|label| self.labels.contains(label))
    }
}

fn role(object: &Value) -> Role {
    let at = |pointer: &str| text(object, pointer);
    match &*at("/kind") {
        "CustomResourceDefinition" => Role::Defines(at("/spec/group"), at("/spec/names/kind")),
        "RoleBinding" | "ClusterRoleBinding" => {
            let role = (at("/roleRef/kind"), at("/roleRef/name"));
            let subjects = items(object, "subjects");
            let accounts = subjects.filter(|subject| *text(subject, "/kind") == *"ServiceAccount");
            let account = |subject| (text(subject, "/namespace"), text(subject, "/name"));
            Role::Binds(role, accounts.map(account).collect())
        }
        "Service" => Role::Fronts(labels(object.at("/spec/selector"))),
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => {
            let hooks = items(object, "webhooks");
            Role::Calls(called(
                hooks.filter_map(|hook| hook.at("/clientConfig/service")),
            ))
        }
        "APIService" => Role::Calls(called(object.at("/spec/service").into_iter())),
        "PersistentVolumeClaim" => names([("StorageClass", at("/spec/storageClassName"))]),
        "Ingress" => names(ingress(object)),
        "HorizontalPodAutoscaler" => {
            let kind = at("/spec/scaleTargetRef/kind");
            names([(&*kind, at("/spec/scaleTargetRef/name"))])
        }
        "ServiceAccount" => {
            let secrets = items(object, "imagePullSecrets");
            names(secrets.map(|secret| ("Secret", text(secret, "/name"))))
        }
        kind => template(object).map_or(Role::None, |pods| {
            Role::Runs(Box::new(runs(kind, object, pods)))
        }),
    }
}

fn runs(kind: &str, object: &Value, pods: &Value) -> Pods {
    let reads = reads(object, None).into_iter();
    let stays = matches!(
        kind,
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Pod"
    );
    Pods {
        labels: labels(pods.at("/metadata/labels")),
        account: text(pods, "/spec/serviceAccountName"),
        priority: text(pods, "/spec/priorityClassName"),
        reads: reads
            .map(|key| ((*key.kind).into(), (*key.name).into()))
            .collect(),
        meant_to_run: stays && object.at("/spec/replicas").and_then(Value::as_i64) != Some(0),
    }
}

fn ingress(object: &Value) -> impl Iterator<Item = (&str, Box<str>)> {
    let class = text(object, "/spec/ingressClassName");
    let default = text(object, "/spec/defaultBackend/service/name");
    let rules = listed(object.at("/spec/rules"));
    let paths = rules.flat_map(|rule| listed(rule.at("/http/paths")));
    let backends = paths.map(|path| text(path, "/backend/service/name"));
    let certificates = listed(object.at("/spec/tls")).map(|tls| text(tls, "/secretName"));
    [("IngressClass", class), ("Service", default)]
        .into_iter()
        .chain(backends.map(|name| ("Service", name)))
        .chain(certificates.map(|name| ("Secret", name)))
}

/// What is named, once; nothing where no name is given.
fn names<'a>(all: impl IntoIterator<Item = (&'a str, Box<str>)>) -> Role {
    let given = all.into_iter().filter(|(_, name)| !name.is_empty());
    let mut names: Vec<Name> = given.map(|(kind, name)| (kind.into(), name)).collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        Role::None
    } else {
        Role::Names(names.into())
    }
}

fn called<'a>(services: impl Iterator<Item = &'a Value>) -> Box<[(Box<str>, Box<str>)]> {
    let place = |service| (text(service, "/namespace"), text(service, "/name"));
    services.map(place).collect()
}

fn labels(labels: Option<&Value>) -> Box<[Label]> {
    let labels = labels.and_then(Value::as_object).into_iter().flatten();
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    labels
        .map(|(name, value)| (name.as_str().into(), text(value).into()))
        .collect()
}

fn listed(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    list.and_then(Value::as_array).into_iter().flatten()
}

fn text(value: &Value, pointer: &str) -> Box<str> {
    value
        .at(pointer)
        .and_then(Value::as_str)
        .unwrap_or("")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named(kind: &str, name: &str) -> Name {
        (kind.into(), name.into())
    }

    #[test]
    fn a_workload_has_its_pods_and_what_they_read() {
        let mut deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "annotations": {AFTER_ANNOTATION: "Job/a", "b": "c"}},
            "spec": {"template": {"metadata": {"labels": {"a": "b", "c": "d"}},
                "spec": {"serviceAccountName": "web",
                    "volumes": [{"name": "v", "configMap": {"name": "m"}}],
                    "containers": [{"name": "x", "image": "x:1", "env": [{"name": "A", "value": "1"}]},
                        {"name": "y", "env": [{"name": "B", "valueFrom": {"secretKeyRef": {"name": "s"}}}]}]}}}});
        let links = Links::of(&deployment);
        assert_eq!(links.after.as_deref(), Some("Job/a"));
        let pods = links.pods().unwrap();
        assert_eq!((&*pods.account, &*pods.priority), ("web", ""));
        assert_eq!(*pods.reads, [named("ConfigMap", "m"), named("Secret", "s")]);
        assert!(pods.meant_to_run);
        assert!(pods.are_selected(&[named("c", "d")]) && pods.are_selected(&pods.labels));
        assert!(!pods.are_selected(&[]) && !pods.are_selected(&[named("c", "x")]));
        deployment["spec"]["replicas"] = 0.into();
        assert!(!Links::of(&deployment).pods().unwrap().meant_to_run);
        deployment["kind"] = "Job".into();
        assert!(!Links::of(&deployment).pods().unwrap().meant_to_run);
    }

    #[test]
    fn a_pod_is_its_own_template_and_data_leads_nowhere() {
        let pod = json!({"kind": "Pod", "metadata": {"name": "p", "labels": {"a": "b"}},
            "spec": {"containers": []}});
        assert_eq!(*Links::of(&pod).pods().unwrap().labels, [named("a", "b")]);
        let map = json!({"kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "b"}});
        assert_eq!(Links::of(&map), Links::default());
    }

    #[test]
    fn an_ingress_names_its_class_services_and_certificates_once() {
        let backend = |name: &str| json!({"backend": {"service": {"name": name}}});
        let ingress = json!({"kind": "Ingress", "spec": {"ingressClassName": "nginx",
            "tls": [{"secretName": "tls"}, {}],
            "rules": [{"http": {"paths": [backend("b"), backend("a")]}},
                {"http": {"paths": [backend("a")]}}, {}]}});
        let names = [
            ("IngressClass", "nginx"),
            ("Secret", "tls"),
            ("Service", "a"),
            ("Service", "b"),
        ];
        let names = names.map(|(kind, name)| named(kind, name));
        assert_eq!(Links::of(&ingress).role, Role::Names(names.into()));
        assert_eq!(Links::of(&json!({"kind": "Ingress"})).role, Role::None);
    }

    #[test]
    fn a_binding_gives_its_role_to_accounts_only() {
        let binding = json!({"kind": "RoleBinding", "roleRef": {"kind": "Role", "name": "r"},
            "subjects": [{"kind": "User", "name": "u"},
                {"kind": "ServiceAccount", "name": "a", "namespace": "n"}]});
        let accounts = [named("n", "a")];
        assert_eq!(
            Links::of(&binding).role,
            Role::Binds(named("Role", "r"), accounts.into())
        );
    }

    #[test]
    fn a_hook_calls_services_and_an_address_none() {
        let hooks = json!({"kind": "ValidatingWebhookConfiguration", "webhooks": [
            {"clientConfig": {"service": {"namespace": "n", "name": "s"}}},
            {"clientConfig": {"url": "https://elsewhere"}}]});
        let called = [named("n", "s")];
        assert_eq!(Links::of(&hooks).role, Role::Calls(called.into()));
    }
}
