//! What has to be there before an object: edges from the references between objects.
//!
//! Namespace → what is in it; definition → its custom resources; accounts and roles → bindings →
//! workloads; maps, secrets and claims → the workloads that read them; Service → the workloads
//! behind it; webhooks and API services last, after the pods that answer them. `jsorc.dev/after`
//! adds edges inside a service.

use super::key::ObjectKey;
use super::links::{Label, Links, Pods, Role};
use super::set::{Need, Prerequisite};
use std::collections::{BTreeSet, HashMap};

/// An object as the edges need it.
pub struct Node<'a> {
    /// Which object.
    pub key: &'a ObjectKey,
    /// The service it belongs to.
    pub service: &'a str,
    /// What leads from it and to it.
    pub links: &'a Links,
}

/// All objects, found by what an edge can lead to, so that no object looks at every other one.
pub struct Graph<'a> {
    all: &'a [Node<'a>],
    named: HashMap<(&'a str, &'a str), Vec<&'a Node<'a>>>,
    definitions: HashMap<(&'a str, &'a str), Vec<&'a Node<'a>>>,
    bindings: HashMap<&'a str, Vec<&'a Node<'a>>>,
    fronts: HashMap<&'a Label, Vec<&'a Node<'a>>>,
}

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
        let name = (&*node.key.kind, &*node.key.name);
        self.named.entry(name).or_default().push(node);
        match &node.links.role {
            Role::Defines(group, kind) => {
                let defined = self.definitions.entry((group, kind));
                defined.or_default().push(node);
            }
            Role::Binds(_, accounts) => {
                for (_, account) in accounts {
                    self.bindings.entry(account).or_default().push(node);
                }
            }
            Role::Fronts(selector) => {
                // A pod that is selected has all of its labels.
                if let Some(label) = selector.first() {
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
        // Few have edges by service or to any kind.
        if node.links.after.is_some() || matches!(node.links.role, Role::Calls(_)) {
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
        match &node.links.role {
            Role::Binds((kind, name), accounts) => {
                named(kind, name);
                accounts
                    .iter()
                    .for_each(|(_, name)| named("ServiceAccount", name));
            }
            Role::Names(all) => all.iter().for_each(|(kind, name)| named(kind, name)),
            Role::Runs(pods) => {
                named("ServiceAccount", &pods.account);
                named("PriorityClass", &pods.priority);
                pods.reads.iter().for_each(|(kind, name)| named(kind, name));
                self.around_pods(pods, consider);
            }
            _ => {}
        }
        let kind = (&*node.key.group, &*node.key.kind);
        let definitions = self.definitions.get(&kind).into_iter().flatten();
        definitions.for_each(|other| consider(other));
    }

    /// The bindings of the pods' account, and the Services in front of them.
    fn around_pods(&self, pods: &Pods, consider: &mut dyn FnMut(&Node<'a>)) {
        let bindings = self.bindings.get(&*pods.account).into_iter().flatten();
        let labels = pods.labels.iter();
        let fronts = labels.filter_map(|label| self.fronts.get(label)).flatten();
        bindings.chain(fronts).for_each(|other| consider(other));
    }
}

fn edge(node: &Node<'_>, other: &Node<'_>) -> Option<Need> {
    if holds_namespace(node, other)
        || defines(node, other)
        || written_after(node, other)
        || answers_for(node, other)
    {
        return Some(Need::Current);
    }
    let needs = match &node.links.role {
        Role::Binds((kind, name), accounts) => {
            let role = **kind == *other.key.kind
                && **name == *other.key.name
                && &*other.key.group == "rbac.authorization.k8s.io";
            role || are_subjects(accounts, other.key)
        }
        Role::Runs(pods) => workload_needs(node.key, pods, other),
        Role::Names(names) => names_it(node.key, names, other.key),
        _ => false,
    };
    needs.then_some(Need::Applied)
}

fn holds_namespace(node: &Node<'_>, other: &Node<'_>) -> bool {
    other.key.is("", "Namespace") && node.key.namespace.as_ref() == Some(&other.key.name)
}

fn defines(node: &Node<'_>, other: &Node<'_>) -> bool {
    match &other.links.role {
        Role::Defines(group, kind) => **group == *node.key.group && **kind == *node.key.kind,
        _ => false,
    }
}

fn written_after(node: &Node<'_>, other: &Node<'_>) -> bool {
    let mut list = node.links.after.iter().flat_map(|list| list.split(','));
    node.service == other.service && list.any(|item| item.trim() == other.key.short())
}

/// Webhooks and API services come after the Service they call and the workloads of its service.
fn answers_for(node: &Node<'_>, other: &Node<'_>) -> bool {
    let Role::Calls(called) = &node.links.role else {
        return false;
    };
    let is_it = |(namespace, name): &(Box<str>, Box<str>)| {
        other.key.namespace.as_deref() == Some(&**namespace) && *other.key.name == **name
    };
    let is_called = other.key.is("", "Service") && called.iter().any(is_it);
    let answers = node.service == other.service && other.links.pods().is_some();
    is_called || (answers && !called.is_empty())
}

fn are_subjects(accounts: &[(Box<str>, Box<str>)], key: &ObjectKey) -> bool {
    let is_it = |(namespace, name): &(Box<str>, Box<str>)| {
        key.namespace.as_deref() == Some(&**namespace) && *key.name == **name
    };
    key.is("", "ServiceAccount") && accounts.iter().any(is_it)
}

/// A workload comes after its account, the account's bindings, what its pods read, and the
/// Services in front of it.
fn workload_needs(key: &ObjectKey, pods: &Pods, other: &Node<'_>) -> bool {
    let same_namespace = key.namespace == other.key.namespace;
    let name = &*other.key.name;
    match &*other.key.kind {
        "ServiceAccount" => other.key.group.is_empty() && same_namespace && *pods.account == *name,
        "RoleBinding" | "ClusterRoleBinding" => match &other.links.role {
            Role::Binds(_, accounts) => {
                let namespace = key.namespace.as_deref();
                let account = ObjectKey::new("", "ServiceAccount", namespace, &pods.account);
                are_subjects(accounts, &account)
            }
            _ => false,
        },
        kind @ ("ConfigMap" | "Secret" | "PersistentVolumeClaim") => {
            let mut read = pods.reads.iter();
            other.key.group.is_empty()
                && same_namespace
                && read.any(|(of, read)| **of == *kind && **read == *name)
        }
        "Service" => same_namespace && pods.are_selected(other.links.selector()),
        "PriorityClass" => *pods.priority == *name,
        _ => false,
    }
}

/// Ingress → Service, certificate and class, claim → storage class, autoscaler → what it scales,
/// account → its Secrets.
fn names_it(key: &ObjectKey, names: &[(Box<str>, Box<str>)], other: &ObjectKey) -> bool {
    let mut names = names.iter();
    let reaches =
        key.namespace == other.namespace || matches!(&*other.kind, "StorageClass" | "IngressClass");
    reaches && names.any(|(kind, name)| **kind == *other.kind && **name == *other.name)
}
