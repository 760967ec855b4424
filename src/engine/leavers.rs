//! What is to become of each object that left its service's folder.
//!
//! Invariant: an object goes only when its watch has been read, it is the recorded one or one that we
//! made and nobody else wrote to, nothing else owns it, and its kind is not protected. Where most of
//! a service would go at once, somebody has to confirm it.

use super::health::Health;
use super::ordered::left_alone;
use super::plan::Action;
use super::record::Record;
use super::service::Service;
use super::watches::watch_of;
use super::{Engine, Mode};
use crate::desired::{ObjectKey, PROTECTED_KINDS};
use crate::manifest::spec::Prune;
use std::collections::BTreeSet;
use std::sync::Arc;

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
            let reason = self.outages.reason(&watch);
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
            None if !live.sole => keep("it was never confirmed to be ours"),
            Some(applied) if applied.uid != live.uid && !live.sole => {
                keep("another object has its name now")
            }
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
