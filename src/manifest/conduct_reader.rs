//! Reads how a service is to be treated: its probe, its remedy and its policy.

use std::time::Duration;

use super::duration;
use super::spec::{Adopt, Conflicts, Foreign, Mode, Policy, Probe, Prune, Recreate, Remedy};
use super::spec_reader::SpecReader;
use super::yaml::{Entry, Node};

const POLICY_KEYS: [&str; 6] = ["mode", "conflicts", "adopt", "recreate", "prune", "foreign"];

impl SpecReader<'_> {
    pub(super) fn probe(&mut self, node: &Node) -> Probe {
        let mut probe = Probe::default();
        if !self.mapping(node, &["interval", "timeout", "failures"], "probe") {
            return probe;
        }
        for entry in node.entries() {
            match entry.key.as_str() {
                "interval" => probe.interval = self.span(entry, Duration::from_secs(1)),
                "timeout" => {
                    let least = Duration::from_millis(1);
                    probe.timeout = self.span(entry, least).unwrap_or(probe.timeout);
                }
                "failures" => probe.failures = self.count(entry).unwrap_or(probe.failures),
                _ => {}
            }
        }
        probe
    }

    fn span(&mut self, entry: &Entry, least: Duration) -> Option<Duration> {
        match duration::read(&entry.value.to_json()) {
            Ok(span) if span >= least => Some(span),
            Ok(_) => {
                let message = format!(
                    "`{}` must be at least {}",
                    entry.key,
                    duration::print(least)
                );
                self.error(entry.value.spot, message, None);
                None
            }
            Err(why) => {
                self.error(entry.value.spot, format!("`{}`: {why}", entry.key), None);
                None
            }
        }
    }

    pub(super) fn remedy(&mut self, entry: &Entry) -> Remedy {
        // A bare `none` is text in YAML, `null` and nothing at all mean the same here.
        if entry.value.is_null() {
            return Remedy::None;
        }
        match self.word(entry, Remedy::WORDS).as_deref() {
            Some("restart") => Remedy::Restart,
            _ => Remedy::None,
        }
    }

    pub(super) fn policy(&mut self, node: &Node) -> Policy {
        let mut policy = Policy::default();
        if !self.mapping(node, &POLICY_KEYS, "policy") {
            return policy;
        }
        for entry in node.entries() {
            match entry.key.as_str() {
                "mode" => policy.mode = self.choice(entry, Mode::WORDS, Mode::from_word),
                "conflicts" => {
                    policy.conflicts = self.choice(entry, Conflicts::WORDS, Conflicts::from_word);
                }
                "adopt" => policy.adopt = self.choice(entry, Adopt::WORDS, Adopt::from_word),
                "recreate" => {
                    policy.recreate = self.choice(entry, Recreate::WORDS, Recreate::from_word);
                }
                "prune" => policy.prune = self.choice(entry, Prune::WORDS, Prune::from_word),
                "foreign" => {
                    policy.foreign = self.choice(entry, Foreign::WORDS, Foreign::from_word);
                }
                _ => {}
            }
        }
        policy
    }

    fn choice<T>(
        &mut self,
        entry: &Entry,
        words: &[&str],
        read: fn(&str) -> Option<T>,
    ) -> Option<T> {
        self.word(entry, words).and_then(|word| read(&word))
    }
}
