//! Carries the engine's commands out, each in a task of its own that ends in another event.

use super::loading::Settings;
use super::reach::{ClusterRoute, Route};
use super::session::Session;
use crate::desired::{ObjectKey, Resource};
use crate::engine::{Command, Event, Explanation};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Up to this many missing objects are looked for one by one.
const LOOK_ONE_BY_ONE: usize = 20;

impl Session {
    pub(super) fn carry_out(&mut self, command: Command) {
        match command {
            Command::Watch(wanted) => self.watch(wanted),
            Command::Look(looks) => self.look(looks),
            Command::Write(write) => {
                if let Some(link) = &self.link {
                    link.writes.push(write);
                }
            }
            Command::SaveInventory(inventory) => self.save_inventory(*inventory),
            Command::ReadInventories => self.read_inventories(),
            Command::Compose => self.outdated = true,
            Command::Explain(key, resource) => self.explain(key, resource),
            Command::Start(start) => {
                let route = self.route(&start.service, &start.namespace);
                self.runner.start(start, route);
            }
            Command::Stop(service, run) => drop(self.runner.stop(&service, run)),
            Command::Probe {
                service,
                run,
                timeout,
            } => self.runner.probe(&service, run, timeout),
            Command::Tell(occurrence) => self.told.push(occurrence),
            Command::WakeAt(at) => self.wake_at(at),
        }
    }

    pub(super) fn route(&self, service: &Arc<str>, namespace: &str) -> Route {
        Route {
            cluster: self.link.as_ref().map(|link| ClusterRoute {
                reader: link.reader.clone(),
                forwarder: link.forwarder.clone(),
            }),
            namespace: namespace.to_owned(),
            has_objects: self.objects_of.get(service).copied().unwrap_or(false),
        }
    }

    pub(super) fn watch(&mut self, wanted: Vec<crate::engine::WatchKey>) {
        if let Some(link) = &mut self.link {
            link.eyes.keep(wanted);
        }
    }

    pub(super) fn look(&self, looks: Vec<(ObjectKey, Arc<Resource>)>) {
        let Some(link) = &self.link else { return };
        let (reader, events) = (link.reader.clone(), self.events.clone());
        if looks.len() > LOOK_ONE_BY_ONE {
            let fresh = link.eyes.fresh_versions();
            tokio::spawn(async move {
                for (key, found) in reader.look_at_many(looks, &fresh).await {
                    let _ = events.send(Event::Looked(key, found.map(|value| value.map(Box::new))));
                }
            });
            return;
        }
        for (key, resource) in looks {
            let (reader, events, reads) = (reader.clone(), events.clone(), link.reads.clone());
            tokio::spawn(async move {
                let _permit = reads.acquire().await;
                let found = reader.get(&key, &resource).await;
                let _ = events.send(Event::Looked(key, found.map(|value| value.map(Box::new))));
            });
        }
    }

    pub(super) fn save_inventory(&self, inventory: crate::engine::Inventory) {
        let Some(hands) = self.link.as_ref().and_then(|link| link.hands.clone()) else {
            return;
        };
        let (instance, events) = (self.instance.clone(), self.events.clone());
        tokio::spawn(async move {
            let saved = hands.save_inventory(&instance, &inventory).await;
            let _ = events.send(Event::InventorySaved(inventory.service, saved));
        });
    }

    pub(super) fn read_inventories(&self) {
        let Some(link) = &self.link else { return };
        let (reader, instance) = (link.reader.clone(), self.instance.clone());
        let events = self.events.clone();
        tokio::spawn(async move {
            let mut wait = Duration::from_millis(200);
            let read = loop {
                match reader.stored(&instance).await {
                    Ok(read) => break read,
                    Err(error) => tracing::debug!("read the inventories: {error}"),
                }
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(10));
            };
            let _ = events.send(Event::Orders(read.orders));
            let _ = events.send(Event::Inventories(read.inventories));
        });
    }

    pub(super) fn explain(&self, key: ObjectKey, resource: Arc<Resource>) {
        let Some(link) = &self.link else { return };
        let (reader, events) = (link.reader.clone(), self.events.clone());
        let service = self.engine.service_of(&key).cloned();
        let numbers = service.as_ref().and_then(|name| self.numbers_of.get(name));
        let (service, numbers) = (service.unwrap_or_default(), numbers.cloned());
        tokio::spawn(async move {
            // An explanation is a help; the reason itself is known without it.
            let found = reader.explain(&key, &resource).await.ok().flatten();
            let why = found.map(|trouble| Explanation {
                hint: port_hint(&service, &trouble.ports, &numbers.unwrap_or_default()),
                text: trouble.text,
            });
            let _ = events.send(Event::Explained(key, why));
        });
    }

    pub(super) fn wake_at(&mut self, at: Duration) {
        let (events, wait) = (
            self.events.clone(),
            at.saturating_sub(self.started.elapsed()),
        );
        let alarm = tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let _ = events.send(Event::Woken);
        });
        if let Some(before) = self.alarm.replace(alarm.abort_handle()) {
            before.abort();
        }
    }
}

/// The parameter that a port of the node comes from, where no node has it free.
fn port_hint(service: &str, ports: &[u64], numbers: &[(String, u64)]) -> Option<String> {
    let (name, port) = numbers.iter().find(|(_, number)| ports.contains(number))?;
    Some(format!(
        "the pod's port of the node, {port}, is services.{service}.parameters.{name}: give each installation its own"
    ))
}

/// The parameters of each service that are numbers.
pub(super) fn numbers_of(settings: &Settings) -> HashMap<Arc<str>, Vec<(String, u64)>> {
    let services = settings.loaded.values.get("services");
    let each = services.and_then(Value::as_object).into_iter().flatten();
    each.map(|(service, given)| {
        let parameters = given.get("parameters").and_then(Value::as_object);
        let numbers = parameters.into_iter().flatten();
        let numbers = numbers.filter_map(|(name, value)| Some((name.clone(), value.as_u64()?)));
        (service.as_str().into(), numbers.collect())
    })
    .collect()
}
