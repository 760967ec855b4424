//! The inventory: what jsorc applied for one service, and the evidence that it still stands.

use super::event::FieldConflict;
use super::history::History;
use super::live::Live;
use super::ownership::Evidence;
use crate::desired::{Fingerprint, ObjectKey, Resource};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What jsorc applied for one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// The service.
    pub service: Arc<str>,
    /// The version of the stored inventory; `None` before it exists.
    pub resource_version: Option<String>,
    /// The namespace that the service's objects were put into.
    pub namespace: String,
    /// Counts leaders: each that wins the Lease stores its inventories under the next number, so
    /// that one that was deposed without noticing finds another version than it knows.
    pub epoch: u64,
    /// What happened to the service.
    pub history: History,
    /// Stands for a look into every object, where the inventory was stored with all in order.
    pub receipt: Option<Receipt>,
    /// The objects. They are shared with what is being stored, and a record with what is known of
    /// its object: thousands of copies were most of what a command holds.
    pub records: Arc<Records>,
}

/// The objects of an inventory.
pub type Records = BTreeMap<ObjectKey, Arc<Record>>;

/// Says that the records are the whole service: composed from this, each object was in order in the
/// very version that is recorded, with nothing to report of any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What the objects were composed from.
    pub source: Fingerprint,
    /// How many they are: it is worth nothing beside fewer records, or more.
    pub objects: usize,
    /// Where not all were ready: how many were, and why the others were not.
    pub unready: Option<(usize, String)>,
}

/// What is known of one applied object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where its kind is served.
    pub resource: Arc<Resource>,
    /// What the server answered; `None` when the object is only about to be created.
    pub applied: Option<Applied>,
    /// A Job that came to its end.
    pub done: bool,
}

/// The state in which the server confirmed an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The object's uid.
    pub uid: Arc<str>,
    /// What was wanted.
    pub digest: Fingerprint,
    /// Our Apply entry and the values under it; `None` for objects that are created only.
    pub evidence: Option<Evidence>,
    /// The version of which that is the evidence.
    pub version: Option<Arc<str>>,
    /// What its metadata shows of the evidence, for an object that counts changes of its spec.
    pub surface: Option<Fingerprint>,
    /// Fields that other managers owned from the start, left to them.
    pub conflicts: Vec<FieldConflict>,
}

impl Applied {
    /// An object that we made without being told so: what was wanted then is not known, so that it
    /// is applied again if it is wanted again.
    pub(super) fn made(live: &Live) -> Self {
        Self {
            uid: live.uid.clone(),
            digest: Fingerprint(0),
            evidence: live.evidence,
            version: None,
            surface: live.surface,
            conflicts: Vec::new(),
        }
    }
}

impl Record {
    /// An object that is about to be created.
    #[must_use]
    pub fn pending(resource: Arc<Resource>) -> Self {
        Self {
            resource,
            applied: None,
            done: false,
        }
    }

    /// Whether it is only about to be created.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.applied.is_none() && !self.done
    }

    /// Whether this says of an object what `other` says; versions aside, from which
    /// nothing follows.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        let (Some(one), Some(two)) = (&self.applied, &other.applied) else {
            return self == other;
        };
        self.done == other.done
            && (&one.uid, one.digest, one.evidence) == (&two.uid, two.digest, two.evidence)
            && one.conflicts == two.conflicts
    }
}

impl Inventory {
    /// An inventory of nothing yet.
    #[must_use]
    pub fn empty(service: Arc<str>, namespace: &str) -> Self {
        Self {
            service,
            resource_version: None,
            namespace: namespace.to_owned(),
            epoch: 0,
            history: History::default(),
            receipt: None,
            records: Arc::default(),
        }
    }
}
