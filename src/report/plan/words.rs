//! The words, signs and colours of a plan's steps.

use super::super::measure::count;
use super::super::style::Meaning;
use crate::engine::{Action, Cause, Checked, Fault, PlannedService, Risk, Step};

/// The sign before a step, and its colour.
pub(super) fn sign(action: Action) -> (&'static str, Meaning) {
    match action {
        Action::Create => ("+", Meaning::Good),
        Action::Update => ("~", Meaning::Change),
        Action::Recreate => ("±", Meaning::Bad),
        Action::Delete => ("-", Meaning::Bad),
        Action::Kept | Action::Blocked => ("!", Meaning::Strong),
    }
}

/// The word for an action, in sentences and in JSON.
pub(super) fn action(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Recreate => "recreate",
        Action::Delete => "delete",
        Action::Kept => "kept",
        Action::Blocked => "blocked",
    }
}

/// The word for a risk in JSON.
pub(super) fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::None => "none",
        Risk::Restart => "restart",
        Risk::Loss => "loss",
    }
}

/// The word for a check in JSON.
pub(super) fn checked(checked: Checked) -> &'static str {
    match checked {
        Checked::Server => "server",
        Checked::Schema => "schema",
        Checked::Assumed => "assumed",
    }
}

/// Whether the object is not as it was applied, because someone changed its fields.
pub(super) fn is_drift(step: &Step) -> bool {
    step.reason == Cause::Drift(Fault::Changed).words()
}

/// Whether a step only removes what others added.
pub(super) fn is_strip(step: &Step) -> bool {
    step.reason == Cause::Drift(Fault::Added).words()
}

/// Whether a step is a plain creation, one like many.
pub(super) fn is_plain_create(step: &Step) -> bool {
    step.action == Action::Create && step.reason != Cause::Drift(Fault::Deleted).words()
}

/// The object's name; with its namespace where that is not its service's.
pub(super) fn name(service: &PlannedService, step: &Step) -> String {
    match &step.key.namespace {
        Some(namespace) if **namespace != *service.namespace => {
            format!("{namespace}/{}", step.key.name)
        }
        _ => step.key.name.to_string(),
    }
}

/// What there is to say about a step on its own line, the reason last.
pub(super) fn note(step: &Step) -> String {
    let mut parts = Vec::new();
    let reason = step.reason.as_str();
    match step.action {
        Action::Create => {
            parts.extend((!step.summary.is_empty()).then(|| step.summary.clone()));
            let new = reason == Cause::Missing.words() && !step.summary.is_empty();
            parts.extend((!new).then(|| reason.to_owned()));
        }
        Action::Update | Action::Recreate => {
            parts.extend((!step.fields.is_empty()).then(|| count(step.fields.len(), "field")));
            parts.extend(risk_words(step).map(str::to_owned));
            let told = reason == Cause::Changed.words() || is_drift(step) || is_strip(step);
            if !told || step.fields.is_empty() {
                parts.push(reason.to_owned());
            }
        }
        Action::Blocked => parts.push(format!("blocked: {reason}")),
        Action::Delete | Action::Kept => parts.push(reason.to_owned()),
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}

/// What could be lost by a step, in words.
pub(super) fn risk_words(step: &Step) -> Option<&'static str> {
    match (step.action, step.risk) {
        (Action::Recreate, _) => Some("deletes and creates anew"),
        (Action::Delete, _) => Some("deletes"),
        (_, Risk::Restart) => Some("restarts pods"),
        (_, Risk::Loss) => Some("may lose data"),
        (_, Risk::None) => None,
    }
}
