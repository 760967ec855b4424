//! One changed field: old → new on one line, or a unified diff when the value has many lines.
//!
//! The engine masks the values of Secrets; what could still carry one (an annotation of a Secret,
//! where kubectl keeps a copy) is masked here.

use super::super::layout::{safe, shorten_pair, width};
use super::super::measure::ago;
use super::lines::lines;
use super::words;
use crate::desired::ObjectKey;
use crate::desired::path::{Path, Segment, plain};
use crate::engine::diff::{FieldChange, Shown};
use crate::engine::{Blame, Step};
use jiff::Timestamp;
use serde_json::Value;

/// A list or mapping longer than this is shown line by line.
const ONE_LINE: usize = 60;
const BULLETS: &str = "••••";

/// A changed field, laid out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Laid {
    /// Old → new, or how many lines differ.
    pub(super) value: String,
    /// The lines of a diff, each with its sign; empty for values of one line.
    pub(super) diff: Vec<(char, String)>,
    /// Whether something of the value is not shown.
    pub(super) shortened: bool,
}

/// A value on one line, shortened.
pub(in super::super) fn value(value: &Value) -> String {
    let text = if value.is_null() {
        "not set".to_owned()
    } else {
        plain(value)
    };
    super::super::layout::shorten(&safe(&text), ONE_LINE).into_owned()
}

/// Lays a change out with at most `columns` for each value.
pub(super) fn lay(key: &ObjectKey, change: &FieldChange, columns: usize) -> Laid {
    let (from, to) = sides(key, change);
    if from.has_lines || to.has_lines {
        return lines(from.text.as_deref(), to.text.as_deref());
    }
    let was = from.text.as_deref().map(safe);
    let is = to.text.as_deref().map(safe);
    let was = was.unwrap_or("not set".into());
    let is = is.unwrap_or("removed".into());
    let (short_was, short_is) = shorten_pair(&was, &is, columns);
    Laid {
        shortened: short_was != was || short_is != is,
        value: format!("{short_was} → {short_is}"),
        diff: Vec::new(),
    }
}

/// Old → new on one line whatever the values are, for logs and footers.
pub(in super::super) fn one_line(key: &ObjectKey, change: &FieldChange) -> String {
    let laid = lay(key, change, 40);
    format!("{} {}", safe(&change.path.folded()), laid.value)
}

/// Who changed a field, in words; empty when nobody can be named and nobody need have been.
pub(in super::super) fn blame(by: &Blame, drift: bool, now: Option<Timestamp>) -> String {
    match by {
        Blame::Manager(manager, time) => {
            format!("was changed by {}", signed(manager, time.as_deref(), now))
        }
        Blame::Unknown if drift => "was changed by someone unknown".to_owned(),
        Blame::Unknown => String::new(),
    }
}

/// Who added a field, in words.
pub(super) fn added(by: &Blame, now: Option<Timestamp>) -> String {
    match by {
        Blame::Manager(manager, time) => {
            format!("added by {}", signed(manager, time.as_deref(), now))
        }
        Blame::Unknown => "added by someone unknown".to_owned(),
    }
}

/// Who changed a field of a step, or added it, in words.
pub(super) fn culprit(step: &Step, by: &Blame, now: Option<Timestamp>) -> String {
    if words::is_strip(step) {
        return added(by, now);
    }
    blame(by, words::is_drift(step), now)
}

fn signed(manager: &str, time: Option<&str>, now: Option<Timestamp>) -> String {
    let parsed: Option<Timestamp> = time.and_then(|time| time.parse().ok());
    let when = match (parsed, now) {
        (Some(then), Some(now)) => format!(" {}", ago(then, now)),
        (Some(then), None) => format!(" at {then}"),
        (None, _) => String::new(),
    };
    format!("{}{when}", safe(manager))
}

/// The value as it may be shown: bullets where it could be a secret.
pub(super) fn guarded(key: &ObjectKey, path: &Path, shown: &Shown) -> Value {
    match shown {
        Shown::Masked(tag) => Value::String(format!("{BULLETS} #{tag}")),
        Shown::Plain(_) if key.is_secret() && !is_harmless(path) => Value::String(BULLETS.into()),
        Shown::Plain(value) => value.clone(),
    }
}

/// Whether a field of a Secret can hold nothing secret.
fn is_harmless(path: &Path) -> bool {
    let field = |position: usize| match path.0.get(position) {
        Some(Segment::Field(name)) => name.as_str(),
        _ => "",
    };
    match (field(0), field(1)) {
        ("type" | "immutable", _) => true,
        ("metadata", "annotations") => field(2).starts_with("jsorc.dev/"),
        ("metadata", inner) => !inner.is_empty(),
        _ => false,
    }
}

/// One side of a change.
struct Side {
    text: Option<String>,
    has_lines: bool,
}

fn sides(key: &ObjectKey, change: &FieldChange) -> (Side, Side) {
    let side = |shown: &Option<Shown>| {
        let value = shown
            .as_ref()
            .map(|shown| guarded(key, &change.path, shown));
        let has_lines = value.as_ref().is_some_and(has_lines);
        Side {
            text: value.map(|value| spoken(&value, has_lines)),
            has_lines,
        }
    };
    let (mut from, mut to) = (side(&change.from), side(&change.to));
    if from.has_lines != to.has_lines {
        // Both sides of a diff are written the same way.
        for (side, shown) in [(&mut from, &change.from), (&mut to, &change.to)] {
            if let Some(shown) = shown.as_ref().filter(|_| !side.has_lines) {
                side.text = Some(spoken(&guarded(key, &change.path, shown), true));
            }
        }
    }
    (from, to)
}

fn has_lines(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\n'),
        Value::Array(_) | Value::Object(_) => width(&value.to_string()) > ONE_LINE,
        _ => false,
    }
}

/// A value as people write it: text without quotes, unless it could be taken for something else.
fn spoken(value: &Value, in_lines: bool) -> String {
    match value {
        Value::String(text) if in_lines || !is_ambiguous(text) => text.clone(),
        Value::Array(_) | Value::Object(_) if in_lines => {
            serde_json::to_string_pretty(value).unwrap_or_else(|_| plain(value))
        }
        _ => value.to_string(),
    }
}

fn is_ambiguous(text: &str) -> bool {
    text.trim() != text
        || text.is_empty()
        || serde_json::from_str::<Value>(text).is_ok_and(|value| !value.is_string())
}
