//! Takes in the answers to writes.

use super::body::Body;
use super::diff::{Showing, lacking};
use super::flight::{Cause, Errand, Flight};
use super::live::Live;
use super::object::Looked;
use super::occurrence::Fault;
use super::record::{Applied, Record};
use super::sight::Sight;
use super::{Engine, Mode, Now, WriteError, Written};
use crate::desired::{ObjectKey, WriteMode};
use std::sync::Arc;
use std::time::Duration;

/// No API server answers like this; something in between may.
pub(super) fn no_object() -> WriteError {
    WriteError::Unreachable("the answer is no object of Kubernetes".to_owned())
}

/// How long the inventory may be behind after a heal that made another object.
const REPLACED: Duration = Duration::from_secs(1);

impl Engine {
    pub(super) fn on_wrote(
        &mut self,
        key: &ObjectKey,
        attempt: u64,
        outcome: Result<Written, WriteError>,
        now: Now,
    ) {
        if self
            .deletions
            .get(key)
            .is_some_and(|deletion| deletion.attempt == attempt)
        {
            return self.on_pruned(key, outcome, now);
        }
        if self.landing.get(key) == Some(&attempt) {
            return self.on_landed(key);
        }
        let Some(position) = self.position(key) else {
            return;
        };
        let Some(flight) = self.objects[position]
            .flight
            .take_if(|flight| flight.attempt == attempt)
        else {
            return;
        };
        self.queue.insert(position);
        self.dirty.insert(self.objects[position].service.clone());
        if matches!(self.mode, Mode::Observe { .. }) {
            return self.on_rehearsed(position, &flight, outcome, now);
        }
        match outcome {
            Ok(Written::Object { created, object }) => {
                self.on_object(position, *flight, created, &object, now);
            }
            Ok(Written::Accepted) => self.delete_to_recreate(position, *flight),
            Ok(Written::Deleted) => self.on_deleted_to_recreate(position),
            Err(error) => self.on_refused(position, &flight, error, now),
        }
    }

    /// A write of an object that left the set meanwhile was answered: what it made, the watch tells.
    fn on_landed(&mut self, key: &ObjectKey) {
        self.landing.remove(key);
        self.queue.extend(self.position(key));
        self.dirty.extend(self.services.keys().cloned());
    }

    /// An answer with an object in it: the end of a write, or of one errand of it.
    fn on_object(
        &mut self,
        position: usize,
        flight: Flight,
        created: bool,
        answer: &Body,
        now: Now,
    ) {
        let Ok(sight) = Sight::read(answer.text()) else {
            return self.give_up_for_now(position, &no_object(), now);
        };
        let live = self.live(Some(position), None, &sight);
        match flight.errand {
            Errand::Release => return self.on_released(position, flight, live),
            Errand::Clear => return self.on_cleared(position, flight, live),
            Errand::Withdraw => return self.on_withdrawn(position, answer),
            Errand::Write if !created && self.is_foreign(position, &flight, answer) => {
                return self.withdraw(position, &flight, live.uid, now);
            }
            _ => {}
        }
        if let Some(patch) = self.still_filled(position, &flight, &live, answer) {
            return self.amend(position, &flight, &patch);
        }
        if self.strip_more(position, &flight, &live, answer) {
            return;
        }
        self.on_written(position, &flight, created, live, &sight, now);
    }

    fn on_written(
        &mut self,
        position: usize,
        flight: &Flight,
        created: bool,
        live: Live,
        answer: &Sight<'_>,
        now: Now,
    ) {
        let object = &mut self.objects[position];
        let unchanged = flight.version.as_ref() == Some(&live.resource_version);
        object.trouble = None;
        object.take = false;
        object.unsure = false;
        if object.desired.mode == WriteMode::Ensure {
            object.looked = Looked::Present(Box::new(super::Foreign {
                uid: live.uid,
                owner: None,
                managers: Vec::new(),
                applied_by_us: false,
                health: live.health,
            }));
        } else {
            let applied = Applied {
                uid: live.uid.clone(),
                digest: flight.digest,
                evidence: live.evidence,
                version: Some(live.resource_version.clone()),
                surface: live.surface,
                conflicts: object.conflicts.clone(),
            };
            let record = Arc::new(Record {
                resource: object.desired.resource.clone(),
                applied: Some(applied),
                done: false,
            });
            let known = object.record.as_ref();
            let agrees = known.is_some_and(|known| known.agrees_with(&record));
            object.record = Some(record);
            self.want_stored(position, flight, agrees, now);
            let object = &mut self.objects[position];
            if !object.is_history(&live) {
                self.see_own(position, live);
            }
        }
        // Most writes are no heals, and nobody is blamed for them.
        if !unchanged {
            self.note_written(position, flight, created, answer, now);
        }
        self.note_otherwise(position, answer, now);
        self.objects[position].was = None;
        if flight.cause == Cause::Drift(Fault::Deleted) {
            self.roll_readers(position);
        }
        let key = self.objects[position].desired.key.clone();
        self.wake_waiters(&key);
    }

    /// Has the inventory stored with what was written: at once after a command, which waits for the
    /// end; a daemon heals more than one.
    fn want_stored(&mut self, position: usize, flight: &Flight, agrees: bool, now: Now) {
        let heal = matches!(flight.cause, Cause::Drift(_));
        let runs = self.mode == (Mode::Enforce { run: true });
        if let Some(service) = self.services.get_mut(&self.objects[position].service) {
            match (runs && heal, agrees) {
                (true, true) => service.mark_healed(now.mono),
                (true, false) => service.mark_unsaved(now.mono + REPLACED),
                (false, _) => service.mark_unsaved(now.mono),
            }
        }
    }

    /// While two writers quarrel: what reads otherwise right after a heal is no new difference,
    /// only another spelling of the same value.
    fn note_otherwise(&mut self, position: usize, answer: &Sight<'_>, now: Now) {
        let object = &mut self.objects[position];
        if let Some(heals) = &mut object.heals
            && heals.rest_until.is_some_and(|until| until > now.mono)
            && let Some(wanted) = object.desired.body.value()
        {
            let otherwise = lacking(&answer.value(), &wanted, Showing::Plain);
            let paths = otherwise.into_iter().map(|change| change.path);
            heals.fields.extend(paths);
        }
    }

    /// Takes in our own write: its health counts, and it does not end the check it belongs to.
    pub(super) fn see_own(&mut self, position: usize, live: Live) {
        let object = &mut self.objects[position];
        object.live = Some(Box::new(live));
        object.stash = None;
        object.looked = Looked::No;
        let definition = object
            .desired
            .key
            .is("apiextensions.k8s.io", "CustomResourceDefinition");
        if definition {
            self.send_watches();
        }
    }
}
