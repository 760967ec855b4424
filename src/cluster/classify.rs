//! What an answer of the API server means.
//!
//! kube's own helpers miss answers that carry no known reason (a plain-text 404 of a kind that is
//! not served, errors of proxies), so the classification is made here from status code, reason,
//! causes and, where the API has no reason, the words of its message.

use super::untyped;
use crate::desired::path::{Path, Segment};
use crate::engine::{FieldConflict, WriteError};
use http::StatusCode;
use serde_json::{Map, Value};
use std::time::Duration;

/// What an unsuccessful answer means. For a Secret, nothing that the server says about values is
/// repeated.
#[must_use]
pub fn refused(status: StatusCode, body: &[u8], secret: bool) -> WriteError {
    let answer: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let answer = Answer {
        status: &answer,
        secret,
    };
    match status.as_u16() {
        401 => WriteError::Forbidden(format!(
            "the credentials are not accepted ({})",
            answer.message(status)
        )),
        403 => answer.forbidden(status),
        404 => answer.missing(),
        409 => answer.conflict(status),
        422 => answer.invalid(status),
        429 | 500 | 502 | 503 | 504 => answer.busy(status),
        _ => WriteError::Invalid(answer.message(status)),
    }
}

struct Answer<'a> {
    status: &'a Value,
    secret: bool,
}

impl Answer<'_> {
    fn text(&self, pointer: &str) -> &str {
        self.status
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or("")
    }

    fn is_status(&self) -> bool {
        self.text("/kind") == "Status"
    }

    fn causes(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.status
            .pointer("/details/causes")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|cause| {
                let part = |name: &str| cause.get(name).and_then(Value::as_str).unwrap_or("");
                (part("reason"), part("field"), part("message"))
            })
    }

    fn message(&self, status: StatusCode) -> String {
        let said = self.text("/message");
        if self.secret && status != StatusCode::FORBIDDEN {
            let fields: Vec<&str> = self
                .causes()
                .map(|(_, field, _)| field)
                .filter(|f| !f.is_empty())
                .collect();
            return format!(
                "the server refuses it ({status}{}{})",
                if fields.is_empty() { "" } else { ": " },
                fields.join(", ")
            );
        }
        if said.is_empty() {
            format!("the server answered {status}")
        } else {
            said.to_owned()
        }
    }

    /// What does not fit its kind is answered like a failure of the server.
    fn busy(&self, status: StatusCode) -> WriteError {
        match untyped::faults(self.text("/message"), self.secret) {
            Some(faults) => WriteError::Misfit(faults),
            None => WriteError::Busy {
                message: self.message(status),
                after: self.retry_after(),
            },
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        let seconds = self
            .status
            .pointer("/details/retryAfterSeconds")
            .and_then(Value::as_u64)?;
        Some(Duration::from_secs(seconds.min(60)))
    }

    fn forbidden(&self, status: StatusCode) -> WriteError {
        match self
            .causes()
            .find(|(reason, ..)| *reason == "NamespaceTerminating")
        {
            Some((_, _, message)) => {
                WriteError::NamespaceTerminating(quoted_or(message, "").to_owned())
            }
            None => WriteError::Forbidden(self.message(status)),
        }
    }

    fn missing(&self) -> WriteError {
        if !self.is_status()
            || (self.text("/reason") == "NotFound" && self.text("/details/name").is_empty())
        {
            return WriteError::KindNotServed;
        }
        match self.text("/details/kind") {
            "namespaces" => WriteError::NamespaceMissing(self.text("/details/name").to_owned()),
            _ => WriteError::Gone,
        }
    }

    fn conflict(&self, status: StatusCode) -> WriteError {
        let conflicts: Vec<FieldConflict> = self
            .causes()
            .filter(|(reason, ..)| *reason == "FieldManagerConflict")
            .filter_map(|(_, field, message)| {
                let manager = quoted_or(message, "another manager").to_owned();
                Some(FieldConflict {
                    path: field_path(field)?,
                    manager,
                })
            })
            .collect();
        let said = self.text("/message");
        if !conflicts.is_empty() {
            WriteError::Conflict(conflicts)
        } else if self.text("/reason") == "AlreadyExists" {
            WriteError::AlreadyExists
        } else if said.contains("no existing object was found") {
            WriteError::Gone
        } else if said.contains("UID in the precondition")
            || said.contains("Precondition failed: UID")
        {
            WriteError::NotOurs
        } else if self.text("/reason") == "Conflict" {
            WriteError::Changed
        } else {
            WriteError::Invalid(self.message(status))
        }
    }

    fn invalid(&self, status: StatusCode) -> WriteError {
        if self.causes().any(|(_, field, _)| field == "metadata.uid") {
            return WriteError::NotOurs;
        }
        // Who refuses an object names it, and a webhook itself. Only a JSON patch that does not fit is
        // refused in these words, and ours begin with a test of what they are for.
        let details = self.status.pointer("/details").and_then(Value::as_object);
        let wordless = self.text("/message") == UNPROCESSABLE;
        if self.is_status() && wordless && details.is_none_or(Map::is_empty) {
            return WriteError::Changed;
        }
        let message = self.message(status);
        if self
            .causes()
            .any(|(reason, field, said)| is_immutable(reason, field, said))
        {
            WriteError::Immutable(message)
        } else {
            WriteError::Invalid(message)
        }
    }
}

/// What the server says of a JSON patch that does not fit, and of nothing else.
const UNPROCESSABLE: &str = "the server rejected our request due to an error in our request";

/// Immutable fields have no reason of their own in the API; these are the words of its validation.
fn is_immutable(reason: &str, field: &str, said: &str) -> bool {
    let forbidden = reason == "FieldValueForbidden";
    said.contains("field is immutable")
        || said.contains("may not change once set")
        || (forbidden && said.contains("updates to statefulset spec"))
        || (forbidden && said.contains("is immutable after creation"))
        || (forbidden && said.contains("field is immutable when"))
        || (field == "roleRef" && said.contains("cannot change roleRef"))
}

/// A path as server-side apply writes it: `.spec.containers[name="redis"].image`.
fn field_path(text: &str) -> Option<Path> {
    for (prefix, parents) in [
        (".data.", &["data"][..]),
        (".stringData.", &["stringData"]),
        (".metadata.labels.", &["metadata", "labels"]),
        (".metadata.annotations.", &["metadata", "annotations"]),
    ] {
        if let Some(key) = text.strip_prefix(prefix) {
            let parents = parents
                .iter()
                .map(|name| Segment::Field((*name).to_owned()));
            return Some(Path(
                parents.chain([Segment::Field(key.to_owned())]).collect(),
            ));
        }
    }
    Path::parse(text)
}

/// The part of a text between double quotes.
fn quoted_or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    text.split('"').nth(1).unwrap_or(otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(code: u16, body: &Value) -> WriteError {
        refused(
            StatusCode::from_u16(code).unwrap(),
            body.to_string().as_bytes(),
            false,
        )
    }

    fn status(reason: &str, message: &str, details: &Value) -> Value {
        json!({"kind": "Status", "reason": reason, "message": message, "details": details})
    }

    #[test]
    fn an_absent_object_a_missing_namespace_and_an_unserved_kind_are_three_things() {
        assert_eq!(
            answer(
                404,
                &status("NotFound", "x", &json!({"kind": "pods", "name": "a"}))
            ),
            WriteError::Gone
        );
        assert_eq!(
            answer(
                404,
                &status(
                    "NotFound",
                    "x",
                    &json!({"kind": "namespaces", "name": "nope"})
                )
            ),
            WriteError::NamespaceMissing("nope".into())
        );
        let plain = refused(StatusCode::NOT_FOUND, b"404 page not found\n", false);
        assert_eq!(plain, WriteError::KindNotServed);
    }

    #[test]
    fn a_patch_that_does_not_fit_any_more_means_that_the_object_changed() {
        let said = "the server rejected our request due to an error in our request";
        let answered = answer(422, &status("Invalid", said, &json!({})));
        assert_eq!(answered, WriteError::Changed);
        let refused = json!({"name": "x", "kind": "ConfigMap"});
        let named = answer(422, &status("Invalid", "it is invalid", &refused));
        assert_eq!(named, WriteError::Invalid("it is invalid".into()));
    }

    #[test]
    fn conflicts_name_field_and_manager() {
        let causes = json!({"causes": [
            {"reason": "FieldManagerConflict", "field": ".spec.template.spec.containers[name=\"redis\"].image", "message": "conflict with \"kubectl\" using apps/v1"},
            {"reason": "FieldManagerConflict", "field": ".data.a.b", "message": "conflict with \"helm\""}]});
        let WriteError::Conflict(list) = answer(409, &status("Conflict", "Apply failed", &causes))
        else {
            panic!()
        };
        let said: Vec<_> = list
            .iter()
            .map(|c| (c.path.to_string(), c.manager.clone()))
            .collect();
        assert_eq!(
            said[0],
            (
                "spec.template.spec.containers[redis].image".into(),
                "kubectl".into()
            )
        );
        assert_eq!(said[1], ("data[\"a.b\"]".into(), "helm".into()));
    }

    #[test]
    fn preconditions_say_gone_changed_or_not_ours() {
        let conflict = |message: &str| answer(409, &status("Conflict", message, &json!({})));
        assert_eq!(
            conflict("uid mismatch: … no existing object was found"),
            WriteError::Gone
        );
        assert_eq!(
            conflict("Precondition failed: UID in precondition: a, UID in object meta: b"),
            WriteError::NotOurs
        );
        assert_eq!(
            conflict("the ResourceVersion in the precondition (757) does not match"),
            WriteError::Changed
        );
        assert_eq!(
            answer(409, &status("AlreadyExists", "x", &json!({}))),
            WriteError::AlreadyExists
        );
        let uid = json!({"causes": [{"reason": "FieldValueInvalid", "field": "metadata.uid", "message": "field is immutable"}]});
        assert_eq!(
            answer(422, &status("Invalid", "x", &uid)),
            WriteError::NotOurs
        );
    }

    #[test]
    fn immutable_fields_are_known_kind_by_kind() {
        let rows = [
            ("FieldValueInvalid", "spec.template", "field is immutable"),
            ("FieldValueInvalid", "spec.selector", "field is immutable"),
            (
                "FieldValueForbidden",
                "spec",
                "updates to statefulset spec for fields other than 'replicas'",
            ),
            (
                "FieldValueForbidden",
                "spec",
                "spec is immutable after creation except resources.requests",
            ),
            (
                "FieldValueInvalid",
                "spec.clusterIPs[0]",
                "may not change once set",
            ),
            ("FieldValueInvalid", "roleRef", "cannot change roleRef"),
            (
                "FieldValueForbidden",
                "data",
                "field is immutable when `immutable` is set",
            ),
        ];
        for (reason, field, message) in rows {
            let details =
                json!({"causes": [{"reason": reason, "field": field, "message": message}]});
            assert!(
                matches!(
                    answer(422, &status("Invalid", "m", &details)),
                    WriteError::Immutable(_)
                ),
                "{field}"
            );
        }
        let details = json!({"causes": [{"reason": "FieldValueInvalid", "field": "spec.replicas", "message": "must be >= 0"}]});
        assert!(matches!(
            answer(422, &status("Invalid", "m", &details)),
            WriteError::Invalid(_)
        ));
    }

    #[test]
    fn what_a_server_says_of_a_secret_is_not_repeated() {
        let details = json!({"causes": [{"reason": "FieldValueInvalid", "field": "data[p]", "message": "hunter2"}]});
        let body = status("Invalid", "Secret is invalid: hunter2", &details).to_string();
        let error = refused(StatusCode::UNPROCESSABLE_ENTITY, body.as_bytes(), true);
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(error.to_string().contains("data[p]"), "{error}");
    }

    #[test]
    fn a_terminating_namespace_and_a_busy_server_ask_to_wait() {
        let details = json!({"causes": [{"reason": "NamespaceTerminating", "message": "namespace \"x\" is being terminated"}]});
        assert_eq!(
            answer(403, &status("Forbidden", "m", &details)),
            WriteError::NamespaceTerminating("x".into())
        );
        let busy = answer(
            429,
            &status(
                "TooManyRequests",
                "slow down",
                &json!({"retryAfterSeconds": 3600}),
            ),
        );
        assert_eq!(
            busy,
            WriteError::Busy {
                message: "slow down".into(),
                after: Some(Duration::from_secs(60))
            }
        );
    }
}
