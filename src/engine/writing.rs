//! Writes objects and takes in the answers.

use super::diff::{FieldChange, Showing, changes, changes_within, lacking};
use super::event::FieldConflict;
use super::object::{Cause, Checked, Flight, Live, Looked, Object, Rehearsal, Standing};
use super::occurrence::{Blame, Fault, Heal, Occurrence};
use super::ownership::{evidence, owned_fields, writer_of};
use super::record::{Applied, Record};
use super::{Command, Engine, Mode, Now, Verb, Write, WriteError, Written};
use crate::desired::{ObjectKey, PROTECTED_KINDS, WriteMode};
use crate::manifest::spec::{Conflicts, Recreate};
use serde_json::Value;
use std::time::Duration;

impl Engine {
    pub(super) fn write(&mut self, position: usize, cause: Cause, now: Now) {
        let before = self.body_before(position);
        let attempt = self.next_attempt();
        let takes = self.takes_conflicts(position);
        let object = &mut self.objects[position];
        if takes {
            object.conflicts.clear();
        }
        let verb = verb(object, cause, false);
        object.flight = Some(Flight {
            attempt,
            since: now.mono,
            cause,
            version: object
                .live
                .as_ref()
                .map(|live| live.resource_version.clone()),
            before,
        });
        let (key, resource) = (object.desired.key.clone(), object.desired.resource.clone());
        self.out.push(Command::Write(Write {
            key,
            resource,
            attempt,
            verb,
        }));
    }

    fn takes_conflicts(&self, position: usize) -> bool {
        let service = self.services.get(&self.objects[position].service);
        service.is_some_and(|service| service.desired.policy.conflicts == Conflicts::Take)
    }

    /// Says once that an object differs which policy leaves as it is.
    pub(super) fn note_drift(&mut self, position: usize, cause: Cause) {
        let object = &self.objects[position];
        if object.standing == Standing::Differs(cause)
            || !matches!(cause, Cause::Drift(_))
            || !self.writes()
        {
            return;
        }
        let body = self
            .fresh
            .as_ref()
            .filter(|(of, _)| *of == position)
            .map(|(_, body)| &**body);
        let wanted: Option<Value> = serde_json::from_str(&object.desired.body).ok();
        let by = match body.or(object.stash.as_deref()).zip(wanted) {
            Some((live, wanted)) => self.blame(live, &lacking(live, &wanted, Showing::Plain)),
            None => Blame::Unknown,
        };
        let (service, key) = (object.service.clone(), object.desired.key.clone());
        self.tell(Occurrence::Drifted { service, key, by });
    }

    /// The live object as it is before a write, if it was seen.
    fn body_before(&mut self, position: usize) -> Option<Box<Value>> {
        let fresh = self
            .fresh
            .take_if(|(of, _)| *of == position)
            .map(|(_, body)| body);
        let stashed = self.objects[position].stash.take();
        fresh.or(stashed)
    }

    /// Asks the server what an apply would change, once for each state of the object.
    pub(super) fn rehearse(&mut self, position: usize, cause: Cause, now: Now) {
        if self.mode != (Mode::Observe { rehearse: true }) {
            return;
        }
        let Some(can_ask) = self.can_ask(&self.objects[position]) else {
            return;
        };
        let object = &mut self.objects[position];
        let version = object
            .live
            .as_ref()
            .map(|live| live.resource_version.clone());
        if object
            .rehearsal
            .as_ref()
            .is_some_and(|done| done.resource_version == version)
        {
            return;
        }
        if !can_ask
            || cause == Cause::Recreate
            || matches!(
                object.desired.mode,
                WriteMode::Ensure | WriteMode::Generate(_)
            )
        {
            let checked = if can_ask {
                Checked::Schema
            } else {
                Checked::Assumed
            };
            object.rehearsal = Some(Rehearsal {
                resource_version: version,
                outcome: Ok(Vec::new()),
                checked,
            });
            return;
        }
        let before = self.body_before(position);
        let attempt = self.next_attempt();
        let object = &mut self.objects[position];
        let verb = verb(object, cause, true);
        object.flight = Some(Flight {
            attempt,
            since: now.mono,
            cause,
            version: object
                .live
                .as_ref()
                .map(|live| live.resource_version.clone()),
            before,
        });
        let (key, resource) = (object.desired.key.clone(), object.desired.resource.clone());
        self.out.push(Command::Write(Write {
            key,
            resource,
            attempt,
            verb,
        }));
    }

    /// Whether a dry run can be answered: in a namespace, or of a kind, that is not there yet it
    /// could only be refused. `None` while that is not known.
    fn can_ask(&self, object: &Object) -> Option<bool> {
        let mut can = true;
        for prerequisite in &object.desired.after {
            let home = matches!(
                &*prerequisite.key.kind,
                "Namespace" | "CustomResourceDefinition"
            );
            let Some(first) = self.index.get(&prerequisite.key).filter(|_| home) else {
                continue;
            };
            let first = &self.objects[*first];
            if first.standing == Standing::Unknown || first.looked == Looked::Pending {
                return None;
            }
            can &= first.health().is_current();
        }
        Some(can)
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
            .is_some_and(|(number, _)| *number == attempt)
        {
            return self.on_pruned(key, outcome, now);
        }
        let Some(position) = self.index.get(key).copied() else {
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
            return self.on_rehearsed(position, &flight, outcome);
        }
        match outcome {
            Ok(Written::Object { created, object }) => {
                self.on_written(position, &flight, created, &object, now)
            }
            Ok(Written::Deleted) => {
                if let Some(live) = &mut self.objects[position].live {
                    live.health = super::health::Health::Terminating;
                }
            }
            Err(error) => self.on_refused(position, &flight, error, now),
        }
    }

    fn on_written(
        &mut self,
        position: usize,
        flight: &Flight,
        created: bool,
        answer: &Value,
        now: Now,
    ) {
        let live = Live::of(answer, &self.manager, &self.label, &self.key);
        let object = &mut self.objects[position];
        let unchanged = flight.version.as_ref() == Some(&live.resource_version);
        object.trouble = None;
        object.take = false;
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
                digest: object.desired.digest,
                evidence: evidence(answer, &self.manager, &self.key),
                conflicts: object.conflicts.clone(),
            };
            let record = Record {
                resource: object.desired.resource.clone(),
                applied: Some(applied),
                done: false,
            };
            object.record = Some(record);
            if object
                .live
                .as_ref()
                .is_none_or(|known| !live.is_older_than(known))
            {
                self.see_own(position, live);
            }
        }
        let fields = self.changed_fields(position, flight, answer);
        self.note_written(position, flight, created, unchanged, fields, now);
        self.objects[position].was = None;
        let key = self.objects[position].desired.key.clone();
        self.wake_waiters(&key);
    }

    /// Takes in our own write: its health counts, and it does not end the check it belongs to.
    fn see_own(&mut self, position: usize, live: Live) {
        let object = &mut self.objects[position];
        object.live = Some(live);
        object.looked = Looked::No;
        let definition = object
            .desired
            .key
            .is("apiextensions.k8s.io", "CustomResourceDefinition");
        if definition {
            self.send_watches();
        }
    }

    fn changed_fields(&self, position: usize, flight: &Flight, after: &Value) -> Vec<FieldChange> {
        let Some(before) = &flight.before else {
            return self.changed_manifest(position);
        };
        let sets = [
            owned_fields(before, &self.manager),
            owned_fields(after, &self.manager),
        ];
        changes_within(before, after, &sets, self.showing(position))
    }

    /// What changed in the manifest, when the live object before it was not kept.
    fn changed_manifest(&self, position: usize) -> Vec<FieldChange> {
        let object = &self.objects[position];
        let parsed = |body: &str| serde_json::from_str::<Value>(body).ok();
        let Some(was) = object.was.as_deref().and_then(parsed) else {
            return Vec::new();
        };
        let Some(is) = parsed(&object.desired.body) else {
            return Vec::new();
        };
        changes(&was, &is, self.showing(position))
    }

    fn showing(&self, position: usize) -> Showing<'_> {
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
        unchanged: bool,
        fields: Vec<FieldChange>,
        now: Now,
    ) {
        let object = &self.objects[position];
        let (name, key) = (object.service.clone(), object.desired.key.clone());
        let tracked = object.desired.mode != WriteMode::Ensure;
        let heal = matches!(flight.cause, Cause::Drift(_));
        if let Some(service) = self.services.get_mut(&name) {
            if tracked {
                service.mark_unsaved(if heal {
                    now.mono + Duration::from_secs(1)
                } else {
                    now.mono
                });
            }
            if !unchanged {
                service.applied += 1;
                service.holds_rerun = true;
                service.wants_rerun |= !heal;
            }
        }
        if unchanged {
            return;
        }
        let took = now.mono.saturating_sub(flight.since);
        match flight.cause {
            Cause::Drift(fault) => {
                self.note_heal(position, flight, fault, created, fields, took, now)
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

    #[expect(
        clippy::too_many_arguments,
        reason = "everything that is said of a heal"
    )]
    fn note_heal(
        &mut self,
        position: usize,
        flight: &Flight,
        fault: Fault,
        created: bool,
        fields: Vec<FieldChange>,
        took: Duration,
        now: Now,
    ) {
        let fault = if fault == Fault::Deleted && !created {
            Fault::Unlabelled
        } else {
            fault
        };
        let by = match &flight.before {
            Some(before) => self.blame(before, &fields),
            None => Blame::Unknown,
        };
        let object = &mut self.objects[position];
        let (service, key) = (object.service.clone(), object.desired.key.clone());
        let fight = object.heals.count(now.mono, &key);
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
        if let Some((times, again)) = fight {
            self.tell(Occurrence::Fight {
                service,
                key,
                by,
                times,
                again,
            });
            self.wake(now.mono + again);
        }
    }

    /// The last foreign writer of the changed fields, if the object names one.
    fn blame(&self, before: &Value, fields: &[FieldChange]) -> Blame {
        fields
            .iter()
            .filter_map(|change| writer_of(before, &self.manager, &change.path))
            .max()
            .map_or(Blame::Unknown, |writer| {
                Blame::Manager(writer.manager, writer.time)
            })
    }

    fn on_rehearsed(
        &mut self,
        position: usize,
        flight: &Flight,
        outcome: Result<Written, WriteError>,
    ) {
        let fields = match outcome {
            Ok(Written::Object { object: after, .. }) => {
                let changed = self.changed_fields(position, flight, &after);
                let blamed = changed.into_iter().map(|change| {
                    let writer = flight
                        .before
                        .as_deref()
                        .and_then(|b| writer_of(b, &self.manager, &change.path));
                    (
                        change,
                        writer.map_or(Blame::Unknown, |w| Blame::Manager(w.manager, w.time)),
                    )
                });
                Ok(blamed.collect())
            }
            Ok(Written::Deleted) => Ok(Vec::new()),
            Err(WriteError::Conflict(conflicts)) => {
                let object = &mut self.objects[position];
                if object.conflicts.is_empty() {
                    object.conflicts = conflicts;
                    object.stash.clone_from(&flight.before);
                    return;
                }
                Err(WriteError::Conflict(conflicts).to_string())
            }
            Err(WriteError::Forbidden(_)) => {
                let fields = self.compared_without_server(position, flight);
                return self.rehearsed(position, Ok(fields), Checked::Schema);
            }
            Err(error) => Err(error.to_string()),
        };
        self.rehearsed(position, fields, Checked::Server);
    }

    /// Who may not rehearse compares with what the server holds, and says so.
    fn compared_without_server(
        &self,
        position: usize,
        flight: &Flight,
    ) -> Vec<(FieldChange, Blame)> {
        let wanted: Option<Value> = serde_json::from_str(&self.objects[position].desired.body).ok();
        let Some((before, wanted)) = flight.before.as_deref().zip(wanted) else {
            return Vec::new();
        };
        lacking(before, &wanted, self.showing(position))
            .into_iter()
            .map(|change| {
                let writer = writer_of(before, &self.manager, &change.path);
                (
                    change,
                    writer.map_or(Blame::Unknown, |w| Blame::Manager(w.manager, w.time)),
                )
            })
            .collect()
    }

    fn rehearsed(
        &mut self,
        position: usize,
        outcome: Result<Vec<(FieldChange, Blame)>, String>,
        checked: Checked,
    ) {
        let object = &mut self.objects[position];
        let version = object
            .live
            .as_ref()
            .map(|live| live.resource_version.clone());
        object.rehearsal = Some(Rehearsal {
            resource_version: version,
            outcome,
            checked,
        });
    }

    fn on_refused(&mut self, position: usize, flight: &Flight, error: WriteError, now: Now) {
        match error {
            WriteError::Conflict(conflicts) => self.on_conflict(position, conflicts, now),
            WriteError::Gone => {
                self.objects[position].live = None;
                self.objects[position].looked = Looked::No;
            }
            WriteError::NotOurs | WriteError::AlreadyExists => {
                let object = &mut self.objects[position];
                object.live = None;
                object.looked = Looked::No;
                object.fail(error.to_string(), now.mono, true, None);
            }
            WriteError::Immutable(reason) => self.on_immutable(position, reason, now),
            WriteError::NamespaceMissing(ref namespace) => {
                let key = ObjectKey::new("", "Namespace", None, namespace);
                if let Some(home) = self.index.get(&key).copied() {
                    self.objects[home].looked = Looked::No;
                    self.queue.insert(home);
                }
                self.give_up_for_now(position, &error, now);
            }
            other => self.give_up_for_now(position, &other, now),
        }
        let _ = flight;
    }

    fn give_up_for_now(&mut self, position: usize, error: &WriteError, now: Now) {
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
        self.refuse(position, error.to_string(), passes, after, now);
    }

    fn refuse(
        &mut self,
        position: usize,
        reason: String,
        passes: bool,
        after: Option<Duration>,
        now: Now,
    ) {
        let object = &mut self.objects[position];
        let again = object.fail(reason.clone(), now.mono, passes, after);
        let (service, key) = (object.service.clone(), object.desired.key.clone());
        self.tell(Occurrence::Refused {
            service,
            key,
            reason,
            again,
        });
        if let Some(wait) = again {
            self.wake(now.mono + wait);
        }
    }

    fn on_conflict(&mut self, position: usize, conflicts: Vec<FieldConflict>, now: Now) {
        let object = &self.objects[position];
        let take = self.takes_conflicts(position);
        let reason = WriteError::Conflict(conflicts.clone()).to_string();
        let known = conflicts
            .iter()
            .all(|conflict| object.conflicts.contains(conflict));
        let (service, key) = (object.service.clone(), object.desired.key.clone());
        if take {
            self.objects[position].take = true;
        } else if known {
            self.refuse(position, reason, false, None, now);
        } else {
            let object = &mut self.objects[position];
            object.conflicts.extend(conflicts);
            object.conflicts.dedup();
            let reason = format!("{reason}: left to it (policy.conflicts: take would take it)");
            self.tell(Occurrence::Refused {
                service,
                key,
                reason,
                again: None,
            });
        }
    }

    fn on_immutable(&mut self, position: usize, reason: String, now: Now) {
        let object = &self.objects[position];
        let policy = self
            .services
            .get(&object.service)
            .map(|service| service.desired.policy.recreate);
        let protected = PROTECTED_KINDS.contains(&&*object.desired.key.kind);
        if policy == Some(Recreate::Immutable) && !protected {
            self.write(position, Cause::Recreate, now);
        } else {
            let what = object.desired.key.short();
            let hint = if protected {
                format!("delete {what} yourself if its data may go")
            } else {
                "policy.recreate: immutable deletes and creates it anew".to_owned()
            };
            self.refuse(position, format!("{reason} ({hint})"), false, None, now);
        }
    }
}

/// The request that a cause asks for.
fn verb(object: &Object, cause: Cause, dry_run: bool) -> Verb {
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
fn forces(object: &Object, cause: Cause) -> bool {
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
        Cause::Unrecorded => entry.is_some(),
        Cause::Changed => {
            known.is_some_and(|known| known.evidence.as_ref().map(|e| e.entry) != entry)
        }
        Cause::Drift(_) => true,
    }
}
