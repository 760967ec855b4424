//! What happened that people want to know: for the log, the terminal, Events and history.

use super::diff::FieldChange;
use super::phase::Phase;
use crate::desired::ObjectKey;
use crate::desired::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Something worth telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occurrence {
    /// An object was created or changed because its manifest says so.
    Applied {
        /// The service.
        service: Arc<str>,
        /// The object.
        key: ObjectKey,
        /// Whether it is new.
        created: bool,
        /// What changed; empty for a new object.
        fields: Vec<FieldChange>,
        /// How long the server took.
        took: Duration,
    },
    /// An object was put right.
    Healed(Heal),
    /// An object differs, and policy says to report it only.
    Drifted {
        /// The service.
        service: Arc<str>,
        /// The object.
        key: ObjectKey,
        /// Who did it.
        by: Blame,
    },
    /// An object that left the service's folder was deleted.
    Pruned {
        /// The service.
        service: Arc<str>,
        /// The object.
        key: ObjectKey,
    },
    /// An object that would have been deleted stays.
    Kept {
        /// The service.
        service: Arc<str>,
        /// The object.
        key: ObjectKey,
        /// Why.
        reason: String,
    },
    /// An object could not be written; it is tried again, or waits for a person.
    Refused {
        /// The service.
        service: Arc<str>,
        /// The object.
        key: ObjectKey,
        /// How many other objects of the service are not written for the same reason.
        others: usize,
        /// Why, with what can be done.
        reason: String,
        /// When it is tried again.
        again: Option<Duration>,
    },
    /// Two writers change one object in turns; we wait longer each time.
    Fight {
        /// The service.
        service: Arc<str>,
        /// The object.
        key: ObjectKey,
        /// The other writer.
        by: Blame,
        /// The fields that both write.
        fields: Vec<Path>,
        /// How often in the last minute.
        times: u32,
        /// When it is healed next.
        again: Duration,
    },
    /// The check applied objects, so the rerun waits for a later one.
    RerunIgnored {
        /// The service.
        service: Arc<str>,
        /// How many objects it applied.
        applied: usize,
    },
    /// A service is in another phase than was reported last, or in the same one anew: it was rerun,
    /// or failed again.
    Phase {
        /// The service.
        service: Arc<str>,
        /// The phase that was reported last.
        from: Phase,
        /// To.
        to: Phase,
        /// Why.
        reason: String,
        /// What a person can do.
        hint: Option<String>,
    },
    /// What a service answers has become bad news, or good news again.
    Noted {
        /// The service.
        service: Arc<str>,
        /// What it says.
        note: String,
        /// What a person can do; `None` when all is well again.
        advice: Option<String>,
    },
    /// A probe failed, but not often enough to matter yet.
    ProbeFailed {
        /// The service.
        service: Arc<str>,
        /// Why.
        reason: String,
        /// Failures in a row.
        failures: u32,
    },
    /// A service that is ready and does not answer: its workloads are restarted.
    Restarted {
        /// The service.
        service: Arc<str>,
        /// Its workloads.
        workloads: Vec<ObjectKey>,
        /// Why.
        reason: String,
    },
    /// The inventory could not be stored.
    InventoryRefused {
        /// The service.
        service: Arc<str>,
        /// Why.
        reason: String,
    },
    /// What changes cannot be seen, for more than moments; it is tried again.
    Unwatched {
        /// The kinds that this is true of.
        kinds: Vec<Arc<str>>,
        /// How many kinds ought to be watched.
        of: usize,
        /// Why.
        reason: String,
    },
    /// It is seen again.
    WatchedAgain {
        /// How many kinds.
        kinds: usize,
        /// How long they were not seen.
        after: Duration,
    },
}

/// An object that was put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heal {
    /// The service.
    pub service: Arc<str>,
    /// The object.
    pub key: ObjectKey,
    /// What was wrong with it.
    pub fault: Fault,
    /// Who did it.
    pub by: Blame,
    /// The fields, from what they were to what they are.
    pub fields: Vec<FieldChange>,
    /// From the event to the answer.
    pub took: Duration,
    /// The time of day of the answer.
    pub at: jiff::Timestamp,
}

/// What was wrong with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// Fields had other values.
    Changed,
    /// Others had added fields, which policy removes.
    Added,
    /// It was not there.
    Deleted,
    /// It had lost the label by which it is found.
    Unlabelled,
    /// Another object had taken its name.
    Replaced,
}

/// Who changed an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blame {
    /// This manager, at this time (RFC 3339).
    Manager(String, Option<String>),
    /// The object does not say.
    Unknown,
}
