//! The endpoints of Services, counted from the slices that the watches show.
//!
//! Invariant: a Service has as many ready endpoints as its slices together say.

use super::Engine;
use crate::desired::ObjectKey;
use crate::desired::at::At as _;
use serde_json::Value;
use std::sync::Arc;

/// How many ready endpoints one slice has, and of which Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) namespace: Option<Arc<str>>,
    pub(super) service: String,
    pub(super) ready: usize,
}

impl Slice {
    /// The Service that it is of.
    fn front(&self) -> ObjectKey {
        ObjectKey::new("", "Service", self.namespace.as_deref(), &self.service)
    }
}

impl Engine {
    pub(super) fn on_slice(&mut self, key: ObjectKey, object: &Value) {
        let text = |pointer: &str| object.at(pointer).and_then(Value::as_str).unwrap_or("");
        let ready = object
            .get("endpoints")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter(|endpoint| {
                endpoint.at("/conditions/ready").and_then(Value::as_bool) != Some(false)
            })
            .count();
        let service = text("/metadata/labels/kubernetes.io~1service-name").to_owned();
        let slice = Slice {
            namespace: key.namespace.clone(),
            service,
            ready,
        };
        if self.slices.get(&key).is_none_or(|known| *known != slice) {
            self.forget_slice(&key);
            let front = slice.front();
            if let Some(position) = self.position(&front) {
                let name = self.objects[position].service.clone();
                if let Some(service) = self.services.get_mut(&name) {
                    service.holds_rerun = false;
                }
                self.dirty.insert(name);
            }
            self.wake_waiters(&front);
            self.wake_clients(&front);
            *self.endpoints.entry(front).or_default() += slice.ready;
            self.slices.insert(key, slice);
        }
    }

    pub(super) fn forget_slice(&mut self, key: &ObjectKey) {
        let Some(slice) = self.slices.remove(key) else {
            return;
        };
        if let Some(ready) = self.endpoints.get_mut(&slice.front()) {
            *ready = ready.saturating_sub(slice.ready);
        }
    }

    /// How many ready endpoints a Service has.
    pub(super) fn ready_endpoints(&self, key: &ObjectKey) -> usize {
        self.endpoints.get(key).copied().unwrap_or(0)
    }
}
