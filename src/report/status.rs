//! Where everything stands, for people and programs.

use super::document::{self, blame, fault, object};
use super::heal;
use super::layout::safe;
use super::measure::{age, count, ordinal, span, wait};
use super::plan::change_json;
use super::style::{Meaning, Palette};
use super::table::{Cell, Table};
use crate::desired::ObjectKey;
use crate::engine::{Blame, ClusterState, Drift, Phase, ServiceStatus, Status, Unwatched};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// How a status is shown.
#[derive(Clone, Debug)]
pub struct StatusView {
    /// How often every service is looked at; `None` when nothing keeps it alive.
    pub interval: Option<Duration>,
    /// Problems of single objects as well.
    pub verbose: bool,
    /// Columns of the terminal; `None` when it goes elsewhere.
    pub width: Option<usize>,
    /// Colour or plain.
    pub palette: Palette,
    /// The time of day.
    pub now: Timestamp,
    /// For times of day on screen.
    pub zone: TimeZone,
    /// Who leads, when there are several replicas.
    pub leader: Option<String>,
}

/// The status for people; ends with a line feed.
#[must_use]
pub fn text(status: &Status, view: &StatusView) -> String {
    let mut table = Table::new(0);
    let titles = ["SERVICE", "PHASE", "FOR", "OBJECTS", "ANSWERS", "NOTE"];
    table.row(titles.map(|title| Cell::new(Meaning::Faint, title)));
    for service in &status.services {
        table.row([
            Cell::from(&*service.name),
            Cell::new(colour(service.phase), service.phase.to_string()),
            age(service.age).into(),
            objects(service).into(),
            answers(service).into(),
            note(service).into(),
        ]);
    }
    let mut text = table.render(view.palette, view.width);
    if view.verbose {
        text.push_str(&problems(status));
    }
    let _ = writeln!(text, "{}", footer(status, view));
    text.push_str(&hints(status, view.palette));
    text
}

/// What a person can do about the services, one line each; empty when there is nothing.
#[must_use]
pub fn hints(status: &Status, palette: Palette) -> String {
    let mut text = String::new();
    for service in &status.services {
        let Some(hint) = service.hint.as_deref() else {
            continue;
        };
        let head = palette.paint(Meaning::Strong, "hint:");
        let _ = writeln!(text, "{head} {}: {}", service.name, safe(hint));
    }
    text
}

/// The colour of a phase.
pub(super) fn colour(phase: Phase) -> Meaning {
    match phase {
        Phase::Running => Meaning::Good,
        Phase::Failed | Phase::Degraded => Meaning::Bad,
        Phase::Waiting | Phase::Applying | Phase::Settling | Phase::Starting => Meaning::Change,
        Phase::Orphaned => Meaning::Strong,
        Phase::Disabled | Phase::Suspended | Phase::NotConfigured => Meaning::Faint,
    }
}

/// Why a service stands where it stands, and when it is tried again.
pub(super) fn note(service: &ServiceStatus) -> String {
    let mut note = service.reason.clone();
    if let Some((again, failures)) = service
        .retry
        .filter(|_| colour(service.phase) == Meaning::Bad)
    {
        let again = format!("next try in {}", wait(again));
        note = if note.is_empty() {
            again
        } else {
            format!("{note}, {again}")
        };
        if failures > 1 {
            let _ = write!(note, " ({})", ordinal(failures));
        }
    }
    for (objects, word) in [(&service.suspended, "left alone"), (&service.kept, "kept")] {
        if !objects.is_empty() {
            let gap = if note.is_empty() { "" } else { ", " };
            let _ = write!(note, "{gap}{} {word}", objects.len());
        }
    }
    note
}

fn objects(service: &ServiceStatus) -> String {
    service.objects.map_or("–".to_owned(), |(current, total)| {
        format!("{current}/{total}")
    })
}

fn answers(service: &ServiceStatus) -> String {
    match &service.answer {
        Some((answer, _)) if service.answers => span(answer.latency),
        _ => "–".to_owned(),
    }
}

fn problems(status: &Status) -> String {
    let mut table = Table::new(2);
    for service in &status.services {
        let problems = service
            .problems
            .iter()
            .map(|(key, why)| ("!", key, why.clone()));
        let kept = service
            .kept
            .iter()
            .map(|(key, why)| ("=", key, format!("stays: {why}")));
        let alone = service
            .suspended
            .iter()
            .map(|(key, why)| ("=", key, why.clone()));
        for (sign, key, why) in problems.chain(alone).chain(kept) {
            table.row([
                Cell::new(Meaning::Strong, sign),
                Cell::from(&*service.name),
                key.short().into(),
                why.into(),
            ]);
        }
    }
    table.render(Palette::PLAIN, None)
}

fn footer(status: &Status, view: &StatusView) -> String {
    let mut parts = Vec::new();
    parts.push(whence(view));
    match &status.cluster {
        ClusterState::Off(why) => parts.push(format!("no cluster: {}", safe(why))),
        ClusterState::Connecting => parts.push("cluster not connected yet".to_owned()),
        ClusterState::Unreachable(why) => {
            parts.push(format!("cluster unreachable: {}", safe(why)));
        }
        ClusterState::Ready => {
            let more = if status.synced {
                ""
            } else {
                " (not all listed yet)"
            };
            let kinds = count(status.watched_kinds, "kind");
            parts.push(match &status.unwatched {
                None => format!("watching {kinds}{more}"),
                Some(unwatched) => watching_less(status.watched_kinds, unwatched, view),
            });
        }
    }
    parts.extend(
        view.leader
            .as_ref()
            .map(|who| format!("led by {}", safe(who))),
    );
    if !status.drifts.is_empty() {
        parts.push(format!("{} not as applied", status.drifts.len()));
    }
    parts.extend(status.last_heal.as_ref().map(|heal| {
        let at = heal.at.to_zoned(view.zone.clone()).strftime("%H:%M:%S");
        format!("last heal {at}: {}", heal::footer(heal))
    }));
    parts.join(" · ")
}

/// What is said while some or all watches are interrupted.
fn watching_less(wanted: usize, unwatched: &Unwatched, view: &StatusView) -> String {
    let seen = wanted.saturating_sub(unwatched.kinds.len());
    let since = unwatched.since.to_zoned(view.zone.clone());
    format!(
        "watching {seen} of {} since {}: {}",
        count(wanted, "kind"),
        since.strftime("%H:%M:%S"),
        safe(&unwatched.reason)
    )
}

/// Who says it: a daemon, or inventory and cluster as they were just read.
fn whence(view: &StatusView) -> String {
    if let Some(interval) = view.interval {
        return format!("kept alive every {}", wait(interval));
    }
    let at = view.now.to_zoned(view.zone.clone()).strftime("%H:%M:%S");
    format!("no daemon answers: as of {at}, from inventory and cluster, nothing probed")
}

/// The status for programs: `kind: Status`.
#[must_use]
pub fn json(status: &Status, view: &StatusView) -> Value {
    let mut drifts: Vec<Value> = status.drifts.iter().map(drift_json).collect();
    drifts.extend(status.last_heal.as_ref().map(heal::json));
    let services: Vec<Value> = status.services.iter().map(service_json).collect();
    document::new(
        "Status",
        json!({
            "source": if view.interval.is_some() { "daemon" } else { "cluster" },
            "as_of": view.now,
            "services": services,
            "drifts": drifts,
            "watching": status.watched_kinds,
            "unwatched": status.unwatched.as_ref().map(|unwatched| json!({
                "kinds": unwatched.kinds.iter().map(|kind| &**kind).collect::<Vec<_>>(),
                "since": unwatched.since,
                "reason": unwatched.reason,
            })),
            "leader": view.leader,
        }),
    )
}

fn service_json(service: &ServiceStatus) -> Value {
    let listed = |objects: &[(ObjectKey, String)]| -> Vec<Value> {
        let each = objects.iter();
        each.map(|(key, reason)| json!({"object": object(key), "reason": reason}))
            .collect()
    };
    let (problems, kept) = (listed(&service.problems), listed(&service.kept));
    let suspended = listed(&service.suspended);
    let last = service.answer.as_ref();
    json!({
        "name": &*service.name,
        "state": service.phase.state(),
        "phase": service.phase,
        "since": service.since,
        "reason": service.reason,
        "hint": service.hint,
        "objects": service
            .objects
            .map(|(current, total)| json!({"current": current, "total": total, "kept": service.kept.len()})),
        "probe": {
            "ok": service.answers,
            "latency_ms": last.map(|(answer, _)| document::millis(answer.latency)),
            "last": last.map(|(_, at)| at),
        },
        "problems": problems,
        "suspended": suspended,
        "kept": kept,
    })
}

fn drift_json(drift: &Drift) -> Value {
    let fields: Vec<Value> = drift
        .fields
        .iter()
        .map(|(change, by)| change_json(&drift.key, change, &blame(by, Some(drift.fault))))
        .collect();
    let mut writers = drift.fields.iter().map(|(_, by)| by);
    let by = writers.find(|by| **by != Blame::Unknown);
    json!({
        "service": &*drift.service,
        "object": object(&drift.key),
        "fault": fault(drift.fault),
        "by": blame(by.unwrap_or(&Blame::Unknown), Some(drift.fault)),
        "fields": fields,
        "healed": null,
        "took_ms": null,
    })
}

#[cfg(test)]
mod tests;
