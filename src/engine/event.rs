//! What happens: everything that the engine is told.

use super::body::Body;
use super::orders::Orders;
use super::record::Inventory;
use crate::desired::path::Path;
use crate::desired::{DesiredSet, ObjectKey, Resource};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// The two clocks: monotonic for decisions, wall time for people.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Time since the process began.
    pub mono: Duration,
    /// The time of day.
    pub wall: jiff::Timestamp,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The desired set is another one now.
    Desired(Box<DesiredSet>),
    /// The cluster came or went.
    Cluster(ClusterState),
    /// All inventories of this instance, read consistently.
    Inventories(Vec<Inventory>),
    /// What people ordered about services.
    Orders(Orders),
    /// This process leads from now on; the inventories were read since.
    Elected,
    /// An inventory was stored under this version, or was not.
    InventorySaved(Arc<str>, Result<String, WriteError>),
    /// A watch has something to say.
    Watch(WatchKey, WatchChange),
    /// An object was looked for by name.
    Looked(ObjectKey, Result<Option<Box<Value>>, WriteError>),
    /// A write was answered.
    Wrote {
        /// The object.
        key: ObjectKey,
        /// The number that its command carried.
        attempt: u64,
        /// The answer.
        outcome: Result<Written, WriteError>,
    },
    /// Why an object is not ready, found by looking at its pods.
    Explained(ObjectKey, Option<Explanation>),
    /// A driver was started and probed once.
    Started {
        /// The service.
        service: Arc<str>,
        /// The number that its command carried.
        run: u64,
        /// The first answer.
        outcome: Result<Answer, DriverError>,
    },
    /// A driver was probed.
    Probed {
        /// The service.
        service: Arc<str>,
        /// The number that its command carried.
        run: u64,
        /// The answer.
        outcome: Result<Answer, DriverError>,
    },
    /// Someone asks for a rerun.
    Refresh(Arc<str>),
    /// The interval is over.
    Tick,
    /// A time that the engine asked to be woken at.
    Woken,
}

/// Why an object is not ready, down to its pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The pod, and what it or the scheduler says.
    pub text: String,
    /// What a person can do.
    pub hint: Option<String>,
}

/// Whether there is a cluster to work with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterState {
    /// One was asked and has not answered yet: it is not known whether there is one.
    Connecting,
    /// None is wanted; why.
    Off(String),
    /// One is wanted and does not answer; why.
    Unreachable(String),
    /// It answers and lets us in.
    Ready,
}

/// What one watch looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WatchKey {
    /// The kind.
    pub resource: Arc<Resource>,
    /// The namespace, for namespaced kinds.
    pub namespace: Option<Arc<str>>,
    /// One object by name, for kinds whose rights are given by name.
    pub name: Option<Arc<str>>,
}

/// What a watch says.
#[derive(Clone, Debug)]
pub enum WatchChange {
    /// The store was put back to an older state: no version that it showed counts any more.
    Rewound,
    /// It starts over: what is not named before the next `Synced` is gone.
    Restarted,
    /// An object is there, or changed.
    Applied(Body),
    /// An object is gone, or left the selector.
    Deleted(Body),
    /// All that was there has been named.
    Synced,
    /// It is interrupted; why.
    Lost(String),
    /// It goes on from where it was interrupted.
    Resumed,
}

/// A write that took place.
#[derive(Clone, Debug)]
pub enum Written {
    /// The object as it is now.
    Object {
        /// Whether it was not there before.
        created: bool,
        /// The whole object.
        object: Body,
    },
    /// The object was deleted, or is being deleted.
    Deleted,
    /// The server would create the object.
    Accepted,
}

/// Why the cluster did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Other managers own these fields.
    #[error("{}", said(.0))]
    Conflict(Vec<FieldConflict>),
    /// The object that was meant is not there any more.
    #[error("it was deleted meanwhile")]
    Gone,
    /// Another object has the name now.
    #[error("another object of that name exists")]
    NotOurs,
    /// It was there already.
    #[error("it exists already")]
    AlreadyExists,
    /// It changed since it was looked at.
    #[error("it changed meanwhile")]
    Changed,
    /// A field that cannot change was to be changed.
    #[error("{0}")]
    Immutable(String),
    /// The server refuses the object.
    #[error("{0}")]
    Invalid(String),
    /// We may not.
    #[error("{0}")]
    Forbidden(String),
    /// The namespace is not there.
    #[error("namespace `{0}` does not exist")]
    NamespaceMissing(String),
    /// The namespace is going away.
    #[error("namespace `{0}` is being deleted")]
    NamespaceTerminating(String),
    /// The kind is not served: its definition is missing.
    #[error("the cluster does not serve this kind")]
    KindNotServed,
    /// The server asks to wait, or fails for a while.
    #[error("{message}")]
    Busy {
        /// What it said.
        message: String,
        /// How long it asks to wait.
        after: Option<Duration>,
    },
    /// It does not fit its kind, as far as the server knows the kind by now.
    #[error("{0}")]
    Misfit(String),
    /// It was not begun, because another process may lead.
    #[error("{0}")]
    NotBegun(&'static str),
    /// No connection.
    #[error("{0}")]
    Unreachable(String),
    /// No answer in time: nobody knows whether it was done.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
}

/// A field that another manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldConflict {
    /// The field.
    pub path: Path,
    /// Who owns it.
    pub manager: String,
}

/// Who owns the replicas of a workload that an autoscaler scales.
pub const AUTOSCALER: &str = "an autoscaler";

impl FieldConflict {
    /// Whether it is an autoscaler's field, which no policy takes back.
    #[must_use]
    pub fn is_autoscaled(&self) -> bool {
        self.manager == AUTOSCALER
    }
}

fn said(conflicts: &[FieldConflict]) -> String {
    let each: Vec<String> = conflicts
        .iter()
        .map(|c| format!("{} is owned by {}", c.path.folded(), c.manager))
        .collect();
    each.join(", ")
}

impl WriteError {
    /// Whether trying the same again later can help.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Self::Busy { .. }
                | Self::Misfit(_)
                | Self::NotBegun(_)
                | Self::Unreachable(_)
                | Self::TimedOut(_)
                | Self::Changed
                | Self::Gone
        )
    }
}

/// A service's answer to a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How long it took.
    pub latency: Duration,
    /// What there is to say about it.
    pub note: String,
    /// What a person can do, where that is no good news although the service answers.
    pub advice: Option<String>,
}

/// Why a driver could not start or get an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DriverError {
    /// What went wrong, without secrets.
    pub message: String,
    /// What a person can do.
    pub hint: Option<String>,
    /// The driver has no address: nothing is wrong, there is just nothing to do.
    pub not_configured: bool,
    /// Nothing answers at the address: at a start, it may just not be there yet.
    pub unreachable: bool,
}
