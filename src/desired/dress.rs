//! What every object of a service gets: the namespace, where it gives none, and our labels.
//!
//! Of most documents nothing else changes, so that what goes on the wire can be put together from the
//! document at any time, and need not be kept beside it.

use super::instance::{INSTANCE_LABEL, Instance, PART_OF_LABEL, SERVICE_LABEL};
use super::namespace;
use super::rolling::object_at;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::ops::Range;
use std::sync::Arc;

/// What the objects of one service get.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dress {
    /// The namespace of those that give none.
    pub(super) namespace: Arc<str>,
    labels: [(&'static str, String); 3],
}

/// A document of which only the metadata is looked into.
#[derive(Deserialize)]
pub(super) struct Document<'a> {
    #[serde(borrow)]
    metadata: &'a RawValue,
}

impl Dress {
    /// That of a service which is put into `namespace`.
    pub(super) fn of(instance: &Instance, service: &str, namespace: &str) -> Self {
        Self {
            namespace: namespace.into(),
            labels: [
                (INSTANCE_LABEL, instance.label()),
                (SERVICE_LABEL, service.to_owned()),
                (PART_OF_LABEL, instance.apply_set_id(service)),
            ],
        }
    }

    /// Puts the labels on an object.
    pub(super) fn label(&self, object: &mut Value) {
        let labels = object_at(object, &["metadata", "labels"]);
        for (name, value) in &self.labels {
            labels.insert((*name).into(), value.as_str().into());
        }
    }

    /// An object of a namespaced kind with nothing but the metadata that the document gets.
    pub(super) fn metadata(&self, document: &Document<'_>) -> Value {
        let mut object = json!({"metadata": document.value()});
        namespace::settle(&mut object, &self.namespace);
        self.label(&mut object);
        object
    }

    /// The text of a document of a namespaced kind with what it gets; nothing where it has no
    /// metadata.
    pub(super) fn put_on(&self, text: &str) -> Option<String> {
        let document: Document<'_> = serde_json::from_str(text).ok()?;
        Some(document.with(text, &self.metadata(&document)["metadata"]))
    }
}

impl Document<'_> {
    fn value(&self) -> Value {
        serde_json::from_str(self.metadata.get()).unwrap_or_default()
    }

    /// Its text with other metadata.
    pub(super) fn with(&self, text: &str, metadata: &Value) -> String {
        let Range { start, end } = self.place_in(text);
        let (before, after) = (text.get(..start), text.get(end..));
        let metadata = metadata.to_string();
        [before.unwrap_or(""), &metadata, after.unwrap_or("")].concat()
    }

    fn place_in(&self, text: &str) -> Range<usize> {
        let metadata = self.metadata.get();
        let start = metadata.as_ptr().addr() - text.as_ptr().addr();
        start..start + metadata.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dress() -> Dress {
        let instance = Instance {
            name: "jsorc".into(),
            namespace: "prod".into(),
        };
        Dress::of(&instance, "cache", "prod")
    }

    #[test]
    fn only_the_metadata_changes() {
        let text =
            r#"{"kind":"ConfigMap","metadata":{"name":"a"},"data":{"z":"1.0","a":"\u00e9"}}"#;
        let dressed = dress().put_on(text).unwrap();
        assert!(
            dressed.ends_with(r#","data":{"z":"1.0","a":"\u00e9"}}"#),
            "{dressed}"
        );
        let value: Value = serde_json::from_str(&dressed).unwrap();
        assert_eq!(value["metadata"]["namespace"], "prod");
        assert_eq!(value["metadata"]["labels"][SERVICE_LABEL], "cache");
    }

    #[test]
    fn a_namespace_that_is_given_stays() {
        let text = r#"{"metadata":{"name":"a","namespace":"own","labels":{"x":"y"}}}"#;
        let value: Value = serde_json::from_str(&dress().put_on(text).unwrap()).unwrap();
        assert_eq!(value["metadata"]["namespace"], "own");
        assert_eq!(value["metadata"]["labels"]["x"], "y");
    }

    #[test]
    fn what_has_no_metadata_is_not_dressed() {
        assert_eq!(dress().put_on(r#"{"kind":"List"}"#), None);
    }
}
