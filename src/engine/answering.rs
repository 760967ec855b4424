//! Takes in the answers to writes, and says what came of them.

use super::body::Body;
use super::diff::{FieldChange, Showing, changes, changes_within, lacking};
use super::flight::{Cause, Errand, Flight};
use super::live::Live;
use super::object::{Looked, Standing};
use super::occurrence::{Blame, Fault, Heal, Occurrence};
use super::ownership::{owned_fields, writer_of};
use super::record::{Applied, Record};
use super::sight::Sight;
use super::stripping::{intruder_of, is_strip};
use super::{Engine, Mode, Now, WriteError, Written};
use crate::desired::{ObjectKey, Wanted, WriteMode};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// No API server answers like this; something in between may.
pub(super) fn no_object() -> WriteError {
    WriteError::Unreachable("the answer is no object of Kubernetes".to_owned())
}

/// How long the inventory may be behind after a heal that made another object.
const REPLACED: Duration = Duration::from_secs(1);
impl Engine {
    /// Says once that an object differs which policy leaves as it is.
    pub(super) fn note_drift(&mut self, position: usize, cause: Cause) {
        let object = &self.objects[position];
        if object.standing == Standing::Differs(cause)
            || !matches!(cause, Cause::Drift(_))
            || !self.writes()
        {
            return;
        }
        let wanted = object.desired.body.value();
        let by = match self.body_seen(position).zip(wanted) {
            _ if is_strip(cause) => self.intruder(position).unwrap_or(Blame::Unknown),
            Some((live, wanted)) => {
                let live = live.value();
                self.blame(&live, &lacking(&live, &wanted, Showing::Plain))
            }
            None => Blame::Unknown,
        };
        let (service, key) = (object.service.clone(), object.desired.key.clone());
        self.tell(Occurrence::Drifted { service, key, by });
    }

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
        self.on_written(position, &flight, created, live, answer, now);
    }

    fn on_written(
        &mut self,
        position: usize,
        flight: &Flight,
        created: bool,
        live: Live,
        answer: &Body,
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
            let (fields, before) = self.changed_fields(position, flight, answer);
            let by = match &before {
                Some(before) => self.blame(before, &fields),
                None => intruder_of(flight),
            };
            self.note_written(position, flight, created, (fields, by), now);
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
    fn note_otherwise(&mut self, position: usize, answer: &Body, now: Now) {
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
        object.live = Some(live);
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

    /// What a write changed, and the object before it, taken apart.
    pub(super) fn changed_fields(
        &self,
        position: usize,
        flight: &Flight,
        after: &Body,
    ) -> (Vec<FieldChange>, Option<Value>) {
        let stripped = Self::stripped_fields(flight, after);
        let before = flight.before.as_ref().map(Body::value);
        let changed = match &before {
            _ if is_strip(flight.cause) => Vec::new(),
            None => self.changed_manifest(position),
            Some(before) => {
                let after = after.value();
                let sets = [
                    owned_fields(before, &self.manager),
                    owned_fields(&after, &self.manager),
                ];
                changes_within(before, &after, &sets, self.showing(position))
            }
        };
        ([changed, stripped].concat(), before)
    }

    /// What changed in the manifest, when the live object before it was not kept.
    pub(super) fn changed_manifest(&self, position: usize) -> Vec<FieldChange> {
        let object = &self.objects[position];
        let Some(was) = object.was.as_ref().and_then(Wanted::value) else {
            return Vec::new();
        };
        let Some(is) = object.desired.body.value() else {
            return Vec::new();
        };
        changes(&was, &is, self.showing(position))
    }

    pub(super) fn showing(&self, position: usize) -> Showing<'_> {
        if self.objects[position].desired.key.is_secret() {
            Showing::Masked(&self.key)
        } else {
            Showing::Plain
        }
    }

    fn note_written(
        &mut self,
        position: usize,
        flight: &Flight,
        created: bool,
        (fields, by): (Vec<FieldChange>, Blame),
        now: Now,
    ) {
        let object = &self.objects[position];
        let (name, key) = (object.service.clone(), object.desired.key.clone());
        let heal = matches!(flight.cause, Cause::Drift(_));
        if let Some(service) = self.services.get_mut(&name) {
            service.applied += 1;
            service.holds_rerun = true;
            service.held_since = now.mono;
            service.wants_rerun |= !heal;
        }
        let took = now.mono.saturating_sub(flight.since);
        match flight.cause {
            Cause::Drift(fault) => {
                self.note_heal(position, fault, created, (fields, by), took, now);
            }
            _ => self.tell(Occurrence::Applied {
                service: name,
                key,
                created,
                fields,
                took,
            }),
        }
    }

    fn note_heal(
        &mut self,
        position: usize,
        fault: Fault,
        created: bool,
        (fields, by): (Vec<FieldChange>, Blame),
        took: Duration,
        now: Now,
    ) {
        let fault = if fault == Fault::Deleted && !created {
            Fault::Unlabelled
        } else {
            fault
        };
        let object = &mut self.objects[position];
        let (service, key) = (object.service.clone(), object.desired.key.clone());
        let disputed: Vec<_> = fields.iter().map(|change| change.path.clone()).collect();
        let heals = object.heals.get_or_insert_default();
        let again = heals.count(now.mono, &key, disputed.iter().cloned());
        let heal = Heal {
            service: service.clone(),
            key: key.clone(),
            fault,
            by: by.clone(),
            fields,
            took,
            at: now.wall,
        };
        self.last_heal = Some(heal.clone());
        self.tell(Occurrence::Healed(heal));
        if let Some((times, rest)) = again {
            self.tell(Occurrence::Fight {
                service,
                key,
                by,
                fields: disputed,
                times,
                again: rest,
            });
            self.wake(now.mono + rest);
        }
    }

    /// The last foreign writer of the changed fields, if the object names one.
    pub(super) fn blame(&self, before: &Value, fields: &[FieldChange]) -> Blame {
        fields
            .iter()
            .filter_map(|change| writer_of(before, &self.manager, &change.path))
            .max()
            .map_or(Blame::Unknown, |writer| {
                Blame::Manager(writer.manager, writer.time)
            })
    }
}
