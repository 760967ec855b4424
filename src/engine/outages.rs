//! Watches that are interrupted: since when, why, and what people are told of it.
//!
//! Most interruptions end within moments, when a connection is closed or a server hands over to
//! another; nobody is told of those. What lasts is told once for all kinds that it is true of, and so
//! is its end.
//!
//! Invariant: whatever is told to be interrupted is either still so, or was told to be over, or is not
//! wanted any more.

use super::Engine;
use super::event::{Now, WatchKey};
use super::occurrence::Occurrence;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// What is over within this time is not told.
const MOMENTS: Duration = Duration::from_secs(2);

/// The watches that are interrupted.
#[derive(Debug, Default)]
pub(super) struct Outages {
    of: BTreeMap<WatchKey, Outage>,
    told: Vec<Told>,
}

#[derive(Debug)]
struct Outage {
    since: Now,
    reason: String,
    is_told: bool,
}

/// What was told at once is over at once.
#[derive(Debug)]
struct Told {
    watches: BTreeSet<WatchKey>,
    kinds: usize,
    since: Duration,
}

/// Kinds whose changes cannot be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwatched {
    /// The kinds, in their order.
    pub kinds: Vec<Arc<str>>,
    /// Since when that is true of the first of them.
    pub since: jiff::Timestamp,
    /// Why.
    pub reason: String,
}

impl Outages {
    /// Why a watch is interrupted, if it is.
    pub(super) fn reason(&self, watch: &WatchKey) -> Option<&String> {
        self.of.get(watch).map(|outage| &outage.reason)
    }

    /// Forgets the watches that are not wanted any more.
    pub(super) fn keep(&mut self, wanted: &BTreeSet<WatchKey>) {
        self.of.retain(|watch, _| wanted.contains(watch));
        for told in &mut self.told {
            told.watches.retain(|watch| wanted.contains(watch));
        }
        self.told.retain(|told| !told.watches.is_empty());
    }

    fn begins(&mut self, watch: &WatchKey, reason: String, now: Now) {
        let outage = self.of.entry(watch.clone()).or_insert_with(|| Outage {
            since: now,
            reason: String::new(),
            is_told: false,
        });
        outage.reason = reason;
    }

    /// What is to be told, now that a watch was tried again in vain: all that is interrupted for the
    /// same reason.
    fn news(&mut self, watch: &WatchKey, now: Now) -> Option<Vec<Arc<str>>> {
        let outage = self.of.get(watch)?;
        let lasts = now.mono.saturating_sub(outage.since.mono) >= MOMENTS;
        if outage.is_told || !lasts {
            return None;
        }
        let reason = outage.reason.clone();
        let mut watches = BTreeSet::new();
        let mut since = outage.since.mono;
        for (watch, outage) in &mut self.of {
            if !outage.is_told && outage.reason == reason {
                outage.is_told = true;
                since = since.min(outage.since.mono);
                watches.insert(watch.clone());
            }
        }
        let kinds = kinds_of(watches.iter());
        self.told.push(Told {
            watches,
            kinds: kinds.len(),
            since,
        });
        Some(kinds)
    }

    /// A watch goes on. The kinds that are seen again, and the time since when they were not, where
    /// that was told and is over for all of them.
    fn ends(&mut self, watch: &WatchKey) -> Option<(usize, Duration)> {
        self.of.remove(watch)?;
        let at = self
            .told
            .iter_mut()
            .position(|told| told.watches.remove(watch) && told.watches.is_empty())?;
        let told = self.told.swap_remove(at);
        Some((told.kinds, told.since))
    }

    fn unwatched(&self) -> Option<Unwatched> {
        let first = self.of.values().min_by_key(|outage| outage.since.mono)?;
        Some(Unwatched {
            kinds: kinds_of(self.of.keys()),
            since: first.since.wall,
            reason: first.reason.clone(),
        })
    }
}

impl Engine {
    /// A watch is interrupted, or was tried again in vain.
    pub(super) fn note_outage(&mut self, watch: &WatchKey, reason: String, now: Now) {
        self.outages.begins(watch, reason.clone(), now);
        if let Some(kinds) = self.outages.news(watch, now) {
            let of = kinds_of(self.watches.keys()).len();
            self.tell(Occurrence::Unwatched { kinds, of, reason });
        }
    }

    /// A watch goes on.
    pub(super) fn end_outage(&mut self, watch: &WatchKey, now: Now) {
        if self.outages.reason(watch).is_some() {
            self.wake_unanswered();
        }
        if let Some((kinds, since)) = self.outages.ends(watch) {
            let after = now.mono.saturating_sub(since);
            self.tell(Occurrence::WatchedAgain { kinds, after });
        }
    }

    /// The server speaks again: what it did not answer need not rest any longer.
    fn wake_unanswered(&mut self) {
        for (position, object) in self.objects.iter_mut().enumerate() {
            if let Some(trouble) = object.trouble.as_mut().filter(|_| object.unsure) {
                trouble.until = None;
                self.queue.insert(position);
            }
        }
    }

    /// The kinds whose changes cannot be seen now.
    pub(super) fn unwatched(&self) -> Option<Unwatched> {
        self.outages.unwatched()
    }
}

fn kinds_of<'a>(watches: impl Iterator<Item = &'a WatchKey>) -> Vec<Arc<str>> {
    let resources: BTreeSet<_> = watches.map(|watch| &watch.resource).collect();
    resources.into_iter().map(|it| it.kind.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::Resource;

    fn watch(kind: &str) -> WatchKey {
        WatchKey {
            resource: Arc::new(Resource {
                group: "".into(),
                version: "v1".into(),
                kind: kind.into(),
                plural: kind.to_lowercase().into(),
                namespaced: true,
            }),
            namespace: Some("shop".into()),
            name: None,
        }
    }

    fn at(seconds: u64) -> Now {
        Now {
            mono: Duration::from_secs(seconds),
            wall: jiff::Timestamp::from_second(1_000 + seconds.cast_signed()).unwrap(),
        }
    }

    fn lost(outages: &mut Outages, kind: &str, reason: &str, now: u64) -> Option<Vec<String>> {
        outages.begins(&watch(kind), reason.to_owned(), at(now));
        let told = outages.news(&watch(kind), at(now))?;
        Some(told.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_over_within_moments_is_not_told() {
        let mut outages = Outages::default();
        assert_eq!(lost(&mut outages, "Pod", "refused", 10), None);
        assert_eq!(lost(&mut outages, "Pod", "refused", 11), None);
        assert_eq!(outages.ends(&watch("Pod")), None);
        assert_eq!(outages.unwatched(), None);
        assert_eq!(lost(&mut outages, "Pod", "refused", 12), None);
    }

    #[test]
    fn what_lasts_is_told_once_for_all_that_it_is_true_of() {
        let mut outages = Outages::default();
        assert_eq!(lost(&mut outages, "Pod", "reset", 10), None);
        assert_eq!(lost(&mut outages, "Secret", "refused", 11), None);
        assert_eq!(lost(&mut outages, "Job", "forbidden", 11), None);
        let both = ["Pod".to_owned(), "Secret".to_owned()];
        let told = lost(&mut outages, "Pod", "refused", 12);
        assert_eq!(told.as_deref(), Some(&both[..]));
        assert_eq!(lost(&mut outages, "Secret", "refused", 15), None);
        let alone = lost(&mut outages, "Job", "forbidden", 15);
        assert_eq!(alone.as_deref(), Some(&["Job".to_owned()][..]));

        let unwatched = outages.unwatched().unwrap();
        assert_eq!(unwatched.kinds.len(), 3);
        assert_eq!(unwatched.since, at(10).wall);
        assert_eq!(unwatched.reason, "refused");

        assert_eq!(outages.ends(&watch("Pod")), None);
        let since = Duration::from_secs(10);
        assert_eq!(outages.ends(&watch("Secret")), Some((2, since)));
        assert_eq!(outages.unwatched().unwrap().kinds, ["Job".into()]);
    }

    #[test]
    fn what_is_not_wanted_any_more_keeps_nothing_open() {
        let mut outages = Outages::default();
        for kind in ["Pod", "Secret"] {
            lost(&mut outages, kind, "refused", 10);
        }
        assert!(lost(&mut outages, "Pod", "refused", 20).is_some());
        outages.keep(&[watch("Pod")].into());
        assert!(outages.ends(&watch("Pod")).is_some());
        assert_eq!(outages.ends(&watch("Secret")), None);
        assert_eq!(outages.unwatched(), None);
    }
}
