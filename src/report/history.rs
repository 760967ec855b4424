//! What happened to services, for people and for programs: the newest first.

use super::document::{self, fault, millis};
use super::measure::{ago, count, span};
use super::style::{Meaning, Palette};
use super::table::{Cell, Table};
use crate::engine::history::{Entry, Field, Named, What};
use crate::engine::{Fault, Wish};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// So many entries of a service are shown where several are.
const SHOWN: usize = 8;

/// The history of one service, or of what was ordered about all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chapter {
    /// The service; `None` for orders about every service.
    pub service: Option<String>,
    /// Where its objects live, when it has an inventory.
    pub namespace: Option<String>,
    /// What happened.
    pub entries: Vec<Entry>,
}

/// How a history is shown.
#[derive(Clone, Copy, Debug)]
pub struct HistoryView {
    /// Every entry.
    pub whole: bool,
    /// Columns of the terminal; `None` when it goes elsewhere.
    pub width: Option<usize>,
    /// Colour or plain.
    pub palette: Palette,
    /// The time of day.
    pub now: Timestamp,
}

impl Chapter {
    /// A chapter with the newest entry first.
    #[must_use]
    pub fn new(
        service: Option<String>,
        namespace: Option<String>,
        mut entries: Vec<Entry>,
    ) -> Self {
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
        Self {
            service,
            namespace,
            entries,
        }
    }
}

/// The history for people. Ends with a line feed.
#[must_use]
pub fn text(chapters: &[Chapter], view: &HistoryView) -> String {
    let told = chapters
        .iter()
        .filter(|chapter| !chapter.entries.is_empty());
    let parts: Vec<String> = told.map(|chapter| part(chapter, view)).collect();
    if parts.is_empty() {
        return "Nothing is recorded yet.\n".to_owned();
    }
    parts.join("\n")
}

/// The history for programs: `kind: History`.
#[must_use]
pub fn json(chapters: &[Chapter]) -> Value {
    let services = chapters.iter().map(|chapter| {
        let entries: Vec<Value> = chapter.entries.iter().map(entry_json).collect();
        json!({"service": chapter.service, "namespace": chapter.namespace, "entries": entries})
    });
    document::new("History", json!({"services": services.collect::<Vec<_>>()}))
}

fn part(chapter: &Chapter, view: &HistoryView) -> String {
    let title = chapter.service.as_deref().unwrap_or("every service");
    let mut text = view
        .palette
        .paint(Meaning::Strong, &super::layout::safe(title));
    if let Some(namespace) = &chapter.namespace {
        let _ = write!(text, " · namespace {}", super::layout::safe(namespace));
    }
    text.push('\n');
    let all = view.whole || chapter.entries.len() <= SHOWN + 2;
    let shown = if all { chapter.entries.len() } else { SHOWN };
    let mut table = Table::new(2);
    for entry in &chapter.entries[..shown] {
        let (word, meaning) = word(&entry.what);
        table.row([
            Cell::new(Meaning::Faint, ago(entry.at, view.now)),
            Cell::new(meaning, word),
            entry.by.as_str().into(),
            line(entry, chapter, view.now).into(),
        ]);
    }
    text.push_str(&table.render(view.palette, view.width));
    if !all {
        let more = chapter.entries.len() - shown;
        let line = format!("… {more} older (jsorc history {title})");
        let _ = writeln!(text, "  {}", view.palette.paint(Meaning::Faint, &line));
    }
    text
}

fn word(what: &What) -> (&'static str, Meaning) {
    match what {
        What::Applied { .. } => ("applied", Meaning::Good),
        What::Deleted { .. } => ("pruned", Meaning::Bad),
        What::Healed { .. } => ("healed", Meaning::Change),
        What::Rerun { .. } => ("rerun", Meaning::Plain),
        What::Restarted { .. } => ("restarted", Meaning::Change),
        What::Ordered { order, .. } => (wish(*order), Meaning::Strong),
        What::Resumed { .. } => ("resumed", Meaning::Strong),
    }
}

fn wish(wish: Wish) -> &'static str {
    match wish {
        Wish::Suspended => "suspended",
        Wish::Deleted => "deleted",
        Wish::Released => "released",
    }
}

fn line(entry: &Entry, chapter: &Chapter, now: Timestamp) -> String {
    let said = match &entry.what {
        What::Applied {
            created,
            changed,
            version,
            services,
        } => {
            let counts = [(created, "created"), (changed, "changed")];
            let counts = counts.iter().filter(|(number, _)| **number > 0);
            let counts: Vec<String> = counts.map(|(n, word)| format!("{n} {word}")).collect();
            format!(
                "{} · jsorc {version}, services {services}",
                counts.join(", ")
            )
        }
        What::Deleted { count, objects } => deleted(*count, objects, chapter),
        What::Healed {
            object,
            fault,
            fields,
            more,
            culprit,
            micros,
        } => {
            let what = healed(*fault, fields, *more);
            let by = match (culprit, fault) {
                (Some(manager), Fault::Added) => format!(", added by {manager}"),
                (Some(manager), _) => format!(", changed by {manager}"),
                (None, Fault::Changed | Fault::Added) => ", changed by someone unknown".to_owned(),
                (None, _) => String::new(),
            };
            let took = span(Duration::from_micros(*micros));
            format!("{} {what}{by}, after {took}", named(object, chapter))
        }
        What::Rerun { why, answer } if answer.is_empty() => why.clone(),
        What::Rerun { why, answer } => format!("{why}: {answer}"),
        What::Restarted { workloads, why } => {
            let names: Vec<String> = workloads.iter().map(|one| named(one, chapter)).collect();
            format!("{}: {why}", names.join(", "))
        }
        What::Ordered {
            until,
            reason,
            order,
            ..
        } => {
            let whole = (*order != Wish::Suspended).then(|| "the whole service".to_owned());
            let until = until.map(|until| format!("until {until}"));
            let parts = whole.into_iter().chain(until).chain(reason.clone());
            parts.collect::<Vec<_>>().join(": ")
        }
        What::Resumed { was, .. } => format!("was {}", wish(*was)),
    };
    match entry.since {
        Some(since) if entry.times > 1 => {
            let times = count(entry.times.try_into().unwrap_or(usize::MAX), "time");
            format!("{said} · {times} since {}", ago(since, now))
        }
        _ => said,
    }
}

fn deleted(number: u32, objects: &[Named], chapter: &Chapter) -> String {
    let mut names: Vec<String> = objects.iter().map(|one| named(one, chapter)).collect();
    let more = usize::try_from(number).unwrap_or(usize::MAX);
    let more = more.saturating_sub(names.len());
    if more > 0 {
        names.push(format!("{more} more"));
    }
    format!("{}: no longer in the services folder", names.join(", "))
}

fn healed(fault: Fault, fields: &[Field], more: u32) -> String {
    let value = |value: &Option<String>, none: &str| value.clone().unwrap_or(none.to_owned());
    match fault {
        Fault::Changed | Fault::Added => {
            let said = fields.iter().map(|field| {
                let (from, to) = (value(&field.from, "not set"), value(&field.to, "removed"));
                format!("{} {from} → {to}", field.path)
            });
            let rest = (more > 0).then(|| format!("{more} more"));
            let said: Vec<String> = said.chain(rest).collect();
            said.join(", ")
        }
        Fault::Deleted => "was deleted".to_owned(),
        Fault::Unlabelled => "had lost our label".to_owned(),
        Fault::Replaced => "was replaced by another object".to_owned(),
    }
}

/// Kind and name; the namespace too where it is not the service's.
fn named(object: &Named, chapter: &Chapter) -> String {
    match &object.namespace {
        Some(namespace) if chapter.namespace.as_ref() != Some(namespace) => {
            format!("{} in {namespace}", object.short())
        }
        _ => object.short(),
    }
}

fn entry_json(entry: &Entry) -> Value {
    let mut document = Map::new();
    let mut add = |name: &str, value: Value| drop(document.insert(name.to_owned(), value));
    add("time", json!(entry.at));
    add("since", json!(entry.since.unwrap_or(entry.at)));
    add("times", entry.times.into());
    add("what", word(&entry.what).0.into());
    add("by", entry.by.as_str().into());
    if let Value::Object(details) = details(&entry.what) {
        document.extend(details);
    }
    Value::Object(document)
}

fn details(what: &What) -> Value {
    match what {
        What::Applied {
            created,
            changed,
            version,
            services,
        } => {
            json!({"created": created, "changed": changed, "version": version, "digest": services})
        }
        What::Deleted { count, objects } => {
            json!({"count": count, "objects": objects.iter().map(object).collect::<Vec<_>>()})
        }
        What::Healed {
            object: healed,
            fault: wrong,
            fields,
            more,
            culprit,
            micros,
        } => json!({
            "object": object(healed), "fault": fault(*wrong), "fields": fields, "more_fields": more,
            "changed_by": culprit, "took_ms": millis(Duration::from_micros(*micros)),
        }),
        What::Rerun { why, answer } => json!({"reason": why, "answer": answer}),
        What::Restarted { workloads, why } => {
            json!({"reason": why, "objects": workloads.iter().map(object).collect::<Vec<_>>()})
        }
        What::Ordered { until, reason, .. } => json!({"until": until, "reason": reason}),
        What::Resumed { was, .. } => json!({"was": wish(*was)}),
    }
}

fn object(named: &Named) -> Value {
    json!({"group": named.group, "kind": named.kind, "namespace": named.namespace,
        "name": named.name})
}

#[cfg(test)]
mod tests;
