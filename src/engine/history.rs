//! What happened to a service, kept small: the newest entries, each a line of JSON.
//!
//! A history rides on inventories, so it is bounded in number and in bytes, and what it says again
//! and again is one entry with a count: two who quarrel over one field wash nothing else out. A
//! line that cannot be read, or that a later version wrote, is left out and costs nothing else.

mod what;

pub use what::{Field, Named, What};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::mem::{Discriminant, discriminant};

/// So many entries are kept.
const ENTRIES: usize = 20;
/// So many bytes of them.
const BYTES: usize = 4096;
/// What one run does comes within this time of each other.
const ONE_RUN: i64 = 10_000;
/// The same thing later than this is told anew.
const AGAIN: i64 = 3_600_000;
/// So many objects of a deletion, or fields of a heal, are named.
const NAMED: usize = 3;

/// The newest entries, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History(Vec<Entry>);

/// One thing that happened, or several of the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When; the last time, if it happened more than once.
    pub at: Timestamp,
    /// When it happened first, if it happened more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// How often.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u32,
    /// Who did it: a person at a machine, a pod, or who gave the order.
    #[serde(default)]
    pub by: String,
    /// What it was.
    pub what: What,
}

fn once() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_once(times: &u32) -> bool {
    *times == 1
}

impl History {
    /// Reads what [`text`](Self::text) wrote.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let lines = text.lines().filter(|line| line.len() <= BYTES);
        let mut entries: Vec<Entry> = lines
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        entries.drain(..entries.len().saturating_sub(ENTRIES));
        Self(entries)
    }

    /// The entries as text, a line each.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.iter().map(line).collect()
    }

    /// The entries, the newest last.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// Notes what just happened.
    pub fn note(&mut self, entry: Entry) {
        let known = self.0.iter().rposition(|known| known.continues_in(&entry));
        match known {
            Some(at) => {
                let mut whole = self.0.remove(at);
                whole.extend(entry);
                self.0.push(whole);
            }
            None => self.0.push(entry),
        }
        while self.0.len() > ENTRIES {
            self.drop_one();
        }
    }

    /// Notes what another history says and this one does not yet, within the bound of bytes.
    pub fn absorb(&mut self, news: &Self) {
        for entry in &news.0 {
            let told = |known: &Entry| known.continues_in(entry) && known.at >= entry.at;
            if !self.0.iter().any(told) {
                self.note(entry.clone());
            }
        }
        let mut bytes: usize = self.0.iter().map(|entry| line(entry).len()).sum();
        while bytes > BYTES && !self.0.is_empty() {
            bytes -= line(&self.drop_one()).len();
        }
    }

    /// Drops the oldest of the sort that there is most of, so that what is rare stays.
    fn drop_one(&mut self) -> Entry {
        let many = |entry: &Entry| {
            let sort = entry.sort();
            self.0.iter().filter(|other| other.sort() == sort).count()
        };
        let most = self.0.iter().map(many).max().unwrap_or(0);
        let oldest = self.0.iter().position(|entry| many(entry) == most);
        self.0.remove(oldest.unwrap_or(0))
    }
}

impl Entry {
    /// What happened once, at this time, to the millisecond.
    #[must_use]
    pub fn new(at: Timestamp, by: &str, what: What) -> Self {
        Self {
            at: Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at),
            since: None,
            times: 1,
            by: by.to_owned(),
            what,
        }
    }

    fn sort(&self) -> Discriminant<What> {
        discriminant(&self.what)
    }

    /// Whether `next` is more of the same, or the same again.
    fn continues_in(&self, next: &Self) -> bool {
        let gap = next.at.as_millisecond() - self.at.as_millisecond();
        let within = |limit: i64| gap.abs() <= limit;
        if self.by != next.by {
            return false;
        }
        match (&self.what, &next.what) {
            (
                What::Applied {
                    version, services, ..
                },
                What::Applied {
                    version: v,
                    services: s,
                    ..
                },
            ) => version == v && services == s && within(ONE_RUN),
            (What::Deleted { .. }, What::Deleted { .. }) => within(ONE_RUN),
            (
                What::Healed {
                    object,
                    fault,
                    fields,
                    culprit,
                    ..
                },
                What::Healed {
                    object: o,
                    fault: f,
                    fields: now,
                    culprit: c,
                    ..
                },
            ) => {
                let paths = fields.iter().map(|field| &field.path);
                let same = paths.eq(now.iter().map(|field| &field.path));
                object == o && fault == f && culprit == c && same && within(AGAIN)
            }
            (What::Rerun { why, .. }, What::Rerun { why: again, .. }) => {
                why == again && within(AGAIN)
            }
            (this, other) => this == other && gap == 0,
        }
    }

    /// Takes in what continues it: counts add up, and the newest values stand.
    fn extend(&mut self, next: Self) {
        let first = self.since.unwrap_or(self.at);
        match (&mut self.what, next.what) {
            (
                What::Applied {
                    created, changed, ..
                },
                What::Applied {
                    created: more,
                    changed: others,
                    ..
                },
            ) => {
                *created += more;
                *changed += others;
            }
            (
                What::Deleted { count, objects },
                What::Deleted {
                    count: more,
                    objects: others,
                },
            ) => {
                *count += more;
                objects.extend(others);
                objects.truncate(NAMED);
            }
            (what, newest) => {
                *what = newest;
                self.times = self.times.saturating_add(next.times);
                self.since = Some(next.since.unwrap_or(first).min(first));
            }
        }
        self.at = self.at.max(next.at);
    }
}

fn line(entry: &Entry) -> String {
    // Its parts have names that are text, so it is always JSON.
    let text = serde_json::to_string(entry).unwrap_or_default();
    text + "\n"
}

#[cfg(test)]
mod tests;
