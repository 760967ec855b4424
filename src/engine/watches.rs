//! Which watches are kept: one for the objects of a kind in a namespace, one for each Secret, and
//! those of endpoints and orders.
//!
//! Invariant: what is wanted or recorded is seen through one watch, unless its mere existence is all
//! that is wanted; nothing else is watched.

use super::event::WatchKey;
use super::health::changes_by_itself;
use super::object::Object;
use super::record::Inventory;
use super::{ClusterState, Command, Engine, Mode};
use crate::desired::{Instance, ObjectKey, Resource, WriteMode};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The watch that an object is seen through. Secrets are watched one by one, so that a Role can
/// name them.
#[must_use]
pub fn watch_of(key: &ObjectKey, resource: &Arc<Resource>) -> WatchKey {
    WatchKey {
        resource: resource.clone(),
        namespace: key.namespace.clone(),
        name: key.is_secret().then(|| key.name.clone()),
    }
}

impl WatchKey {
    /// Whether this watch may be closed for a while without anybody missing what it would say:
    /// its objects change only when somebody means to change them. Those of one object do not:
    /// one brings the orders, and a thousand Secrets would be a thousand watches to open again.
    #[must_use]
    pub fn may_rest(&self) -> bool {
        self.name.is_none() && !changes_by_itself(&self.resource)
    }

    /// Whether an object is seen through this watch.
    pub(super) fn shows(&self, key: &ObjectKey) -> bool {
        self.resource.holds(key)
            && self.namespace == key.namespace
            && self.name.as_ref().is_none_or(|name| *name == key.name)
    }
}

/// The watches that the recorded objects are seen through.
#[must_use]
pub fn watches_of<'a>(inventories: impl Iterator<Item = &'a Inventory>) -> Vec<WatchKey> {
    let mut watches = BTreeSet::new();
    for (key, record) in inventories.flat_map(|inventory| &*inventory.records) {
        watches.insert(watch_of(key, &record.resource));
    }
    watches.into_iter().collect()
}

/// The watch of the endpoints in a namespace.
#[must_use]
pub fn endpoint_slices(namespace: Option<Arc<str>>) -> WatchKey {
    let resource = Resource {
        group: "discovery.k8s.io".into(),
        version: "v1".into(),
        kind: "EndpointSlice".into(),
        plural: "endpointslices".into(),
        namespaced: true,
    };
    WatchKey {
        resource: Arc::new(resource),
        namespace,
        name: None,
    }
}

/// The watch that brings the orders of an instance. It is of one object, so that nothing is ever
/// between somebody who wants less to be done and whoever is doing it.
#[must_use]
pub fn orders_of(instance: &Instance) -> WatchKey {
    let resource = Resource {
        group: "".into(),
        version: "v1".into(),
        kind: "ConfigMap".into(),
        plural: "configmaps".into(),
        namespaced: true,
    };
    WatchKey {
        resource: Arc::new(resource),
        namespace: Some(instance.namespace.as_str().into()),
        name: Some(instance.orders_name().into()),
    }
}

impl Engine {
    /// Tells the hands which watches to keep: the kinds of all objects that are wanted, and of
    /// those that the inventories name.
    pub(super) fn send_watches(&mut self) {
        if self.cluster != ClusterState::Ready {
            return;
        }
        let mut wanted: BTreeSet<WatchKey> = BTreeSet::new();
        for object in self
            .objects
            .iter()
            .filter(|object| object.desired.mode != WriteMode::Ensure)
        {
            if self.is_served(object) {
                wanted.insert(watch_of(&object.desired.key, &object.desired.resource));
            }
            if object.desired.wants_endpoint {
                wanted.insert(endpoint_slices(object.desired.key.namespace.clone()));
            }
        }
        let recorded = self
            .services
            .values()
            .filter(|service| service.desired.kept);
        for (key, record) in recorded.flat_map(|service| &*service.inventory.records) {
            if self.position(key).is_none() {
                wanted.insert(watch_of(key, &record.resource));
            }
        }
        if matches!(self.mode, Mode::Enforce { run: true } | Mode::Follow) {
            wanted.insert(orders_of(&self.instance));
        }
        if wanted.iter().eq(self.watches.keys()) {
            return;
        }
        self.outages.keep(&wanted);
        self.watches = wanted
            .iter()
            .map(|watch| (watch.clone(), self.watches.get(watch) == Some(&true)))
            .collect();
        self.out.push(Command::Watch(wanted.into_iter().collect()));
    }

    /// Whether the object's kind is there to be watched: a kind whose definition is of this set is
    /// not, before the definition is established.
    pub(super) fn is_served(&self, object: &Object) -> bool {
        object.desired.after.iter().all(|prerequisite| {
            !prerequisite
                .key
                .is("apiextensions.k8s.io", "CustomResourceDefinition")
                || self
                    .position(&prerequisite.key)
                    .is_none_or(|position| self.objects[position].health().is_current())
        })
    }
}
