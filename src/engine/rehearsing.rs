//! Asks the server what an apply would change, and changes nothing.

use super::diff::{FieldChange, lacking};
use super::object::{Cause, Checked, Flight, Looked, Object, Rehearsal, Standing};
use super::occurrence::Blame;
use super::ownership::writer_of;
use super::writing::verb;
use super::{Command, Engine, Mode, Now, Write, WriteError, Written};
use crate::desired::WriteMode;
use serde_json::Value;

impl Engine {
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
            digest: object.desired.digest,
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
    pub(super) fn can_ask(&self, object: &Object) -> Option<bool> {
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

    pub(super) fn on_rehearsed(
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
    pub(super) fn compared_without_server(
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

    pub(super) fn rehearsed(
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
}
