//! Where one service stands, and what is to be done about it next.

use super::backoff::SERVICE;
use super::census::Census;
use super::chronicle::News;
use super::event::{Answer, DriverError};
use super::orders::Order;
use super::phase::Phase;
use super::phase_notice::Reported;
use super::record::Inventory;
use crate::desired::{DesiredService, ObjectKey};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Heals are stored when none has followed for this long.
const QUIET: Duration = Duration::from_secs(1);
/// They are stored this long after the first of them, even if others follow.
const LATEST: Duration = Duration::from_secs(30);

/// One service.
#[derive(Debug)]
pub struct Service {
    /// What is wanted; its objects are kept by the engine.
    pub desired: DesiredService,
    /// Where it stands.
    pub phase: Phase,
    /// Since when, on the monotonic clock.
    pub since: Duration,
    /// Since when, for people.
    pub since_wall: jiff::Timestamp,
    /// Why.
    pub reason: String,
    /// What a person can do.
    pub hint: Option<String>,
    /// What was reported of its phase.
    pub(super) reported: Reported,
    /// The driver.
    pub run: Run,
    /// The number of the last run.
    pub runs: u64,
    /// Failed starts and probes.
    pub probes: Probes,
    /// Objects written by the check that is going on; the rerun waits for a later one.
    pub applied: usize,
    /// Whether the rerun waits for the next check.
    pub holds_rerun: bool,
    /// When the last write was answered that made the rerun wait.
    pub held_since: Duration,
    /// Whether somebody asked for the next rerun.
    pub asked: bool,
    /// Whether the driver has to be started anew although it answers.
    pub wants_rerun: bool,
    /// How its objects stand.
    pub census: Census,
    /// What was applied.
    pub inventory: Inventory,
    /// What happened since it was stored.
    pub(super) news: News,
    /// Names that the inventory has and the stored one, for all that is known, has not.
    pub unstored: BTreeSet<ObjectKey>,
    /// Recorded objects that are not wanted any more.
    pub left: Vec<ObjectKey>,
    /// Whether the stored inventory is behind, and when it is brought up to date.
    pub save: Save,
    /// The first heal that is not stored yet, and when the last one is to be.
    pub unsaved_heals: Option<(Duration, Duration)>,
    /// What storing it has met.
    pub refusals: Refusals,
    /// Whether the inventory was shown to be ours.
    pub hold: Hold,
    /// When its workloads were last restarted as a remedy.
    pub restarted: Option<Duration>,
    /// The order to leave it alone.
    pub suspended: Option<Order>,
    /// Why a person has to decide about the whole service.
    pub blocked: Option<String>,
    /// Objects that left the folder and are kept; told once.
    pub kept: BTreeSet<ObjectKey>,
    /// Why many of them are held until somebody confirms that they go; told once.
    pub held: Option<String>,
}

/// The state of a service's driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Not started.
    None,
    /// Asked to start.
    Starting(u64),
    /// Started; and whether a probe is on its way.
    Up(u64, bool),
}

/// What probes and starts have brought.
#[derive(Debug, Default)]
pub struct Probes {
    /// The last answer, and when it came.
    pub last: Option<(Answer, jiff::Timestamp)>,
    /// When the next probe is due.
    pub next: Duration,
    /// Failures in a row.
    pub failures: u32,
    /// When the next start may be.
    pub retry_at: Duration,
    /// Why the last one failed.
    pub error: Option<DriverError>,
}

/// Whether an inventory has to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Save {
    /// The stored one is up to date.
    Clean,
    /// It is behind; store it at this time.
    At(Duration),
    /// It is being stored; when to store it again, if it fell behind meanwhile.
    Saving(Option<Duration>),
}

/// The refusals to store an inventory since it was stored last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Refusals {
    /// Whether there was one.
    pub any: bool,
    /// Until when it is not tried again.
    pub until: Duration,
}

impl Save {
    /// With something that is to be stored by a time.
    fn by(self, at: Duration) -> Self {
        match self {
            Self::Clean => Self::At(at),
            Self::At(earlier) => Self::At(earlier.min(at)),
            Self::Saving(again) => Self::Saving(Some(again.map_or(at, |earlier| earlier.min(at)))),
        }
    }

    /// With a heal, after the first of `heals` and when they were due: they are stored once there
    /// was a quiet moment, and at the latest at the end of a while. Thousands of records are a large
    /// write, which would be in the way of the next heals.
    fn after_heal(self, heals: &mut Option<(Duration, Duration)>, now: Duration) -> Self {
        let known = *heals;
        let first = known.map_or(now, |(first, _)| first);
        let due = (now + QUIET).min(first + LATEST);
        *heals = Some((first, due));
        let was = known.map(|(_, was)| was);
        match self {
            Self::At(at) if Some(at) == was => Self::At(due),
            Self::Saving(again) if again == was => Self::Saving(Some(due)),
            other => other.by(due),
        }
    }
}

/// Whether the stored inventory is the one that we know. Storing it shows that: whoever was deposed
/// as leader finds another version there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Not shown: it is stored before the next batch of writes.
    Unproven,
    /// Shown by the last save.
    Proven,
    /// Shown, and deletions began since: it is stored again before the next ones.
    Used,
}

impl Service {
    /// A service of which nothing is known.
    #[must_use]
    pub fn new(mut desired: DesiredService, now: super::Now) -> Self {
        desired.objects = Vec::new();
        Self {
            inventory: Inventory::empty(desired.name.clone(), &desired.namespace),
            desired,
            phase: Phase::Waiting,
            since: now.mono,
            since_wall: now.wall,
            reason: String::new(),
            hint: None,
            reported: Reported::default(),
            run: Run::None,
            runs: 0,
            probes: Probes::default(),
            applied: 0,
            holds_rerun: false,
            held_since: Duration::ZERO,
            asked: false,
            wants_rerun: false,
            census: Census::default(),
            news: News::default(),
            unstored: BTreeSet::new(),
            left: Vec::new(),
            save: Save::Clean,
            unsaved_heals: None,
            refusals: Refusals::default(),
            hold: Hold::Unproven,
            restarted: None,
            suspended: None,
            blocked: None,
            kept: BTreeSet::new(),
            held: None,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> Arc<str> {
        self.desired.name.clone()
    }

    /// Notes that the stored inventory is behind, and by when it is to be brought up to date.
    pub fn mark_unsaved(&mut self, at: Duration) {
        self.save = self.save.by(at);
    }

    /// Notes that the stored inventory is behind by a heal that changes nothing recorded but times.
    pub fn mark_healed(&mut self, now: Duration) {
        self.save = self.save.after_heal(&mut self.unsaved_heals, now);
    }

    /// Notes a failed start and says how long to wait.
    pub fn start_failed(&mut self, error: DriverError, now: Duration) -> Duration {
        self.probes.failures += 1;
        let wait = SERVICE.wait(self.probes.failures, &self.desired.name);
        self.probes.retry_at = now + wait;
        self.probes.error = Some(error);
        wait
    }

    /// Whether a failed start only shows that the driver's target is not there yet: nothing answers
    /// at the address, nothing ever did, and the probe allows more failures.
    #[must_use]
    pub fn is_awaited(&self, error: &DriverError) -> bool {
        let allows = self.probes.failures < self.desired.probe.failures;
        error.unreachable && allows && self.probes.last.is_none() && !self.asked
    }

    /// Notes an answer.
    pub fn answered(&mut self, answer: Answer, now: super::Now) {
        let interval = self
            .desired
            .probe
            .interval
            .unwrap_or(Duration::from_secs(10));
        self.probes.last = Some((answer, now.wall));
        self.probes.next = now.mono + interval;
        self.probes.failures = 0;
        self.probes.error = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn heals_are_stored_after_a_quiet_moment_or_at_the_end_of_a_while() {
        for begun in [Save::Clean, Save::Saving(None)] {
            let (mut save, mut heals) = (begun, None);
            for now in 10..=45 {
                save = save.after_heal(&mut heals, at(now));
                let due = at((now + 1).min(40));
                assert_eq!(save, begun.by(due), "at {now}");
            }
        }
    }

    #[test]
    fn what_is_to_be_stored_sooner_stays_so() {
        let mut heals = None;
        let save = Save::Clean.by(at(10)).after_heal(&mut heals, at(10));
        assert_eq!(save, Save::At(at(10)));
        let save = Save::Saving(None).after_heal(&mut heals, at(11)).by(at(11));
        assert_eq!(
            save.after_heal(&mut heals, at(12)),
            Save::Saving(Some(at(11)))
        );
    }
}
