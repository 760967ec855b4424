//! What time brings: wake-ups that were asked for, and the check at every interval.
//!
//! Invariants: whoever asked to be woken at a time is, whatever is due before it; one timer is
//! enough for all of them; and when it is over before anything is due, nothing is looked at.

use super::object::{Looked, Object};
use super::{Command, Engine, Now, Standing};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The times to be woken at.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    times: BTreeSet<Duration>,
    /// When the inventories of services are to be stored, which each heal puts off.
    saves: BTreeMap<Arc<str>, Duration>,
    /// When the phases of services are to be reported. Nothing else is looked at then.
    reports: BTreeMap<Arc<str>, Duration>,
    /// When the timer is over. It is left alone when what it ran for is put off: to set it anew at
    /// each heal costs more than one that is over too early.
    timer: Option<Duration>,
}

impl Alarms {
    fn next(&self) -> Option<Duration> {
        let times = self.times.first().into_iter().chain(self.saves.values());
        times.chain(self.reports.values()).min().copied()
    }

    /// Forgets what is due; whether anything was.
    fn pass(&mut self, now: Duration) -> bool {
        let mut times = self.times.first().into_iter().chain(self.saves.values());
        let due = times.any(|at| *at <= now);
        self.times.retain(|at| *at > now);
        self.saves.retain(|_, at| *at > now);
        due
    }

    /// Takes the services out whose phases are to be reported.
    fn due_reports(&mut self, now: Duration) -> Vec<Arc<str>> {
        let due = self.reports.iter().filter(|(_, at)| **at <= now);
        let due = due.map(|(service, _)| Arc::clone(service)).collect();
        self.reports.retain(|_, at| *at > now);
        due
    }
}

impl Engine {
    /// Asks to be woken at a time.
    pub(super) fn wake(&mut self, at: Duration) {
        self.alarms.times.insert(at);
    }

    /// Asks to be woken when the inventory of a service is to be stored, at this time and not at
    /// the one that was asked for before.
    pub(super) fn wake_to_save(&mut self, service: &Arc<str>, at: Duration) {
        self.alarms.saves.insert(Arc::clone(service), at);
    }

    /// Asks to be woken when the phase of a service is to be reported.
    pub(super) fn wake_to_report(&mut self, service: &Arc<str>, at: Duration) {
        self.alarms.reports.insert(Arc::clone(service), at);
    }

    /// What is to be done now. The timer is set anew where something is due before it is over.
    pub(super) fn commands(&mut self) -> Vec<Command> {
        let timer = self.alarms.timer;
        let sooner = |next: &Duration| timer.is_none_or(|timer| *next < timer);
        if let Some(next) = self.alarms.next().filter(sooner) {
            self.alarms.timer = Some(next);
            self.out.push(Command::WakeAt(next));
        }
        std::mem::take(&mut self.out)
    }

    pub(super) fn on_woken(&mut self, now: Now) {
        // The timer may be the one that is over.
        self.alarms.timer = None;
        self.dirty.extend(self.alarms.due_reports(now.mono));
        if self.alarms.pass(now.mono) {
            self.look_around(now);
        }
    }

    fn look_around(&mut self, now: Now) {
        self.departures.retain(|_, until| *until > now.mono);
        let due = |object: &Object| {
            let trouble = object.trouble.as_ref().and_then(|trouble| trouble.until);
            trouble.is_some() || object.rests_until().is_some() || object.flight.is_none()
        };
        let waiting = self.objects.iter().enumerate().filter(|(_, object)| {
            !matches!(object.standing, Standing::InOrder | Standing::Writing) && due(object)
        });
        self.queue.extend(waiting.map(|(position, _)| position));
        self.dirty.extend(self.services.keys().cloned());
    }

    pub(super) fn on_tick(&mut self, now: Now) {
        for service in self.services.values_mut() {
            service.holds_rerun = false;
        }
        for object in &mut self.objects {
            if matches!(object.standing, Standing::Blocked(_)) && object.flight.is_none() {
                object.looked = Looked::No;
            }
            if object.is_out_of_sight() {
                let desired = &object.desired;
                self.looks
                    .push((desired.key.clone(), desired.resource.clone()));
            }
        }
        self.alarms.pass(now.mono);
        self.look_around(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::{FingerprintKey, Instance};
    use crate::engine::{Event, Mode};

    /// A timer can be over while a batch is taken in, which is judged by the time of its beginning.
    #[test]
    fn a_wake_up_that_comes_too_early_is_not_the_last_one() {
        let instance = Instance {
            name: "jsorc".into(),
            namespace: "prod".into(),
        };
        let mut engine = Engine::new(instance, FingerprintKey::new([5; 32]), Mode::Follow);
        let due = Duration::from_secs(5);
        engine.wake(due);
        let mut heard = |mono: Duration, events: Vec<Event>| {
            let wall = jiff::Timestamp::UNIX_EPOCH;
            engine.handle(events, Now { mono, wall })
        };
        let sets = |commands: &[Command]| matches!(commands, [Command::WakeAt(at)] if *at == due);
        assert!(sets(&heard(Duration::ZERO, Vec::new())));
        assert!(heard(Duration::ZERO, Vec::new()).is_empty());
        let early = Duration::from_millis(4_999);
        assert!(sets(&heard(early, vec![Event::Woken])));
        assert!(heard(due, vec![Event::Woken]).is_empty());
    }
}
