//! Carries the commands of an engine out, as the daemon does: requests, watches, drivers, timers;
//! and drives it through elections and new files.

use super::election::{Fence, Lease};
use super::faults::Fault;
use super::network::{Asked, Request, fate};
use super::stream::Stream;
use super::world::{Item, World};
use crate::engine::{Answer, Command, DriverError, Event, Mode, WatchChange, WatchKey, WriteError};
use std::time::Duration;

impl World {
    /// Does one thing that an engine wants.
    pub fn carry_out(&mut self, process: usize, command: Command) {
        let life = self.processes[process].life;
        match command {
            Command::Watch(keys) => self.watch(process, keys),
            Command::Look(looks) => {
                for (key, _) in looks {
                    self.ask(process, Asked::Look(key));
                }
            }
            Command::Write(write) => {
                self.judge_command(process, &write);
                self.ask(process, Asked::Write(write));
            }
            Command::SaveInventory(inventory) => self.ask(process, Asked::Save(inventory)),
            Command::ReadInventories => self.ask(process, Asked::Read),
            Command::Compose => {
                let wants = self.processes[process].wants;
                self.reload(process, wants);
            }
            Command::Start(start) => {
                let outcome = self.answer();
                let (service, run) = (start.service, start.run);
                let event = Event::Started {
                    service,
                    run,
                    outcome,
                };
                let wait = self.dice.millis(1, 50);
                self.plan(wait, Item::Post(process, life, Box::new(event)));
            }
            Command::Probe { service, run, .. } => {
                let outcome = self.answer();
                let event = Event::Probed {
                    service,
                    run,
                    outcome,
                };
                let wait = self.dice.millis(1, 50);
                self.plan(wait, Item::Post(process, life, Box::new(event)));
            }
            Command::WakeAt(at) => {
                let wait = at.saturating_sub(self.clock);
                let it = &mut self.processes[process];
                it.alarm += 1;
                let alarm = it.alarm;
                self.plan(wait, Item::Ring(process, life, alarm));
            }
            Command::Tell(occurrence) => {
                self.judge_report(process, &occurrence);
                self.told.push(occurrence);
            }
            Command::Explain(key, _) => {
                self.processes[process].asked.push(self.clock);
                let event = Event::Explained(key, None);
                let wait = self.dice.millis(1, 50);
                self.plan(wait, Item::Post(process, life, Box::new(event)));
            }
            Command::Stop(..) => {}
        }
    }

    fn answer(&mut self) -> Result<Answer, DriverError> {
        if self.faults.strike(&mut self.dice, Fault::DriverFails, 20) {
            return Err(DriverError {
                message: "no answer".into(),
                hint: None,
                not_configured: false,
                unreachable: self.dice.chance(500),
            });
        }
        Ok(Answer {
            advice: None,
            latency: Duration::from_millis(1),
            note: String::new(),
        })
    }

    /// Queues a request. A write waits for its turn, and for its process to go on.
    fn ask(&mut self, process: usize, asked: Asked) {
        let it = &self.processes[process];
        let (life, lane) = (it.life, it.lane);
        let request = Request {
            from: process,
            life,
            begun: self.clock,
            asked,
            lost: None,
        };
        let wait = self.dice.millis(0, 3);
        self.plan(wait, Item::Begin(Box::new(request), lane));
    }

    /// A request leaves its process, if it may.
    pub fn begin(&mut self, mut request: Request, lane: u32) {
        let process = request.from;
        let queued = matches!(request.asked, Asked::Write(_));
        if queued && self.processes[process].lane != lane {
            // It was dropped with the queue of a leader that stepped down.
            let refused = WriteError::NotBegun("the Lease was lost");
            return self.tell(&request, Duration::ZERO, Err(refused));
        }
        request.begun = self.clock;
        let mutates = matches!(request.asked, Asked::Write(_) | Asked::Save(_));
        let fence = self.processes[process].fence;
        if mutates && self.fenced && !fence.lets_pass(self.clock) {
            let refused = WriteError::NotBegun("the Lease was not renewed in time");
            return self.tell(&request, Duration::ZERO, Err(refused));
        }
        if mutates {
            self.judge_begin(&request);
        }
        let wanted = match &request.asked {
            Asked::Write(write) => self.plans.remove(&write.key),
            _ => None,
        };
        let fate = fate(&request.asked, wanted, &mut self.faults, &mut self.dice);
        for (after, lost) in fate.arrivals {
            let request = Request {
                lost,
                ..request.clone()
            };
            self.plan(after, Item::Arrive(Box::new(request)));
        }
        if let Some((after, error)) = fate.told {
            self.tell(&request, after, Err(error));
        }
    }

    fn watch(&mut self, process: usize, keys: Vec<WatchKey>) {
        let streams = &mut self.processes[process].streams;
        streams.retain(|key, _| keys.contains(key));
        for key in keys {
            streams
                .entry(key.clone())
                .or_insert_with(|| Stream::new(key));
        }
        self.call_streams_of(process);
    }

    /// A watch says what it has to say, or something happens to it.
    pub fn pump(&mut self, process: usize, key: &WatchKey) {
        let Some(mut stream) = self.processes[process].streams.remove(key) else {
            return;
        };
        stream.due = false;
        if self.faults.strike(&mut self.dice, Fault::WatchLost, 10) {
            let reason = "connection reset".to_owned();
            stream.lost = true;
            self.deliver(
                process,
                Event::Watch(key.clone(), WatchChange::Lost(reason)),
            );
        } else if self
            .faults
            .strike(&mut self.dice, Fault::WatchRestarted, 10)
        {
            stream.restart();
        } else if self.faults.strike(&mut self.dice, Fault::WatchRepeats, 10) {
            let changes = 1 + self.dice.roll(20);
            stream.repeat(changes);
        } else {
            for _ in 0..=self.dice.roll(6) {
                if self.faults.strike(&mut self.dice, Fault::WatchSkips, 20) {
                    stream.skip(&self.server);
                }
                let Some(change) = stream.next(&self.server) else {
                    break;
                };
                self.deliver(process, Event::Watch(key.clone(), change));
            }
        }
        self.processes[process].streams.insert(key.clone(), stream);
        self.call_streams_of(process);
    }

    /// A candidate looks at the Lease.
    pub fn elect(&mut self, process: usize) {
        let it = &mut self.processes[process];
        let lapsed = it.leads && !it.candidate.leads(self.clock);
        if lapsed {
            self.lose(process);
        }
        let seen = self.processes[process].candidate.seen();
        self.ask(process, Asked::Lease(seen));
    }

    /// A candidate learnt what came of its look.
    pub fn claimed(&mut self, process: usize, begun: Duration, outcome: Option<(bool, Lease)>) {
        let now = self.clock;
        let it = &mut self.processes[process];
        if let Some(fence) = it.candidate.step(outcome, begun, now) {
            it.fence = fence;
        }
        let (leads, led, life) = (it.candidate.leads(now), it.leads, it.life);
        let wait = it.candidate.wait(now);
        it.leads = leads;
        self.plan(wait, Item::Elect(process, life));
        if leads && !led {
            self.note(|| format!("{process} leads"));
            self.ask(process, Asked::TakeOver);
        } else if led && !leads {
            self.lose(process);
        }
    }

    /// A leader is one no more.
    fn lose(&mut self, process: usize) {
        // Without a fence it may take a while to notice: the epochs have to do.
        let late = if self.fenced { 0 } else { 10_000 };
        let wait = self.dice.millis(0, late);
        let it = &mut self.processes[process];
        it.leads = false;
        let life = it.life;
        self.plan(wait, Item::StepDown(process, life));
    }

    /// A leader notices that it is one no more.
    pub fn step_down(&mut self, process: usize) {
        let it = &mut self.processes[process];
        if it.leads {
            return;
        }
        it.lane += 1;
        it.engine.set_mode(Mode::Follow);
        self.note(|| format!("{process} leads no more"));
        self.deliver(process, Event::Woken);
    }

    /// A leader has read what the last one left, and sets to work.
    pub fn take_over(&mut self, process: usize, life: u32, read: Vec<Event>) {
        let it = &self.processes[process];
        if it.life != life || !it.alive || !it.leads {
            return;
        }
        // Only the fence stops one that was paused after it asked; without it, it asks again.
        if !self.fenced && !it.candidate.leads(self.clock) {
            return self.ask(process, Asked::TakeOver);
        }
        self.hear(process, read.into_iter().chain([Event::Elected]).collect());
        let it = &mut self.processes[process];
        if it.life == life {
            it.engine.set_mode(Mode::Enforce { run: true });
            self.deliver(process, Event::Woken);
        }
    }

    /// A process stops in good order: what it asked for still happens.
    pub fn retire(&mut self, process: usize) {
        self.note(|| format!("{process} retires"));
        let it = &mut self.processes[process];
        it.retired = true;
        if it.alive {
            it.die();
            if self.lease.holder == Some(process) {
                self.lease = Lease {
                    holder: None,
                    version: self.lease.version + 1,
                };
            }
            self.processes[process].fence = Fence::Closed;
        }
    }

    /// A process wants another set from now on.
    pub fn reload(&mut self, process: usize, set: usize) {
        let it = &mut self.processes[process];
        if it.retired {
            return;
        }
        it.wants = set;
        if it.alive {
            let set = Box::new(self.sets[set].clone());
            self.deliver(process, Event::Desired(set));
        }
    }
}
