//! One watch of one process: where it is in the log of the server, and what it still has to name.

use super::server::{Change, Server};
use crate::desired::ObjectKey;
use crate::desired::instance::INSTANCE_LABEL;
use crate::engine::{WatchChange, WatchKey};
use serde_json::Value;
use std::collections::VecDeque;
use std::rc::Rc;

/// A watch that is open.
pub struct Stream {
    key: WatchKey,
    /// How much of the log it has told; none before it has read what is there.
    told: Option<usize>,
    listing: Option<VecDeque<Rc<Value>>>,
    /// Whether its next word is on the way.
    pub due: bool,
    /// Whether it is interrupted.
    pub lost: bool,
}

impl Stream {
    /// A watch that is about to be opened.
    pub fn new(key: WatchKey) -> Self {
        Self {
            key,
            told: None,
            listing: None,
            due: false,
            lost: false,
        }
    }

    /// Whether it has anything to say.
    pub fn has_news(&self, server: &Server) -> bool {
        self.lost || self.listing.is_some() || self.told.is_none_or(|told| told < server.log.len())
    }

    /// It starts over with a consistent read.
    pub fn restart(&mut self) {
        self.told = None;
        self.listing = None;
    }

    /// It tells the last changes again. Whether there are any.
    pub fn repeat(&mut self, changes: usize) -> bool {
        let can = self.listing.is_none() && self.told.is_some_and(|told| told > 0);
        if can {
            self.told = self.told.map(|told| told.saturating_sub(changes));
        }
        can
    }

    /// Leaves out what comes next, if something later about the same object is to be told.
    pub fn skip(&mut self, server: &Server) -> bool {
        let Some(told) = self.told.filter(|_| self.listing.is_none()) else {
            return false;
        };
        let Some(next) = server.log.get(told) else {
            return false;
        };
        let later = &server.log[told + 1..];
        let overtaken = self.said(next).is_some()
            && later
                .iter()
                .any(|c| c.key == next.key && self.said(c).is_some());
        if overtaken {
            self.told = Some(told + 1);
        }
        overtaken
    }

    /// The next that it says, `None` when it has told everything.
    pub fn next(&mut self, server: &Server) -> Option<WatchChange> {
        if std::mem::take(&mut self.lost) {
            return Some(WatchChange::Resumed);
        }
        let Some(mut told) = self.told else {
            let there = server.shown.iter().filter(|(key, _)| self.shows(key));
            let shown = there.map(|(_, object)| object.clone());
            self.listing = Some(shown.filter(|object| is_selected(object)).collect());
            self.told = Some(server.log.len());
            return Some(WatchChange::Restarted);
        };
        if let Some(listing) = &mut self.listing {
            if let Some(object) = listing.pop_front() {
                return Some(WatchChange::Applied((*object).clone().into()));
            }
            self.listing = None;
            return Some(WatchChange::Synced);
        }
        while let Some(change) = server.log.get(told) {
            told += 1;
            self.told = Some(told);
            if let Some(said) = self.said(change) {
                return Some(said);
            }
        }
        None
    }

    /// What it says of a change. An object that leaves the selector is told as deleted, with its
    /// old body.
    fn said(&self, change: &Change) -> Option<WatchChange> {
        if !self.shows(&change.key) {
            return None;
        }
        let selected = |object: &&Rc<Value>| is_selected(object);
        let before = change.before.as_ref().filter(selected);
        let after = change.after.as_ref().filter(selected);
        match (before, after) {
            (_, Some(object)) => Some(WatchChange::Applied((**object).clone().into())),
            (Some(object), None) => Some(WatchChange::Deleted((**object).clone().into())),
            (None, None) => None,
        }
    }

    fn shows(&self, key: &ObjectKey) -> bool {
        self.key.resource.holds(key)
            && self.key.namespace == key.namespace
            && self.key.name.as_ref().is_none_or(|name| *name == key.name)
    }
}

fn is_selected(object: &Value) -> bool {
    let label = object["metadata"]
        .get("labels")
        .and_then(|labels| labels.get(INSTANCE_LABEL));
    label.and_then(Value::as_str) == Some(&super::samples::instance().label())
}
