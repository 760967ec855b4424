//! Removes what left a service's folder, and nothing else.
//!
//! An object is deleted only when its watch has been read, the inventory names the very uid that is
//! there, nothing else owns it, its kind is not protected, everything that is wanted is in order,
//! and the inventory was stored just before. The delete carries uid and version. Where most of a
//! service would go at once, somebody has to confirm it.

use super::health::Health;
use super::looking::Sought;
use super::occurrence::Occurrence;
use super::ordered::left_alone;
use super::plan::Action;
use super::record::Record;
use super::service::{Hold, Service};
use super::watches::watch_of;
use super::{Command, Engine, Mode, Now, Verb, Write, WriteError, Written};
use crate::desired::{ObjectKey, PROTECTED_KINDS};
use crate::manifest::spec::Prune;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// What is to become of an object that left its service's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaver {
    /// Nothing yet: its watch has not said where it is.
    Unknown,
    /// Its watch cannot say where it is; why.
    Unseen(String),
    /// It is gone.
    Gone,
    /// It stays; why.
    Keep(String),
    /// It stays with many others until somebody confirms that they go; why.
    Held(String),
    /// It is deleted: uid and version.
    Delete(Arc<str>, Arc<str>),
}

impl Leaver {
    /// What is done to it, if anything is to be said of it.
    pub(super) fn action(&self) -> Option<Action> {
        match self {
            Self::Unknown | Self::Gone => None,
            Self::Unseen(_) | Self::Keep(_) | Self::Held(_) => Some(Action::Kept),
            Self::Delete(..) => Some(Action::Delete),
        }
    }
}

/// What somebody allowed this run to delete.
#[derive(Debug, Default)]
pub(super) struct Allowed {
    /// These, as `KIND/NAME`, although they are protected.
    pub(super) objects: BTreeSet<String>,
    /// However much it is, and whatever `policy.prune` asks for.
    pub(super) confirmed: bool,
}

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

/// More than so many deletions at once, and more than half of what a service has, need a yes.
const MANY: usize = 10;

impl Engine {
    /// Allows protected objects, as `KIND/NAME`, to be deleted in this run.
    pub fn allow_delete(&mut self, objects: impl IntoIterator<Item = String>) {
        self.allowed.objects.extend(objects);
    }

    /// Somebody confirms what this run deletes, however much it is and whatever `policy.prune`
    /// asks for.
    pub fn confirm_deletions(&mut self) {
        self.allowed.confirmed = true;
    }

    /// The service that wants an object.
    fn owner_of(&self, key: &ObjectKey) -> Option<&Arc<str>> {
        let position = self.position(key)?;
        Some(&self.objects[position].service)
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
        let each = gone.map(|(key, record)| (key.clone(), self.leaver(service, key, record)));
        let mut leavers: Vec<(ObjectKey, Leaver)> = each.collect();
        self.hold_many(service, &mut leavers);
        leavers
    }

    /// Holds deletions back that would take more than half of a service. What may turn out to be
    /// one counts too, so that it does not matter which watch is read first.
    fn hold_many(&self, service: &Service, leavers: &mut [(ObjectKey, Leaver)]) {
        let counts = |(key, leaver): &&(ObjectKey, Leaver)| {
            let goes = matches!(
                leaver,
                Leaver::Delete(..) | Leaver::Unknown | Leaver::Unseen(_)
            );
            goes && self.position(key).is_none() && !self.allowed.objects.contains(&key.short())
        };
        let many = leavers.iter().filter(counts).count();
        if self.allowed.confirmed || many <= MANY || many * 2 <= service.inventory.records.len() {
            return;
        }
        let beside = match self.mode {
            Mode::Enforce { run: true } | Mode::Follow => " --takeover",
            _ => "",
        };
        let name = &service.desired.name;
        let why = format!(
            "{many} deletions at once need confirmation (jsorc apply {name} --yes{beside})"
        );
        for (key, leaver) in leavers {
            if matches!(leaver, Leaver::Delete(..)) && !self.allowed.objects.contains(&key.short())
            {
                *leaver = Leaver::Held(why.clone());
            }
        }
    }

    fn leaver(&self, service: &Service, key: &ObjectKey, record: &Record) -> Leaver {
        if let Some(owner) = self.owner_of(key) {
            // It moved to another service, whose inventory names it before this one forgets it.
            let named = self
                .services
                .get(owner)
                .is_some_and(|owner| owner.stores(key));
            return if named { Leaver::Gone } else { Leaver::Unknown };
        }
        let watch = watch_of(key, &record.resource);
        if self.watches.get(&watch) != Some(&true) {
            let reason = self.lost.get(&watch);
            return reason.map_or(Leaver::Unknown, |reason| {
                Leaver::Unseen(format!("it cannot be seen: {reason}"))
            });
        }
        let Some(live) = self.strays.get(key) else {
            // The answer is told before the object is forgotten.
            let asked = self.flies(key);
            return if asked { Leaver::Unknown } else { Leaver::Gone };
        };
        let policy = service.desired.policy.prune;
        let keep = |reason: &str| Leaver::Keep(reason.to_owned());
        match &record.applied {
            None => keep("it was never confirmed to be ours"),
            Some(applied) if applied.uid != live.uid => keep("another object has its name now"),
            _ if live.owned => keep("something else owns it"),
            _ if live.suspended.is_some() => {
                Leaver::Keep(left_alone(live.suspended.as_deref().unwrap_or_default()))
            }
            _ if is_protected(key, service) && !self.allowed.objects.contains(&key.short()) => {
                Leaver::Keep(format!("protected kind (--allow-delete {})", key.short()))
            }
            _ if service.census.tracked == 0 => {
                keep("the service has no manifests at all any more; `jsorc delete` removes it")
            }
            _ if policy == Prune::Off => keep("policy.prune is off"),
            _ if policy == Prune::Ask
                && !self.allowed.confirmed
                && !self.allowed.objects.contains(&key.short()) =>
            {
                keep("policy.prune is ask (jsorc apply asks)")
            }
            _ if !self.permits(key, Some(&live.uid)) => keep("it is not in the plan"),
            _ if live.health == Health::Terminating => Leaver::Unknown,
            // The watch is behind, or a write from before it left is on its way.
            _ if live.is_outdated() || self.landing.contains_key(key) => Leaver::Unknown,
            _ => Leaver::Delete(live.uid.clone(), live.resource_version.clone()),
        }
    }

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
        if leavers.iter().any(deletes) && now.mono >= self.prune_from && !self.may_delete(name, now)
        {
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
}

/// Whether an object is never deleted unless one run is told to.
pub(super) fn is_protected(key: &ObjectKey, service: &Service) -> bool {
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
