//! Clears what stands in the way of a forced write: a list that others made something of which the
//! server does not take beside what we apply.
//!
//! The patch is for what stands there, so it needs the newest body. The watch shows it, or it is
//! looked for: our own write between, or a lost label, leaves the engine without it.

use super::amending::clearing;
use super::body::Body;
use super::flight::{Errand, Flight};
use super::live::Live;
use super::object::{Looked, Object};
use super::sight::Sight;
use super::writing::forces;
use super::{Engine, Mode, Now, Verb};
use crate::desired::WriteMode;
use crate::desired::at::At as _;
use serde_json::Value;
use std::sync::Arc;

/// How many failures in a row are tried again at once when a look brought news; whoever writes all the
/// time would be followed without end.
const AT_ONCE: u32 = 2;

impl Engine {
    /// Clears what a forced write was refused for, once. Whether that is on its way.
    pub(super) fn clear(&mut self, position: usize, flight: &Flight) -> bool {
        let object = &self.objects[position];
        let forced = object.take || forces(object, flight.cause);
        if !forced || flight.errand != Errand::Write || flight.cleared {
            return false;
        }
        let Some((version, seen)) = self.newest(position, flight) else {
            self.look_for_newest(position);
            return false;
        };
        let wanted = object.desired.body.value();
        let Some(patch) = wanted.and_then(|wanted: Value| clearing(&seen, &wanted)) else {
            if object.live.as_ref().is_some_and(|live| !live.labelled) {
                self.look_for_newest(position);
            }
            return false;
        };
        let mut next = self.next_flight(position, flight, Errand::Clear);
        next.tested = Some(version);
        let dry_run = matches!(self.mode, Mode::Observe { .. });
        let patch = patch.to_string().into();
        self.launch(position, next, Verb::Amend { patch, dry_run });
        true
    }

    /// Looks at the object: nothing tells what became of it since.
    fn look_for_newest(&mut self, position: usize) {
        let object = &mut self.objects[position];
        object.looked = Looked::Pending;
        let desired = &object.desired;
        self.looks
            .push((desired.key.clone(), desired.resource.clone()));
    }

    /// The object as it is, with its version; `None` when that was not seen, or a patch for it did
    /// not fit.
    fn newest(&self, position: usize, flight: &Flight) -> Option<(Arc<str>, Value)> {
        let live = self.objects[position].live.as_ref()?;
        let version = live.resource_version.clone();
        if flight.tested.as_ref() == Some(&version) {
            return None;
        }
        let seen = self.body_seen(position).or(flight.before.as_ref())?.value();
        let same = seen.at("/metadata/resourceVersion") == Some(&(*version).into());
        same.then_some((version, seen))
    }

    /// Nothing stands in the way any more; the write follows.
    pub(super) fn on_cleared(&mut self, position: usize, mut flight: Flight, live: Live) {
        flight.cleared = true;
        if !self.objects[position].is_history(&live) {
            self.see_own(position, live);
        }
        self.write_after_all(position, flight);
    }

    /// Takes in what a look showed of an object that could not be written, or rehearsed, although we
    /// applied it before; news are a reason to try again at once. Whether it is one.
    pub(super) fn see_refused(&mut self, position: usize, found: &Value, now: Now) -> bool {
        let object = &self.objects[position];
        let rehearsal = object.rehearsal.as_ref();
        let refused = object.trouble.is_some() || rehearsal.is_some_and(|r| r.outcome.is_err());
        if !refused || object.desired.mode != WriteMode::Apply {
            return false;
        }
        let body = Body::from(found.clone());
        let Ok(sight) = Sight::read(body.text()) else {
            return false;
        };
        let confirmed = self.confirmed(Some(position));
        let live = self.live(Some(position), confirmed, &sight);
        if confirmed.is_none() && live.evidence.is_none() {
            return false;
        }
        let known = object.live.as_ref().map(|live| &live.resource_version);
        let news = known != Some(&live.resource_version) || object.stash.is_none();
        if news && !object.is_history(&live) {
            self.see(position, live, now);
            self.stash(position, body);
            let trouble = self.objects[position].trouble.as_mut();
            if let Some(trouble) = trouble.filter(|trouble| trouble.failures <= AT_ONCE) {
                trouble.until = None;
            }
        }
        self.objects[position].looked = Looked::No;
        true
    }
}

impl Object {
    /// A refused write changed nothing: what was seen before it is what the next one begins with.
    pub(super) fn keep_seen(&mut self, flight: &Flight) {
        let live = self.live.as_ref().map(|live| &live.resource_version);
        if live.is_some() && live == flight.version.as_ref() && self.stash.is_none() {
            self.stash.clone_from(&flight.before);
        }
    }
}
