//! What the engine wants: everything that it asks the hands to do.

use super::event::WatchKey;
use super::occurrence::Occurrence;
use super::record::Inventory;
use crate::desired::path::Path;
use crate::desired::{Generated, ObjectBody, ObjectKey, Resource};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// Something to do.
#[derive(Clone, Debug)]
pub enum Command {
    /// Keep exactly these watches open.
    Watch(Vec<WatchKey>),
    /// Look for objects by name.
    Look(Vec<(ObjectKey, Arc<Resource>)>),
    /// Write one object.
    Write(Write),
    /// Store an inventory.
    SaveInventory(Box<Inventory>),
    /// Read all inventories again: somebody else stored one.
    ReadInventories,
    /// Give the desired set anew: an order changed which services are kept alive.
    Compose,
    /// Find out why an object is not ready.
    Explain(ObjectKey, Arc<Resource>),
    /// Start a driver and probe it once.
    Start(Start),
    /// Stop a driver.
    Stop(Arc<str>, u64),
    /// Probe a driver.
    Probe {
        /// The service.
        service: Arc<str>,
        /// Which run of it.
        run: u64,
        /// How long the answer may take.
        timeout: Duration,
    },
    /// Tell people.
    Tell(Occurrence),
    /// Send [`Event::Woken`](super::Event::Woken) at this time, which takes the place of the time
    /// that was given before.
    WakeAt(Duration),
}

/// One write.
#[derive(Clone, Debug)]
pub struct Write {
    /// The object.
    pub key: ObjectKey,
    /// Where its kind is served.
    pub resource: Arc<Resource>,
    /// Comes back with the answer.
    pub attempt: u64,
    /// What to do.
    pub verb: Verb,
}

/// The ways to write.
#[derive(Clone, Debug)]
pub enum Verb {
    /// Server-side apply.
    Apply {
        /// The object as it ought to be.
        body: ObjectBody,
        /// Only if the object still has this uid.
        uid: Option<Arc<str>>,
        /// Take fields that other managers changed.
        force: bool,
        /// Fields left to the managers that own them.
        without: Vec<Path>,
        /// Change nothing, only say what would come out.
        dry_run: bool,
    },
    /// Create it if it is not there.
    Create {
        /// The object, with markers for what is made up.
        body: ObjectBody,
        /// The values to make up.
        generated: Vec<Generated>,
    },
    /// Change it by a JSON patch, which says itself of which version.
    Amend {
        /// The operations.
        patch: Arc<str>,
        /// Change nothing, only say what would come out.
        dry_run: bool,
    },
    /// Give up fields that we own, and leave their values alone.
    Release {
        /// The fields.
        paths: Vec<Path>,
    },
    /// Ask whether it could be created anew, under a name that is free; nothing is written.
    Prove {
        /// The object as it ought to be.
        body: ObjectBody,
    },
    /// Restart its pods, by an annotation of a manager of its own, so that no later apply takes it
    /// back.
    Restart,
    /// Delete it, if it is still this very one.
    Delete {
        /// Its uid.
        uid: Arc<str>,
        /// Its version; absent where only the identity matters.
        resource_version: Option<Arc<str>>,
    },
}

impl Verb {
    /// Whether nothing is changed by it.
    #[must_use]
    pub fn only_rehearses(&self) -> bool {
        matches!(
            self,
            Self::Apply { dry_run: true, .. }
                | Self::Amend { dry_run: true, .. }
                | Self::Prove { .. }
        )
    }
}

/// A driver to be started.
#[derive(Clone, Debug)]
pub struct Start {
    /// The service.
    pub service: Arc<str>,
    /// Comes back with the answer.
    pub run: u64,
    /// The driver's name.
    pub driver: String,
    /// Its settings.
    pub settings: Map<String, Value>,
    /// The namespace in which its Services and Secrets are.
    pub namespace: String,
    /// How long each answer may take.
    pub timeout: Duration,
}
