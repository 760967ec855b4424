//! How many writes are in flight at the same time.
//!
//! The limit begins at its maximum: more has never been faster, and an API server allows about as many
//! streams on a connection. A server that answers 429 or 503 halves it; every later answer raises it
//! by one again.

/// The highest limit.
const MOST: usize = 64;
/// The lowest limit.
const LEAST: usize = 2;

/// The limit of writes in flight.
#[derive(Debug)]
pub(super) struct ConcurrencyLimit {
    limit: usize,
    /// Answers to writes that were sent before the last halving, and so say nothing about it.
    sent_before: usize,
}

impl Default for ConcurrencyLimit {
    fn default() -> Self {
        Self {
            limit: MOST,
            sent_before: 0,
        }
    }
}

impl ConcurrencyLimit {
    /// How many writes may be in flight.
    pub(super) fn get(&self) -> usize {
        self.limit
    }

    /// Takes in the answer to a write, after which `in_flight` others are still unanswered.
    pub(super) fn answered(&mut self, busy: bool, in_flight: usize) {
        if self.sent_before > 0 {
            self.sent_before -= 1;
        } else if busy {
            self.limit = (self.limit / 2).max(LEAST);
            self.sent_before = in_flight;
        } else {
            self.limit = (self.limit + 1).min(MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_server_halves_the_limit_once_for_all_writes_in_flight() {
        let mut limit = ConcurrencyLimit::default();
        for in_flight in (0..MOST).rev() {
            limit.answered(true, in_flight);
        }
        assert_eq!(limit.get(), MOST / 2);
        limit.answered(true, 0);
        assert_eq!(limit.get(), MOST / 4);
    }

    #[test]
    fn the_limit_never_reaches_zero_and_grows_again() {
        let mut limit = ConcurrencyLimit::default();
        for _ in 0..20 {
            limit.answered(true, 0);
        }
        assert_eq!(limit.get(), LEAST);
        for _ in 0..100 {
            limit.answered(false, 1);
        }
        assert_eq!(limit.get(), MOST);
    }
}
