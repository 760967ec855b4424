//! What time brings: wake-ups that were asked for, and the check at every interval.
//!
//! Invariant: whoever asked to be woken at a time is, whatever is due before it; and one timer is
//! enough for all of them.

use super::object::{Looked, Object};
use super::{Command, Engine, Now, Standing};
use std::collections::BTreeSet;
use std::time::Duration;

/// The times to be woken at.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    times: BTreeSet<Duration>,
    /// The one that the timer runs for.
    next: Option<Duration>,
}

impl Engine {
    /// Asks to be woken at a time.
    pub(super) fn wake(&mut self, at: Duration) {
        self.alarms.times.insert(at);
    }

    /// What is to be done now. The timer is set anew where something else is due next.
    pub(super) fn commands(&mut self) -> Vec<Command> {
        let next = self.alarms.times.first().copied();
        if next != self.alarms.next {
            self.alarms.next = next;
            self.out.extend(next.map(Command::WakeAt));
        }
        std::mem::take(&mut self.out)
    }

    pub(super) fn on_woken(&mut self, now: Now) {
        self.alarms.times.retain(|at| *at > now.mono);
        // The timer may be the one that is over.
        self.alarms.next = None;
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
        self.on_woken(now);
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
