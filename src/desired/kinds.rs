//! Where the kinds of a set are served: built in, defined by a definition of the same table, or
//! as a cluster says.

use super::at::At as _;
use super::key::Resource;
use crate::manifest::kinds::builtin;
use serde_json::Value;
use std::cell::RefCell;
use std::sync::Arc;

/// The kinds that are not built in.
pub struct Kinds {
    others: Vec<Resource>,
    found: RefCell<Vec<(String, Arc<Resource>)>>,
}

impl Kinds {
    /// Kinds that a cluster serves, and those that the definitions among `values` bring.
    #[must_use]
    pub fn new(served: &[Resource], values: &[Value]) -> Self {
        let mut others: Vec<Resource> = values.iter().flat_map(defined).collect();
        others.extend(served.iter().cloned());
        Self {
            others,
            found: RefCell::default(),
        }
    }

    /// Where an object's kind is served. A kind that nobody knows yet is taken for a namespaced
    /// one with a regular plural; its objects wait until the cluster says. Objects of a kind share
    /// what is found.
    #[must_use]
    pub fn of(&self, value: &Value) -> Arc<Resource> {
        let api_version = value
            .get("apiVersion")
            .and_then(Value::as_str)
            .unwrap_or("");
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or("");
        let mut known = self.found.borrow_mut();
        let same = |(version, resource): &&(String, Arc<Resource>)| {
            version == api_version && &*resource.kind == kind
        };
        if let Some((_, resource)) = known.iter().find(same) {
            return resource.clone();
        }
        let resource = Arc::new(self.find(api_version, kind));
        known.push((api_version.to_owned(), resource.clone()));
        resource
    }

    fn find(&self, api_version: &str, kind: &str) -> Resource {
        if let Some(known) = builtin(api_version, kind) {
            return Resource {
                group: known.group.into(),
                version: known.version.into(),
                kind: known.kind.into(),
                plural: known.plural.into(),
                namespaced: known.namespaced,
            };
        }
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let found = self.others.iter().find(|other| {
            &*other.group == group && &*other.version == version && &*other.kind == kind
        });
        found.cloned().unwrap_or_else(|| Resource {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            plural: format!("{}s", kind.to_lowercase()).into(),
            namespaced: true,
        })
    }
}

fn defined(value: &Value) -> Vec<Resource> {
    if value.get("kind").and_then(Value::as_str) != Some("CustomResourceDefinition") {
        return Vec::new();
    }
    let text = |pointer: &str| value.at(pointer).and_then(Value::as_str).unwrap_or("");
    let versions = value
        .at("/spec/versions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    versions
        .filter_map(|version| version.get("name").and_then(Value::as_str))
        .map(|version| Resource {
            group: text("/spec/group").into(),
            version: version.into(),
            kind: text("/spec/names/kind").into(),
            plural: text("/spec/names/plural").into(),
            namespaced: text("/spec/scope") == "Namespaced",
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_definition_of_the_same_table_says_where_its_kind_is_served() {
        let definition = json!({"kind": "CustomResourceDefinition", "spec": {
            "group": "example.com", "scope": "Cluster", "names": {"kind": "Fish", "plural": "fish"},
            "versions": [{"name": "v1"}]}});
        let kinds = Kinds::new(&[], &[definition]);
        let fish = kinds.of(&json!({"apiVersion": "example.com/v1", "kind": "Fish"}));
        assert_eq!((&*fish.plural, fish.namespaced), ("fish", false));
        let pods = kinds.of(&json!({"apiVersion": "v1", "kind": "Pod"}));
        assert_eq!((&*pods.plural, pods.namespaced), ("pods", true));
    }
}
