//! One line for each thing that happened, its level, and its JSON form.

use crate::engine::Occurrence;
use jiff::Timestamp;
use serde_json::Value;

/// What happened, on one line without colours.
#[must_use]
pub fn line(occurrence: &Occurrence) -> String {
    let _ = occurrence;
    String::new()
}

/// How loud it is; with `quiet`, lines about single applied objects are for debugging only.
#[must_use]
pub fn level(occurrence: &Occurrence, quiet: bool) -> tracing::Level {
    let _ = (occurrence, quiet);
    tracing::Level::INFO
}

/// What happened, for machine logs and the history.
#[must_use]
pub fn json(occurrence: &Occurrence, at: Timestamp) -> Value {
    let _ = (occurrence, at);
    Value::Null
}
