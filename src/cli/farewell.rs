//! What `delete` and `release` have in common: which services they are about, what is recorded of
//! them and still there, and the order that keeps a daemon from undoing it.
//!
//! The order is stored first. A daemon that was about to write meanwhile may still do so; therefore
//! everything is looked at again at the end, and once more where a daemon leads.

use super::failure::Failure;
use super::suspend::{change, refused};
use crate::cluster::Hands;
use crate::daemon::{Connected, Settings};
use crate::desired::ObjectKey;
use crate::engine::removing::{Fate, Mark, fate};
use crate::engine::{Inventory, Order, Record, Wish, WriteError};
use futures::StreamExt as _;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Requests at the same time.
const AT_ONCE: usize = 16;
/// Within this time a daemon has noticed an order, and what it had begun has landed.
const NOTICED: Duration = Duration::from_millis(1500);

/// Services that jsorc parts with.
pub(super) struct Farewell<'a> {
    settings: &'a Settings,
    connected: &'a Connected,
    /// The hands that do it.
    pub(super) hands: Hands,
    /// The services, those that need others first.
    pub(super) services: Vec<String>,
}

/// One recorded object as it is now.
pub(super) struct Seen {
    /// Its service.
    pub(super) service: String,
    /// The object.
    pub(super) key: ObjectKey,
    /// What is recorded of it.
    pub(super) record: Arc<Record>,
    /// The live object.
    pub(super) live: Option<Value>,
    /// Whether it is ours.
    pub(super) fate: Fate,
}

impl<'a> Farewell<'a> {
    /// A farewell to these services; to all where none is named.
    ///
    /// # Errors
    /// Names that neither services/ nor an inventory has.
    pub(super) async fn to(
        settings: &'a Settings,
        connected: &'a Connected,
        names: &[String],
    ) -> Result<Self, Failure> {
        let stored = connected.reader().stored(&settings.instance).await;
        let stored = stored.map_err(|error| refused("read the inventories", &error, settings))?;
        let recorded: BTreeSet<String> = stored
            .inventories
            .iter()
            .map(|inventory| inventory.service.to_string())
            .collect();
        let unknown = names.iter().filter(|name| !recorded.contains(*name));
        settings
            .clone()
            .select(&unknown.cloned().collect::<Vec<_>>())?;
        let mut services: Vec<String> = names.to_vec();
        if names.is_empty() {
            let known = settings.catalog.names().map(str::to_owned);
            services = recorded.into_iter().chain(known).collect();
        }
        services.sort_unstable();
        services.dedup();
        services.sort_by_key(|name| std::cmp::Reverse(depth(settings, name, 0)));
        Ok(Self {
            hands: connected.hands(),
            settings,
            connected,
            services,
        })
    }

    /// Stores the order that keeps the services from coming back.
    ///
    /// # Errors
    /// Why it was not stored.
    pub(super) async fn order(&self, wish: Wish) -> Result<(), Failure> {
        let order = Order {
            order: wish,
            by: self.connected.greeting.user.clone(),
            at: Some(jiff::Timestamp::now()),
            until: None,
            reason: None,
        };
        let changed = change(self.settings, self.connected, |orders| {
            for name in &self.services {
                orders.put(Some(name), order.clone());
            }
        });
        changed.await.map(drop)
    }

    /// The inventories of the services, as they are stored now.
    ///
    /// # Errors
    /// When the server does not say.
    pub(super) async fn inventories(&self) -> Result<Vec<Inventory>, Failure> {
        let stored = self
            .connected
            .reader()
            .stored(&self.settings.instance)
            .await;
        let stored = stored.map_err(|e| refused("read the inventories", &e, self.settings))?;
        let mut found = stored.inventories;
        found.retain(|inventory| {
            self.services
                .iter()
                .any(|name| **name == *inventory.service)
        });
        Ok(found)
    }

    /// Everything that is recorded of the services, as it is now.
    ///
    /// # Errors
    /// When the server does not say.
    pub(super) async fn look(&self) -> Result<Vec<Seen>, Failure> {
        let mut seen = Vec::new();
        for inventory in self.inventories().await? {
            let service = inventory.service.to_string();
            let each = inventory.records.iter();
            let reads =
                each.map(|(key, record)| self.see(service.clone(), key.clone(), record.clone()));
            let mut reads = futures::stream::iter(reads).buffered(AT_ONCE);
            while let Some(read) = reads.next().await {
                seen.push(read?);
            }
        }
        Ok(seen)
    }

    /// One recorded object as it is now.
    ///
    /// # Errors
    /// When the server does not say.
    pub(super) async fn see(
        &self,
        service: String,
        key: ObjectKey,
        record: Arc<Record>,
    ) -> Result<Seen, Failure> {
        let live = self.connected.reader().get(&key, &record.resource).await;
        let live = live.map_err(|error| refused(&key.to_string(), &error, self.settings))?;
        let instance = &self.settings.instance;
        let (manager, label) = (instance.identity(), instance.label());
        let mark = Mark {
            manager: &manager,
            label: &label,
        };
        let fate = fate(&record, live.as_ref(), mark);
        Ok(Seen {
            service,
            key,
            record,
            live,
            fate,
        })
    }

    /// Waits as long as a daemon, if one leads, may take to notice the order. Whether one leads.
    pub(super) async fn let_it_be_noticed(&self) -> bool {
        let lease = self.connected.reader().lease(&self.settings.instance).await;
        // Who may not read the Lease waits too.
        let leads = lease.map_or(true, |lease| lease.is_some_and(|l| l.looks_alive()));
        if leads {
            tokio::time::sleep(NOTICED).await;
        }
        leads
    }

    /// Narrows the inventories to what `stays`; one that names nothing any more is deleted.
    ///
    /// # Errors
    /// When the server refuses.
    pub(super) async fn forget(&self, stays: &BTreeSet<ObjectKey>) -> Result<(), Failure> {
        let mut tries = 10;
        loop {
            let mut again = None;
            for mut inventory in self.inventories().await? {
                let before = inventory.records.len();
                Arc::make_mut(&mut inventory.records).retain(|key, _| stays.contains(key));
                // It was given for all of them.
                inventory.receipt = None;
                let instance = &self.settings.instance;
                let done = if inventory.records.is_empty() {
                    self.hands.delete_inventory(instance, &inventory).await
                } else if inventory.records.len() == before {
                    continue;
                } else {
                    self.hands
                        .save_inventory(instance, &inventory)
                        .await
                        .map(drop)
                };
                match done {
                    Ok(()) | Err(WriteError::Gone) => {}
                    // Somebody stored it meanwhile.
                    Err(error) => again = Some(error),
                }
            }
            let Some(error) = again else { return Ok(()) };
            tries -= 1;
            if tries == 0 || !error.passes() {
                return Err(refused("forget the inventory", &error, self.settings));
            }
        }
    }
}

/// How many services come before this one.
fn depth(settings: &Settings, name: &str, so_far: usize) -> usize {
    let service = settings.catalog.service(name);
    let first = service.map(|service| service.spec.depends_on.as_slice());
    let deeper = first.into_iter().flatten();
    // Circles are refused when services are read.
    let deepest = deeper
        .filter(|_| so_far < settings.catalog.services.len())
        .map(|other| depth(settings, other, so_far + 1))
        .max();
    deepest.unwrap_or(so_far)
}

/// `1 object`, or how many.
pub(super) fn objects(count: usize) -> String {
    crate::report::measure::count(count, "object")
}
