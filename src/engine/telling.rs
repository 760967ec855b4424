//! Says what was wrong with an object, what a write changed of it, and because of whom.

use super::diff::{FieldChange, Showing, changes, lacking};
use super::flight::{Cause, Flight};
use super::object::Standing;
use super::occurrence::{Blame, Fault, Heal, Occurrence};
use super::sight::Sight;
use super::stripping::{intruder_of, is_strip};
use super::{Engine, Now};
use crate::desired::ObjectBody;
use std::time::Duration;

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
                let fields = lacking(&live.value(), &wanted, Showing::Plain);
                self.blame(Sight::read(live.text()).ok().as_ref(), &fields)
            }
            None => Blame::Unknown,
        };
        let (service, key) = (object.service.clone(), object.desired.key.clone());
        self.tell(Occurrence::Drifted { service, key, by });
    }

    /// Says what a write changed.
    pub(super) fn note_written(
        &mut self,
        position: usize,
        flight: &Flight,
        created: bool,
        answer: &Sight<'_>,
        now: Now,
    ) {
        let before = flight.sight_before();
        let fields = self.changed_fields(position, flight, before.as_ref(), answer);
        let by = match &before {
            Some(_) => self.blame(before.as_ref(), &fields),
            None => intruder_of(flight),
        };
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

    /// The last foreign writer of the changed fields, if the object as it was names one.
    fn blame(&self, before: Option<&Sight<'_>>, fields: &[FieldChange]) -> Blame {
        match before {
            Some(before) if !fields.is_empty() => before.claims(&self.manager).blame_for(fields),
            _ => Blame::Unknown,
        }
    }

    /// What a write changed of an object that was as it is seen `before`.
    pub(super) fn changed_fields(
        &self,
        position: usize,
        flight: &Flight,
        before: Option<&Sight<'_>>,
        after: &Sight<'_>,
    ) -> Vec<FieldChange> {
        let mut changed = match before {
            _ if is_strip(flight.cause) => Vec::new(),
            None => self.changed_manifest(position),
            Some(before) => self.changes_of_ours(position, before, after),
        };
        changed.extend(Self::stripped_fields(flight, after));
        changed
    }

    /// What differs between two states of an object in the fields that are ours in one of them.
    fn changes_of_ours(
        &self,
        position: usize,
        before: &Sight<'_>,
        after: &Sight<'_>,
    ) -> Vec<FieldChange> {
        let mut changed = changes(&before.value(), &after.value(), self.showing(position));
        if !changed.is_empty() {
            let sets = [before.owned(&self.manager), after.owned(&self.manager)];
            changed.retain(|change| sets.iter().flatten().any(|set| set.covers(&change.path)));
        }
        changed
    }

    /// What changed in the manifest, when the live object before it was not kept.
    fn changed_manifest(&self, position: usize) -> Vec<FieldChange> {
        let object = &self.objects[position];
        let Some(was) = object.was.as_ref().and_then(ObjectBody::value) else {
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
}
