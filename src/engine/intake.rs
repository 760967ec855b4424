//! Takes in a new desired set and the inventories, keeping what is known of the objects that stay.

use super::health::Health;
use super::keeping::Reading;
use super::object::{Foreign, Looked, Object};
use super::record::Inventory;
use super::service::{Hold, Save, Service};
use super::{ClusterState, Engine, Mode, Now, Standing};
use crate::desired::{DesiredObject, DesiredSet, ObjectKey};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// After a change of files, nothing is deleted before the tree has been quiet this long.
const PRUNE_QUIET: Duration = Duration::from_secs(5);

impl Engine {
    pub(super) fn on_desired(&mut self, set: DesiredSet, now: Now) {
        let first = self.services.is_empty();
        // A folder is saved file by file. A plan that somebody confirmed was made before it wrote.
        if !first && self.writes() {
            self.prune_from = now.mono + PRUNE_QUIET;
        }
        self.enabled = set.enabled;
        self.forget_blanks();
        self.index.clear();
        let objects = std::mem::take(&mut self.objects).into_iter();
        let mut previous: BTreeMap<ObjectKey, Object> = objects
            .map(|object| (object.desired.key.clone(), object))
            .collect();
        let wanted = set.services.iter().filter(|service| service.kept);
        self.objects = Vec::with_capacity(wanted.map(|service| service.objects.len()).sum());
        self.stop_services_that_left(&set);
        self.orders.dismissed = self.orders.now.dismissed().cloned().collect();
        for mut desired in set.services {
            desired.kept &= !self.orders.dismissed.contains(&desired.name);
            let name = desired.name.clone();
            let changes = |object: &DesiredObject| {
                let kept = previous.get(&object.key);
                kept.is_none_or(|kept| kept.desired.digest != object.digest)
            };
            let any_changed = desired.objects.iter().any(changes);
            let members = self.members.get(&name).map_or(0, Vec::len);
            let mut objects = std::mem::take(&mut desired.objects);
            if !desired.kept {
                objects.clear();
            }
            let count = objects.len();
            for object in objects {
                let kept = previous.remove(&object.key);
                self.objects.push(carried_over(kept, object, name.clone()));
            }
            if let Some(service) = self.services.get_mut(&name) {
                // One that leaves is a batch as well.
                if any_changed || members != count {
                    service.hold = Hold::Unproven;
                }
                service.take_desired(desired);
                continue;
            }
            let mut service = Service::new(desired, now);
            if let Some(inventory) = self.orphans.remove(&name) {
                service.take_inventory(inventory);
                if self.epoch > 0 {
                    service.mark_unsaved(now.mono);
                }
            }
            self.services.insert(name, service);
        }
        self.remember_strays(previous.into_values(), now);
        self.reindex();
        self.restore_records();
        self.record_what_moved(now);
        self.send_watches();
        self.queue.extend(0..self.objects.len());
        self.dirty.extend(self.services.keys().cloned());
    }

    pub(super) fn on_inventories(&mut self, inventories: Vec<Inventory>) {
        let newest = inventories.iter().map(|inventory| inventory.epoch).max();
        if self.epoch > 0 && newest > Some(self.epoch) {
            // What is on its way still lands; nothing more is begun.
            self.deposed = true;
        }
        if !inventories.is_empty() {
            self.trust_home();
        }
        self.forget_lost(&inventories);
        let only_news = self.inventories == Reading::News;
        let mut kept = BTreeSet::new();
        for inventory in inventories {
            match self.services.get_mut(&inventory.service) {
                Some(service) if only_news && service.has_stored(&inventory) => {
                    kept.insert(inventory.service);
                }
                Some(service) => service.take_inventory(inventory),
                None => drop(self.orphans.insert(inventory.service.clone(), inventory)),
            }
        }
        self.inventories = Reading::Done;
        self.find_leavers();
        for object in &mut self.objects {
            object.record.take_if(|_| !kept.contains(&object.service));
        }
        self.restore_records();
        self.send_watches();
        self.queue.extend(0..self.objects.len());
        self.dirty.extend(self.services.keys().cloned());
    }

    /// An inventory that is not there any more names nothing: its service was deleted or released,
    /// or begins anew.
    fn forget_lost(&mut self, inventories: &[Inventory]) {
        let there: BTreeSet<&Arc<str>> = inventories.iter().map(|i| &i.service).collect();
        self.orphans.retain(|name, _| there.contains(name));
        for (name, service) in &mut self.services {
            if !there.contains(name) && service.inventory.resource_version.is_some() {
                let empty = Inventory::empty(name.clone(), &service.desired.namespace);
                service.take_inventory(empty);
                service.save = Save::Clean;
            }
        }
    }

    /// Where inventories are, their namespace is: a plan does not ask for it.
    fn trust_home(&mut self) {
        let home = ObjectKey::new("", "Namespace", None, &self.instance.namespace);
        if let Some(position) = self.position(&home)
            && matches!(self.mode, Mode::Observe { .. })
            && self.objects[position].looked == Looked::No
        {
            self.objects[position].looked = Looked::Present(Box::new(Foreign {
                uid: "".into(),
                owner: None,
                managers: Vec::new(),
                applied_by_us: false,
                health: Health::Current,
            }));
        }
    }

    /// The objects that are wanted, once they and the inventories were taken in.
    #[must_use]
    pub fn wanted(&self) -> Option<impl Iterator<Item = &DesiredObject>> {
        let objects = self.objects.iter().map(|object| &object.desired);
        self.has_inventories().then_some(objects)
    }

    /// Where nothing is known of any object, as before the first connection, there is nothing to carry
    /// over: two sets at once are the most that a start holds.
    fn forget_blanks(&mut self) {
        if self.objects.iter().all(Object::is_blank) {
            self.objects = Vec::new();
            self.index.clear();
        }
    }

    fn reindex(&mut self) {
        self.members.clear();
        self.waiters.clear();
        // Namespaces that several services bring have one key each: the last one counts.
        let keys = self.objects.iter().map(|object| object.desired.key.clone());
        self.index = keys.zip(0..).collect();
        for (position, object) in self.objects.iter().enumerate() {
            self.members
                .entry(object.service.clone())
                .or_default()
                .push(position);
            for prerequisite in object.desired.after.iter() {
                self.waiters
                    .entry(prerequisite.key.clone())
                    .or_default()
                    .push(position);
            }
        }
        self.queue.clear();
        self.room.clear();
        self.explanations.clear();
        self.recount();
        self.find_leavers();
    }

    /// Finds the recorded objects that are not wanted: only another desired set or other
    /// inventories change which those are.
    fn find_leavers(&mut self) {
        let objects = &self.objects;
        for (name, service) in &mut self.services {
            let recorded = service.inventory.records.keys();
            let is_here = |key: &&ObjectKey| {
                let position = self.index.get(*key);
                position.is_some_and(|position| objects[*position].service == *name)
            };
            service.left = recorded.filter(|key| !is_here(key)).cloned().collect();
        }
    }

    fn restore_records(&mut self) {
        for object in &mut self.objects {
            let service = self.services.get(&object.service);
            let record =
                service.and_then(|service| service.inventory.records.get(&object.desired.key));
            if object.record.is_none() {
                object.record = record.cloned();
            }
            if let Some(applied) = object
                .record
                .as_ref()
                .and_then(|record| record.applied.as_ref())
                && object.conflicts.is_empty()
            {
                object.conflicts.clone_from(&applied.conflicts);
            }
            if let Some(live) = self.strays.remove(&object.desired.key) {
                object.live.get_or_insert_with(|| Box::new(live));
            }
        }
    }

    /// What moved to another service and is as it is wanted there is not written, and so not
    /// recorded on the way.
    fn record_what_moved(&mut self, now: Now) {
        for object in self.objects.iter().filter(|object| object.record.is_some()) {
            if let Some(service) = self.services.get_mut(&object.service)
                && !service.inventory.records.contains_key(&object.desired.key)
            {
                service.mark_unsaved(now.mono);
            }
        }
    }

    /// Whether every object has been compared, and every rehearsal answered.
    #[must_use]
    pub fn has_compared(&self) -> bool {
        let settled =
            |watch| self.watches.get(watch) == Some(&true) || self.outages.reason(watch).is_some();
        if !self.cluster_is_off() && !self.watches.keys().all(settled) {
            return false;
        }
        self.services
            .values()
            .all(|service| !service.desired.kept || self.has_inventories() || self.cluster_is_off())
            && (self.cluster_is_off()
                || !self
                    .open
                    .iter()
                    .any(|position| self.is_served(&self.objects[*position])))
    }

    /// What [`has_compared`](Self::has_compared) still waits for.
    #[must_use]
    pub fn open_questions(&self) -> Vec<String> {
        let open = |object: &Object| match &object.standing {
            Standing::Unknown => Some("its kind is not read yet"),
            Standing::Writing => Some("it is being written"),
            _ if object.looked == Looked::Pending || object.flight.is_some() => {
                Some("the server has not answered")
            }
            _ => None,
        };
        self.objects
            .iter()
            .filter_map(|object| {
                open(object).map(|why| format!("{}: {why}", object.desired.key.short()))
            })
            .collect()
    }

    pub(super) fn cluster_is_off(&self) -> bool {
        matches!(self.cluster, ClusterState::Off(_))
    }
}

fn carried_over(
    kept: Option<Object>,
    desired: crate::desired::DesiredObject,
    service: Arc<str>,
) -> Object {
    let Some(mut object) = kept else {
        return Object::new(desired, service);
    };
    if object.desired.digest != desired.digest {
        object.trouble = None;
        object.rehearsal = None;
        // Of several changes that nobody wrote, what was before the first of them was applied; what was
        // wanted before anything was known of the cluster was not.
        let applied = object.record.as_ref().and_then(|r| r.applied.as_ref());
        if applied.is_some_and(|a| a.digest == object.desired.digest) {
            object.was = Some(object.desired.body.clone());
        }
    }
    object.desired = desired;
    object.service = service;
    object.standing = Standing::Unknown;
    object
}

impl Service {
    fn take_desired(&mut self, mut desired: crate::desired::DesiredService) {
        let changed = self.desired.driver != desired.driver
            || self.desired.settings != desired.settings
            || self.desired.namespace != desired.namespace
            || self.desired.kept != desired.kept;
        desired.objects = Vec::new();
        self.wants_rerun |= changed;
        if changed {
            self.probes.retry_at = Duration::ZERO;
            self.probes.failures = 0;
            self.probes.error = None;
        }
        self.desired = desired;
        self.blocked = self.moved();
    }

    fn take_inventory(&mut self, inventory: Inventory) {
        self.unstored = BTreeSet::new();
        self.inventory = inventory;
        self.blocked = self.moved();
    }

    /// Whether this is the inventory that was read or stored here last.
    fn has_stored(&self, inventory: &Inventory) -> bool {
        let known = &self.inventory.resource_version;
        known.is_some() && *known == inventory.resource_version
    }

    /// Why the service must not be touched: its objects live in another namespace than it wants.
    fn moved(&self) -> Option<String> {
        let (then, now) = (&self.inventory.namespace, &self.desired.namespace);
        let held = self.inventory.records.iter().any(|(key, record)| {
            record.applied.is_some() && key.namespace.as_deref() == Some(then.as_str())
        });
        (held && then != now).then(|| {
            format!("its objects are in namespace {then}, and {now} is configured; `--move-namespace` moves it and leaves its data behind")
        })
    }
}
