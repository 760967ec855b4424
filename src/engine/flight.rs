//! A write on its way: why it is made, and what each of its requests is for.

use super::additions::Addition;
use super::body::Body;
use super::diff::FieldChange;
use super::occurrence::Fault;
use super::sight::Sight;
use crate::desired::Fingerprint;
use std::sync::Arc;
use std::time::Duration;

/// A write on its way.
#[derive(Clone, Debug)]
pub struct Flight {
    /// Its number.
    pub attempt: u64,
    /// When it began, or when the event came that caused it.
    pub since: Duration,
    /// Why it is made.
    pub cause: Cause,
    /// What it is for.
    pub errand: Errand,
    /// Whether what stood in its way was cleared.
    pub cleared: bool,
    /// How often somebody else wrote before a patch of it came.
    pub misses: u8,
    /// The version that its last removal was for.
    pub tested: Option<Arc<str>>,
    /// How often it removed what others had added.
    pub strips: u8,
    /// What it removed of that, with what each field held.
    pub stripped: Vec<(Addition, FieldChange)>,
    /// What was wanted when it began; the manifest may change before the answer.
    pub digest: Fingerprint,
    /// The uid that the object had; `None` when it was not there.
    pub uid: Option<Arc<str>>,
    /// The version that the object had; `None` when it was not there.
    pub version: Option<Arc<str>>,
    /// The live object before it, for blame and difference.
    pub before: Option<Body>,
}

impl Flight {
    /// The object as it was before, skimmed.
    pub(super) fn sight_before(&self) -> Option<Sight<'_>> {
        Sight::read(self.before.as_ref()?.text()).ok()
    }
}

/// What one request of a write is for; a write takes one, and now and then a few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// To make the object as it ought to be.
    Write,
    /// To give fields up that are left to others from now on; the write follows.
    Release,
    /// To empty structs that the write could not; how often it was tried.
    Amend(u8),
    /// To remove what others added.
    Strip,
    /// To clear what stands in the way of the write, which follows.
    Clear,
    /// To learn whether the object could be created anew; its deletion follows.
    Prove,
    /// To take back an apply that landed on somebody else's object.
    Withdraw,
}

/// Why an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It is not there and never was.
    Missing,
    /// Its manifest changed.
    Changed,
    /// It was applied, and no record says so.
    Unrecorded,
    /// It is not as applied.
    Drift(Fault),
    /// It has to be deleted before it can be written anew.
    Recreate,
}

impl Cause {
    /// Why an object is to be written, for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Missing => "new",
            Self::Changed => "its manifest changed",
            Self::Unrecorded => "not in the inventory",
            Self::Drift(Fault::Changed) => "was changed",
            Self::Drift(Fault::Added) => "others added to it",
            Self::Drift(Fault::Deleted) => "was deleted",
            Self::Drift(Fault::Unlabelled) => "lost our label",
            Self::Drift(Fault::Replaced) => "was replaced by another object",
            Self::Recreate => "cannot change in place",
        }
    }
}
