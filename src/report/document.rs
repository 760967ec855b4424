//! Pieces of the JSON documents.

use super::API_VERSION;
use crate::desired::ObjectKey;
use crate::engine::{Blame, Fault};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A document of this kind: `apiVersion`, `kind`, and then its content.
pub(super) fn new(kind: &str, content: Value) -> Value {
    let mut document = Map::new();
    document.insert("apiVersion".into(), API_VERSION.into());
    document.insert("kind".into(), kind.into());
    if let Value::Object(content) = content {
        document.extend(content);
    }
    Value::Object(document)
}

/// An object whose API version does not matter.
pub(super) fn object(key: &ObjectKey) -> Value {
    json!({
        "group": &*key.group,
        "kind": &*key.kind,
        "namespace": key.namespace.as_deref(),
        "name": &*key.name,
    })
}

/// Who did it: `{manager, time}`, `{deleted}` or `{unknown}`.
pub(super) fn blame(by: &Blame, fault: Option<Fault>) -> Value {
    match (by, fault) {
        (Blame::Manager(manager, time), _) => json!({"manager": manager, "time": time}),
        (Blame::Unknown, Some(Fault::Deleted)) => json!({"deleted": true}),
        (Blame::Unknown, _) => json!({"unknown": true}),
    }
}

/// The word for what was wrong with an object.
pub(super) fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Changed => "changed",
        Fault::Added => "added",
        Fault::Deleted => "deleted",
        Fault::Unlabelled => "unlabelled",
        Fault::Replaced => "replaced",
    }
}

/// Milliseconds, to the microsecond.
pub(super) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
