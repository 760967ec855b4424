//! Writes the history of services from what happens to them. Nothing is stored for its sake: news
//! ride on the next inventory that is stored anyhow.

use super::diff::{FieldChange, Shown};
use super::event::Answer;
use super::history::{Entry, Field, History, Named, What};
use super::occurrence::{Blame, Heal, Occurrence};
use super::phase::Phase;
use super::service::Service;
use super::{Engine, Now};
use crate::desired::ObjectKey;
use crate::desired::path::plain;
use std::sync::Arc;

/// So many fields of a heal are named.
const FIELDS: usize = 3;
/// So many characters of a value or an answer.
const LONGEST: usize = 60;
/// A path cut shorter than this could be taken for another one.
const LONGEST_PATH: usize = 160;
/// What stands for a value that is not told.
const HIDDEN: &str = "••••";

/// Who works here, as a history names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    /// A person at a machine, or a pod.
    pub who: String,
    /// The version of jsorc.
    pub version: String,
    /// The digest of its services.
    pub services: String,
}

/// What happened to a service since its inventory was last stored.
#[derive(Debug, Default)]
pub(super) struct News {
    fresh: History,
    sent: History,
}

impl News {
    /// Everything that the stored inventory may not tell yet.
    pub(super) fn add_to(&self, history: &mut History) {
        history.absorb(&self.sent);
        history.absorb(&self.fresh);
    }

    /// An inventory with all news in it is on its way.
    pub(super) fn send(&mut self) {
        let fresh = std::mem::take(&mut self.fresh);
        self.sent.absorb(&fresh);
    }

    /// It was stored.
    pub(super) fn arrive(&mut self, history: &mut History) {
        history.absorb(&std::mem::take(&mut self.sent));
    }
}

impl Engine {
    /// Names who works here.
    pub fn set_author(&mut self, author: Author) {
        self.author = author;
    }

    /// Who works here.
    #[must_use]
    pub fn author(&self) -> &Author {
        &self.author
    }

    /// Notes what happened, where it belongs into a history.
    pub(super) fn chronicle(&mut self, occurrence: &Occurrence) {
        let Some((service, what)) = self.told(occurrence) else {
            return;
        };
        self.enter_into_history(&service, what);
    }

    /// A driver answered after it was started.
    pub(super) fn chronicle_rerun(&mut self, name: &Arc<str>, answer: &Answer) {
        if !self.writes() {
            return;
        }
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        let why = why(service).to_owned();
        service.asked = false;
        let answer = short(&answer.note);
        self.enter_into_history(name, What::Rerun { why, answer });
    }

    fn enter_into_history(&mut self, name: &Arc<str>, what: What) {
        let entry = Entry::new(self.wall, &self.author.who, what);
        if let Some(service) = self.services.get_mut(name) {
            service.news.fresh.note(entry);
        }
    }

    fn told(&self, occurrence: &Occurrence) -> Option<(Arc<str>, What)> {
        Some(match occurrence {
            Occurrence::Applied {
                service, created, ..
            } => (
                service.clone(),
                What::Applied {
                    created: u32::from(*created),
                    changed: u32::from(!*created),
                    version: self.author.version.clone(),
                    services: self.author.services.clone(),
                },
            ),
            Occurrence::Pruned { service, key } => (
                service.clone(),
                What::Deleted {
                    count: 1,
                    objects: vec![key.into()],
                },
            ),
            Occurrence::Healed(heal) => (heal.service.clone(), healed(heal)),
            Occurrence::Restarted {
                service,
                workloads,
                reason,
            } => (
                service.clone(),
                What::Restarted {
                    workloads: workloads.iter().map(Named::from).collect(),
                    why: short(reason),
                },
            ),
            _ => return None,
        })
    }

    /// The time of day of what is handled now.
    pub(super) fn date(&mut self, now: Now) {
        self.wall = now.wall;
    }
}

fn why(service: &Service) -> &'static str {
    match service.phase {
        _ if service.asked => "asked for",
        Phase::Degraded => "it had stopped answering",
        Phase::Failed => "it did not answer",
        _ if service.runs <= 1 => "jsorc started",
        _ => "its objects or settings changed",
    }
}

fn healed(heal: &Heal) -> What {
    let told = heal.fields.iter().take(FIELDS);
    let more = heal.fields.len().saturating_sub(FIELDS);
    What::Healed {
        object: (&heal.key).into(),
        fault: heal.fault,
        fields: told.map(|change| field(&heal.key, change)).collect(),
        more: u32::try_from(more).unwrap_or(u32::MAX),
        culprit: match &heal.by {
            Blame::Manager(manager, _) => Some(short(manager)),
            Blame::Unknown => None,
        },
        micros: u64::try_from(heal.took.as_micros()).unwrap_or(u64::MAX),
    }
}

/// More people may read inventories than the objects: of a Secret nothing plain is told.
fn field(key: &ObjectKey, change: &FieldChange) -> Field {
    let told = |shown: &Option<Shown>| {
        shown.as_ref().map(|shown| match shown {
            Shown::Masked(tag) => format!("{HIDDEN} #{tag}"),
            Shown::Plain(_) if key.is_secret() => HIDDEN.to_owned(),
            Shown::Plain(value) => short(&plain(value)),
        })
    };
    Field {
        path: cut(&change.path.to_string(), LONGEST_PATH),
        from: told(&change.from),
        to: told(&change.to),
    }
}

fn short(text: &str) -> String {
    cut(text, LONGEST)
}

fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let begin: String = text.chars().take(longest - 1).collect();
    begin + "…"
}
