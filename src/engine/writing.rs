//! Writes objects: which request a cause asks for.

use super::object::{Cause, Flight, Object};
use super::{Command, Engine, Now, Verb, Write};
use crate::desired::WriteMode;
use crate::manifest::spec::Conflicts;
use serde_json::Value;

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

    pub(super) fn takes_conflicts(&self, position: usize) -> bool {
        let service = self.services.get(&self.objects[position].service);
        service.is_some_and(|service| service.desired.policy.conflicts == Conflicts::Take)
    }

    /// The live object as it is before a write, if it was seen.
    pub(super) fn body_before(&mut self, position: usize) -> Option<Box<Value>> {
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
