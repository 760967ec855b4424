//! Room for writes: so many are on their way at once, and what else is to be written waits here, as
//! a number each instead of a request each.
//!
//! Invariant: once nothing more follows from what happened, something waits only while there is no
//! room; each answer makes some. Whoever has waited longest comes first, so that what is tried again
//! and again keeps nobody out.

use super::{Engine, Now};
use std::collections::{BTreeMap, BTreeSet};
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
    /// The same, in the order in which they come in.
    line: BTreeSet<(Duration, usize)>,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            most: AHEAD,
            waiting: BTreeMap::new(),
            line: BTreeSet::new(),
        }
    }
}

impl Room {
    /// Forgets what waits: positions have changed.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.line.clear();
    }

    /// Takes an object out of those that wait, to be decided about anew. Since when it waited.
    pub(super) fn leave(&mut self, position: usize) -> Option<Duration> {
        let since = self.waiting.remove(&position)?;
        self.line.remove(&(since, position));
        Some(since)
    }

    /// Has an object wait, as long as it does already.
    pub(super) fn enter(&mut self, position: usize, since: Option<Duration>, now: Now) {
        let since = since.unwrap_or(now.mono);
        self.waiting.insert(position, since);
        self.line.insert((since, position));
    }
}

impl Engine {
    /// Whether another write may begin.
    pub(super) fn has_room(&self) -> bool {
        self.free() > 0
    }

    /// Lets as many of those that wait be decided about as there is room for. Whether there were any.
    pub(super) fn admit(&mut self) -> bool {
        let next = self.room.line.iter().map(|(_, position)| *position);
        let admitted: Vec<usize> = next.take(self.free()).collect();
        self.queue.extend(&admitted);
        !admitted.is_empty()
    }

    fn free(&self) -> usize {
        let flights = self.services.values().map(|service| service.census.flights);
        self.room.most.saturating_sub(flights.sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_waited_longest_comes_first() {
        let now = |seconds| Now {
            mono: Duration::from_secs(seconds),
            wall: jiff::Timestamp::UNIX_EPOCH,
        };
        let mut room = Room::default();
        room.enter(9, None, now(1));
        room.enter(3, None, now(2));
        // It failed and comes again.
        let since = room.leave(9);
        assert_eq!(since, Some(Duration::from_secs(1)));
        room.enter(9, None, now(3));
        room.enter(4, since, now(4));
        let line: Vec<usize> = room.line.iter().map(|(_, position)| *position).collect();
        assert_eq!(line, [4, 3, 9]);
    }
}
