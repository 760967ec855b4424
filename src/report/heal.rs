//! An object that was put right: what was wrong, because of whom, how fast.

use super::document::{blame, fault, millis, object};
use super::layout::safe;
use super::measure::span;
use super::plan::{change_json, one_line};
use crate::desired::ObjectKey;
use crate::engine::diff::FieldChange;
use crate::engine::{Blame, Fault, Heal};
use serde_json::{Value, json};

/// So many fields are said on one line.
const FIELDS: usize = 2;

/// For the last line of a status: `Deployment/redis spec.replicas 5 → 1 by kubectl-scale, after
/// 4 ms`.
pub(super) fn footer(heal: &Heal) -> String {
    let by = match &heal.by {
        Blame::Manager(manager, _) => format!(" by {}", safe(manager)),
        Blame::Unknown => String::new(),
    };
    let what = what(heal)
        .map(|what| format!(" {what}"))
        .unwrap_or_default();
    format!("{}{what}{by}, after {}", heal.key.short(), span(heal.took))
}

/// For the log: `Deployment/redis: spec.replicas 5 → 1, changed by kubectl-scale, after 4 ms`.
pub(super) fn line(heal: &Heal) -> String {
    let what = what(heal)
        .map(|what| format!(" {what},"))
        .unwrap_or_default();
    let by = match (&heal.by, heal.fault) {
        (Blame::Manager(manager, _), Fault::Added) => format!(" added by {},", safe(manager)),
        (Blame::Manager(manager, _), _) => format!(" changed by {},", safe(manager)),
        (Blame::Unknown, Fault::Changed | Fault::Added) => {
            " changed by someone unknown,".to_owned()
        }
        (Blame::Unknown, _) => String::new(),
    };
    format!("{}:{what}{by} after {}", heal.key.short(), span(heal.took))
}

/// For programs: a drift that is over.
pub(super) fn json(heal: &Heal) -> Value {
    let by = blame(&heal.by, Some(heal.fault));
    let fields: Vec<Value> = heal
        .fields
        .iter()
        .map(|change| change_json(&heal.key, change, &by))
        .collect();
    json!({
        "service": &*heal.service,
        "object": object(&heal.key),
        "fault": fault(heal.fault),
        "by": by,
        "fields": fields,
        "healed": heal.at,
        "took_ms": millis(heal.took),
    })
}

/// The first changed fields, and how many there are beside them; `None` when none is known.
pub(super) fn some_fields(key: &ObjectKey, fields: &[FieldChange]) -> Option<String> {
    let shown = fields.iter().take(FIELDS);
    let mut said: Vec<String> = shown.map(|change| one_line(key, change)).collect();
    if fields.len() > FIELDS {
        said.push(format!("{} more", fields.len() - FIELDS));
    }
    (!said.is_empty()).then(|| said.join(", "))
}

fn what(heal: &Heal) -> Option<String> {
    match heal.fault {
        Fault::Changed | Fault::Added => some_fields(&heal.key, &heal.fields),
        Fault::Deleted => Some("was deleted".to_owned()),
        Fault::Unlabelled => Some("had lost our label".to_owned()),
        Fault::Replaced => Some("was replaced by another object".to_owned()),
    }
}
