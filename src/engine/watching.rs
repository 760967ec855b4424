//! What the watches say becomes state; drift is answered at once.

use super::body::Body;
use super::decide;
use super::event::{Explanation, WatchChange, WatchKey};
use super::health::changes_by_itself;
use super::object::{Live, Looked, Object};
use super::orders::Orders;
use super::record::{Applied, Inventory};
use super::sight::Sight;
use super::{Engine, Now};
use crate::desired::at::At as _;
use crate::desired::{Instance, ObjectKey, Resource};
use serde_json::Value;
use std::collections::BTreeSet;
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
    pub(super) fn on_watch(&mut self, watch: &WatchKey, change: WatchChange, now: Now) {
        if !self.watches.contains_key(watch) {
            return;
        }
        match change {
            WatchChange::Rewound => self.on_rewound(watch),
            WatchChange::Restarted => self.forget_seen(watch),
            WatchChange::Synced => self.on_synced(watch),
            WatchChange::Lost(reason) => self.on_lost(watch, reason),
            WatchChange::Applied(object) => self.on_applied(watch, object, now),
            WatchChange::Deleted(object) => self.on_deleted(watch, &object),
        }
    }

    fn on_applied(&mut self, watch: &WatchKey, object: Body, now: Now) {
        let Ok(sight) = Sight::read(object.text()) else {
            return;
        };
        let key = key_in(watch, &sight);
        if &*watch.resource.kind == "EndpointSlice" {
            return self.on_slice(key, &object.value());
        }
        if self.is_orders(&key) {
            if self.brings_orders(watch) {
                self.orders.seen = true;
                self.on_orders(Orders::read(&object.value()));
            }
            return;
        }
        let position = self.position(&key);
        if position.is_some_and(|position| self.has_seen(position, &sight)) {
            self.echoes += 1;
            return;
        }
        self.echoes = 0;
        let live = self.live(position, self.confirmed(position), &sight);
        let Some(position) = position else {
            if live.labelled {
                self.sought.remove(&key);
                self.strays.insert(key, live);
                self.dirty.extend(self.services.keys().cloned());
            }
            return;
        };
        if self.objects[position]
            .live
            .as_ref()
            .is_some_and(|known| live.is_older_than(known))
        {
            return;
        }
        self.see(position, live, now);
        if self.watches.get(watch) == Some(&false) {
            // Nothing is decided before everything was named.
            self.stash(position, object);
            return self.count(position);
        }
        self.fresh = Some((position, object));
        self.queue.remove(&position);
        self.consider(position, now);
        if let Some((_, body)) = self.fresh.take() {
            self.stash(position, body);
        }
    }

    /// Whether what this watch says about the orders counts. Another one of the same kind may be
    /// behind, and would bring back what was taken back.
    fn brings_orders(&self, watch: &WatchKey) -> bool {
        *watch == orders_of(&self.instance)
    }

    /// How many of the last things that the watches said were known: our own writes, that come back.
    #[must_use]
    pub fn echoes(&self) -> usize {
        self.echoes
    }

    /// Keeps the body of an object that differs until it is written.
    fn stash(&mut self, position: usize, body: Body) {
        let strips = self.has_to_strip(position);
        let object = &mut self.objects[position];
        object.stash = (strips || decide::differs(object)).then_some(body);
    }

    /// Whether this very version is known: our own write comes back by the watch, and so does
    /// everything when a watch starts over.
    fn has_seen(&mut self, position: usize, sight: &Sight<'_>) -> bool {
        let Some(live) = &mut self.objects[position].live else {
            return false;
        };
        let same = *sight.uid() == *live.uid && *sight.resource_version() == *live.resource_version;
        live.seen |= same;
        same
    }

    /// What is worth keeping of an object that somebody showed.
    pub(super) fn live(
        &self,
        position: Option<usize>,
        confirmed: Option<&Applied>,
        sight: &Sight<'_>,
    ) -> Live {
        let mut live = Live::of(sight, confirmed, &self.manager, &self.label, &self.key);
        if let Some(position) = position {
            live.additions = self.additions_to(position, &live, sight).into();
        }
        live
    }

    /// What the server confirmed of an object, as it is recorded.
    fn confirmed(&self, position: Option<usize>) -> Option<&Applied> {
        let record = self.objects[position?].record.as_ref()?;
        record.applied.as_ref()
    }

    /// Takes in a live object, and wakes those who wait for its health.
    pub(super) fn see(&mut self, position: usize, live: Live, now: Now) {
        let object = &mut self.objects[position];
        let before = object.health();
        let known = object.live.replace(live);
        object.looked = Looked::No;
        let after = object.health();
        let service = object.service.clone();
        let foreign_write = known.is_none_or(|known| {
            let now = object.live.as_ref().map(|live| &live.resource_version);
            now != Some(&known.resource_version)
        });
        if before == after {
            return;
        }
        if after.is_current() {
            object.explained = None;
            self.finish_job(position, now);
        }
        if foreign_write && let Some(service) = self.services.get_mut(&service) {
            service.holds_rerun = false;
        }
        let key = self.objects[position].desired.key.clone();
        self.wake_waiters(&key);
        self.dirty.insert(service);
        if key.is("apiextensions.k8s.io", "CustomResourceDefinition") {
            self.send_watches();
        }
    }

    fn on_deleted(&mut self, watch: &WatchKey, object: &Body) {
        let Ok(sight) = Sight::read(object.text()) else {
            return;
        };
        let key = key_in(watch, &sight);
        if self.is_orders(&key) {
            if self.brings_orders(watch) {
                self.on_orders(Orders::default());
            }
            return;
        }
        self.forget_slice(&key);
        if &*watch.resource.kind == "EndpointSlice" {
            return self.dirty.extend(self.services.keys().cloned());
        }
        if self.strays.remove(&key).is_some() {
            self.dirty.extend(self.services.keys().cloned());
        }
        if let Some(position) = self.position(&key) {
            let gone = self.live(Some(position), self.confirmed(Some(position)), &sight);
            let known = self.objects[position].live.as_ref();
            // Another one was made since, and its answer was faster.
            if known.is_some_and(|known| gone.version_is_before(known)) {
                return;
            }
            self.objects[position].gone = Some(Box::new(gone));
            self.vanish(position);
        }
    }

    /// An object left our sight: deleted, or without our label. Which of the two, the answer to
    /// the next apply tells.
    pub(super) fn vanish(&mut self, position: usize) {
        let object = &mut self.objects[position];
        object.live = None;
        object.looked = Looked::No;
        object.explained = None;
        self.dirty.insert(object.service.clone());
        self.queue.insert(position);
        let key = self.objects[position].desired.key.clone();
        self.wake_waiters(&key);
    }

    /// An interrupted watch that had named everything still stands for what it named: it goes on
    /// from there. Only one that never did leaves its objects unknown.
    fn on_lost(&mut self, watch: &WatchKey, reason: String) {
        if self.watches.get(watch) != Some(&true) {
            self.lost.insert(watch.clone(), reason);
            let of_watch =
                |object: &Object| watch_of(&object.desired.key, &object.desired.resource) == *watch;
            let affected =
                (0..self.objects.len()).filter(|position| of_watch(&self.objects[*position]));
            self.queue.extend(affected.collect::<Vec<_>>());
        }
    }

    /// A watch starts over.
    pub(super) fn forget_seen(&mut self, watch: &WatchKey) {
        self.watches.insert(watch.clone(), false);
        if self.brings_orders(watch) {
            self.orders.seen = false;
        }
        for object in &mut self.objects {
            if watch_of(&object.desired.key, &object.desired.resource) == *watch
                && let Some(live) = &mut object.live
            {
                live.seen = false;
            }
        }
        for (key, live) in &mut self.strays {
            if watch.shows(key) {
                live.seen = false;
            }
        }
    }

    fn on_synced(&mut self, watch: &WatchKey) {
        self.watches.insert(watch.clone(), true);
        self.lost.remove(watch);
        if self.brings_orders(watch) && !self.orders.seen {
            self.on_orders(Orders::default());
        }
        let of_watch =
            |object: &Object| watch_of(&object.desired.key, &object.desired.resource) == *watch;
        let positions: Vec<usize> = (0..self.objects.len())
            .filter(|position| of_watch(&self.objects[*position]))
            .collect();
        for position in positions {
            if self.objects[position]
                .live
                .as_ref()
                .is_some_and(|live| !live.seen)
            {
                self.vanish(position);
            }
            self.queue.insert(position);
        }
        self.strays
            .retain(|key, live| live.seen || !watch.shows(key));
        self.dirty.extend(self.services.keys().cloned());
    }

    fn on_slice(&mut self, key: ObjectKey, object: &Value) {
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
            *self.endpoints.entry(front).or_default() += slice.ready;
            self.slices.insert(key, slice);
        }
    }

    fn forget_slice(&mut self, key: &ObjectKey) {
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

    pub(super) fn on_explained(&mut self, key: &ObjectKey, why: Option<Explanation>) {
        let why = why.map(Box::new);
        if let Some(position) = self.position(key) {
            let object = &mut self.objects[position];
            if !object.health().is_current() && object.explained != why {
                object.explained = why;
                self.dirty.insert(object.service.clone());
            }
        }
    }
}

fn key_in(watch: &WatchKey, sight: &Sight<'_>) -> ObjectKey {
    let namespace = sight.namespace().filter(|_| watch.resource.namespaced);
    let same = watch.namespace.as_deref() == namespace;
    ObjectKey {
        group: watch.resource.group.clone(),
        kind: watch.resource.kind.clone(),
        namespace: if same {
            watch.namespace.clone()
        } else {
            namespace.map(Into::into)
        },
        name: sight.name().into(),
    }
}
