//! Writes receipts: what an inventory says beside its records when there is nothing more to say.
//!
//! Whoever starts next and would compose the same objects needs to know no more than that each is
//! there in the recorded version: no body, no desired set. A receipt is given only where that is the
//! whole truth; with any conflict, addition, exemption or unfinished business there is none.

use super::Engine;
use super::object::{Object, Standing};
use super::record::Receipt;
use super::service::Service;
use crate::desired::WriteMode;
use std::sync::Arc;

impl Engine {
    /// Brings the recorded versions of a service's objects up to date: what others wrote to their
    /// own fields moved them, and evidence that is the same is.
    pub(super) fn note_versions(&mut self, name: &Arc<str>) {
        for position in self.members.get(name).into_iter().flatten() {
            let object = &mut self.objects[*position];
            let (Some(live), Some(record)) = (&object.live, &mut object.record) else {
                continue;
            };
            let moved = record.applied.as_ref().is_some_and(|applied| {
                object.standing == Standing::InOrder
                    && !live.is_outdated()
                    && (&applied.uid, applied.evidence) == (&live.uid, live.evidence)
                    && (applied.version.as_ref(), applied.surface)
                        != (Some(&live.resource_version), live.surface)
            });
            if moved && let Some(applied) = &mut Arc::make_mut(record).applied {
                applied.version = Some(live.resource_version.clone());
                applied.surface = live.surface;
            }
        }
    }

    /// The receipt of a service whose records are taken stock of.
    pub(super) fn receipt(&self, name: &Arc<str>) -> Option<Receipt> {
        let service = self.services.get(name)?;
        let source = service.desired.source?;
        // Endpoints come without any of the objects changing.
        let waits = self.nearest_to_the_cause(service);
        if waits.is_some_and(|(object, _)| object.health().is_current()) {
            return None;
        }
        let members = || self.members(name);
        let recorded = members().filter(|object| object.desired.mode != WriteMode::Ensure);
        let whole = service.desired.kept
            && service.suspended.is_none()
            && service.blocked.is_none()
            && service.inventory.records.len() == recorded.count()
            && members().all(|object| is_settled(object, service));
        whole.then(|| Receipt {
            source,
            objects: service.inventory.records.len(),
            unready: self.not_ready(service),
        })
    }

    /// How many objects of a service are ready, and why the others are not.
    fn not_ready(&self, service: &Service) -> Option<(usize, String)> {
        let (object, why) = self.nearest_to_the_cause(service)?;
        let reason = format!("{} {why}", object.desired.key.short());
        Some((service.census.current, reason))
    }
}

/// Whether there is nothing to say of an object but its recorded version.
fn is_settled(object: &Object, service: &Service) -> bool {
    if object.standing != Standing::InOrder || object.flight.is_some() || object.unsure {
        return false;
    }
    if object.desired.mode == WriteMode::Ensure {
        return object.desired.implied;
    }
    let record = service.inventory.records.get(&object.desired.key);
    let Some((record, live)) = record.zip(object.live.as_ref()) else {
        return false;
    };
    let confirmed = record.applied.as_ref().is_some_and(|applied| {
        applied.uid == live.uid
            && applied.version.as_deref() == Some(&live.resource_version)
            && applied.conflicts.is_empty()
    });
    // An explanation is about pods, which change by themselves.
    confirmed
        && object.explained.is_none()
        && !record.done
        && live.suspended.is_none()
        && object.conflicts.is_empty()
        && object.lasting.is_empty()
        && object.additions().next().is_none()
}
