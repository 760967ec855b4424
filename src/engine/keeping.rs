//! Keeps the inventories, and removes what left a service's folder.
//!
//! A stored inventory names an object before the object is created, and loses it only after the
//! object is gone; so whatever stops jsorc, nothing of ours is ever unknown.

use super::health::Health;
use super::object::{Cause, Object};
use super::occurrence::Occurrence;
use super::record::{Inventory, Record};
use super::service::{Save, Service};
use super::watching::watch_of;
use super::{Command, Engine, Now, Standing, Verb, Write, WriteError, Written};
use crate::desired::{ObjectKey, PROTECTED_KINDS, WriteMode};
use crate::manifest::spec::Prune;
use std::sync::Arc;
use std::time::Duration;

impl Engine {
    /// Asks for the inventory to be stored with an object in it, before that is created.
    pub(super) fn want_recorded(&mut self, position: usize, now: Now) {
        let name = self.objects[position].service.clone();
        if let Some(service) = self.services.get_mut(&name) {
            if !matches!(service.save, Save::Saving(_)) {
                service.mark_unsaved(now.mono);
            }
            self.dirty.insert(name);
        }
    }

    /// Stores the inventory when its time has come and nothing it waits for is under way.
    pub(super) fn save_inventory(&mut self, name: &Arc<str>, now: Now) {
        let Some(service) = self.services.get(name) else {
            return;
        };
        let Save::At(at) = service.save else { return };
        if !self.writes() {
            return;
        }
        if service.census.unrecorded == 0 {
            // The answer to the last write makes this looked at again.
            if service.census.flights > 0 {
                return;
            }
            if at > now.mono {
                return self.wake(at);
            }
        }
        if !self.home_exists() {
            return;
        }
        let inventory = self.inventory_of(name, service);
        if let Some(service) = self.services.get_mut(name) {
            service.save = Save::Saving(false);
            service.inventory.records.clone_from(&inventory.records);
        }
        self.out.push(Command::SaveInventory(Box::new(inventory)));
    }

    /// What is applied, what is about to be, and what is still to be removed.
    fn inventory_of(&self, name: &Arc<str>, service: &Service) -> Inventory {
        let mut inventory = service.inventory.clone();
        inventory.namespace.clone_from(&service.desired.namespace);
        for object in self
            .members(name)
            .filter(|object| object.desired.mode != WriteMode::Ensure)
        {
            let pending = Record {
                resource: object.desired.resource.clone(),
                applied: None,
                done: false,
            };
            let record = object.record.clone().unwrap_or(pending);
            inventory.records.insert(object.desired.key.clone(), record);
        }
        inventory
    }

    /// Whether the namespace of the inventories is there, or not ours to look after.
    fn home_exists(&self) -> bool {
        let home = ObjectKey::new("", "Namespace", None, &self.instance.namespace);
        self.index
            .get(&home)
            .is_none_or(|position| self.objects[*position].standing == Standing::InOrder)
    }

    pub(super) fn on_saved(
        &mut self,
        name: &Arc<str>,
        result: Result<String, WriteError>,
        now: Now,
    ) {
        let members = self.members.get(name).cloned().unwrap_or_default();
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        let behind = service.save == Save::Saving(true);
        match result {
            Ok(version) => {
                service.inventory.resource_version = Some(version);
                service.stored = service.inventory.records.keys().cloned().collect();
                service.save = if behind {
                    Save::At(now.mono)
                } else {
                    Save::Clean
                };
                self.queue.extend(members);
                self.dirty.insert(name.clone());
            }
            Err(error) => {
                let again = now.mono + Duration::from_secs(2);
                service.save = Save::At(again);
                self.tell(Occurrence::InventoryRefused {
                    service: name.clone(),
                    reason: error.to_string(),
                });
                self.wake(again);
            }
        }
    }

    /// Notes that a Job came to its end, so that its disappearance is no drift.
    pub(super) fn finish_job(&mut self, position: usize, now: Now) {
        let object = &mut self.objects[position];
        let known = object
            .record
            .as_mut()
            .filter(|record| record.applied.is_some() && !record.done);
        if let (WriteMode::Job(_), Some(record)) = (&object.desired.mode, known) {
            record.done = true;
            let name = object.service.clone();
            if let Some(service) = self.services.get_mut(&name) {
                service.mark_unsaved(now.mono);
            }
        }
    }

    /// The recorded objects that are not wanted any more, with what is to become of them.
    pub(super) fn leavers(&self, name: &Arc<str>) -> Vec<(ObjectKey, Leaver)> {
        let Some(service) = self
            .services
            .get(name)
            .filter(|service| service.desired.kept)
        else {
            return Vec::new();
        };
        let records = &service.inventory.records;
        let gone = service
            .left
            .iter()
            .filter_map(|key| records.get_key_value(key));
        gone.map(|(key, record)| (key.clone(), self.leaver(service, key, record)))
            .collect()
    }

    fn leaver(&self, service: &Service, key: &ObjectKey, record: &Record) -> Leaver {
        let watch = watch_of(key, &record.resource);
        if self.watches.get(&watch) != Some(&true) {
            return Leaver::Unknown;
        }
        let Some(live) = self.strays.get(key) else {
            return Leaver::Gone;
        };
        let policy = service.desired.policy.prune;
        let keep = |reason: &str| Leaver::Keep(reason.to_owned());
        match &record.applied {
            None => keep("it was never confirmed to be ours"),
            Some(applied) if applied.uid != live.uid => keep("another object has its name now"),
            _ if live.owned => keep("something else owns it"),
            _ if is_protected(key, service) && !self.allowed.contains(&key.short()) => {
                Leaver::Keep(format!("protected kind (--allow-delete {})", key.short()))
            }
            _ if service.census.tracked == 0 => {
                keep("the service has no manifests at all any more; `jsorc delete` removes it")
            }
            _ if policy == Prune::Off => keep("policy.prune is off"),
            _ if policy == Prune::Ask && !self.allowed.contains(&key.short()) => {
                keep("policy.prune is ask (jsorc apply asks)")
            }
            _ if live.health == Health::Terminating => Leaver::Unknown,
            _ => Leaver::Delete(live.uid.clone(), live.resource_version.clone()),
        }
    }

    /// Deletes what left the folder, once everything that is wanted is in order.
    pub(super) fn prune(&mut self, name: &Arc<str>, now: Now) {
        if !self.writes() {
            return;
        }
        let leavers = self.leavers(name);
        if leavers.is_empty() {
            return;
        }
        let settled = self
            .services
            .get(name)
            .is_some_and(|service| service.census.in_order == service.census.all);
        if !settled {
            return;
        }
        for (key, leaver) in leavers {
            match leaver {
                Leaver::Unknown => {}
                Leaver::Gone => self.strike_out(name, &key, now),
                Leaver::Keep(reason) => self.keep(name, key, reason),
                Leaver::Delete(..) if now.mono < self.prune_from => self.wake(self.prune_from),
                Leaver::Delete(uid, version) => self.delete(name, key, uid, version),
            }
        }
    }

    fn strike_out(&mut self, name: &Arc<str>, key: &ObjectKey, now: Now) {
        if let Some(service) = self.services.get_mut(name)
            && service.inventory.records.remove(key).is_some()
        {
            service.mark_unsaved(now.mono);
            self.dirty.insert(name.clone());
        }
    }

    fn keep(&mut self, name: &Arc<str>, key: ObjectKey, reason: String) {
        if let Some(service) = self.services.get_mut(name)
            && service.kept.insert(key.clone())
        {
            self.tell(Occurrence::Kept {
                service: name.clone(),
                key,
                reason,
            });
        }
    }

    fn delete(&mut self, name: &Arc<str>, key: ObjectKey, uid: String, version: String) {
        if self.deletions.contains_key(&key) {
            return;
        }
        let resource = self
            .services
            .get(name)
            .and_then(|s| s.inventory.records.get(&key))
            .map(|r| r.resource.clone());
        let Some(resource) = resource else { return };
        let attempt = self.next_attempt();
        self.deletions.insert(key.clone(), (attempt, name.clone()));
        let verb = Verb::Delete {
            uid,
            resource_version: Some(version),
        };
        self.out.push(Command::Write(Write {
            key,
            resource,
            attempt,
            verb,
        }));
    }

    pub(super) fn on_pruned(
        &mut self,
        key: &ObjectKey,
        outcome: Result<Written, WriteError>,
        now: Now,
    ) {
        let Some((_, name)) = self.deletions.remove(key) else {
            return;
        };
        match outcome {
            Ok(_) => {
                if let Some(live) = self.strays.get_mut(key) {
                    live.health = Health::Terminating;
                }
                self.tell(Occurrence::Pruned {
                    service: name,
                    key: key.clone(),
                });
            }
            Err(WriteError::Gone) => {
                self.strays.remove(key);
                self.dirty.insert(name);
            }
            Err(WriteError::Changed) => drop(self.dirty.insert(name)),
            Err(error) => {
                self.tell(Occurrence::Refused {
                    service: name,
                    key: key.clone(),
                    reason: error.to_string(),
                    again: Some(Duration::from_secs(10)),
                });
                self.prune_from = self.prune_from.max(now.mono + Duration::from_secs(10));
                self.wake(self.prune_from);
            }
        }
    }

    /// The objects of a service.
    pub(super) fn members(&self, name: &Arc<str>) -> impl Iterator<Item = &Object> {
        self.members
            .get(name)
            .into_iter()
            .flatten()
            .map(|position| &self.objects[*position])
    }
}

/// What is to become of an object that left its service's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaver {
    /// Nothing yet: its watch has not said where it is.
    Unknown,
    /// It is gone.
    Gone,
    /// It stays; why.
    Keep(String),
    /// It is deleted: uid and version.
    Delete(String, String),
}

fn is_protected(key: &ObjectKey, service: &Service) -> bool {
    PROTECTED_KINDS.contains(&&*key.kind)
        || service
            .desired
            .protect
            .iter()
            .any(|kind| **kind == *key.kind)
        || service.inventory.records.get(key).is_some_and(|record| {
            key.is_secret()
                && record
                    .applied
                    .as_ref()
                    .is_some_and(|applied| applied.evidence.is_none())
        })
}

impl Cause {
    /// Why an object is to be written, for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Missing => "new",
            Self::Changed => "its manifest changed",
            Self::Unrecorded => "not in the inventory",
            Self::Drift(super::Fault::Changed) => "was changed",
            Self::Drift(super::Fault::Deleted) => "was deleted",
            Self::Drift(super::Fault::Unlabelled) => "lost our label",
            Self::Drift(super::Fault::Replaced) => "was replaced by another object",
            Self::Recreate => "a Job cannot change",
        }
    }
}
