//! What a plan was made on, object by object, so that one that was saved can be told from what
//! there is now; and the limit to what one such plan does.

use super::Engine;
use super::leavers::Leaver;
use super::object::{Looked, Object, Standing};
use super::plan::{Action, Plan};
use crate::desired::{Fingerprint, ObjectKey};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known of one object of a plan.
#[derive(Clone, Debug)]
pub struct Pin {
    /// The uid of the live object.
    pub uid: Option<String>,
    /// Its version.
    pub resource_version: Option<String>,
    /// What is wanted, and a keyed hash of it; `None` for an object that is to go.
    pub desired: Option<(Fingerprint, Arc<str>)>,
}

/// The objects that one run may write, each with the uid that it has.
pub type Permits = BTreeMap<ObjectKey, Option<String>>;

impl Engine {
    /// What is known of every object of the plan, and of those that are as they ought to be.
    #[must_use]
    pub fn pins(&self) -> BTreeMap<ObjectKey, Pin> {
        let kept = |object: &&Object| self.services.contains_key(&object.service);
        let wanted = self.objects.iter().filter(kept);
        let wanted = wanted.map(|object| (object.desired.key.clone(), pin(object)));
        let leaving = self.services.keys().flat_map(|name| self.leavers(name));
        let leaving = leaving.filter_map(|(key, leaver)| {
            let Leaver::Delete(uid, version) = leaver else {
                return None;
            };
            let pin = Pin {
                uid: Some(uid.to_string()),
                resource_version: Some(version.to_string()),
                desired: None,
            };
            Some((key, pin))
        });
        wanted.chain(leaving).collect()
    }

    /// What carrying out exactly this plan takes: its steps, and those writes that change nothing
    /// by the server's own word.
    #[must_use]
    pub fn permits_of(&self, plan: &Plan) -> Permits {
        let pins = self.pins();
        let uid = |key: &ObjectKey| pins.get(key).and_then(|pin| pin.uid.clone());
        let acts = |action: Action| !matches!(action, Action::Kept | Action::Blocked);
        let steps = plan.steps().filter(|(_, step)| acts(step.action));
        let steps = steps.map(|(_, step)| step.key.clone());
        let unchanged = plan.services.iter().flat_map(|service| &service.unchanged);
        let idle = unchanged.map(|(key, _)| key.clone()).filter(|key| {
            let position = self.position(key);
            let standing = position.map(|position| &self.objects[position].standing);
            matches!(standing, Some(Standing::Differs(_)))
        });
        let all = steps.chain(idle);
        all.map(|key| (key.clone(), uid(&key))).collect()
    }

    /// Writes nothing but these from now on.
    pub fn permit(&mut self, permits: Permits) {
        self.permits = Some(permits);
    }

    /// The objects that differ and are not written, because they are not permitted.
    #[must_use]
    pub fn beyond_permits(&self) -> Vec<ObjectKey> {
        let beyond = self.objects.iter().filter(|object| {
            matches!(object.standing, Standing::Differs(_))
                && !self.permits(&object.desired.key, uid_of(object))
        });
        beyond.map(|object| object.desired.key.clone()).collect()
    }

    /// Whether an object may be written in this run. One that is permitted with a uid may have been
    /// deleted by us since, to be made anew; one without must not have come into being.
    pub(super) fn permits(&self, key: &ObjectKey, uid: Option<&str>) -> bool {
        let Some(permits) = &self.permits else {
            return true;
        };
        let Some(pinned) = permits.get(key) else {
            return false;
        };
        uid.is_none() || pinned.as_deref() == uid
    }
}

pub(super) fn uid_of(object: &Object) -> Option<&str> {
    match (&object.live, &object.looked) {
        (Some(live), _) => Some(&live.uid),
        (None, Looked::Present(found)) => Some(&found.uid),
        (None, _) => None,
    }
    .filter(|uid| !uid.is_empty())
    .map(|uid| &**uid)
}

fn pin(object: &Object) -> Pin {
    let desired = &object.desired;
    let rehearsal = object.rehearsal.as_ref();
    let found = rehearsal.and_then(|rehearsal| rehearsal.found.as_deref());
    Pin {
        uid: uid_of(object).or(found).map(str::to_owned),
        resource_version: object
            .live
            .as_ref()
            .map(|live| live.resource_version.to_string()),
        desired: Some((desired.digest, desired.body.shared())),
    }
}
