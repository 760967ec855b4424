//! Removes what left a service's folder, and nothing else.
//!
//! Invariant: nothing is deleted before everything that is wanted is in order and the inventory that
//! names the very uid was stored, and the delete carries uid and version. What we made without being
//! told its uid is named there first.

use super::chorus::Refusal;
use super::health::Health;
use super::leavers::Leaver;
use super::looking::Sought;
use super::occurrence::Occurrence;
use super::record::Applied;
use super::service::{Hold, Save};
use super::{Command, Engine, Now, Verb, Write, WriteError, Written};
use crate::desired::ObjectKey;
use std::sync::Arc;
use std::time::Duration;

/// A deletion on its way.
#[derive(Debug)]
pub(super) struct Deletion {
    /// The number of its request.
    pub(super) attempt: u64,
    /// The service that the object left.
    pub(super) name: Arc<str>,
    /// The version that is deleted.
    version: Arc<str>,
}

/// How long the departure of a deleted object is waited for: a finalizer can hold it for ever.
const DEPARTURE: Duration = Duration::from_secs(5);

impl Engine {
    /// Deletes what left the folder, once everything that is wanted is in order.
    pub(super) fn prune(&mut self, name: &Arc<str>, now: Now) {
        if !self.writes_of(name, now) {
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
        let deletes = |(key, leaver): &(ObjectKey, Leaver)| {
            matches!(leaver, Leaver::Delete(..)) && !self.deletions.contains_key(key)
        };
        let goes = leavers.iter().any(deletes) && now.mono >= self.prune_from;
        if goes && !(self.name_made(name, &leavers) && self.may_delete(name, now)) {
            return;
        }
        for (key, leaver) in leavers {
            match leaver {
                Leaver::Unknown => {}
                Leaver::Gone => self.strike_out(name, &key, now),
                Leaver::Keep(reason) | Leaver::Unseen(reason) => self.keep(name, key, reason),
                Leaver::Held(reason) => self.hold(name, key, reason),
                Leaver::Delete(..) if now.mono < self.prune_from => self.wake(self.prune_from),
                Leaver::Delete(uid, version) => self.delete(name, key, uid, version),
            }
        }
    }

    /// Puts the uids of what we made without an answer into the inventory, which has to be stored
    /// before they are deleted. Not while it is being stored without them.
    fn name_made(&mut self, name: &Arc<str>, leavers: &[(ObjectKey, Leaver)]) -> bool {
        let Some(service) = self.services.get_mut(name) else {
            return false;
        };
        let is_named = |key: &ObjectKey, uid: &Arc<str>| {
            let record = service.inventory.records.get(key);
            let applied = record.and_then(|record| record.applied.as_ref());
            applied.is_some_and(|applied| applied.uid == *uid)
        };
        let made: Vec<&ObjectKey> = leavers
            .iter()
            .filter_map(|(key, leaver)| match leaver {
                Leaver::Delete(uid, _) if !is_named(key, uid) => Some(key),
                _ => None,
            })
            .collect();
        if made.is_empty() {
            return true;
        }
        if matches!(service.save, Save::Saving(_)) {
            return false;
        }
        if service.hold == Hold::Proven {
            service.hold = Hold::Used;
        }
        let records = Arc::make_mut(&mut service.inventory.records);
        for key in made {
            if let (Some(record), Some(live)) = (records.get_mut(key), self.strays.get(key)) {
                Arc::make_mut(record).applied = Some(Applied::made(live));
            }
        }
        true
    }

    /// Whether the inventory was stored since the last deletions. A leader that was deposed without
    /// noticing fails there, before it deletes anything.
    fn may_delete(&mut self, name: &Arc<str>, now: Now) -> bool {
        let Some(service) = self.services.get_mut(name) else {
            return false;
        };
        let proven = service.hold == Hold::Proven;
        if proven {
            service.hold = Hold::Used;
        } else {
            service.mark_unsaved(now.mono);
            self.save_inventory(name, now);
        }
        proven
    }

    fn strike_out(&mut self, name: &Arc<str>, key: &ObjectKey, now: Now) {
        let record = self
            .services
            .get(name)
            .and_then(|service| service.inventory.records.get(key));
        let Some(resource) = record.map(|record| record.resource.clone()) else {
            return;
        };
        // One that moved is named by another inventory.
        if self.position(key).is_none() && !self.is_surely_gone(key, &resource, now) {
            return;
        }
        if let Some(service) = self.services.get_mut(name)
            && service.inventory.records.contains_key(key)
        {
            Arc::make_mut(&mut service.inventory.records).remove(key);
            service.unstored.remove(key);
            self.sought.remove(key);
            self.departures.remove(key);
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

    /// Says once for all that are held what holds them.
    fn hold(&mut self, name: &Arc<str>, key: ObjectKey, reason: String) {
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        let told = service.held.replace(reason.clone()) == Some(reason.clone());
        if service.kept.insert(key.clone()) && !told {
            self.tell(Occurrence::Kept {
                service: name.clone(),
                key,
                reason,
            });
        }
    }

    fn delete(&mut self, name: &Arc<str>, key: ObjectKey, uid: Arc<str>, version: Arc<str>) {
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
        let deletion = Deletion {
            attempt,
            name: name.clone(),
            version: version.clone(),
        };
        self.deletions.insert(key.clone(), deletion);
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
        let Some(Deletion { name, version, .. }) = self.deletions.remove(key) else {
            return;
        };
        // It may be wanted again.
        self.queue.extend(self.position(key));
        match outcome {
            Ok(_) => {
                self.dirty.insert(name.clone());
                self.sought.insert(key.clone(), Sought::Gone);
                // The watch may have said before that it is gone.
                if let Some(live) = self.strays.get_mut(key) {
                    live.health = Health::Terminating;
                    let until = now.mono + DEPARTURE;
                    self.departures.insert(key.clone(), until);
                    self.wake(until);
                }
                self.tell(Occurrence::Pruned {
                    service: name,
                    key: key.clone(),
                });
            }
            Err(WriteError::Gone) => {
                self.sought.insert(key.clone(), Sought::Gone);
                self.strays.remove(key);
                self.dirty.insert(name);
            }
            // Asked again of the same version, the server would say the same.
            Err(WriteError::Changed) => {
                let known = self.strays.get_mut(key);
                if let Some(live) = known.filter(|live| live.resource_version == version) {
                    live.resource_version = "".into();
                }
                self.dirty.insert(name);
            }
            Err(error) => {
                let again = Duration::from_secs(10);
                let refusal = Refusal {
                    service: name,
                    key: key.clone(),
                    reason: error.to_string(),
                    shared: error.passes(),
                    again,
                };
                self.tell_refusal(refusal, now.mono);
                self.prune_from = self.prune_from.max(now.mono + again);
                self.wake(self.prune_from);
            }
        }
    }
}
