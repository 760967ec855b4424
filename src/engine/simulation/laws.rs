//! What is noted to check the laws while things happen. A broken one says which it is, of which
//! seed, and what happened.

use super::law::Law;
use super::network::{Asked, Request};
use super::object::Stored;
use super::samples::instance;
use super::server::{Server, inventory_key};
use super::world::World;
use crate::desired::{ObjectKey, WriteMode};
use crate::engine::flight::Errand;
use crate::engine::{Cause, Inventory, Verb, Write, WriteError, Written};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// So many requests about one object within a minute are no hot loop.
const PER_MINUTE: usize = 40;

/// What was noted.
pub struct Laws {
    seed: u64,
    /// The only one that is checked, for whoever shows that it notices.
    only: Option<String>,
    /// How often each law was checked.
    pub checked: BTreeMap<Law, u64>,
    foreign: BTreeMap<ObjectKey, Value>,
    made: BTreeSet<ObjectKey>,
    late: BTreeSet<ObjectKey>,
    values: BTreeMap<ObjectKey, (String, Value)>,
    terms: BTreeMap<(usize, u32, Duration), Duration>,
    saves: BTreeMap<Arc<str>, (usize, u32, Duration)>,
    requests: BTreeMap<(usize, u32, String), Vec<Duration>>,
    /// How many writes and saves began.
    pub writes: u64,
}

impl Laws {
    /// Nothing was noted yet.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            only: std::env::var("JSORC_SIMULATION_LAW").ok(),
            checked: BTreeMap::new(),
            foreign: BTreeMap::new(),
            made: BTreeSet::new(),
            late: BTreeSet::new(),
            values: BTreeMap::new(),
            terms: BTreeMap::new(),
            saves: BTreeMap::new(),
            requests: BTreeMap::new(),
            writes: 0,
        }
    }

    /// Checks a law.
    pub fn hold(&mut self, law: Law, holds: bool, otherwise: impl FnOnce() -> String) {
        *self.checked.entry(law).or_default() += 1;
        if self
            .only
            .as_ref()
            .is_some_and(|only| *only != law.to_string())
        {
            return;
        }
        let seed = self.seed;
        assert!(
            holds,
            "the law `{law}` is broken: {}\nJSORC_SIMULATION_SEED={seed} replays it",
            otherwise()
        );
    }

    /// Notes an object of others: it stays as it is.
    pub fn guard(&mut self, server: &Server, key: &ObjectKey) {
        self.foreign
            .insert(key.clone(), server.look(key).unwrap_or_default());
    }

    /// Whether an object is of others.
    pub fn is_foreign(&self, key: &ObjectKey) -> bool {
        self.foreign.contains_key(key)
    }

    /// Whether an object got our label by a request that its sender had given up, or did not live to
    /// see answered, or by a deposed leader. No precondition keeps such a request from making what was
    /// forgotten meanwhile. So it is with an inventory that a former life stored after the next one read
    /// it.
    pub fn is_late(&self, key: &ObjectKey) -> bool {
        self.late.contains(key)
    }

    /// Notes that the inventories were read: whoever read them has to put them right.
    pub fn read(&mut self, server: &Server) {
        for service in server.inventories.keys() {
            self.late.remove(&inventory_key(service));
        }
    }

    /// Notes that an object was deleted by somebody else.
    pub fn lost(&mut self, key: &ObjectKey) {
        self.made.remove(key);
    }

    /// Notes what somebody else made of a Secret.
    pub fn seen_value(&mut self, server: &Server, key: &ObjectKey) {
        if let Some(object) = server.objects.get(key).filter(|_| key.is_secret()) {
            let value = (object.uid.clone(), object.body["data"].clone());
            self.values.insert(key.clone(), value);
        }
    }

    /// Everything of others is as they left it.
    pub fn judge_foreign(&mut self, server: &Server) {
        let is_so = |(key, object): &(&ObjectKey, &Value)| {
            server.shown.get(key).is_some_and(|now| **now == **object)
        };
        let touched = self.foreign.iter().find(|foreign| !is_so(foreign));
        let touched = touched.map(|(key, _)| key.clone());
        self.hold(Law::NoStaleDelete, touched.is_none(), || {
            let now = touched.clone().and_then(|key| server.look(&key));
            format!("{touched:?} of somebody else is {now:?}")
        });
    }
}

impl World {
    /// An engine wants to write.
    pub fn judge_command(&mut self, process: usize, write: &Write) {
        let now = self.clock;
        let it = &mut self.processes[process];
        let other = it.flights.insert(write.key.clone(), write.attempt);
        self.laws.hold(Law::OneWrite, other.is_none(), || {
            format!(
                "two writes of process {process} in flight for {}",
                write.key
            )
        });
        let engine = &self.processes[process].engine;
        let position = engine.position(&write.key);
        let object = position.map(|position| &engine.objects[position]);
        let flight = object.and_then(|object| object.flight.as_ref());
        // What takes a write back belongs to the batch of that write, whoever leads by now.
        let begins = flight.filter(|flight| flight.errand != Errand::Withdraw);
        let cause = begins.map(|flight| flight.cause);
        let is_delete = matches!(write.verb, Verb::Delete { .. });
        let ensured = object.is_some_and(|object| object.desired.mode == WriteMode::Ensure);
        let service = match object {
            Some(object) => Some(object.service.clone()),
            None => engine
                .deletions
                .get(&write.key)
                .map(|deletion| deletion.name.clone()),
        };
        let batch = is_delete || matches!(cause, Some(Cause::Missing | Cause::Changed));
        if let (Some(service), true, false) = (&service, batch, ensured) {
            let it = &self.processes[process];
            let begun = it.batches.get(service).copied().unwrap_or_default();
            let proven = it.proofs.get(service).copied();
            self.laws
                .hold(Law::OneLeader, proven.is_some_and(|at| at >= begun), || {
                    format!(
                        "process {process} writes {} at {now:?}, in a batch since {begun:?}, and \
                     stored its inventory last at {proven:?}",
                        write.key
                    )
                });
        }
        if is_delete {
            self.laws.hold(Law::NoStaleDelete, position.is_none(), || {
                format!("process {process} deletes {}, which it wants", write.key)
            });
        }
    }

    fn is_recorded(&self, key: &ObjectKey, uid: &str) -> bool {
        self.server.inventories.values().any(|inventory| {
            let record = inventory.records.get(key);
            let applied = record.and_then(|record| record.applied.as_ref());
            applied.is_some_and(|applied| *applied.uid == *uid)
        })
    }

    /// A write or a save leaves its process.
    pub fn judge_begin(&mut self, request: &Request) {
        self.laws.writes += 1;
        let subject = match &request.asked {
            Asked::Write(write) => write.key.to_string(),
            Asked::Save(inventory) => inventory.service.to_string(),
            _ => return,
        };
        if self.leased && self.fenced {
            let holder = self.lease.holder;
            let holds = holder.is_none_or(|holder| holder == request.from);
            self.laws.hold(Law::OneLeader, holds, || {
                format!(
                    "process {} writes {subject} while {holder:?} leads",
                    request.from
                )
            });
        }
        let now = self.clock;
        let id = (request.from, request.life, subject.clone());
        let times = self.laws.requests.entry(id).or_default();
        times.retain(|at| *at + Duration::from_secs(60) > now);
        times.push(now);
        let count = times.len();
        self.laws.hold(Law::NoHotLoop, count <= PER_MINUTE, || {
            format!("{count} requests about {subject} within a minute")
        });
    }

    /// A write reaches the server.
    pub fn judge_arrival(&mut self, request: &Request, write: &Write) {
        if write.key.is("", "Namespace") {
            return;
        }
        let mut services = self.server.inventories.values();
        let named = services.any(|inventory| inventory.records.contains_key(&write.key));
        // Whoever was deposed, died or gave it up meanwhile named it when it began.
        let current = self.processes[request.from].life == request.life
            && self
                .laws
                .saves
                .values()
                .all(|(saver, life, _)| (*saver, *life) == (request.from, request.life))
            && request.lost.is_none();
        self.laws.hold(Law::OneWrite, named || !current, || {
            format!("{} is written and no inventory names it", write.key)
        });
    }

    /// A write was carried out, or was not.
    pub fn judge_write(
        &mut self,
        request: &Request,
        write: &Write,
        before: Option<&Stored>,
        outcome: &Result<Written, WriteError>,
    ) {
        let key = &write.key;
        let label = crate::desired::instance::INSTANCE_LABEL;
        if before.is_none_or(|before| before.label(label).is_none()) {
            let current = self.processes[request.from].life == request.life;
            // A leader that was deposed heals on where no fence keeps it from that.
            let deposed = self.leased && self.lease.holder != Some(request.from);
            if request.lost.is_some() || !current || deposed {
                self.laws.late.insert(key.clone());
            } else {
                self.laws.late.remove(key);
            }
        }
        match outcome {
            Ok(Written::Deleted) => {
                let before = before.expect("it was there");
                let ours = before.label(crate::desired::instance::INSTANCE_LABEL)
                    == Some(&*instance().label())
                    && (key.is_secret() || before.applied_by(&instance().identity()).is_some());
                let recorded = self.is_recorded(key, &before.uid);
                self.laws.hold(Law::NoStaleDelete, ours && recorded, || {
                    format!("{key} was deleted: ours {ours}, recorded {recorded}: {before:?}")
                });
                self.laws.hold(Law::OneCreate, !key.is_secret(), || {
                    format!("{key} was deleted with the values that were made up for it")
                });
                self.laws.made.remove(key);
            }
            Ok(Written::Object { created: true, .. }) => {
                let again = !self.laws.made.insert(key.clone());
                self.laws.hold(Law::OneCreate, !again, || {
                    format!("{key} was created twice")
                });
                self.laws.seen_value(&self.server, key);
            }
            _ => {}
        }
        let value = self.server.objects.get(key).filter(|_| key.is_secret());
        let value = value.map(|object| (object.uid.clone(), object.body["data"].clone()));
        if let (Some(value), Some(known)) = (value, self.laws.values.get(key).cloned()) {
            self.laws.hold(Law::OneCreate, value == known, || {
                format!("process {} changed the values of {key}", request.from)
            });
        }
        self.laws.judge_foreign(&self.server);
    }

    /// An inventory was stored.
    pub fn judge_save(&mut self, request: &Request, inventory: &Inventory) {
        let elected = self.processes[request.from].elected;
        if let Some((saver, _, at)) = self.laws.saves.get(&inventory.service).copied() {
            // Who had stored nothing before the next was elected may have the same epoch.
            let term = (request.from, request.life, elected);
            let claimed = self.laws.terms.get(&term).is_some_and(|first| *first < at);
            let deposed = self.leased && at > elected && claimed;
            let alive = self.processes[request.from].life == request.life;
            self.laws.hold(Law::OneLeader, !(deposed && alive), || {
                format!(
                    "process {}, elected at {elected:?}, stored {} after process {saver} did, \
                     elected at {at:?}",
                    request.from, inventory.service
                )
            });
        }
        let stored = inventory_key(&inventory.service);
        if self.processes[request.from].life == request.life {
            self.laws.late.remove(&stored);
        } else {
            self.laws.late.insert(stored);
        }
        // What a former life asked for counts as nobody's.
        let elected = if self.processes[request.from].life == request.life {
            elected
        } else {
            Duration::ZERO
        };
        let term = (request.from, request.life, elected);
        self.laws.terms.entry(term).or_insert(self.clock);
        let save = (request.from, request.life, elected);
        self.laws.saves.insert(inventory.service.clone(), save);
        self.judge_receipts();
    }
}
