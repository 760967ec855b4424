//! What becomes of a write that the server refused.

use super::chorus::Refusal;
use super::event::FieldConflict;
use super::flight::{Cause, Errand, Flight};
use super::object::{Looked, Object};
use super::occurrence::Occurrence;
use super::{Engine, Now, WriteError};
use crate::desired::path::Path;
use crate::desired::{ObjectBody, ObjectKey};
use std::time::Duration;

/// How often a field that we applied before is tried to be written, before it is left to others.
const ATTEMPTS: u32 = 3;

/// How long an object waits for its next try.
#[derive(Clone, Copy)]
struct Wait {
    /// Whether trying the same again soon can help.
    passes: bool,
    /// What the server asks for.
    after: Option<Duration>,
    /// Whether other objects meet the same.
    shared: bool,
}

impl Engine {
    pub(super) fn on_refused(
        &mut self,
        position: usize,
        flight: &Flight,
        error: WriteError,
        now: Now,
    ) {
        self.objects[position].unsure |= matches!(
            error,
            WriteError::TimedOut(_) | WriteError::Unreachable(_) | WriteError::Busy { .. }
        );
        match (flight.errand, error) {
            (Errand::Prove, error) if !error.passes() => {
                let reason = format!("cannot change in place, and a new one is refused: {error}");
                self.refuse(position, reason, false, now);
            }
            (Errand::Amend(_) | Errand::Strip | Errand::Clear, WriteError::Changed)
                if self.begin_anew(position, flight) => {}
            (Errand::Strip, error) if self.on_strip_refused(position, flight, &error) => {}
            (_, WriteError::Invalid(_)) if self.clear(position, flight) => {}
            (_, error) => {
                self.objects[position].keep_seen(flight);
                if matches!(
                    error,
                    WriteError::Gone | WriteError::NotOurs | WriteError::AlreadyExists
                ) {
                    self.objects[position].forget_refuted(flight);
                }
                self.on_refused_write(position, error, now);
            }
        }
    }

    fn on_refused_write(&mut self, position: usize, error: WriteError, now: Now) {
        match error {
            WriteError::Conflict(conflicts) => self.on_conflict(position, conflicts, now),
            WriteError::Gone => {}
            WriteError::NotOurs | WriteError::AlreadyExists => {
                let object = &mut self.objects[position];
                object.fail(error.to_string(), now.mono, true, None);
            }
            WriteError::Immutable(reason) => self.on_immutable(position, &reason, now),
            WriteError::NamespaceMissing(ref namespace) => {
                let key = ObjectKey::new("", "Namespace", None, namespace);
                if let Some(home) = self.position(&key) {
                    self.objects[home].looked = Looked::No;
                    self.queue.insert(home);
                }
                self.give_up_for_now(position, &error, now);
            }
            other => self.give_up_for_now(position, &other, now),
        }
    }

    pub(super) fn give_up_for_now(&mut self, position: usize, error: &WriteError, now: Now) {
        let after = match error {
            WriteError::Busy { after, .. } => *after,
            _ => None,
        };
        let passes = error.passes()
            || matches!(
                error,
                WriteError::NamespaceMissing(_)
                    | WriteError::NamespaceTerminating(_)
                    | WriteError::KindNotServed
            );
        let wait = Wait {
            passes,
            after,
            shared: passes && !matches!(error, WriteError::Misfit(_)),
        };
        self.put_off(position, error.to_string(), wait, now);
    }

    /// Tries an object again later that was refused for a reason of its own.
    pub(super) fn refuse(&mut self, position: usize, reason: String, passes: bool, now: Now) {
        let wait = Wait {
            passes,
            after: None,
            shared: false,
        };
        self.put_off(position, reason, wait, now);
    }

    fn put_off(&mut self, position: usize, reason: String, wait: Wait, now: Now) {
        let object = &mut self.objects[position];
        let again = object.fail(reason.clone(), now.mono, wait.passes, wait.after);
        let refusal = Refusal {
            service: object.service.clone(),
            key: object.desired.key.clone(),
            reason,
            shared: wait.shared,
            again,
        };
        self.tell_refusal(refusal, now.mono);
        self.wake(now.mono + again);
    }

    pub(super) fn on_conflict(&mut self, position: usize, conflicts: Vec<FieldConflict>, now: Now) {
        let take = self.takes_conflicts(position);
        let (taken, conflicts): (Vec<_>, Vec<_>) = conflicts
            .into_iter()
            .partition(|conflict| !take && self.was_just_taken(position, &conflict.path));
        if conflicts.is_empty() {
            let reason = WriteError::Conflict(taken).to_string();
            return self.refuse(position, reason, true, now);
        }
        let object = &self.objects[position];
        let reason = WriteError::Conflict(conflicts.clone()).to_string();
        let known = conflicts
            .iter()
            .all(|conflict| object.conflicts.contains(conflict));
        let (service, key) = (object.service.clone(), object.desired.key.clone());
        if take {
            self.objects[position].take = true;
        } else if known {
            self.refuse(position, reason, false, now);
        } else {
            let object = &mut self.objects[position];
            object.conflicts.extend(conflicts);
            object.conflicts.dedup();
            let reason = format!("{reason}: left to it (policy.conflicts: take would take it)");
            self.tell(Occurrence::Refused {
                service,
                key,
                others: 0,
                reason,
                again: None,
            });
        }
    }

    /// Whether a field may be one that was taken from us a moment ago: we applied it before the
    /// manifest changed. Once the watch has told, it is drift; until then nothing is forced. One that
    /// others had as well from the start is left to them after a few attempts.
    fn was_just_taken(&self, position: usize, path: &Path) -> bool {
        let object = &self.objects[position];
        if object.trouble.as_ref().map_or(0, |t| t.failures) >= ATTEMPTS {
            return false;
        }
        let applied = object.record.as_ref().is_some_and(|r| r.applied.is_some());
        let before = object.was.as_ref().filter(|_| applied);
        before
            .and_then(ObjectBody::value)
            .is_some_and(|before| path.get(&before).is_some())
    }

    pub(super) fn on_immutable(&mut self, position: usize, reason: &str, now: Now) {
        if self.may_recreate(position) {
            return self.write(position, Cause::Recreate, now);
        }
        let what = self.objects[position].desired.key.short();
        let hint = if self.is_kept_for_its_data(position) {
            format!("delete {what} yourself if its data may go")
        } else {
            "policy.recreate: immutable deletes and creates it anew".to_owned()
        };
        self.refuse(position, format!("{reason} ({hint})"), false, now);
    }
}

impl Object {
    /// The object that was meant is not there. What the watch has shown since the write began stands:
    /// it will not be shown again.
    fn forget_refuted(&mut self, flight: &Flight) {
        self.live
            .take_if(|live| flight.version.as_ref() == Some(&live.resource_version));
        self.looked = Looked::No;
    }
}
