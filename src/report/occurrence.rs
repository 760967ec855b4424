//! One line for each thing that happened, its level, and its JSON form.

use super::document::{blame, millis, object};
use super::heal;
use super::layout::safe;
use super::measure::{count, span, wait};
use super::plan::change_json;
use crate::desired::ObjectKey;
use crate::desired::path::Path;
use crate::engine::diff::FieldChange;
use crate::engine::{Blame, Occurrence, Phase};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::time::Duration;
use tracing::Level;

/// What happened, on one line without colours.
#[must_use]
pub fn line(occurrence: &Occurrence) -> String {
    let said = match occurrence {
        Occurrence::Applied {
            key,
            created,
            fields,
            took,
            ..
        } => applied(key, *created, fields, *took),
        Occurrence::Healed(heal) => format!("healed {}", heal::line(heal)),
        Occurrence::Drifted { key, by, .. } => {
            format!(
                "{} is not as applied{}; left as it is",
                key.short(),
                changed_by(by)
            )
        }
        Occurrence::Pruned { key, .. } => {
            format!("deleted {}: no longer in the services folder", key.short())
        }
        Occurrence::Kept { key, reason, .. } => format!("{} stays: {reason}", key.short()),
        Occurrence::Refused {
            key,
            others,
            reason,
            again,
            ..
        } => format!(
            "{}{}: {reason}{}",
            key.short(),
            and_others(*others),
            next_try(*again)
        ),
        Occurrence::Fight { .. } => fight(occurrence),
        Occurrence::RerunIgnored { applied, .. } => format!(
            "{} applied; rerun ignored, pods are not ready yet",
            count(*applied, "object")
        ),
        Occurrence::Phase {
            from,
            to,
            reason,
            hint,
            ..
        } => moved(*from, *to, reason, hint.as_deref()),
        Occurrence::Noted { note, advice, .. } => match advice {
            Some(advice) => format!("{note}; hint: {advice}"),
            None => format!("is well again: {note}"),
        },
        Occurrence::ProbeFailed {
            reason, failures, ..
        } => format!("did not answer ({failures} in a row): {reason}"),
        Occurrence::Restarted {
            workloads, reason, ..
        } => {
            let names: Vec<String> = workloads.iter().map(ObjectKey::short).collect();
            format!(
                "is ready and does not answer ({reason}): restarts {}",
                names.join(", ")
            )
        }
        Occurrence::InventoryRefused { reason, .. } => {
            format!("the inventory could not be stored: {reason}")
        }
        Occurrence::Unwatched { kinds, of, reason } => format!(
            "{} cannot be watched: {reason}; tried again",
            match kinds.as_slice() {
                [one] if *of > 1 => one.to_string(),
                kinds => format!("{} of {}", kinds.len(), count(*of, "kind")),
            }
        ),
        Occurrence::WatchedAgain { kinds, after } => {
            let are = if *kinds == 1 { "is" } else { "are" };
            format!(
                "{} {are} watched again, after {}",
                count(*kinds, "kind"),
                wait(*after)
            )
        }
    };
    let said = match service(occurrence) {
        Some(service) => format!("{service}: {said}"),
        None => said,
    };
    safe(&said).into_owned()
}

/// How loud it is; with `quiet`, lines about single applied objects are for debugging only.
#[must_use]
pub fn level(occurrence: &Occurrence, quiet: bool) -> Level {
    match occurrence {
        Occurrence::Applied { .. } if quiet => Level::DEBUG,
        Occurrence::Phase {
            to: Phase::Failed, ..
        }
        | Occurrence::InventoryRefused { .. } => Level::ERROR,
        Occurrence::Phase {
            to: Phase::Degraded | Phase::Orphaned,
            ..
        }
        | Occurrence::Phase {
            to: Phase::Running,
            hint: Some(_),
            ..
        }
        | Occurrence::Noted {
            advice: Some(_), ..
        }
        | Occurrence::Refused { .. }
        | Occurrence::Restarted { .. }
        | Occurrence::Drifted { .. }
        | Occurrence::Fight { .. }
        | Occurrence::Unwatched { .. }
        | Occurrence::ProbeFailed { .. } => Level::WARN,
        _ => Level::INFO,
    }
}

/// What happened, for machine logs and the history.
#[must_use]
pub fn json(occurrence: &Occurrence, at: Timestamp) -> Value {
    let (what, details) = match occurrence {
        Occurrence::Applied {
            key,
            created,
            fields,
            took,
            ..
        } => {
            let fields = fields.iter().map(|f| change_json(key, f, &Value::Null));
            let fields: Vec<Value> = fields.collect();
            let details = json!({"object": object(key), "created": created, "fields": fields, "took_ms": millis(*took)});
            ("applied", details)
        }
        Occurrence::Healed(heal) => ("healed", heal::json(heal)),
        Occurrence::Drifted { key, by, .. } => (
            "drifted",
            json!({"object": object(key), "by": blame(by, None)}),
        ),
        Occurrence::Pruned { key, .. } => ("pruned", json!({"object": object(key)})),
        Occurrence::Kept { key, reason, .. } => {
            ("kept", json!({"object": object(key), "reason": reason}))
        }
        Occurrence::Refused {
            key,
            others,
            reason,
            again,
            ..
        } => (
            "refused",
            json!({"object": object(key), "others": others, "reason": reason, "again_ms": again.map(millis)}),
        ),
        Occurrence::Fight {
            key,
            by,
            fields,
            times,
            again,
            ..
        } => (
            "fight",
            json!({
                "object": object(key), "by": blame(by, None), "times": times,
                "again_ms": millis(*again), "ignore": ignored(key, fields),
            }),
        ),
        Occurrence::RerunIgnored { applied, .. } => ("rerun_ignored", json!({"applied": applied})),
        Occurrence::Phase {
            from,
            to,
            reason,
            hint,
            ..
        } => (
            "phase",
            json!({"from": from, "to": to, "state": to.state(), "reason": reason, "hint": hint}),
        ),
        Occurrence::Noted { note, advice, .. } => ("noted", json!({"note": note, "hint": advice})),
        Occurrence::ProbeFailed {
            reason, failures, ..
        } => (
            "probe_failed",
            json!({"reason": reason, "failures": failures}),
        ),
        Occurrence::Restarted {
            workloads, reason, ..
        } => {
            let names: Vec<String> = workloads.iter().map(ObjectKey::short).collect();
            ("restarted", json!({"workloads": names, "reason": reason}))
        }
        Occurrence::InventoryRefused { reason, .. } => {
            ("inventory_refused", json!({"reason": reason}))
        }
        Occurrence::Unwatched { kinds, of, reason } => {
            let kinds: Vec<&str> = kinds.iter().map(|kind| &**kind).collect();
            (
                "unwatched",
                json!({"kinds": kinds, "of": of, "reason": reason}),
            )
        }
        Occurrence::WatchedAgain { kinds, after } => (
            "watched_again",
            json!({"kinds": kinds, "after_ms": millis(*after)}),
        ),
    };
    let mut document = Map::new();
    document.insert("time".into(), json!(at));
    document.insert("what".into(), what.into());
    document.insert("service".into(), service(occurrence).into());
    if let Value::Object(details) = details {
        document.extend(details.into_iter().filter(|(key, _)| key != "service"));
    }
    Value::Object(document)
}

/// The service that it is about; `None` where it is about the cluster.
fn service(occurrence: &Occurrence) -> Option<&str> {
    match occurrence {
        Occurrence::Healed(heal) => Some(&heal.service),
        Occurrence::Applied { service, .. }
        | Occurrence::Drifted { service, .. }
        | Occurrence::Pruned { service, .. }
        | Occurrence::Kept { service, .. }
        | Occurrence::Refused { service, .. }
        | Occurrence::Fight { service, .. }
        | Occurrence::RerunIgnored { service, .. }
        | Occurrence::Phase { service, .. }
        | Occurrence::Noted { service, .. }
        | Occurrence::ProbeFailed { service, .. }
        | Occurrence::Restarted { service, .. }
        | Occurrence::InventoryRefused { service, .. } => Some(service),
        Occurrence::Unwatched { .. } | Occurrence::WatchedAgain { .. } => None,
    }
}

fn applied(key: &ObjectKey, created: bool, fields: &[FieldChange], took: Duration) -> String {
    let (verb, took) = (if created { "created" } else { "changed" }, span(took));
    match heal::some_fields(key, fields).filter(|_| !created) {
        Some(fields) => format!("{verb} {}: {fields}, in {took}", key.short()),
        None => format!("{verb} {} in {took}", key.short()),
    }
}

/// Who it was and over which fields, with the line that leaves these to them.
fn fight(occurrence: &Occurrence) -> String {
    let Occurrence::Fight {
        service,
        key,
        by,
        fields,
        times,
        again,
    } = occurrence
    else {
        return String::new();
    };
    let who = match by {
        Blame::Manager(manager, _) => manager.as_str(),
        Blame::Unknown => "someone unknown",
    };
    let what = match fields.as_slice() {
        [] => "it".to_owned(),
        [one] => one.to_string(),
        [first, rest @ ..] => format!("{first} and {}", count(rest.len(), "other field")),
    };
    let told = format!(
        "{} and {who} keep changing {what}: healed {times} times within a minute, next in {}",
        key.short(),
        wait(*again)
    );
    if fields.is_empty() {
        return told;
    }
    let lines: Vec<String> = fields.iter().map(|path| ignore_line(key, path)).collect();
    format!(
        "{told}; to leave it to them, in services.{service}: ignore: [{}]",
        lines.join(", ")
    )
}

/// The entries of `ignore` that leave fields to others.
fn ignored(key: &ObjectKey, fields: &[Path]) -> Vec<Value> {
    let entry =
        |path: &Path| json!({"kind": &*key.kind, "name": &*key.name, "path": path.to_string()});
    fields.iter().map(entry).collect()
}

/// One entry of `ignore`, as YAML that can be pasted.
fn ignore_line(key: &ObjectKey, path: &Path) -> String {
    let path = path.to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    let path = if path.chars().all(plain) {
        path
    } else {
        format!("'{}'", path.replace('\'', "''"))
    };
    format!("{{kind: {}, name: {}, path: {path}}}", key.kind, key.name)
}

fn moved(from: Phase, to: Phase, reason: &str, hint: Option<&str>) -> String {
    let mut line = match to {
        _ if from != to => format!("{from} → {to}"),
        Phase::Waiting => to.to_string(),
        Phase::Running => format!("{to} after a rerun"),
        _ => format!("still {to}"),
    };
    for (gap, text) in [(": ", Some(reason)), ("; hint: ", hint)] {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            line.push_str(gap);
            line.push_str(text);
        }
    }
    line
}

fn changed_by(by: &Blame) -> String {
    match by {
        Blame::Manager(manager, _) => format!(", changed by {manager}"),
        Blame::Unknown => String::new(),
    }
}

fn and_others(others: usize) -> String {
    if others == 0 {
        return String::new();
    }
    format!(" and {}", count(others, "other object"))
}

fn next_try(again: Option<Duration>) -> String {
    again.map_or_else(String::new, |again| {
        format!(" (next try in {})", wait(again))
    })
}

#[cfg(test)]
mod tests;
