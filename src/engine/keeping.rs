//! Keeps the inventories.
//!
//! A stored inventory names an object before the object is created, and loses it only after the
//! object is gone; so whatever stops jsorc, nothing of ours is ever unknown.

use super::object::Object;
use super::occurrence::Occurrence;
use super::record::Record;
use super::service::{Hold, Refusals, Save, Service};
use super::{Command, Engine, Now, Standing, WriteError};
use crate::desired::{ObjectKey, Resource, WriteMode};
use std::sync::Arc;
use std::time::Duration;

/// How long after a refusal an inventory is stored again.
const PAUSE: Duration = Duration::from_secs(2);

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
        let mut due = service.refusals.until;
        if service.census.unrecorded == 0 {
            // The answer to the last write makes this looked at again.
            if service.census.flights > 0 {
                return;
            }
            due = due.max(at);
        }
        if due > now.mono {
            return self.wake_to_save(name, due);
        }
        if !self.home_exists() {
            return;
        }
        let epoch = self.epoch;
        self.note_versions(name);
        let members = self.members.get(name).into_iter().flatten();
        let members = members.map(|position| &self.objects[*position]);
        if let Some(service) = self.services.get_mut(name) {
            service.save = Save::Saving(None);
            service.unsaved_heals = None;
            service.inventory.epoch = service.inventory.epoch.max(epoch);
            service.take_stock(members);
        }
        let receipt = self.receipt(name);
        if let Some(service) = self.services.get_mut(name) {
            service.inventory.receipt = receipt;
            let mut inventory = Box::new(service.inventory.clone());
            service.news.add_to(&mut inventory.history);
            service.news.send();
            self.out.push(Command::SaveInventory(inventory));
        }
    }

    /// Stores what is behind without waiting for its time, because the process is about to end.
    pub fn store_now(&mut self, now: Now) -> Vec<Command> {
        let names: Vec<Arc<str>> = self.services.keys().cloned().collect();
        for name in names {
            if let Some(service) = self.services.get_mut(&name)
                && let Save::At(at) = &mut service.save
            {
                *at = now.mono;
                service.refusals = Refusals::default();
                self.save_inventory(&name, now);
            }
        }
        self.commands()
    }

    /// Whether an inventory is being stored.
    #[must_use]
    pub fn is_storing(&self) -> bool {
        let mut services = self.services.values();
        services.any(|service| matches!(service.save, Save::Saving(_)))
    }

    /// Whether all inventories are known.
    pub(super) fn has_inventories(&self) -> bool {
        self.inventories == Reading::Done
    }

    /// Whether the namespace of the inventories is there, or not ours to look after.
    fn home_exists(&self) -> bool {
        let home = ObjectKey::new("", "Namespace", None, &self.instance.namespace);
        self.position(&home)
            .is_none_or(|position| self.objects[position].standing == Standing::InOrder)
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
        match result {
            Ok(version) => {
                service.inventory.resource_version = Some(version);
                let new = std::mem::take(&mut service.unstored);
                service.refusals = Refusals::default();
                service.news.arrive(&mut service.inventory.history);
                service.hold = Hold::Proven;
                service.save = match service.save {
                    Save::Saving(Some(again)) => Save::At(again),
                    _ => Save::Clean,
                };
                // Whether one in order was made by us is judged once it is named.
                let waits = |position: &usize| {
                    let object = &self.objects[*position];
                    object.standing != Standing::InOrder || new.contains(&object.desired.key)
                };
                self.queue.extend(members.into_iter().filter(waits));
                // What moved here from another service may be forgotten there now.
                self.dirty.extend(self.services.keys().cloned());
            }
            Err(error) => {
                let again = now.mono + PAUSE;
                service.save = Save::At(again);
                let of_another = is_of_another(&error);
                // The first time it is only to be read before.
                if !of_another || service.refusals.any {
                    service.refusals.until = again;
                }
                service.refusals.any = true;
                if of_another {
                    if self.has_inventories() {
                        self.inventories = Reading::News;
                    }
                    self.out.push(Command::ReadInventories);
                }
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
            Arc::make_mut(record).done = true;
            let name = object.service.clone();
            if let Some(service) = self.services.get_mut(&name) {
                service.mark_unsaved(now.mono);
            }
        }
    }

    /// Every inventory is stored under the next epoch, so that whoever led before and still means
    /// to fails at the next one that it stores.
    pub(super) fn on_elected(&mut self, now: Now) {
        let inventories = self.services.values().map(|service| &service.inventory);
        let newest = inventories
            .chain(self.orphans.values())
            .map(|inventory| inventory.epoch)
            .max();
        self.epoch = newest.unwrap_or(0) + 1;
        self.deposed = false;
        for service in self.services.values_mut() {
            service.hold = Hold::Unproven;
            if service.inventory.resource_version.is_some() {
                service.mark_unsaved(now.mono);
            }
        }
        self.dirty.extend(self.services.keys().cloned());
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

impl Service {
    /// Brings the inventory up to what is applied, what is about to be, and what is still to be
    /// removed.
    fn take_stock<'a>(&mut self, members: impl Iterator<Item = &'a Object>) {
        self.inventory.namespace.clone_from(&self.desired.namespace);
        let records = &self.inventory.records;
        let mut pending = Pending::default();
        let mut change = |object: &'a Object| {
            let key = &object.desired.key;
            let known = records.get(key);
            let record = match &object.record {
                Some(record) if known == Some(record) => return None,
                Some(record) => record.clone(),
                None if known.is_some_and(|known| known.is_pending()) => return None,
                None => pending.of(&object.desired.resource),
            };
            Some((key, record, known.is_none()))
        };
        let tracked = members.filter(|object| object.desired.mode != WriteMode::Ensure);
        let changes: Vec<_> = tracked.filter_map(&mut change).collect();
        let new = changes.iter().filter(|(_, _, is_new)| *is_new);
        self.unstored.extend(new.map(|(key, ..)| (*key).clone()));
        let changes = changes.into_iter();
        let changes = changes.map(|(key, record, _)| (key.clone(), record));
        if records.is_empty() {
            // Built at once it is half as large as one that grows.
            self.inventory.records = Arc::new(changes.collect());
        } else if changes.len() > 0 {
            Arc::make_mut(&mut self.inventory.records).extend(changes);
        }
    }

    /// Whether the stored inventory names an object.
    pub(super) fn stores(&self, key: &ObjectKey) -> bool {
        self.inventory.records.contains_key(key) && !self.unstored.contains(key)
    }
}

/// The records of what is about to be created: one for all objects of a kind, which say the same.
#[derive(Default)]
struct Pending(Vec<Arc<Record>>);

impl Pending {
    fn of(&mut self, resource: &Arc<Resource>) -> Arc<Record> {
        let known = self.0.iter().find(|record| record.resource == *resource);
        known.cloned().unwrap_or_else(|| {
            let record = Arc::new(Record::pending(resource.clone()));
            self.0.push(record.clone());
            record
        })
    }
}

/// What is still to be read of the inventories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Everything.
    All,
    /// What others may have stored since.
    News,
    /// Nothing.
    Done,
}

/// Whether an inventory could not be stored because somebody else stored it.
fn is_of_another(error: &WriteError) -> bool {
    matches!(
        error,
        WriteError::Changed | WriteError::AlreadyExists | WriteError::Gone | WriteError::NotOurs
    )
}
