//! The errands beside a plain write: what it takes to give a field up, to empty a struct, to make an
//! object anew, and to take back an apply that landed on somebody else's object.

use super::amending::{emptying, filled};
use super::body::Body;
use super::flight::{Cause, Errand, Flight};
use super::leavers::is_protected;
use super::live::Live;
use super::object::Looked;
use super::occurrence::{Fault, Occurrence};
use super::ownership::other_managers;
use super::record::Record;
use super::writing::verb;
use super::{Applied, Command, Engine, Foreign, Mode, Now, Verb, Write};
use crate::desired::{ObjectBody, WriteMode};
use crate::manifest::spec::{Adopt, Recreate};
use serde_json::{Value, json};
use std::sync::Arc;

/// How often a struct that does not stay empty is emptied.
const AMENDMENTS: u8 = 2;
/// How often a patch is begun anew at once, because somebody else wrote before it came.
const MISSES: u8 = 5;

impl Engine {
    /// The patch for structs that an apply left filled although they are drift: our entry is as
    /// confirmed, and the values under it are not.
    pub(super) fn still_filled(
        &self,
        position: usize,
        flight: &Flight,
        live: &Live,
        answer: &Body,
    ) -> Option<Value> {
        let tried = match flight.errand {
            Errand::Amend(tried) => tried,
            Errand::Strip => return None,
            _ => 0,
        };
        let object = &self.objects[position];
        let known = object.record.as_ref()?.applied.as_ref()?;
        let then = known.evidence.as_ref()?;
        let now = live.evidence?;
        let differs = now.entry == then.entry && now.projection != then.projection;
        let drift = flight.cause == Cause::Drift(Fault::Changed) && known.digest == flight.digest;
        if !differs || !drift || tried >= AMENDMENTS {
            return None;
        }
        let wanted = object.desired.body.value()?;
        let live = answer.value();
        let filled = filled(&live, &wanted, &self.manager);
        (!filled.is_empty()).then(|| emptying(&live, &filled))
    }

    /// Empties what an apply leaves filled.
    pub(super) fn amend(&mut self, position: usize, flight: &Flight, patch: &Value) {
        let tried = match flight.errand {
            Errand::Amend(tried) => tried + 1,
            _ => 1,
        };
        let next = self.next_flight(position, flight, Errand::Amend(tried));
        let patch = patch.to_string().into();
        let dry_run = matches!(self.mode, Mode::Observe { .. });
        self.launch(position, next, Verb::Amend { patch, dry_run });
    }

    /// A patch that did not fit the object any more: controllers write just after people do. An apply
    /// looks at it anew, unless that was tried too often; whether it does.
    pub(super) fn begin_anew(&mut self, position: usize, flight: &Flight) -> bool {
        if flight.misses >= MISSES {
            return false;
        }
        let mut next = self.next_flight(position, flight, Errand::Write);
        next.misses += 1;
        next.strips = flight.strips.saturating_sub(1);
        let verb = verb(&self.objects[position], flight.cause, false);
        self.launch(position, next, verb);
        true
    }

    /// The next request of a write, which remembers what the one before it was about. What the watch
    /// showed meanwhile stays where it is.
    pub(super) fn next_flight(&self, position: usize, flight: &Flight, errand: Errand) -> Flight {
        let live = self.objects[position].live.as_ref();
        Flight {
            errand,
            uid: live.map(|live| live.uid.clone()),
            ..flight.clone()
        }
    }

    /// The write that an errand came before.
    pub(super) fn write_after_all(&mut self, position: usize, flight: Flight) {
        let verb = verb(&self.objects[position], flight.cause, false);
        let next = Flight {
            errand: Errand::Write,
            ..flight
        };
        self.launch(position, next, verb);
    }

    /// The ignored fields are ours no more; the write that they were given up for follows.
    pub(super) fn on_released(&mut self, position: usize, flight: Flight, live: Live) {
        let object = &mut self.objects[position];
        object.released = Some(flight.digest);
        let before = object.live.as_ref().and_then(|live| live.evidence);
        let known = object
            .record
            .as_mut()
            .and_then(|record| Arc::make_mut(record).applied.as_mut());
        if let Some(known) = known.filter(|known| known.evidence == before) {
            // What was given up on purpose was taken by nobody.
            known.evidence = live.evidence;
            known.version = Some(live.resource_version.clone());
        }
        if !object.is_history(&live) {
            self.see_own(position, live);
        }
        self.write_after_all(position, flight);
    }

    /// Whether an object that cannot change may be deleted and made anew.
    pub(super) fn may_recreate(&self, position: usize) -> bool {
        let object = &self.objects[position];
        let policy = self
            .services
            .get(&object.service)
            .map(|service| service.desired.policy.recreate);
        policy == Some(Recreate::Immutable) && !self.is_kept_for_its_data(position)
    }

    /// Whether deleting the object could lose data.
    pub(super) fn is_kept_for_its_data(&self, position: usize) -> bool {
        let object = &self.objects[position];
        self.services
            .get(&object.service)
            .is_none_or(|service| is_protected(&object.desired.key, service))
    }

    /// Asks whether the object could be created anew.
    pub(super) fn prove(&mut self, position: usize, now: Now) {
        let flight = self.flight(position, Cause::Recreate, Errand::Prove, now);
        let body = self.objects[position].desired.body.clone();
        self.launch(position, flight, Verb::Prove { body });
    }

    /// A new one would be accepted, so the old one goes.
    pub(super) fn delete_to_recreate(&mut self, position: usize, flight: Flight) {
        // Whoever took its place meanwhile is judged anew.
        let live = self.objects[position].live.as_ref();
        let Some(uid) = flight
            .uid
            .clone()
            .filter(|uid| live.is_some_and(|live| live.uid == *uid))
        else {
            return;
        };
        let verb = Verb::Delete {
            uid,
            resource_version: None,
        };
        let next = Flight {
            errand: Errand::Write,
            ..flight
        };
        self.launch(position, next, verb);
    }

    /// The old one goes: what follows is a new object, not a heal.
    pub(super) fn on_deleted_to_recreate(&mut self, position: usize) {
        let object = &mut self.objects[position];
        if let Some(live) = &mut object.live {
            live.health = super::health::Health::Terminating;
        }
        if let Some(record) = &mut object.record {
            let record = Arc::make_mut(record);
            record.applied = None;
            record.done = false;
        }
    }

    /// Whether an apply that was to create an object changed somebody else's, which came to be
    /// between our look and our write.
    pub(super) fn is_foreign(&self, position: usize, flight: &Flight, answer: &Body) -> bool {
        let object = &self.objects[position];
        let planned = flight.cause == Cause::Missing && flight.version.is_none();
        let applies = matches!(object.desired.mode, WriteMode::Apply | WriteMode::Job(_));
        if !planned || object.unsure || !applies {
            return false;
        }
        let live = answer.value();
        let adopts = self.services.get(&object.service).is_some_and(|service| {
            service.desired.policy.adopt == Adopt::Unowned
                && Foreign::of(&live, &self.manager).owner.is_none()
        });
        !adopts && !other_managers(&live, &self.manager).is_empty()
    }

    /// Takes our fields back out of somebody else's object, by applying none.
    pub(super) fn withdraw(&mut self, position: usize, flight: &Flight, uid: Arc<str>, now: Now) {
        let next = self.flight(position, flight.cause, Errand::Withdraw, now);
        let key = &self.objects[position].desired.key;
        let mut body = json!({
            "apiVersion": self.objects[position].desired.resource.api_version(),
            "kind": &*key.kind,
            "metadata": {"name": &*key.name},
        });
        if let Some(namespace) = &key.namespace {
            body["metadata"]["namespace"] = (&**namespace).into();
        }
        let verb = Verb::Apply {
            body: ObjectBody::of(&body),
            uid: Some(uid),
            force: false,
            without: Vec::new(),
            dry_run: false,
        };
        self.launch(position, next, verb);
    }

    /// Somebody else's object is as it was; a person has to decide.
    pub(super) fn on_withdrawn(&mut self, position: usize, answer: &Body) {
        let foreign = Foreign::of(&answer.value(), &self.manager);
        let object = &mut self.objects[position];
        object.live = None;
        object.looked = Looked::Present(Box::new(foreign));
        let (service, key) = (object.service.clone(), object.desired.key.clone());
        self.tell(Occurrence::Refused {
            service,
            key,
            others: 0,
            reason: "somebody else created it in the same moment; what the apply changed was \
                     taken back"
                .to_owned(),
            again: None,
        });
    }

    /// A Secret that we made, of which only the answer was lost: what the watch shows of it stands
    /// for the answer.
    pub(super) fn confirm_made(&mut self, position: usize, now: Now) {
        let writes = self.writes_of(&self.objects[position].service, now);
        let object = &mut self.objects[position];
        let made_up = matches!(object.desired.mode, WriteMode::Generate(_));
        if !made_up || object.flight.is_some() || !writes {
            return;
        }
        let Some(service) = self.services.get_mut(&object.service) else {
            return;
        };
        let Some(live) = object
            .live
            .as_ref()
            .filter(|live| live.labelled && live.made)
        else {
            return;
        };
        let known = object
            .record
            .as_ref()
            .and_then(|record| record.applied.as_ref());
        let lost = known.is_some();
        if known.is_some_and(|known| known.uid == live.uid) || !service.stores(&object.desired.key)
        {
            return;
        }
        object.record = Some(Arc::new(Record {
            resource: object.desired.resource.clone(),
            applied: Some(Applied {
                uid: live.uid.clone(),
                digest: object.desired.digest,
                evidence: None,
                version: None,
                surface: None,
                conflicts: Vec::new(),
            }),
            done: false,
        }));
        service.mark_unsaved(now.mono);
        self.dirty.insert(object.service.clone());
        if lost {
            self.roll_readers(position);
        }
    }

    /// A generated Secret that had to be made again has new values: who reads them is restarted.
    pub(super) fn roll_readers(&mut self, position: usize) {
        let object = &self.objects[position];
        if !matches!(object.desired.mode, WriteMode::Generate(_)) {
            return;
        }
        let (service, secret) = (object.service.clone(), object.desired.key.clone());
        let readers = self.waiters.get(&secret).cloned().unwrap_or_default();
        let mut workloads = Vec::new();
        for reader in readers {
            let reader = &self.objects[reader];
            if reader.suspended().is_some() {
                continue;
            }
            let reader = &reader.desired;
            if super::remedy::restarts(&reader.key) {
                workloads.push((reader.key.clone(), reader.resource.clone()));
            }
        }
        for (key, resource) in &workloads {
            let attempt = self.next_attempt();
            self.out.push(Command::Write(Write {
                key: key.clone(),
                resource: resource.clone(),
                attempt,
                verb: Verb::Restart,
            }));
        }
        self.tell(Occurrence::Restarted {
            service,
            workloads: workloads.into_iter().map(|(key, _)| key).collect(),
            reason: format!("{} was lost and has new values", secret.short()),
        });
    }
}
