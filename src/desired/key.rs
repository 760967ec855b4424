//! Names of things in a cluster: which object ([`ObjectKey`]) and where its kind lives
//! in the API ([`Resource`]).
//!
//! A key leaves the API version out, because one object is the same object in every version
//! of its group.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Identifies one object: group, kind, namespace (for namespaced kinds) and name, and is ordered by
/// them.
#[derive(Clone, Debug)]
pub struct ObjectKey {
    /// API group, empty for the core group.
    pub group: Arc<str>,
    /// Kind, such as `Deployment`.
    pub kind: Arc<str>,
    /// Namespace; `None` for cluster-scoped kinds.
    pub namespace: Option<Arc<str>>,
    /// Object name.
    pub name: Arc<str>,
}

impl ObjectKey {
    /// A key from its parts.
    #[must_use]
    pub fn new(group: &str, kind: &str, namespace: Option<&str>, name: &str) -> Self {
        Self {
            group: group.into(),
            kind: kind.into(),
            namespace: namespace.map(Into::into),
            name: name.into(),
        }
    }

    /// Whether the key names an object of this group and kind.
    #[must_use]
    pub fn is(&self, group: &str, kind: &str) -> bool {
        &*self.group == group && &*self.kind == kind
    }

    /// Whether the object is a core `Secret`, whose values are never shown.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.is("", "Secret")
    }

    /// `KIND/NAME`, as people type it.
    #[must_use]
    pub fn short(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{}/{} in namespace {namespace}", self.kind, self.name),
            None => write!(f, "{}/{}", self.kind, self.name),
        }
    }
}

/// Thousands of keys are sorted and looked up before a verdict, and most share all but their names.
impl Ord for ObjectKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = |one: &Arc<str>, two: &Arc<str>| {
            if Arc::ptr_eq(one, two) {
                Ordering::Equal
            } else {
                one.cmp(two)
            }
        };
        order(&self.group, &other.group)
            .then_with(|| order(&self.kind, &other.kind))
            .then_with(|| match (&self.namespace, &other.namespace) {
                (Some(one), Some(two)) => order(one, two),
                (one, two) => one.cmp(two),
            })
            .then_with(|| order(&self.name, &other.name))
    }
}

impl PartialOrd for ObjectKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ObjectKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ObjectKey {}

/// What objects of one set seldom share.
impl Hash for ObjectKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.kind.hash(state);
    }
}

/// Where a kind is served: group, version, plural and scope.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resource {
    /// API group, empty for the core group.
    pub group: Arc<str>,
    /// API version, such as `v1`.
    pub version: Arc<str>,
    /// Kind.
    pub kind: Arc<str>,
    /// Plural name, as it stands in the URL.
    pub plural: Arc<str>,
    /// Whether objects of the kind live in namespaces.
    pub namespaced: bool,
}

impl Resource {
    /// The `apiVersion` that manifests of this kind carry.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_string()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The URL path of the collection, in one namespace or (with `None`) over all of them.
    #[must_use]
    pub fn collection_path(&self, namespace: Option<&str>) -> String {
        self.path(namespace, ["", ""])
    }

    /// The URL path of one object.
    #[must_use]
    pub fn object_path(&self, namespace: Option<&str>, name: &str) -> String {
        self.path(namespace, ["/", name])
    }

    /// Put together at once: each of thousands of requests has one.
    fn path(&self, namespace: Option<&str>, [slash, name]: [&str; 2]) -> String {
        let [root, group, under] = match &*self.group {
            "" => ["/api/", "", ""],
            group => ["/apis/", group, "/"],
        };
        let [inside, namespace] = match namespace {
            Some(namespace) if self.namespaced => ["/namespaces/", namespace],
            _ => ["", ""],
        };
        let (version, plural) = (&*self.version, &*self.plural);
        [
            root, group, under, version, inside, namespace, "/", plural, slash, name,
        ]
        .concat()
    }

    /// Whether the kind is the one a key names.
    #[must_use]
    pub fn holds(&self, key: &ObjectKey) -> bool {
        self.group == key.group && self.kind == key.kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployments() -> Resource {
        Resource {
            group: "apps".into(),
            version: "v1".into(),
            kind: "Deployment".into(),
            plural: "deployments".into(),
            namespaced: true,
        }
    }

    #[test]
    fn paths_follow_the_api_conventions() {
        let apps = deployments();
        assert_eq!(
            apps.object_path(Some("prod"), "redis"),
            "/apis/apps/v1/namespaces/prod/deployments/redis"
        );
        assert_eq!(apps.collection_path(None), "/apis/apps/v1/deployments");
        let nodes = Resource {
            group: "".into(),
            plural: "nodes".into(),
            kind: "Node".into(),
            namespaced: false,
            ..apps
        };
        assert_eq!(nodes.object_path(Some("prod"), "n1"), "/api/v1/nodes/n1");
    }

    #[test]
    fn a_key_reads_as_people_say_it() {
        let key = ObjectKey::new("apps", "Deployment", Some("prod"), "redis");
        assert_eq!(key.short(), "Deployment/redis");
        assert_eq!(key.to_string(), "Deployment/redis in namespace prod");
    }
}
