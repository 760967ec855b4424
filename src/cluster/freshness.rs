//! The `resourceVersion` that a watch read consistently a moment ago.
//!
//! A list without a version waits until the API server's cache has caught up with etcd, up to a tenth of
//! a second; a list with `resourceVersionMatch=NotOlderThan` and this version is answered from the cache
//! at once. Invariant: a version is given for one second only, so that what is read by it stands for the
//! present. A write that follows from it carries its own preconditions.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a version counts as fresh.
const FRESH: Duration = Duration::from_secs(1);

/// The version that one watch read last, and when.
#[derive(Clone, Default)]
pub(super) struct FreshVersion(Arc<Mutex<Option<(String, Instant)>>>);

impl FreshVersion {
    /// The version, while it is fresh.
    pub(super) fn get(&self) -> Option<String> {
        let read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = read.as_ref().filter(|(_, at)| at.elapsed() < FRESH);
        fresh.map(|(version, _)| version.clone())
    }

    /// Takes in the version that a consistent read ended with.
    pub(super) fn set(&self, version: &str) {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *read = Some((version.to_owned(), Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_counts_for_a_second_after_it_was_read() {
        let version = FreshVersion::default();
        assert_eq!(version.get(), None);
        version.set("7");
        assert_eq!(version.clone().get().as_deref(), Some("7"));
        let before = Instant::now().checked_sub(FRESH).unwrap();
        *version.0.lock().unwrap() = Some(("7".to_owned(), before));
        assert_eq!(version.get(), None);
    }
}
