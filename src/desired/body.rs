//! The JSON text of a desired object, as it goes on the wire.
//!
//! Invariant: a line ends after every opening brace and bracket. API servers parse the body of an
//! apply as YAML, in which a mapping on one line may be the key of another mapping, so their parser
//! keeps a line until it ends: a Deployment on a single line takes half as long again and twice the
//! memory.

use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};
use std::fmt;
use std::io;
use std::sync::Arc;

/// The JSON text of an object; cloning shares it.
#[derive(Clone, PartialEq, Eq)]
pub struct ObjectBody(Arc<str>);

impl ObjectBody {
    /// The text of an object.
    #[must_use]
    pub fn of(object: &Value) -> Self {
        Self(in_lines(object).into())
    }

    /// A body that holds nothing, for sets that are never compared with a cluster.
    #[must_use]
    pub fn empty() -> Self {
        Self("".into())
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The text, shared.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }

    /// The parsed object, or `None` for an empty body.
    #[must_use]
    pub fn value(&self) -> Option<Value> {
        serde_json::from_str(&self.0).ok()
    }
}

/// The body may be that of a Secret, so its text is not printed.
impl fmt::Debug for ObjectBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ObjectBody(…)")
    }
}

/// The JSON text of an object with a line end after every opening brace and bracket.
#[must_use]
pub fn in_lines(object: &Value) -> String {
    let mut bytes = Vec::new();
    // Writing a tree into memory cannot fail, and serde_json writes UTF-8 only.
    let _ = object.serialize(&mut Serializer::with_formatter(&mut bytes, Lines));
    String::from_utf8(bytes).unwrap_or_default()
}

/// Writes compact JSON that breaks the line after opening braces and brackets.
struct Lines;

impl Formatter for Lines {
    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"{\n")
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"[\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_ends_after_what_opens_and_never_inside_a_text() {
        let object = json!({"a": {"b": [1, {}], "c": "{[\"{\\"}, "d\\": "[", "e": []});
        let body = ObjectBody::of(&object);
        let expected =
            "{\n\"a\":{\n\"b\":[\n1,{\n}],\"c\":\"{[\\\"{\\\\\"},\"d\\\\\":\"[\",\"e\":[\n]}";
        assert_eq!(body.text(), expected);
        assert_eq!(body.value().unwrap(), object);
    }

    #[test]
    fn a_body_never_shows_its_text_in_debug_output() {
        let body = ObjectBody::of(&json!({"data": {"password": "hunter2"}}));
        assert!(!format!("{body:?}").contains("hunter2"));
    }
}
