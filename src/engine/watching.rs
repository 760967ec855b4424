//! What the watches say becomes state; drift is answered at once.

use super::body::Body;
use super::decide;
use super::event::{Explanation, WatchChange, WatchKey};
use super::live::Live;
use super::object::{Looked, Object};
use super::orders::Orders;
use super::record::Applied;
use super::sight::Sight;
use super::watches::{orders_of, watch_of};
use super::{Engine, Now};
use crate::desired::ObjectKey;

impl Engine {
    pub(super) fn on_watch(&mut self, watch: &WatchKey, change: WatchChange, now: Now) {
        if !self.watches.contains_key(watch) {
            return;
        }
        match change {
            WatchChange::Rewound => self.on_rewound(watch),
            WatchChange::Restarted => self.forget_seen(watch),
            WatchChange::Synced => {
                self.end_outage(watch, now);
                self.on_synced(watch);
            }
            WatchChange::Lost(reason) => {
                self.note_outage(watch, reason, now);
                self.on_lost(watch);
            }
            WatchChange::Resumed => self.end_outage(watch, now),
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
            return;
        }
        let mut live = self.live(position, self.confirmed(position), &sight);
        let Some(position) = position else {
            if live.labelled {
                if let Some(known) = self.strays.get(&key) {
                    live.follow(known);
                }
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

    /// Keeps the body of an object that differs until it is written.
    pub(super) fn stash(&mut self, position: usize, body: Body) {
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
    pub(super) fn confirmed(&self, position: Option<usize>) -> Option<&Applied> {
        let record = self.objects[position?].record.as_ref()?;
        record.applied.as_ref()
    }

    /// Takes in a live object, and wakes those who wait for its health.
    pub(super) fn see(&mut self, position: usize, mut live: Live, now: Now) {
        let object = &mut self.objects[position];
        if let Some(known) = &object.live {
            live.follow(known);
        }
        let before = object.health();
        let known = object.live.replace(Box::new(live));
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
    fn on_lost(&mut self, watch: &WatchKey) {
        if self.watches.get(watch) != Some(&true) {
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
