//! What is kept of services and objects that leave the set: they are still to be deleted, and what is on
//! its way to them still lands.
//!
//! Invariant: of whatever was applied, an inventory has the last that is known.

use super::object::Object;
use super::record::Record;
use super::{Engine, Now};
use crate::desired::{DesiredSet, ObjectKey};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Engine {
    pub(super) fn stop_services_that_left(&mut self, set: &DesiredSet) {
        let stays: BTreeSet<&Arc<str>> = set.services.iter().map(|service| &service.name).collect();
        let left: Vec<Arc<str>> = self
            .services
            .keys()
            .filter(|name| !stays.contains(name))
            .cloned()
            .collect();
        for name in left {
            self.stop_run(&name);
            if let Some(service) = self.services.remove(&name)
                && !service.inventory.records.is_empty()
            {
                self.orphans.insert(name, service.inventory);
            }
        }
    }

    /// Objects that are not wanted any more stay known, so that pruning knows their identity.
    pub(super) fn remember_strays(&mut self, left: impl Iterator<Item = Object>, now: Now) {
        for object in left {
            let key = object.desired.key;
            if let Some(record) = object.record {
                self.record_last(&object.service, &key, record, now);
            }
            if let Some(flight) = object.flight {
                self.landing.insert(key.clone(), flight.attempt);
            }
            // Of one without our label no watch would tell when it goes.
            if let Some(live) = object.live.filter(|live| live.labelled) {
                self.strays.insert(key, *live);
            }
        }
    }

    /// What was applied last of an object that leaves, which its inventory may not say yet: one that
    /// was just made again has another uid, and is to be deleted all the same.
    fn record_last(&mut self, service: &Arc<str>, key: &ObjectKey, last: Arc<Record>, now: Now) {
        let kept = self.services.get_mut(service);
        let inventory = match kept {
            Some(service) => &mut service.inventory,
            None => match self.orphans.get_mut(service) {
                Some(inventory) => inventory,
                None => return,
            },
        };
        let known = inventory.records.get(key);
        if known.is_none_or(|known| *known == last) {
            return;
        }
        Arc::make_mut(&mut inventory.records).insert(key.clone(), last);
        if let Some(service) = self.services.get_mut(service) {
            service.mark_unsaved(now.mono);
        }
    }
}
