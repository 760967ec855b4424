//! What the engine knows of one object: what is wanted, what was applied, what the watch said.

use super::backoff::{CLUSTER, Pace};
use super::body::Body;
use super::diff::FieldChange;
use super::event::{Explanation, FieldConflict};
use super::flight::{Cause, Flight};
use super::health::Health;
use super::live::Live;
use super::occurrence::Blame;
use super::ordered::left_alone;
use super::record::Record;
use crate::desired::path::Path;
use crate::desired::{DesiredObject, Fingerprint, ObjectBody, WriteMode};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// One object of the desired set.
#[derive(Debug)]
pub struct Object {
    /// What is wanted.
    pub desired: DesiredObject,
    /// The service it belongs to.
    pub service: Arc<str>,
    /// What the watch, or the last answer, said. Thousands of objects begin without one.
    pub live: Option<Box<Live>>,
    /// The state in which the watch last saw it go: answers from before that are history.
    pub gone: Option<Box<Live>>,
    /// What is known of objects outside our watches.
    pub looked: Looked,
    /// What was applied.
    pub record: Option<Arc<Record>>,
    /// The write that is on its way.
    pub flight: Option<Box<Flight>>,
    /// Why the last write failed, and when the next may begin.
    pub trouble: Option<Box<Trouble>>,
    /// Fields that others own and we leave to them.
    pub conflicts: Vec<FieldConflict>,
    /// Whether the policy allowed to take fields of others with the next write.
    pub take: bool,
    /// Additions of others that came back when they were removed.
    pub lasting: BTreeSet<Path>,
    /// The digest for which the ignored fields were given up.
    pub released: Option<Fingerprint>,
    /// Whether a write of ours may still land: one was sent and never answered.
    pub unsure: bool,
    /// Recent heals, to notice fights; nothing where there was none.
    pub heals: Option<Box<Heals>>,
    /// The answer of a dry run, with the version it was made on.
    pub rehearsal: Option<Box<Rehearsal>>,
    /// Where the object stands.
    pub standing: Standing,
    /// Why it is not ready, down to the pod.
    pub explained: Option<Box<Explanation>>,
    /// The body that was wanted before the manifest changed, until the change is written.
    pub was: Option<ObjectBody>,
    /// The live object while it differs and is not written yet: for blame and difference.
    pub stash: Option<Body>,
}

/// What looking for an object by name brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// Nobody looked.
    No,
    /// On its way.
    Pending,
    /// It is not there.
    Absent,
    /// It is there, outside our watches: whose it seems to be.
    Present(Box<Foreign>),
}

/// An object that is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Its uid.
    pub uid: Arc<str>,
    /// Who owns it, in words; `None` when nobody seems to.
    pub owner: Option<String>,
    /// Its field managers.
    pub managers: Vec<String>,
    /// Whether our Apply entry is on it.
    pub applied_by_us: bool,
    /// Whether it is in order.
    pub health: Health,
}

/// A write that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Why.
    pub reason: String,
    /// When the next may begin; `None`: when something changes.
    pub until: Option<Duration>,
    /// Failures in a row.
    pub failures: u32,
}

/// Heals of one object within the last minute.
#[derive(Debug, Default)]
pub struct Heals {
    /// When they were.
    pub times: Vec<Duration>,
    /// Healing pauses until then.
    pub rest_until: Option<Duration>,
    /// The fields that were healed.
    pub fields: BTreeSet<Path>,
}

/// What a dry run answered.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// The live version it was made on.
    pub resource_version: Option<Arc<str>>,
    /// The fields that would change, or why it would fail.
    pub outcome: Result<Vec<(FieldChange, Blame)>, String>,
    /// The uid of an object that no watch shows and that has the name.
    pub found: Option<Arc<str>>,
    /// Whether the object has to be deleted and made anew.
    pub recreates: bool,
    /// Who checked it.
    pub checked: Checked,
}

/// How a planned step was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// By the API server, in a dry run.
    Server,
    /// By comparing with what the server holds.
    Schema,
    /// Not yet: something it needs comes first.
    Assumed,
}

/// Where an object stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not enough is known yet.
    Unknown,
    /// Something has to come first; what.
    Waiting(String),
    /// A write is on its way.
    Writing,
    /// It is as applied.
    InOrder,
    /// It differs, and nothing is done about it.
    Differs(Cause),
    /// A person has to decide; why.
    Blocked(String),
    /// The last write failed; why.
    Failed(String),
}

impl Object {
    /// An object that nothing is known of.
    #[must_use]
    pub fn new(desired: DesiredObject, service: Arc<str>) -> Self {
        Self {
            desired,
            service,
            live: None,
            gone: None,
            looked: Looked::No,
            record: None,
            flight: None,
            trouble: None,
            conflicts: Vec::new(),
            take: false,
            lasting: BTreeSet::new(),
            released: None,
            unsure: false,
            heals: None,
            rehearsal: None,
            standing: Standing::Unknown,
            explained: None,
            was: None,
            stash: None,
        }
    }

    /// Whether nothing but what is wanted is known of it.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        let unseen = self.live.is_none() && self.gone.is_none() && self.looked == Looked::No;
        let unwritten = self.record.is_none() && self.flight.is_none() && !self.unsure;
        unseen && unwritten && self.trouble.is_none() && self.rehearsal.is_none()
    }

    /// Until when healing pauses, if it does.
    #[must_use]
    pub fn rests_until(&self) -> Option<Duration> {
        self.heals.as_ref()?.rest_until
    }

    /// The health of the object, as far as it is known.
    #[must_use]
    pub fn health(&self) -> Health {
        match (&self.live, &self.looked) {
            (Some(live), _) => live.health.clone(),
            (None, Looked::Present(foreign)) => foreign.health.clone(),
            (None, _) if self.is_done() => Health::Current,
            _ => Health::NotFound,
        }
    }

    /// Whether it is a Job that ran to its end and may be gone.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.done)
    }

    /// Whether no watch tells when it goes, although it counts as there: a Secret with made-up
    /// values or a namespace that somebody looked for, or one that is being deleted without our
    /// label.
    #[must_use]
    pub fn is_out_of_sight(&self) -> bool {
        let goes = |health: &Health| *health == Health::Terminating;
        match (&self.live, &self.looked) {
            (Some(live), _) => !live.labelled && goes(&live.health),
            (None, Looked::Present(found)) => {
                goes(&found.health) || matches!(self.desired.mode, WriteMode::Generate(_))
            }
            (None, _) => false,
        }
    }

    /// Whether a look found that we applied what no watch shows.
    #[must_use]
    pub fn is_found_ours(&self) -> bool {
        matches!(&self.looked, Looked::Present(found) if found.applied_by_us)
    }

    /// Why it is left alone, when it says so itself.
    #[must_use]
    pub fn suspended(&self) -> Option<String> {
        let reason = self.live.as_ref()?.suspended.as_deref()?;
        Some(left_alone(reason))
    }

    /// Whether a field is left to its other manager.
    #[must_use]
    pub fn leaves(&self, path: &Path) -> bool {
        self.conflicts.iter().any(|conflict| conflict.path == *path)
    }

    /// Whether a live state is older than what is known: than the last one seen, or than the
    /// object's departure.
    #[must_use]
    pub fn is_history(&self, live: &Live) -> bool {
        let known = self
            .live
            .as_ref()
            .is_some_and(|known| live.is_older_than(known));
        known
            || self
                .gone
                .as_ref()
                .is_some_and(|gone| live.is_older_than(gone))
    }

    /// Notes a failure and says when the next write may begin.
    pub fn fail(
        &mut self,
        reason: String,
        now: Duration,
        passes: bool,
        after: Option<Duration>,
    ) -> Duration {
        let failures = self.trouble.as_ref().map_or(0, |trouble| trouble.failures) + 1;
        let pace = if passes {
            CLUSTER
        } else {
            Pace {
                first: Duration::from_secs(10),
                most: Duration::from_secs(300),
            }
        };
        let wait = after
            .unwrap_or_default()
            .max(pace.wait(failures, &self.desired.key));
        self.trouble = Some(Box::new(Trouble {
            reason,
            until: Some(now + wait),
            failures,
        }));
        wait
    }
}

impl Heals {
    const WINDOW: Duration = Duration::from_secs(60);
    const FREE: u32 = 5;

    /// Counts a heal; beyond a handful a minute it says how long to rest.
    pub fn count(
        &mut self,
        now: Duration,
        subject: &crate::desired::ObjectKey,
        fields: impl Iterator<Item = Path>,
    ) -> Option<(u32, Duration)> {
        self.times.retain(|time| *time + Self::WINDOW > now);
        if self.times.is_empty() {
            self.fields.clear();
        }
        self.times.push(now);
        self.fields.extend(fields);
        let times = u32::try_from(self.times.len()).unwrap_or(u32::MAX);
        if times <= Self::FREE {
            return None;
        }
        let pace = Pace {
            first: Duration::from_secs(1),
            most: Duration::from_secs(60),
        };
        let rest = pace.wait(times - Self::FREE, subject);
        self.rest_until = Some(now + rest);
        Some((times, rest))
    }
}
