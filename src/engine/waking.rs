//! What time brings: wake-ups that were asked for, and the check at every interval.

use super::object::{Looked, Object};
use super::{Command, Engine, Now, Standing};
use std::time::Duration;

impl Engine {
    /// Asks to be woken at a time, unless an earlier wake-up is on its way.
    pub(super) fn wake(&mut self, at: Duration) {
        if self.wake_at.is_none_or(|pending| at < pending) {
            self.wake_at = Some(at);
            self.out.push(Command::WakeAt(at));
        }
    }

    pub(super) fn on_woken(&mut self, now: Now) {
        self.wake_at = None;
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
