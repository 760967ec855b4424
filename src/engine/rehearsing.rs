//! Asks the server what an apply would change, and changes nothing.

use super::answering::no_object;
use super::diff::{FieldChange, lacking};
use super::flight::{Cause, Errand, Flight};
use super::object::{Checked, Looked, Object, Rehearsal, Standing};
use super::occurrence::Blame;
use super::sight::Sight;
use super::stripping::is_strip;
use super::writing::verb;
use super::{Engine, Mode, Now, WriteError, Written};
use crate::desired::WriteMode;

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
            object.rehearsal = Some(Box::new(Rehearsal {
                resource_version: version,
                outcome: Ok(Vec::new()),
                found: None,
                recreates: false,
                checked,
            }));
            return;
        }
        if cause == Cause::Recreate {
            return self.prove(position, now);
        }
        if is_strip(cause) {
            let flight = self.flight(position, cause, Errand::Strip, now);
            return self.strip(position, flight);
        }
        let flight = self.flight(position, cause, Errand::Write, now);
        self.leave_to_autoscaler(position, &flight);
        let verb = verb(&self.objects[position], cause, true);
        self.launch(position, flight, verb);
    }

    /// Whether a dry run can be answered: in a namespace, or of a kind, that is not there yet it
    /// could only be refused. `None` while that is not known.
    pub(super) fn can_ask(&self, object: &Object) -> Option<bool> {
        let mut can = true;
        for prerequisite in object.desired.after.iter() {
            let home = matches!(
                &*prerequisite.key.kind,
                "Namespace" | "CustomResourceDefinition"
            );
            let Some(first) = self.position(&prerequisite.key).filter(|_| home) else {
                continue;
            };
            let first = &self.objects[first];
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
        now: Now,
    ) {
        let mut found = None;
        let fields = match outcome {
            Ok(Written::Object {
                object: after,
                created,
            }) => {
                let Ok(sight) = Sight::read(after.text()) else {
                    let why = Err(no_object().to_string());
                    return self.rehearsed(position, why, Checked::Server);
                };
                let live = self.live(Some(position), None, &sight);
                found = Some(live.uid.clone()).filter(|_| !created);
                if let Some(patch) = self.still_filled(position, flight, &live, &after) {
                    return self.amend(position, flight, &patch);
                }
                let ignored = &self.objects[position].desired.ignored;
                let before = flight.sight_before();
                let before = before.as_ref();
                let mut changed = self.changed_fields(position, flight, before, &sight);
                changed.retain(|change| !ignored.iter().any(|path| path.contains(&change.path)));
                let mut fields = self.each_blamed(before, changed);
                fields.extend(self.unwelcome_fields(position, flight, &live, &after));
                Ok(fields)
            }
            Ok(Written::Deleted) => Ok(Vec::new()),
            Ok(Written::Accepted) => {
                self.rehearsed(position, Ok(Vec::new()), Checked::Server);
                if let Some(rehearsal) = &mut self.objects[position].rehearsal {
                    rehearsal.recreates = true;
                }
                return;
            }
            Err(WriteError::Immutable(_))
                if flight.errand == Errand::Write && self.may_recreate(position) =>
            {
                return self.prove(position, now);
            }
            Err(WriteError::Conflict(conflicts)) => {
                let object = &mut self.objects[position];
                if object.conflicts.is_empty() {
                    object.conflicts = conflicts;
                    object.stash.clone_from(&flight.before);
                    return;
                }
                Err(WriteError::Conflict(conflicts).to_string())
            }
            Err(WriteError::Invalid(_)) if self.clear(position, flight) => return,
            // It is asked again of what the watch shows next.
            Err(WriteError::Changed) => {
                let object = &mut self.objects[position];
                if object.stash.is_none() {
                    object.stash.clone_from(&flight.before);
                }
                return;
            }
            Err(WriteError::Forbidden(_)) => {
                let fields = self.compared_without_server(position, flight);
                return self.rehearsed(position, Ok(fields), Checked::Schema);
            }
            Err(error) => Err(error.to_string()),
        };
        self.rehearsed(position, fields, Checked::Server);
        if let Some(rehearsal) = &mut self.objects[position].rehearsal {
            rehearsal.found = found;
        }
    }

    /// Who may not rehearse compares with what the server holds, and says so.
    pub(super) fn compared_without_server(
        &self,
        position: usize,
        flight: &Flight,
    ) -> Vec<(FieldChange, Blame)> {
        let wanted = self.objects[position].desired.body.value();
        let Some((before, wanted)) = flight.before.as_ref().zip(wanted) else {
            return Vec::new();
        };
        let fields = lacking(&before.value(), &wanted, self.showing(position));
        self.each_blamed(flight.sight_before().as_ref(), fields)
    }

    /// Each change with the last foreign writer of its field.
    fn each_blamed(
        &self,
        before: Option<&Sight<'_>>,
        changed: Vec<FieldChange>,
    ) -> Vec<(FieldChange, Blame)> {
        let claims = before.map(|before| before.claims(&self.manager));
        let by = |change: &FieldChange| {
            let claims = claims.as_ref();
            claims.map_or(Blame::Unknown, |claims| claims.blame(&change.path))
        };
        let blamed = changed.into_iter().map(|change| {
            let by = by(&change);
            (change, by)
        });
        blamed.collect()
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
        object.rehearsal = Some(Box::new(Rehearsal {
            resource_version: version,
            outcome,
            found: None,
            recreates: false,
            checked,
        }));
    }
}
