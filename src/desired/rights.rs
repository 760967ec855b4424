//! The rights that a desired set needs, as Kubernetes roles.
//!
//! They are exact where RBAC allows it. Two things it does not allow: naming the objects that may
//! be *created* (the name is not known to the authorizer then), and listing or watching by name
//! without a field selector. Granting a role needs every right in it, so the rules of our own
//! roles are part of what we need (Kubernetes, "Privilege escalation prevention").

use super::instance::Instance;
use super::set::{DesiredObject, DesiredSet, WriteMode};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What the rights are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Keeping services alive.
    Run,
    /// Comparing: reads only.
    Plan,
    /// Applying from a command line.
    Apply,
    /// Everything that a person does from a command line: deleting and releasing too.
    Manage,
}

/// One rule: verbs on a resource, in one namespace or cluster-wide.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// Where; `None` for the whole cluster.
    pub namespace: Option<String>,
    /// API group.
    pub group: String,
    /// Plural resource name, with a subresource if there is one.
    pub resource: String,
    /// Verbs, sorted.
    pub verbs: BTreeSet<&'static str>,
    /// Names, when the right can be limited to them.
    pub names: BTreeSet<String>,
}

const READ: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["create", "patch", "delete"];

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verbs: Vec<&str> = self.verbs.iter().copied().collect();
        let group = if self.group.is_empty() {
            String::new()
        } else {
            format!(".{}", self.group)
        };
        write!(f, "{} {}{group}", verbs.join(","), self.resource)?;
        if !self.names.is_empty() {
            let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
            write!(f, " ({})", names.join(", "))?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => f.write_str(" in the whole cluster"),
        }
    }
}

/// Every right that an instance with these objects needs, merged by place and resource.
#[must_use]
pub fn rights<'a>(
    instance: &Instance,
    objects: impl Iterator<Item = &'a DesiredObject>,
    purpose: Purpose,
) -> Vec<Right> {
    let mut found = Collected::default();
    let home = Some(instance.namespace.clone());
    let writes = purpose != Purpose::Plan;
    let inventory: &[&str] = if writes {
        &["get", "list", "create", "update"]
    } else {
        &["get", "list"]
    };
    found.add(home.clone(), "", "configmaps", inventory, None);
    if purpose == Purpose::Manage {
        found.add(home.clone(), "", "configmaps", &["delete"], None);
    }
    found.add(
        home.clone(),
        "",
        "secrets",
        &["get"],
        Some(instance.key_name()),
    );
    if writes {
        found.add(home.clone(), "", "secrets", &["create"], None);
    }
    if purpose == Purpose::Run {
        found.add(home.clone(), "", "configmaps", &["patch", "watch"], None);
        found.add(
            home.clone(),
            "coordination.k8s.io",
            "leases",
            &["create"],
            None,
        );
        found.add(
            home,
            "coordination.k8s.io",
            "leases",
            &["get", "update"],
            Some(instance.name.clone()),
        );
    } else {
        found.add(
            home,
            "coordination.k8s.io",
            "leases",
            &["get"],
            Some(instance.name.clone()),
        );
    }
    for object in objects {
        let namespace = object.key.namespace.as_deref().map(str::to_owned);
        let (group, plural) = (&*object.resource.group, &*object.resource.plural);
        if object.mode == WriteMode::Ensure {
            found.add(
                None,
                group,
                plural,
                &["get"],
                Some(object.key.name.to_string()),
            );
            if writes {
                found.add(None, group, plural, &["create"], None);
            }
            continue;
        }
        if object.key.is_secret() {
            let name = Some(object.key.name.to_string());
            found.add(namespace.clone(), group, plural, READ, name.clone());
            if writes {
                found.add(namespace.clone(), group, plural, &["create"], None);
                found.add(namespace.clone(), group, plural, &["patch", "delete"], name);
            }
        } else {
            found.add(namespace.clone(), group, plural, READ, None);
            if writes {
                found.add(namespace.clone(), group, plural, WRITE, None);
            }
        }
        if object.wants_endpoint {
            found.add(
                namespace.clone(),
                "discovery.k8s.io",
                "endpointslices",
                READ,
                None,
            );
        }
        if super::workload::template_pointer(&object.key.kind).is_some() {
            found.add(namespace.clone(), "", "pods", &["get", "list"], None);
            found.add(namespace.clone(), "", "events", &["list"], None);
        }
        if matches!(purpose, Purpose::Apply | Purpose::Manage) && object.key.is("", "Service") {
            found.add(namespace, "", "pods/portforward", &["create", "get"], None);
        }
    }
    found.rights()
}

/// The same as manifests: a Role for each namespace and a `ClusterRole` for the rest, with the
/// rules that the set's own roles grant.
#[must_use]
pub fn roles(set: &DesiredSet, purpose: Purpose) -> Vec<Value> {
    let mut by_place: BTreeMap<Option<String>, Vec<Value>> = BTreeMap::new();
    let objects = set.objects().map(|(_, object)| object);
    for right in rights(&set.instance, objects, purpose) {
        let mut rule = json!({
            "apiGroups": [right.group], "resources": [right.resource],
            "verbs": right.verbs.iter().collect::<Vec<_>>(),
        });
        if !right.names.is_empty() {
            rule["resourceNames"] = right.names.iter().cloned().collect();
        }
        by_place.entry(right.namespace).or_default().push(rule);
    }
    if purpose != Purpose::Plan {
        for (place, rules) in granted(set) {
            by_place.entry(place).or_default().extend(rules);
        }
    }
    let name = set.instance.identity();
    by_place
        .into_iter()
        .map(|(place, rules)| {
            let (kind, namespace) = if place.is_some() { ("Role", place) } else { ("ClusterRole", None) };
            let mut metadata = json!({"name": name, "annotations": {"jsorc.dev/why": why(kind)}});
            if let Some(namespace) = namespace {
                metadata["namespace"] = namespace.into();
            }
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, "rules": rules})
        })
        .collect()
}

fn why(kind: &str) -> &'static str {
    if kind == "Role" {
        "create cannot be limited to names; rules without a name are those of roles that jsorc grants, and of kinds that it watches"
    } else {
        "create cannot be limited to names; granting a role needs every right in it"
    }
}

/// The rules of the set's own roles, by where they hold.
fn granted(set: &DesiredSet) -> Vec<(Option<String>, Vec<Value>)> {
    set.objects()
        .filter(|(_, object)| matches!(&*object.key.kind, "Role" | "ClusterRole"))
        .filter_map(|(_, object)| {
            let rules = object.body.value()?.get("rules")?.as_array()?.clone();
            Some((object.key.namespace.as_deref().map(str::to_owned), rules))
        })
        .collect()
}

type Place = (Option<String>, String, String, Option<String>);
/// Rights that differ in their names only.
type Rule = (Option<String>, String, String, bool, BTreeSet<&'static str>);

#[derive(Default)]
struct Collected(BTreeMap<Place, BTreeSet<&'static str>>);

impl Collected {
    fn add(
        &mut self,
        namespace: Option<String>,
        group: &str,
        resource: &str,
        verbs: &[&'static str],
        name: Option<String>,
    ) {
        let place = (namespace, group.to_owned(), resource.to_owned(), name);
        self.0.entry(place).or_default().extend(verbs);
    }

    /// Rights without names first; those with the same verbs share one rule with all names.
    fn rights(self) -> Vec<Right> {
        let mut merged: BTreeMap<Rule, BTreeSet<String>> = BTreeMap::new();
        for ((namespace, group, resource, name), verbs) in self.0 {
            let names = merged
                .entry((namespace, group, resource, name.is_some(), verbs))
                .or_default();
            names.extend(name);
        }
        merged
            .into_iter()
            .map(|((namespace, group, resource, _, verbs), names)| Right {
                namespace,
                group,
                resource,
                verbs,
                names,
            })
            .collect()
    }
}
