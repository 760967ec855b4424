//! Room for writes: so many are on their way at once, and what else is to be written waits here, as
//! a number each instead of a request each.
//!
//! Invariant: once nothing more follows from what happened, something waits only while there is no
//! room; each answer makes some.

use super::{Engine, Now};
use std::collections::BTreeMap;
use std::time::Duration;

/// Several times what a server takes at once, so that hands never wait for the engine.
const AHEAD: usize = 256;

/// What is written and what waits for it.
#[derive(Debug)]
pub(super) struct Room {
    /// So many writes at once.
    pub(super) most: usize,
    /// The positions of those that wait, with the time since when.
    waiting: BTreeMap<usize, Duration>,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            most: AHEAD,
            waiting: BTreeMap::new(),
        }
    }
}

impl Room {
    /// Forgets what waits: positions have changed.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Takes an object out of those that wait, to be decided about anew. Since when it waited.
    pub(super) fn leave(&mut self, position: usize) -> Option<Duration> {
        self.waiting.remove(&position)
    }

    /// Has an object wait, as long as it does already.
    pub(super) fn enter(&mut self, position: usize, since: Option<Duration>, now: Now) {
        self.waiting.insert(position, since.unwrap_or(now.mono));
    }
}

impl Engine {
    /// Whether another write may begin.
    pub(super) fn has_room(&self) -> bool {
        self.free() > 0
    }

    /// Lets as many of those that wait be decided about as there is room for. Whether there were any.
    pub(super) fn admit(&mut self) -> bool {
        let next = self.room.waiting.keys().copied();
        let admitted: Vec<usize> = next.take(self.free()).collect();
        self.queue.extend(&admitted);
        !admitted.is_empty()
    }

    fn free(&self) -> usize {
        let flights = self.services.values().map(|service| service.census.flights);
        self.room.most.saturating_sub(flights.sum())
    }
}
