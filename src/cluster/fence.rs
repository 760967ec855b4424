//! The fence around the hands of a process that shares an instance with others: no write begins
//! unless the Lease stands for longer than a write takes.
//!
//! A process that was paused wakes up with a Lease that somebody else took, and with writes that it
//! was about to begin: each of them asks here first. Time is monotonic; it goes on while a process
//! is stopped. A write that has begun cannot be called back: one that lands late is drift to the
//! next leader, who puts it right.

use super::lease::LEASE_DURATION;
use crate::engine::WriteError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a write takes at most, but for slow admission webhooks.
const A_WRITE: Duration = Duration::from_secs(8);

/// Says whether a write may begin. Clones share their state; a new one stands open, for a process
/// that shares its work with nobody.
#[derive(Clone, Debug, Default)]
pub struct Fence(Arc<Mutex<Gate>>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Gate {
    #[default]
    Open,
    /// Open for writes that begin before this moment.
    Until(Instant),
    Closed,
}

impl Fence {
    /// The Lease is not, or not any more, this process's.
    pub fn close(&self) {
        self.put(Gate::Closed);
    }

    /// The Lease was renewed by a request that began at `at`.
    pub fn renewed(&self, at: Instant) {
        self.put(Gate::Until(at + time_to_write()));
    }

    /// Whether a write may begin now.
    ///
    /// # Errors
    /// When another process may hold the Lease before the write is done.
    pub fn check(&self) -> Result<(), WriteError> {
        let open = match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Gate::Open => true,
            Gate::Until(end) => Instant::now() < end,
            Gate::Closed => false,
        };
        if open {
            return Ok(());
        }
        Err(WriteError::NotBegun(
            "the Lease was not renewed in time, another process may lead",
        ))
    }

    fn put(&self, gate: Gate) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = gate;
    }
}

/// How long after a renewal writes may begin: what the Lease stands, less what a write may take.
fn time_to_write() -> Duration {
    LEASE_DURATION.saturating_sub(A_WRITE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_begins_only_while_the_lease_outlasts_it() {
        let fence = Fence::default();
        let other = fence.clone();
        assert!(fence.check().is_ok(), "nobody to share with");
        fence.close();
        assert!(other.check().is_err());
        fence.renewed(Instant::now());
        assert!(other.check().is_ok());
        if let Some(long_ago) = Instant::now().checked_sub(time_to_write()) {
            fence.renewed(long_ago);
            assert!(other.check().is_err(), "it could outlast the Lease");
        }
    }
}
