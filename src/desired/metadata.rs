//! What jsorc adds to the metadata of every object of one service: two labels, and the service's
//! namespace where the manifest names none.

use super::instance::{INSTANCE_LABEL, Instance, PART_OF_LABEL};
use super::rolling::object_at;
use serde_json::Value;
use std::sync::Arc;

/// The metadata that the objects of one service share.
#[derive(Debug)]
pub(super) struct ServiceMetadata {
    /// The namespace of objects that name none.
    pub(super) namespace: Arc<str>,
    labels: [(&'static str, String); 2],
}

impl ServiceMetadata {
    /// The metadata of a service whose objects are put into `namespace`.
    pub(super) fn of(instance: &Instance, service: &str, namespace: &str) -> Self {
        Self {
            namespace: namespace.into(),
            labels: [
                (INSTANCE_LABEL, instance.label()),
                (PART_OF_LABEL, instance.apply_set_id(service)),
            ],
        }
    }

    /// Sets the labels on an object, over any of the same name that the manifest gives.
    pub(super) fn label(&self, object: &mut Value) {
        let labels = object_at(object, &["metadata", "labels"]);
        for (name, value) in &self.labels {
            labels.insert((*name).into(), value.as_str().into());
        }
    }
}
