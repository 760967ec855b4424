//! The brain: `(state, event, now) → commands`.
//!
//! One value owns all state. It does no IO, reads no clock, knows no Kubernetes client, and two
//! runs over the same events give the same commands. So the same engine works against a real API
//! server, in tests and in a simulation.
//!
//! Invariants:
//! - no write without a cause: an object that is as applied costs nothing;
//! - at most one write in flight per object, and none before the inventory names the object;
//! - no delete and no adoption is decided before the watch and the inventories have been read
//!   consistently;
//! - what waits has a reason and a wake-up.
//!
//! The algorithm follows what the API server guarantees about `managedFields` (see
//! [`ownership`]): an object is in order while its uid, its wanted digest and its evidence are
//! those that the server confirmed.

mod acting;
pub mod additions;
pub mod adopting;
pub mod amending;
mod answering;
mod backoff;
pub mod body;
mod census;
mod chorus;
mod chronicle;
mod claims;
mod clearing;
mod command;
mod decide;
pub mod diff;
mod endpoints;
mod errands;
mod event;
mod exemptions;
mod flight;
pub mod health;
pub mod history;
mod intake;
mod keeping;
mod leavers;
mod leaving;
mod live;
mod looking;
mod object;
mod occurrence;
pub mod ordered;
mod orders;
mod outages;
pub mod ownership;
mod pairs;
mod phase;
mod phase_notice;
mod pins;
pub mod plan;
mod projection;
mod pruning;
mod receipt;
mod record;
mod refusing;
mod rehearsing;
mod remedy;
pub mod removing;
mod rewinding;
mod room;
mod running;
mod service;
mod sight;
pub mod status;
mod stripping;
mod target;
mod telling;
mod verdict;
mod waking;
mod watches;
mod watching;
mod writing;

pub use body::Body;
pub use chronicle::Author;
pub use command::{Command, Start, Verb, Write};
pub use event::{
    Answer, ClusterState, DriverError, Event, Explanation, FieldConflict, Now, WatchChange,
    WatchKey, WriteError, Written,
};
pub use flight::Cause;
pub use object::{Checked, Foreign, Standing};
pub use occurrence::{Blame, Fault, Heal, Occurrence};
pub use orders::{Order, Orders, Wish};
pub use outages::Unwatched;
pub use phase::Phase;
pub use pins::{Permits, Pin};
pub use plan::{
    Action, ObjectVersion, Plan, PlanSummary, PlannedService, Risk, ServiceInputs, Step, Unchanged,
    UnchangedCheck,
};
pub use record::{Applied, Inventory, Receipt, Record};
pub use status::{Drift, ServiceStatus, Status};
pub use watches::{watch_of, watches_of};

use crate::desired::{FingerprintKey, Instance, ObjectKey, Resource, WriteMode};
use decide::{Decision, Surroundings, decide};
use live::Live;
use object::Object;
use service::{Hold, Service};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// Whether the engine writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It puts right what differs.
    Enforce {
        /// Run and probe services too.
        run: bool,
    },
    /// It only compares; with `rehearse`, what differs is dry-run on the server.
    Observe {
        /// Ask the server what would come out.
        rehearse: bool,
    },
    /// It watches and leaves all else to whoever holds the Lease.
    Follow,
}

/// The state of everything.
#[derive(Debug)]
pub struct Engine {
    instance: Instance,
    author: Author,
    wall: jiff::Timestamp,
    manager: String,
    label: String,
    key: FingerprintKey,
    mode: Mode,
    enabled: bool,
    cluster: ClusterState,
    services: BTreeMap<Arc<str>, Service>,
    objects: Vec<Object>,
    marks: Vec<Option<census::Mark>>,
    open: BTreeSet<usize>,
    /// Where each object stands in `objects`.
    index: HashMap<ObjectKey, usize>,
    members: HashMap<Arc<str>, Vec<usize>>,
    waiters: HashMap<ObjectKey, Vec<usize>>,
    watches: BTreeMap<WatchKey, bool>,
    outages: outages::Outages,
    chorus: chorus::Chorus,
    allowed: leavers::Allowed,
    permits: Option<Permits>,
    inventories: keeping::Reading,
    orphans: BTreeMap<Arc<str>, Inventory>,
    orders: ordered::Known,
    strays: HashMap<ObjectKey, Live>,
    deletions: HashMap<ObjectKey, pruning::Deletion>,
    landing: HashMap<ObjectKey, u64>,
    sought: HashMap<ObjectKey, looking::Sought>,
    departures: HashMap<ObjectKey, Duration>,
    slices: HashMap<ObjectKey, endpoints::Slice>,
    endpoints: HashMap<ObjectKey, usize>,
    queue: BTreeSet<usize>,
    room: room::Room,
    dirty: BTreeSet<Arc<str>>,
    looks: Vec<(ObjectKey, Arc<Resource>)>,
    fresh: Option<(usize, Body)>,
    explanations: HashMap<usize, Duration>,
    attempts: u64,
    epoch: u64,
    deposed: bool,
    alarms: waking::Alarms,
    prune_from: Duration,
    last_heal: Option<Heal>,
    out: Vec<Command>,
}

/// Too little is known about an object; why its watch is interrupted, if it is.
#[derive(Clone, Debug)]
struct Unknown {
    lost: Option<String>,
}

impl Engine {
    /// An engine that knows nothing yet.
    #[must_use]
    pub fn new(instance: Instance, key: FingerprintKey, mode: Mode) -> Self {
        Self {
            manager: instance.identity(),
            label: instance.label(),
            instance,
            author: Author::default(),
            wall: jiff::Timestamp::UNIX_EPOCH,
            key,
            mode,
            enabled: true,
            cluster: ClusterState::Connecting,
            services: BTreeMap::new(),
            objects: Vec::new(),
            marks: Vec::new(),
            open: BTreeSet::new(),
            index: HashMap::new(),
            members: HashMap::new(),
            waiters: HashMap::new(),
            watches: BTreeMap::new(),
            outages: outages::Outages::default(),
            chorus: chorus::Chorus::default(),
            allowed: leavers::Allowed::default(),
            permits: None,
            inventories: keeping::Reading::All,
            orphans: BTreeMap::new(),
            orders: ordered::Known::default(),
            strays: HashMap::new(),
            deletions: HashMap::new(),
            landing: HashMap::new(),
            sought: HashMap::new(),
            departures: HashMap::new(),
            slices: HashMap::new(),
            endpoints: HashMap::new(),
            queue: BTreeSet::new(),
            room: room::Room::default(),
            dirty: BTreeSet::new(),
            looks: Vec::new(),
            fresh: None,
            explanations: HashMap::new(),
            attempts: 0,
            epoch: 0,
            deposed: false,
            alarms: waking::Alarms::default(),
            prune_from: Duration::ZERO,
            last_heal: None,
            out: Vec::new(),
        }
    }

    /// Takes events in order and says what to do about them.
    pub fn handle(&mut self, events: impl IntoIterator<Item = Event>, now: Now) -> Vec<Command> {
        self.date(now);
        for event in events {
            self.take(event, now);
        }
        self.settle(now);
        self.commands()
    }

    /// Hashes under another key from now on. The desired set and the inventories have to be given
    /// anew.
    pub fn set_key(&mut self, key: FingerprintKey) {
        self.key = key;
        for object in &mut self.objects {
            object.live = None;
            object.record = None;
        }
        self.inventories = keeping::Reading::All;
    }

    /// Whether anything may be written.
    fn writes(&self) -> bool {
        self.enabled && !self.deposed && matches!(self.mode, Mode::Enforce { .. })
    }

    /// What it may do.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Changes the mode; what differs is then looked at anew. Who only follows runs nothing.
    pub fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
        if mode == Mode::Follow {
            let names: Vec<Arc<str>> = self.services.keys().cloned().collect();
            for name in names {
                self.stop_run(&name);
            }
        }
        self.queue.extend(0..self.objects.len());
        self.dirty.extend(self.services.keys().cloned());
        // Whoever runs services heeds orders.
        self.send_watches();
    }

    fn take(&mut self, event: Event, now: Now) {
        match event {
            Event::Desired(set) => self.on_desired(*set, now),
            Event::Cluster(state) => self.on_cluster(state),
            Event::Inventories(inventories) => self.on_inventories(inventories),
            Event::Orders(orders) => self.on_orders(orders),
            Event::Elected => self.on_elected(now),
            Event::InventorySaved(service, result) => self.on_saved(&service, result, now),
            Event::Watch(watch, change) => self.on_watch(&watch, change, now),
            Event::Looked(key, found) => self.on_looked(&key, found, now),
            Event::Wrote {
                key,
                attempt,
                outcome,
            } => self.on_wrote(&key, attempt, outcome, now),
            Event::Explained(key, why) => self.on_explained(&key, why),
            Event::Started {
                service,
                run,
                outcome,
            } => self.on_started(&service, run, outcome, now),
            Event::Probed {
                service,
                run,
                outcome,
            } => self.on_probed(&service, run, outcome, now),
            Event::Refresh(service) => self.on_refresh(&service),
            Event::Tick => self.on_tick(now),
            Event::Woken => self.on_woken(now),
        }
    }

    /// Works until nothing more follows from what happened.
    fn settle(&mut self, now: Now) {
        loop {
            while let Some(position) = self.queue.pop_first() {
                self.consider(position, now);
            }
            if self.admit() {
                continue;
            }
            let Some(name) = self.dirty.pop_first() else {
                break;
            };
            self.review(&name, now);
        }
        if !self.looks.is_empty() {
            let looks = std::mem::take(&mut self.looks);
            self.out.push(Command::Look(looks));
        }
    }

    /// Decides about one object and does it.
    fn consider(&mut self, position: usize, now: Now) {
        self.confirm_made(position, now);
        let since = self.room.leave(position);
        let object = &self.objects[position];
        let Some(service) = self.services.get(&object.service) else {
            return;
        };
        let unknown = self.unknown(object);
        let lost = unknown.clone().and_then(|unknown| unknown.lost);
        let enforce = self.writes_of(&object.service, now)
            && self.permits(&object.desired.key, pins::uid_of(object));
        // What only a write depends on is not looked up for nothing: thousands are compared first.
        let first = || self.waits_for(object, service);
        let recorded = || service.hold != Hold::Unproven && service.stores(&object.desired.key);
        let around = Surroundings {
            flies: self.flies(&object.desired.key),
            policy: service.desired.policy,
            enforce,
            unknown: unknown.is_some(),
            waits_for: enforce.then(first).flatten(),
            blocked: service.blocked.as_deref(),
            recorded: enforce && recorded(),
            beyond_fight: self.differs_beyond_fight(position, now),
            now: now.mono,
        };
        let decision = decide(object, &around);
        let standing = match (&decision, lost) {
            (Decision::Unknown, Some(reason)) => {
                Some(Standing::Waiting(format!("its watch: {reason}")))
            }
            _ => self.act(position, decision, since, now),
        };
        if let Some(standing) = standing {
            self.stand(position, standing);
        }
        self.count(position);
    }

    /// Changes an object's standing and wakes who waits for it.
    fn stand(&mut self, position: usize, standing: Standing) {
        let object = &mut self.objects[position];
        if object.standing == standing {
            return;
        }
        object.standing = standing;
        let key = object.desired.key.clone();
        self.dirty.insert(object.service.clone());
        self.count(position);
        self.wake_waiters(&key);
        self.wake_clients(&key);
    }

    /// Whether a request about an object is on its way that is not its own flight: its deletion, or
    /// a write from before it left the set and came back.
    fn flies(&self, key: &ObjectKey) -> bool {
        self.deletions.contains_key(key) || self.landing.contains_key(key)
    }

    fn wake_waiters(&mut self, key: &ObjectKey) {
        if let Some(waiters) = self.waiters.get(key) {
            self.queue.extend(waiters.iter().copied());
        }
    }

    /// Why nothing can be said about an object yet.
    fn unknown(&self, object: &Object) -> Option<Unknown> {
        if self.cluster != ClusterState::Ready || !self.has_inventories() {
            return Some(Unknown { lost: None });
        }
        if object.desired.mode == WriteMode::Ensure {
            return None;
        }
        let watch = watches::watch_of(&object.desired.key, &object.desired.resource);
        match self.watches.get(&watch) {
            Some(true) => None,
            _ => Some(Unknown {
                lost: self.outages.reason(&watch).cloned(),
            }),
        }
    }

    /// Where the object of a key is in the list of objects.
    fn position(&self, key: &ObjectKey) -> Option<usize> {
        self.index.get(key).copied()
    }

    fn tell(&mut self, occurrence: Occurrence) {
        self.chronicle(&occurrence);
        self.out.push(Command::Tell(occurrence));
    }

    fn next_attempt(&mut self) -> u64 {
        self.attempts += 1;
        self.attempts
    }

    fn on_cluster(&mut self, state: ClusterState) {
        if self.cluster != state {
            self.cluster = state;
            for service in self.services.values_mut() {
                service.probes.error.take_if(|error| error.not_configured);
            }
            self.queue.extend(0..self.objects.len());
            self.dirty.extend(self.services.keys().cloned());
            self.send_watches();
        }
    }
}

#[cfg(test)]
mod simulation;
