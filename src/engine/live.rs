//! What is kept of an object that a watch or an answer showed: hashes and health, not its body.
//!
//! Invariant: of two states of one object the newer is told by their versions, never by the order
//! in which they arrive.

use super::additions::Addition;
use super::health::Health;
use super::ownership::Evidence;
use super::record::Applied;
use super::sight::Sight;
use crate::desired::instance::{INSTANCE_LABEL, SUSPEND_ANNOTATION};
use crate::desired::{Fingerprint, FingerprintKey};
use std::sync::Arc;

/// An object as a watch or an answer showed it; the body is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and any of them can hold"
)]
pub struct Live {
    /// Its uid, shared with the record.
    pub uid: Arc<str>,
    /// Its version, shared with the record.
    pub resource_version: Arc<str>,
    /// What our Apply entry says.
    pub evidence: Option<Evidence>,
    /// What its metadata shows of that.
    pub surface: Option<Fingerprint>,
    /// What others added to it.
    pub additions: Box<[Addition]>,
    /// Whether it is in order.
    pub health: Health,
    /// Whether we made it otherwise than by an apply: a Secret with made-up values.
    pub made: bool,
    /// Whether we made it by an apply, and nobody else had written to it when we saw it.
    pub sole: bool,
    /// Whether it has our label.
    pub labelled: bool,
    /// Why it is to be left alone, when it says so itself.
    pub suspended: Option<Box<str>>,
    /// Whether something else owns it.
    pub owned: bool,
    /// Named since the watch last started over.
    pub seen: bool,
}

impl Live {
    /// Reads what is worth keeping of a live object. Of the very version that the server
    /// confirmed, the evidence is known.
    #[must_use]
    pub fn of(
        sight: &Sight<'_>,
        known: Option<&Applied>,
        manager: &str,
        label: &str,
        key: &FingerprintKey,
    ) -> Self {
        let known = known.filter(|known| *known.uid == *sight.uid());
        let version = Some(sight.resource_version());
        let confirmed = known.filter(|known| known.version.as_deref() == version);
        let (evidence, surface) = match confirmed.and_then(|known| known.evidence) {
            Some(evidence) => (Some(evidence), confirmed.and_then(|known| known.surface)),
            None => (sight.evidence(manager, key), sight.surface(manager, key)),
        };
        Self {
            uid: known.map_or_else(|| sight.uid().into(), |known| known.uid.clone()),
            resource_version: confirmed
                .and_then(|known| known.version.clone())
                .unwrap_or_else(|| sight.resource_version().into()),
            evidence,
            surface,
            additions: Box::default(),
            made: sight.is_made_by(manager),
            sole: evidence.is_some() && !sight.may_have_guests(manager),
            health: sight.health(),
            labelled: sight.label(INSTANCE_LABEL).as_deref() == Some(label),
            suspended: sight.annotation(SUSPEND_ANNOTATION).map(Into::into),
            owned: sight.is_owned(),
            seen: true,
        }
    }

    /// Takes over what was seen of an earlier state of the same object and stays true.
    pub fn follow(&mut self, earlier: &Self) {
        self.sole |= earlier.sole && earlier.uid == self.uid;
    }

    /// Whether the server said that there is a newer version, which the watch has not told yet.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.resource_version.is_empty()
    }

    /// Whether this is older than `other` of the same object. Versions of one object are numbers
    /// that grow (KEP-5504); anything else is never called older.
    #[must_use]
    pub fn is_older_than(&self, other: &Self) -> bool {
        self.uid == other.uid && self.version_is_before(other)
    }

    /// Whether this state came before `other`, which may be another object of the same kind: its
    /// versions come from the same count.
    #[must_use]
    pub fn version_is_before(&self, other: &Self) -> bool {
        let number = |live: &Self| live.resource_version.parse::<u128>();
        matches!((number(self), number(other)), (Ok(a), Ok(b)) if a < b)
    }
}
