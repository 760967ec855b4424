//! What a watch has just read, for whoever reads the same kind beside it: a cache that is known to be
//! that far answers without waiting for the store.
//!
//! Invariant: a version is given only so shortly after it was read that it stands for what is there.
//! Who finds more than that has preconditions for its writes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When a watch last read what is there, and the version that it had read by then.
#[derive(Clone, Default)]
pub struct Read(Arc<Mutex<Option<(String, Instant)>>>);

/// So long what was read may stand for what is there.
const LATELY: Duration = Duration::from_secs(1);

impl Read {
    /// The version, where it was not long ago.
    #[must_use]
    pub fn lately(&self) -> Option<String> {
        let read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lately = read.as_ref().filter(|(_, at)| at.elapsed() < LATELY);
        lately.map(|(version, _)| version.clone())
    }

    /// Notes that everything was read, up to this version.
    pub(super) fn ends(&self, version: &str) {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *read = Some((version.to_owned(), Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_long_ago_does_not_count() {
        let read = Read::default();
        assert_eq!(read.lately(), None);
        read.ends("7");
        assert_eq!(read.clone().lately().as_deref(), Some("7"));
        let before = Instant::now().checked_sub(LATELY).unwrap();
        *read.0.lock().unwrap() = Some(("7".to_owned(), before));
        assert_eq!(read.lately(), None);
    }
}
