//! Removes what others added to our objects, where policy says so; a server-side apply cannot.
//!
//! The patch needs the version and the places only, which are kept of the last state that was seen,
//! so a removal is one request straight from the event. What the answer still shows is removed once
//! more, and then left; what is there by default is left at once.

use super::additions::{Addition, additions, stripping};
use super::body::Body;
use super::decide::strips;
use super::diff::{FieldChange, removal};
use super::flight::{Cause, Errand, Flight};
use super::live::Live;
use super::object::Object;
use super::occurrence::{Blame, Fault, Occurrence};
use super::sight::Sight;
use super::{Engine, Mode, Verb, WriteError};
use crate::desired::WriteMode;
use crate::desired::path::Path;
use serde_json::Value;

/// How often what is still there after its removal is removed.
const REMOVALS: u8 = 2;

impl Engine {
    /// What others added to an object of the desired set, as it was seen.
    pub(super) fn additions_to(
        &self,
        position: usize,
        live: &Live,
        sight: &Sight<'_>,
    ) -> Vec<Addition> {
        let desired = &self.objects[position].desired;
        let looks = desired.mode == WriteMode::Apply && live.evidence.is_some();
        // Most objects are ours alone, and are not taken apart.
        if !looks || !sight.has_guests(&self.manager) {
            return Vec::new();
        }
        let wanted = desired.body.value();
        wanted.map_or_else(Vec::new, |wanted| {
            additions(&sight.value(), &wanted, &self.manager)
        })
    }

    /// Whether the object has additions that its policy removes.
    pub(super) fn has_to_strip(&self, position: usize) -> bool {
        let object = &self.objects[position];
        let service = self.services.get(&object.service);
        service.is_some_and(|service| strips(object, service.desired.policy))
    }

    /// Removes what others added to an object that is as applied otherwise.
    pub(super) fn strip(&mut self, position: usize, flight: Flight) {
        let object = &self.objects[position];
        let Some(live) = &object.live else { return };
        let version = live.resource_version.clone();
        let unwelcome: Vec<Addition> = object.additions().cloned().collect();
        let body = flight.before.as_ref().map(Body::value);
        self.send_strip(position, flight, &version, body.as_ref(), unwelcome);
    }

    /// Removes what an answer shows that others added. Whether anything is.
    pub(super) fn strip_more(
        &mut self,
        position: usize,
        flight: &Flight,
        live: &Live,
        answer: &Body,
    ) -> bool {
        if live.additions.is_empty() || !self.removes(position) {
            return false;
        }
        let object = &self.objects[position];
        let unwelcome: Vec<Addition> = object.additions_of(live).cloned().collect();
        if unwelcome.is_empty() {
            return false;
        }
        // A removal that changes nothing was about what is there by default.
        let same = flight.tested.as_ref() == Some(&live.resource_version);
        if same || flight.strips >= REMOVALS {
            self.leave(position, &unwelcome, !same);
            return false;
        }
        let next = self.next_flight(position, flight, Errand::Strip);
        self.send_strip(
            position,
            next,
            &live.resource_version,
            Some(&answer.value()),
            unwelcome,
        );
        true
    }

    /// A removal that was refused for good leaves what it was about: nothing else of the object, and
    /// nobody who needs it, has to wait for that. Whether it was.
    pub(super) fn on_strip_refused(
        &mut self,
        position: usize,
        flight: &Flight,
        error: &WriteError,
    ) -> bool {
        if error.passes() {
            return false;
        }
        let refused: Vec<&Addition> = flight.stripped.iter().map(|(added, _)| added).collect();
        let what = said(refused.iter().copied());
        let reason = format!("cannot be rid of what others added ({what}): {error}: left");
        let object = &mut self.objects[position];
        let paths = refused.iter().map(|addition| addition.path.clone());
        object.lasting.extend(paths);
        let (service, key) = (object.service.clone(), object.desired.key.clone());
        self.tell(Occurrence::Refused {
            service,
            key,
            others: 0,
            reason,
            again: None,
        });
        true
    }

    /// The fields that a write removed, because others had added them.
    pub(super) fn stripped_fields(flight: &Flight, after: &Sight<'_>) -> Vec<FieldChange> {
        if flight.stripped.is_empty() {
            return Vec::new();
        }
        let after = after.value();
        let removed = flight.stripped.iter().map(|(_, change)| change);
        let gone = removed.filter(|change| change.path.get(&after).is_none());
        gone.cloned().collect()
    }

    /// What a rehearsed write would remove beside what it changes.
    pub(super) fn unwelcome_fields(
        &self,
        position: usize,
        flight: &Flight,
        live: &Live,
        after: &Body,
    ) -> Vec<(FieldChange, Blame)> {
        if flight.errand == Errand::Strip || live.additions.is_empty() || !self.removes(position) {
            return Vec::new();
        }
        let after = after.value();
        let unwelcome = self.objects[position].additions_of(live);
        unwelcome
            .map(|addition| {
                let change = removal(Some(&after), &addition.path, self.showing(position));
                (change, addition.blame())
            })
            .collect()
    }

    /// Who added what the policy removes.
    pub(super) fn intruder(&self, position: usize) -> Option<Blame> {
        let latest = self.objects[position].additions().max_by_key(|a| &a.by)?;
        self.has_to_strip(position).then(|| latest.blame())
    }

    fn removes(&self, position: usize) -> bool {
        let service = self.services.get(&self.objects[position].service);
        service.is_some_and(|service| super::decide::removes(service.desired.policy))
    }

    fn send_strip(
        &mut self,
        position: usize,
        mut flight: Flight,
        version: &str,
        body: Option<&Value>,
        unwelcome: Vec<Addition>,
    ) {
        let patch = stripping(version, &unwelcome).to_string().into();
        let dry_run = matches!(self.mode, Mode::Observe { .. });
        flight.strips += 1;
        flight.tested = Some(version.into());
        for addition in unwelcome {
            let change = removal(body, &addition.path, self.showing(position));
            let mut known = flight.stripped.iter();
            if !known.any(|(known, _)| known.path == addition.path) {
                flight.stripped.push((addition, change));
            }
        }
        self.launch(position, flight, Verb::Amend { patch, dry_run });
    }

    /// What cannot be removed stays, and is no difference any more.
    fn leave(&mut self, position: usize, lasting: &[Addition], told: bool) {
        let object = &mut self.objects[position];
        let paths = lasting.iter().map(|addition| addition.path.clone());
        object.lasting.extend(paths);
        if !told {
            return;
        }
        let (service, key) = (object.service.clone(), object.desired.key.clone());
        self.tell(Occurrence::Refused {
            service,
            key,
            others: 0,
            reason: format!(
                "{} comes back when it is removed: left",
                said(lasting.iter())
            ),
            again: None,
        });
    }
}

impl Object {
    /// What others added, as far as it is not left to them.
    pub fn additions(&self) -> impl Iterator<Item = &Addition> {
        let live = self.live.as_ref();
        live.into_iter().flat_map(|live| self.additions_of(live))
    }

    /// The same of another state of the object.
    pub fn additions_of<'a>(&'a self, live: &'a Live) -> impl Iterator<Item = &'a Addition> {
        let conflicts = self.conflicts.iter().map(|conflict| &conflict.path);
        let left: Vec<&Path> = self
            .desired
            .ignored
            .iter()
            .chain(conflicts)
            .chain(&self.lasting)
            .collect();
        let all = live.additions.iter();
        all.filter(move |addition| !left.iter().any(|path| path.overlaps(&addition.path)))
    }
}

impl Addition {
    /// Who added it.
    pub(super) fn blame(&self) -> Blame {
        Blame::Manager(self.by.manager.clone(), self.by.time.clone())
    }
}

/// Whether a write is made only for what others added.
pub(super) fn is_strip(cause: Cause) -> bool {
    cause == Cause::Drift(Fault::Added)
}

/// Who added what a write removed.
pub(super) fn intruder_of(flight: &Flight) -> Blame {
    let all = flight.stripped.iter().map(|(addition, _)| addition);
    all.max_by_key(|addition| &addition.by)
        .map_or(Blame::Unknown, Addition::blame)
}

fn said<'a>(additions: impl Iterator<Item = &'a Addition>) -> String {
    let each = additions.map(|a| format!("{} by {}", a.path.folded(), a.by.manager));
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
