//! Writes objects: which request a cause asks for.

use super::body::Body;
use super::event::AUTOSCALER;
use super::flight::{Cause, Errand, Flight};
use super::object::Object;
use super::occurrence::{Fault, Occurrence};
use super::service::Hold;
use super::stripping::is_strip;
use super::{Command, Engine, FieldConflict, Mode, Now, Verb, Write};
use crate::desired::WriteMode;
use crate::manifest::spec::Conflicts;

impl Engine {
    /// Writes an object, after what has to be done about it first.
    pub(super) fn write(&mut self, position: usize, cause: Cause, now: Now) {
        let errand = self.first_errand(position, cause);
        let flight = self.flight(position, cause, errand, now);
        if is_strip(cause) {
            return self.strip(position, flight);
        }
        self.leave_to_autoscaler(position, &flight);
        if self.takes_conflicts(position) {
            let object = &mut self.objects[position];
            object.conflicts.retain(FieldConflict::is_autoscaled);
        }
        let object = &self.objects[position];
        let verb = match errand {
            Errand::Release => Verb::Release {
                paths: object.desired.ignored.to_vec(),
            },
            Errand::Prove => Verb::Prove {
                body: object.desired.body.clone(),
            },
            _ => verb(object, cause, false),
        };
        self.launch(position, flight, verb);
    }

    /// Fields that are left to others from now on are given up before an apply without them would
    /// reset them; what is to be deleted and made anew is first shown to be acceptable.
    fn first_errand(&self, position: usize, cause: Cause) -> Errand {
        let object = &self.objects[position];
        let owns = object
            .live
            .as_ref()
            .is_some_and(|live| live.evidence.is_some());
        let given_up = object.released == Some(object.desired.digest);
        match cause {
            Cause::Recreate => Errand::Prove,
            Cause::Missing => Errand::Write,
            _ if is_strip(cause) => Errand::Strip,
            _ if owns && !given_up && !object.desired.ignored.is_empty() => Errand::Release,
            _ => Errand::Write,
        }
    }

    /// What is to be remembered of an object while a request about it is on its way.
    pub(super) fn flight(
        &mut self,
        position: usize,
        cause: Cause,
        errand: Errand,
        now: Now,
    ) -> Flight {
        let before = self.body_before(position);
        let object = &self.objects[position];
        Flight {
            attempt: 0,
            since: now.mono,
            cause,
            errand,
            cleared: false,
            misses: 0,
            tested: None,
            strips: 0,
            stripped: Vec::new(),
            digest: object.desired.digest,
            uid: object.live.as_ref().map(|live| live.uid.clone()),
            version: object
                .live
                .as_ref()
                .map(|live| live.resource_version.clone()),
            before,
        }
    }

    /// Sends a request about an object; its answer ends the flight.
    /// What follows another request is not sent any more by who may not write meanwhile, or has to
    /// store the inventory of its term first, but for what takes a write back.
    pub(super) fn launch(&mut self, position: usize, flight: Flight, verb: Verb) {
        let only_rehearses = matches!(self.mode, Mode::Observe { .. });
        let may = self.writes() && !self.is_unproven(position);
        if !may && !only_rehearses && flight.errand != Errand::Withdraw {
            self.queue.insert(position);
            return;
        }
        let attempt = self.next_attempt();
        let object = &mut self.objects[position];
        object.flight = Some(Box::new(Flight { attempt, ..flight }));
        self.out.push(Command::Write(Write {
            key: object.desired.key.clone(),
            resource: object.desired.resource.clone(),
            attempt,
            verb,
        }));
    }

    fn is_unproven(&self, position: usize) -> bool {
        let object = &self.objects[position];
        let service = self.services.get(&object.service);
        object.desired.mode != WriteMode::Ensure
            && service.is_some_and(|service| service.hold == Hold::Unproven)
    }

    /// Replicas that an autoscaler set are its own: the manifest's number was only the first one.
    pub(super) fn leave_to_autoscaler(&mut self, position: usize, flight: &Flight) {
        if !matches!(flight.cause, Cause::Drift(Fault::Changed)) {
            return;
        }
        // Only what was scaled names that subresource, and few objects are worth a look.
        let before = flight.before.as_ref();
        let scaled = before.filter(|before| before.text().contains("\"scale\""));
        let scaled = scaled
            .and_then(|_| flight.sight_before())
            .and_then(|before| before.autoscaled(&self.manager));
        let object = &mut self.objects[position];
        let Some(path) = scaled.filter(|path| !object.leaves(path)) else {
            return;
        };
        object.conflicts.push(FieldConflict {
            path,
            manager: AUTOSCALER.to_owned(),
        });
        let (service, key) = (object.service.clone(), object.desired.key.clone());
        if !self.writes() {
            return;
        }
        self.tell(Occurrence::Refused {
            service,
            key,
            others: 0,
            reason: "spec.replicas is set by an autoscaler: left to it".to_owned(),
            again: None,
        });
    }

    pub(super) fn takes_conflicts(&self, position: usize) -> bool {
        let service = self.services.get(&self.objects[position].service);
        service.is_some_and(|service| service.desired.policy.conflicts == Conflicts::Take)
    }

    /// The live object as it was last seen, while it differs.
    pub(super) fn body_seen(&self, position: usize) -> Option<&Body> {
        let fresh = self.fresh.as_ref().filter(|(of, _)| *of == position);
        fresh
            .map(|(_, body)| body)
            .or(self.objects[position].stash.as_ref())
    }

    /// The live object as it is before a write, if it was seen.
    fn body_before(&mut self, position: usize) -> Option<Body> {
        let fresh = self
            .fresh
            .take_if(|(of, _)| *of == position)
            .map(|(_, body)| body);
        let stashed = self.objects[position].stash.take();
        fresh.or(stashed)
    }
}

/// The request that a cause asks for.
pub(super) fn verb(object: &Object, cause: Cause, dry_run: bool) -> Verb {
    let body = object.desired.body.clone();
    match (&object.desired.mode, cause, &object.live) {
        (WriteMode::Ensure, ..) => Verb::Create {
            body,
            generated: Vec::new(),
        },
        (WriteMode::Generate(generated), ..) => Verb::Create {
            body,
            generated: generated.clone(),
        },
        (_, Cause::Recreate, Some(live)) => Verb::Delete {
            uid: live.uid.clone(),
            resource_version: None,
        },
        _ => Verb::Apply {
            body,
            uid: object.live.as_ref().map(|live| live.uid.clone()),
            force: object.take || forces(object, cause),
            without: object
                .conflicts
                .iter()
                .map(|conflict| conflict.path.clone())
                .collect(),
            dry_run,
        },
    }
}

/// Whether the fields that others changed may be taken back: those that we applied before.
///
/// When only the manifest changed and our entry is whole, a conflict can only be about a field
/// that we never owned.
pub(super) fn forces(object: &Object, cause: Cause) -> bool {
    let known = object
        .record
        .as_ref()
        .and_then(|record| record.applied.as_ref());
    let entry = object
        .live
        .as_ref()
        .and_then(|live| live.evidence.as_ref())
        .map(|e| e.entry);
    match cause {
        Cause::Missing | Cause::Recreate => false,
        Cause::Unrecorded => entry.is_some() || object.is_found_ours(),
        Cause::Changed => {
            known.is_some_and(|known| known.evidence.as_ref().map(|e| e.entry) != entry)
        }
        Cause::Drift(_) => true,
    }
}
