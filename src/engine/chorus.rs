//! Refusals that many objects meet in the same words: when the server is away, or when a webhook that
//! all of them pass does not answer. One of them speaks for all.
//!
//! Invariant: while objects of a service are refused for a reason that is not their own, it is told as
//! often as if it were one object, and whoever meets it meanwhile is counted in the next line.

use super::{Engine, Occurrence};
use crate::desired::ObjectKey;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The reasons that were told.
#[derive(Debug, Default)]
pub(super) struct Chorus {
    told: BTreeMap<(Arc<str>, String), Told>,
}

/// A reason that was told of one object and stands for all of its service.
#[derive(Debug)]
struct Told {
    /// Until the object of which it was told tries again.
    until: Duration,
    /// Until nobody can be waiting any more who met it before.
    forgotten: Duration,
    /// Who was named, and who has met it since.
    met: BTreeSet<ObjectKey>,
}

/// An object was refused, and is tried again.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) service: Arc<str>,
    pub(super) key: ObjectKey,
    pub(super) reason: String,
    /// Whether others meet the same. What is about this object alone is told of each.
    pub(super) shared: bool,
    /// How long it is until the next try.
    pub(super) again: Duration,
}

impl Chorus {
    /// Whether a refusal is told, and of how many other objects.
    fn speaks(&mut self, refusal: &Refusal, now: Duration) -> Option<usize> {
        self.told.retain(|_, told| told.forgotten > now);
        let of = (refusal.service.clone(), refusal.reason.clone());
        let known = self.told.get_mut(&of);
        if let Some(told) = known.filter(|told| told.until > now) {
            told.met.insert(refusal.key.clone());
            return None;
        }
        let told = Told {
            until: now + refusal.again,
            forgotten: now + 3 * refusal.again,
            met: [refusal.key.clone()].into(),
        };
        let mut met = self
            .told
            .insert(of, told)
            .map_or_else(BTreeSet::new, |told| told.met);
        met.remove(&refusal.key);
        Some(met.len())
    }
}

impl Engine {
    /// Tells that an object was refused, unless another one has just spoken for it.
    pub(super) fn tell_refusal(&mut self, refusal: Refusal, now: Duration) {
        let others = if refusal.shared {
            self.chorus.speaks(&refusal, now)
        } else {
            Some(0)
        };
        if let Some(others) = others {
            self.tell(Occurrence::Refused {
                service: refusal.service,
                key: refusal.key,
                others,
                reason: refusal.reason,
                again: Some(refusal.again),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::simulation::samples::map_key;

    fn refused(
        chorus: &mut Chorus,
        name: &str,
        reason: &str,
        again: u64,
        now: u64,
    ) -> Option<usize> {
        let refusal = Refusal {
            service: "one".into(),
            key: map_key(name),
            reason: reason.into(),
            shared: true,
            again: Duration::from_millis(again),
        };
        chorus.speaks(&refusal, Duration::from_millis(now))
    }

    #[test]
    fn one_speaks_for_all_that_meet_the_same_and_counts_them_in_its_next_line() {
        let mut chorus = Chorus::default();
        assert_eq!(refused(&mut chorus, "a", "refused", 400, 0), Some(0));
        assert_eq!(refused(&mut chorus, "b", "refused", 500, 1), None);
        assert_eq!(refused(&mut chorus, "c", "refused", 450, 1), None);
        assert_eq!(refused(&mut chorus, "d", "busy", 450, 1), Some(0));
        assert_eq!(refused(&mut chorus, "a", "refused", 800, 400), Some(2));
        assert_eq!(refused(&mut chorus, "c", "refused", 900, 451), None);
        assert_eq!(refused(&mut chorus, "b", "refused", 900, 501), None);
        assert_eq!(refused(&mut chorus, "b", "refused", 900, 1_401), Some(2));
    }

    #[test]
    fn one_object_is_told_at_each_try() {
        let mut chorus = Chorus::default();
        for (again, now) in [(400, 0), (900, 400), (1_600, 1_300), (3_100, 2_900)] {
            assert_eq!(refused(&mut chorus, "a", "refused", again, now), Some(0));
        }
    }

    #[test]
    fn whoever_met_it_long_ago_is_not_counted() {
        let mut chorus = Chorus::default();
        assert_eq!(refused(&mut chorus, "a", "refused", 400, 0), Some(0));
        assert_eq!(refused(&mut chorus, "b", "refused", 500, 1), None);
        assert_eq!(refused(&mut chorus, "c", "refused", 500, 60_000), Some(0));
        assert_eq!(chorus.told.len(), 1);
    }
}
