//! Fast path for unchanged services. When every object of a service is in sync, its inventory also
//! stores a hash of the inputs that its objects were composed from. A later plan with the same hash
//! lists only metadata and compares resource versions, which move whenever something of an object
//! changes (Kubernetes, "API concepts": resource versions).
//!
//! Invariant: when the check succeeds, a full comparison would find every object in sync too. When it
//! fails, nothing follows, and the caller compares everything. What composing all services together
//! would refuse (a circle between services that were applied one by one) the check does not see.

use super::super::orders::Orders;
use super::super::record::{Applied, Inventory, Receipt, Record};
use super::super::sight::Sight;
use super::super::status::{ServiceStatus, Status};
use super::super::watches::watches_of;
use super::super::{ClusterState, Phase, WatchKey};
use super::{Plan, PlannedService};
use crate::desired::instance::SUSPEND_ANNOTATION;
use crate::desired::{Fingerprint, FingerprintKey, Instance, ObjectKey};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// One service, as far as configuration and tables tell without composing it.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and any of them can hold"
)]
pub struct ServiceInputs {
    /// Its name.
    pub name: Arc<str>,
    /// Where its objects live.
    pub namespace: String,
    /// Whether it is kept alive.
    pub kept: bool,
    /// Whether it has manifests.
    pub has_manifests: bool,
    /// Whether a namespace is one of them, which no inventory names.
    pub gives_namespaces: bool,
    /// Whether it waits for other services.
    pub depends: bool,
    /// Whether what others add to its objects is removed.
    pub strips: bool,
    /// Whether the command is about it.
    pub selected: bool,
    /// What its objects would be composed from.
    pub source: Fingerprint,
}

/// What there is to be found.
#[derive(Debug)]
pub struct UnchangedCheck<'a> {
    instance: &'a Instance,
    creates_namespaces: bool,
    services: &'a [ServiceInputs],
    inventories: Vec<&'a Inventory>,
    expected: HashMap<&'a ObjectKey, &'a Record>,
    /// Whose evidence the metadata shows, where only status may have changed.
    reader: Option<(String, &'a FingerprintKey)>,
}

/// Which object there is, and in which version.
#[derive(Clone, Copy, Debug)]
pub struct ObjectVersion<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its namespace, if it is in one.
    pub namespace: Option<&'a str>,
    /// Its uid.
    pub uid: &'a str,
    /// Its version.
    pub resource_version: &'a str,
}

/// Everything is as it ought to be.
#[derive(Clone, Debug)]
pub struct Unchanged {
    /// The plan to do nothing.
    pub plan: Plan,
    /// Where the services with objects stand.
    pub status: Status,
}

impl<'a> UnchangedCheck<'a> {
    /// What is to be found if all is in order, or `None` where that needs a full comparison.
    #[must_use]
    pub fn new(
        instance: &'a Instance,
        creates_namespaces: bool,
        services: &'a [ServiceInputs],
        inventories: &'a [Inventory],
        orders: &Orders,
    ) -> Option<Self> {
        let of = |name: &str| inventories.iter().find(|i| *i.service == *name);
        let known = |inventory: &Inventory| {
            let service = services.iter().find(|s| s.name == inventory.service);
            service.is_some_and(has_objects)
        };
        let holds = |service: &&ServiceInputs| {
            let receipt = of(&service.name).and_then(|inventory| inventory.receipt.as_ref());
            let records = of(&service.name).map_or(0, |inventory| inventory.records.len());
            !service.gives_namespaces
                && receipt.is_some_and(|receipt| {
                    receipt.source == service.source && receipt.objects == records
                })
        };
        let wanted = || services.iter().filter(|s| s.selected && has_objects(s));
        if !orders.is_empty()
            || !inventories.iter().all(known)
            || !wanted().all(|service| holds(&service))
        {
            return None;
        }
        let inventories: Vec<&Inventory> = wanted().filter_map(|s| of(&s.name)).collect();
        let records = inventories.iter().flat_map(|inventory| &*inventory.records);
        let shown = records.clone().map(|(key, record)| (key, &**record));
        let expected: HashMap<_, _> = shown.collect();
        // One that is in two of them is for whoever composes to refuse.
        if expected.len() != records.count() {
            return None;
        }
        Some(Self {
            instance,
            creates_namespaces,
            services,
            expected,
            inventories,
            reader: None,
        })
    }

    /// Does not mind that the status of objects changed, or what controllers own of them: for a
    /// verdict that says nothing of how objects are.
    #[must_use]
    pub fn ignore_status(mut self, key: &'a FingerprintKey) -> Self {
        let strips = self.services.iter().any(|service| service.strips);
        self.reader = (!strips).then(|| (self.instance.identity(), key));
        self
    }

    /// The collections to look at, each in one version of its kind: every version shows all objects,
    /// and each is to be counted once.
    #[must_use]
    pub fn collections(&self) -> Vec<WatchKey> {
        let mut collections = watches_of(self.inventories.iter().copied());
        let same = |one: &WatchKey, other: &WatchKey| {
            let kind =
                |watch: &WatchKey| (watch.resource.group.clone(), watch.resource.kind.clone());
            (kind(one), &one.namespace, &one.name) == (kind(other), &other.namespace, &other.name)
        };
        let all = std::mem::take(&mut collections);
        for collection in all {
            if !collections.iter().any(|known| same(known, &collection)) {
                collections.push(collection);
            }
        }
        collections
    }

    /// The namespaces that ought to be there and that no inventory proves.
    #[must_use]
    pub fn namespaces(&self) -> BTreeSet<&str> {
        let owned = self.owned_namespaces().into_keys();
        owned
            .filter(|name| **name != *self.instance.namespace)
            .collect()
    }

    /// Whether an object that is there is as recorded. Where its version is another, the text of its
    /// metadata is asked for.
    #[must_use]
    pub fn matches_record(
        &self,
        collection: &WatchKey,
        seen: ObjectVersion<'_>,
        metadata: &str,
    ) -> bool {
        let key = ObjectKey {
            group: collection.resource.group.clone(),
            kind: collection.resource.kind.clone(),
            namespace: seen.namespace.map(Into::into),
            name: seen.name.into(),
        };
        let record = self.expected.get(&key);
        let applied = record.and_then(|record| record.applied.as_ref());
        applied.is_some_and(|applied| {
            *applied.uid == *seen.uid
                && (applied.version.as_deref() == Some(seen.resource_version)
                    || self.differs_in_status(applied, metadata))
        })
    }

    /// Whether another version shows the same evidence, and nothing to report.
    fn differs_in_status(&self, applied: &Applied, text: &str) -> bool {
        let Some((manager, key)) = &self.reader else {
            return false;
        };
        let Ok(sight) = Sight::read(text) else {
            return false;
        };
        let surface = sight.surface(manager, key);
        surface.is_some()
            && surface == applied.surface
            && !sight.is_leaving()
            && !sight.may_have_guests(manager)
            && sight.annotation(SUSPEND_ANNOTATION).is_none()
    }

    /// What follows when so many objects were recognised, and no other was seen.
    #[must_use]
    pub fn finish(&self, recognised: usize, now: jiff::Timestamp) -> Option<Unchanged> {
        (recognised == self.expected.len()).then(|| Unchanged {
            plan: self.plan(),
            status: self.status(now),
        })
    }

    /// Whether anybody would wait for a service that is not ready.
    #[must_use]
    pub fn blocks_dependents(&self) -> bool {
        let unready = |inventory: &&Inventory| {
            let receipt = inventory.receipt.as_ref();
            receipt.is_some_and(|receipt| receipt.unready.is_some())
        };
        self.inventories.iter().any(unready) && self.services.iter().any(|service| service.depends)
    }

    fn plan(&self) -> Plan {
        let mut namespaces: HashMap<&str, Vec<&str>> = HashMap::new();
        for (namespace, service) in self.owned_namespaces() {
            namespaces.entry(service).or_default().push(namespace);
        }
        let planned = |service: &ServiceInputs| {
            let inventory = self.inventory(&service.name);
            let records = inventory
                .into_iter()
                .flat_map(|inventory| &*inventory.records);
            let mut unchanged: Vec<(ObjectKey, String)> = records
                .map(|(key, record)| (key.clone(), record.resource.api_version()))
                .collect();
            let made = namespaces.remove(&*service.name).unwrap_or_default();
            let key = |name: &str| ObjectKey::new("", "Namespace", None, name);
            unchanged.extend(made.into_iter().map(|name| (key(name), "v1".to_owned())));
            unchanged.sort();
            PlannedService {
                name: service.name.clone(),
                namespace: service.namespace.clone(),
                kept: service.kept,
                suspended: None,
                has_objects: !unchanged.is_empty(),
                steps: Vec::new(),
                unchanged,
                foreign: BTreeMap::new(),
            }
        };
        let selected = self.services.iter().filter(|service| service.selected);
        Plan {
            services: selected.map(planned).collect(),
        }
    }

    /// The namespaces that jsorc makes sure of, each with the first service that lives in it.
    fn owned_namespaces(&self) -> BTreeMap<&'a str, &'a str> {
        let mut owned = BTreeMap::new();
        let Some(first) = self.inventories.first().filter(|_| self.creates_namespaces) else {
            return owned;
        };
        owned.insert(&*self.instance.namespace, &*first.service);
        for inventory in &self.inventories {
            for namespace in inventory
                .records
                .keys()
                .filter_map(|key| key.namespace.as_deref())
            {
                owned.entry(namespace).or_insert(&*inventory.service);
            }
        }
        owned
    }

    fn inventory(&self, name: &str) -> Option<&'a Inventory> {
        let mut inventories = self.inventories.iter();
        inventories
            .find(|inventory| *inventory.service == *name)
            .copied()
    }

    fn status(&self, now: jiff::Timestamp) -> Status {
        let standing = |inventory: &&Inventory| {
            let receipt = inventory.receipt.as_ref()?;
            Some(status_of(inventory, receipt, now))
        };
        Status {
            services: self.inventories.iter().filter_map(standing).collect(),
            watched_kinds: 0,
            synced: true,
            unwatched: None,
            cluster: ClusterState::Ready,
            last_heal: None,
            drifts: Vec::new(),
        }
    }
}

fn has_objects(service: &ServiceInputs) -> bool {
    service.kept && service.has_manifests
}

fn status_of(inventory: &Inventory, receipt: &Receipt, now: jiff::Timestamp) -> ServiceStatus {
    let all = inventory.records.len();
    let (phase, ready, reason) = match &receipt.unready {
        None => (Phase::Running, all, crate::engine::verdict::NOT_PROBED),
        Some((ready, why)) => (Phase::Settling, *ready, &**why),
    };
    ServiceStatus::unprobed(
        &inventory.service,
        phase,
        reason.to_owned(),
        (ready, all),
        now,
    )
}

#[cfg(test)]
mod tests;
