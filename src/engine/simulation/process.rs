//! One process: an engine, what lies in its inbox, its watches and its claim to lead.

use super::election::{Candidate, Fence};
use super::samples::{fingerprints, instance};
use super::stream::Stream;
use crate::desired::{DesiredSet, ObjectKey};
use crate::engine::{Engine, Event, Mode, Phase, WatchKey};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A process, dead or alive.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and any of them can hold"
)]
pub struct Process {
    /// Counts its lives: what was meant for an earlier one is lost.
    pub life: u32,
    /// Whether it runs.
    pub alive: bool,
    /// Its brain.
    pub engine: Engine,
    /// What reached it and was not looked at.
    pub inbox: Vec<Event>,
    /// Whether it is about to look.
    pub due: bool,
    /// Its watches.
    pub streams: BTreeMap<WatchKey, Stream>,
    /// Until when it stands still.
    pub paused_until: Duration,
    /// Counts its claims: writes that wait in the queue of an earlier one are dropped.
    pub lane: u32,
    /// Its claim.
    pub candidate: Candidate,
    /// What keeps it from writing.
    pub fence: Fence,
    /// Whether it was told that it leads.
    pub leads: bool,
    /// The number of the set that it wants.
    pub wants: usize,
    /// Whether it is gone for good.
    pub retired: bool,
    /// Its writes whose answers it waits for.
    pub flights: BTreeMap<ObjectKey, u64>,
    /// Counts how often its timer was set.
    pub alarm: u32,
    /// How often it was woken.
    pub woken: u32,
    /// When it asked why something is not ready.
    pub asked: Vec<Duration>,
    /// When it was told to lead.
    pub elected: Duration,
    /// When the last batch of each service began.
    pub batches: BTreeMap<Arc<str>, Duration>,
    /// When it last learnt that it stored the inventory of each service.
    pub proofs: BTreeMap<Arc<str>, Duration>,
    /// The phase of each service that it reported last.
    pub reported: BTreeMap<Arc<str>, Phase>,
}

impl Process {
    /// A process that was not started yet.
    pub fn new(wants: usize) -> Self {
        Self {
            life: 0,
            alive: false,
            engine: Self::brain(),
            inbox: Vec::new(),
            due: false,
            streams: BTreeMap::new(),
            paused_until: Duration::ZERO,
            lane: 0,
            candidate: Candidate::default(),
            fence: Fence::Open,
            leads: false,
            wants,
            retired: false,
            flights: BTreeMap::new(),
            alarm: 0,
            woken: 0,
            asked: Vec::new(),
            elected: Duration::ZERO,
            batches: BTreeMap::new(),
            proofs: BTreeMap::new(),
            reported: BTreeMap::new(),
        }
    }

    /// Starts it anew: nothing of its former life is left.
    pub fn begin(&mut self) {
        *self = Self {
            life: self.life + 1,
            alive: true,
            ..Self::new(self.wants)
        };
        // Every other life has little room for writes at once.
        if self.life.is_multiple_of(2) {
            self.engine.room.most = 2;
        }
    }

    /// It dies, with everything that it knew.
    pub fn die(&mut self) {
        self.alive = false;
        self.life += 1;
        self.inbox.clear();
        self.streams.clear();
    }

    /// Notes for which services another set begins a batch.
    pub fn note_batches(&mut self, set: &DesiredSet, now: Duration) {
        for service in &set.services {
            let wanted =
                |object: &crate::desired::DesiredObject| (object.key.clone(), object.digest);
            let mut before: Vec<_> = self
                .engine
                .members(&service.name)
                .map(|object| wanted(&object.desired))
                .collect();
            let mut after: Vec<_> = service.objects.iter().map(wanted).collect();
            before.sort();
            after.sort();
            if before != after {
                self.batches.insert(service.name.clone(), now);
            }
        }
    }

    fn brain() -> Engine {
        Engine::new(instance(), fingerprints(), Mode::Enforce { run: true })
    }
}
