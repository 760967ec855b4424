//! What reaches the server, and what the sender hears of it.

use super::election::Lease;
use super::network::{Asked, Lost, Request};
use super::world::{Item, World};
use crate::desired::ObjectKey;
use crate::engine::{Event, Inventory, Orders, Verb, Write, WriteError, Written};
use serde_json::Value;
use std::time::Duration;

/// What a request brought.
pub enum Reply {
    /// A write was answered.
    Written(Written),
    /// An inventory has this version.
    Saved(String),
    /// What is stored.
    Stored(Orders, Vec<Inventory>),
    /// An object.
    Found(Option<Box<Value>>),
    /// The Lease, and whether it is the sender's.
    Lease(bool, Lease),
}

impl World {
    /// A request reaches the server.
    pub fn arrive(&mut self, request: &Request) {
        let outcome = self.serve(request);
        let delay = self.dice.millis(1, 8);
        match &request.lost {
            Some(Lost::Silent) => {}
            Some(Lost::Instead(error)) => self.tell(request, delay, Err(error.clone())),
            None => self.tell(request, delay, outcome),
        }
    }

    fn serve(&mut self, request: &Request) -> Result<Reply, WriteError> {
        match &request.asked {
            Asked::Write(write) => {
                self.judge_arrival(request, write);
                let before = self.server.objects.get(&write.key).cloned();
                let version = self.server.version;
                let outcome = self.server.write(write);
                if version != self.server.version {
                    self.written
                        .push(format!("{} {}", verb(write), write.key.name));
                }
                self.note(|| {
                    let said = outcome.as_ref().map(|_| ());
                    format!(
                        "  {} writes {}: {:?} → {said:?}",
                        request.from, write.key, write.verb
                    )
                });
                self.judge_write(request, write, before.as_ref(), &outcome);
                outcome.map(Reply::Written)
            }
            Asked::Save(inventory) => {
                let outcome = self.server.save((**inventory).clone());
                self.note(|| {
                    let names: Vec<_> = inventory.records.keys().map(ObjectKey::short).collect();
                    format!(
                        "  {} saves {} {names:?} → {outcome:?}",
                        request.from, inventory.service
                    )
                });
                if outcome.is_ok() {
                    self.judge_save(request, inventory);
                }
                outcome.map(Reply::Saved)
            }
            Asked::Read | Asked::TakeOver => {
                if self.processes[request.from].life == request.life {
                    self.laws.read(&self.server);
                }
                let (orders, inventories) = self.server.stored();
                Ok(Reply::Stored(orders, inventories))
            }
            Asked::Look(key) => Ok(Reply::Found(self.server.look(key).map(Box::new))),
            Asked::Lease(seen) => {
                let leads = self.lease.reach(request.from, *seen, self.clock);
                Ok(Reply::Lease(leads, self.lease))
            }
        }
    }

    /// The sender hears what came of its request.
    pub fn tell(&mut self, request: &Request, after: Duration, outcome: Result<Reply, WriteError>) {
        let (process, life) = (request.from, request.life);
        let event = match (&request.asked, outcome) {
            (Asked::Write(write), outcome) => Event::Wrote {
                key: write.key.clone(),
                attempt: write.attempt,
                outcome: outcome.map(|reply| match reply {
                    Reply::Written(written) => written,
                    _ => unreachable!("a write is answered as one"),
                }),
            },
            (Asked::Save(inventory), outcome) => {
                let saved = outcome.map(|reply| match reply {
                    Reply::Saved(version) => version,
                    _ => unreachable!("a save is answered as one"),
                });
                Event::InventorySaved(inventory.service.clone(), saved)
            }
            (Asked::Look(key), Ok(Reply::Found(found))) => Event::Looked(key.clone(), Ok(found)),
            (Asked::Look(key), Err(error)) => Event::Looked(key.clone(), Err(error)),
            (Asked::Lease(_), outcome) => {
                let outcome = outcome.ok().map(|reply| match reply {
                    Reply::Lease(leads, lease) => (leads, lease),
                    _ => unreachable!("a look at the Lease is answered as one"),
                });
                return self.plan(after, Item::Claimed(process, life, request.begun, outcome));
            }
            (Asked::Read, Ok(Reply::Stored(orders, inventories))) => {
                let orders = Box::new(Event::Orders(orders));
                self.plan(after, Item::Post(process, life, orders));
                Event::Inventories(inventories)
            }
            (Asked::TakeOver, Ok(Reply::Stored(orders, inventories))) => {
                let read = vec![Event::Orders(orders), Event::Inventories(inventories)];
                return self.take_over(process, life, read);
            }
            (Asked::Read | Asked::TakeOver, _) => {
                // It is asked again until it is answered.
                let lane = self.processes[process].lane;
                let again = after + Duration::from_millis(200);
                return self.plan(again, Item::Begin(Box::new(request.clone()), lane));
            }
            (Asked::Look(_), Ok(_)) => unreachable!("a look is answered as one"),
        };
        self.plan(after, Item::Post(process, life, Box::new(event)));
    }
}

fn verb(write: &Write) -> &'static str {
    match write.verb {
        Verb::Apply { .. } => "apply",
        Verb::Create { .. } => "create",
        Verb::Amend { .. } => "amend",
        Verb::Delete { .. } => "delete",
        Verb::Release { .. } | Verb::Prove { .. } | Verb::Restart => "other",
    }
}
