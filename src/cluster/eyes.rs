//! All watches of one process, spread over connections.
//!
//! A server allows about a hundred streams on one connection and a watch holds one for as long as
//! it lives, so watches share connections in groups and never share one with writes.

use super::client::Client;
use super::connect::server_of;
use super::freshness::FreshVersion;
use super::transport::Rights;
use super::watch::Scope;
use crate::desired::instance::INSTANCE_LABEL;
use crate::engine::{Event, WatchKey};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc::Sender;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const WATCHES_PER_CONNECTION: usize = 50;

/// The watches that are open.
pub struct Eyes {
    client: Client,
    scope: Arc<Scope>,
    events: Sender<Event>,
    connections: Vec<(Client, usize)>,
    open: HashMap<WatchKey, Open>,
    attention: watch::Sender<bool>,
}

/// An open watch.
struct Open {
    task: JoinHandle<()>,
    connection: usize,
    fresh: FreshVersion,
}

impl Eyes {
    /// Eyes that look at the objects of one instance, by its label value.
    #[must_use]
    pub fn new(client: &Client, label: &str, events: Sender<Event>) -> Self {
        let scope = Scope {
            server: server_of(client.config()),
            selector: format!("{INSTANCE_LABEL}%3D{label}"),
        };
        Self {
            client: client.clone(),
            scope: Arc::new(scope),
            events,
            connections: Vec::new(),
            open: HashMap::new(),
            attention: watch::Sender::new(true),
        }
    }

    /// Follows changes of the kinds that nothing waits for, or does not for now.
    pub fn attend(&self, follow: bool) {
        self.attention
            .send_if_modified(|now| std::mem::replace(now, follow) != follow);
    }

    /// Opens the watches that are missing and closes those that are not wanted any more.
    pub fn keep(&mut self, wanted: Vec<WatchKey>) {
        let gone: Vec<WatchKey> = self
            .open
            .keys()
            .filter(|key| !wanted.contains(key))
            .cloned()
            .collect();
        for key in gone {
            if let Some(open) = self.open.remove(&key) {
                open.task.abort();
                self.connections[open.connection].1 -= 1;
            }
        }
        for key in wanted {
            if !self.open.contains_key(&key) {
                let connection = self.connection();
                let client = self.connections[connection].0.clone();
                let fresh = FreshVersion::default();
                let task = tokio::spawn(super::watch::watch(
                    client,
                    key.clone(),
                    self.scope.clone(),
                    self.events.clone(),
                    self.attention.subscribe(),
                    fresh.clone(),
                ));
                self.connections[connection].1 += 1;
                let open = Open {
                    task,
                    connection,
                    fresh,
                };
                self.open.insert(key, open);
            }
        }
    }

    /// The versions that watches read consistently a moment ago.
    #[must_use]
    pub fn fresh_versions(&self) -> HashMap<WatchKey, String> {
        let fresh = |(key, open): (&WatchKey, &Open)| Some((key.clone(), open.fresh.get()?));
        self.open.iter().filter_map(fresh).collect()
    }

    /// A connection with room for one more watch.
    fn connection(&mut self) -> usize {
        let mut connections = self.connections.iter();
        let free = connections.position(|(_, used)| *used < WATCHES_PER_CONNECTION);
        free.unwrap_or_else(|| {
            let client = self.client.another(Rights::ReadOnly);
            self.connections.push((client, 0));
            self.connections.len() - 1
        })
    }
}

impl Drop for Eyes {
    fn drop(&mut self) {
        for open in self.open.values() {
            open.task.abort();
        }
    }
}
