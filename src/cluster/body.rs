//! The body of an apply: as planned, bound to one object, without what is left to others, and in
//! lines.

use crate::desired::path::Path;
use crate::engine::WriteError;
use memchr::{memchr2, memchr3};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The body as planned, bound to one uid, without the fields that are left to others.
pub(super) fn body_with(
    body: Cow<'_, str>,
    uid: Option<&str>,
    without: &[Path],
) -> Result<Vec<u8>, WriteError> {
    bound(body, uid, without).map(|body| in_lines(&body))
}

/// The same JSON, with a line that ends where something opens.
///
/// Servers read the body of an apply as YAML, in which a whole mapping may be the key of another one as
/// long as it is on one line. So their parser keeps what it has read until the line ends: a Deployment
/// on one line takes it half as long again and twice the memory.
fn in_lines(json: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(json.len() + json.len() / 16);
    let mut rest = json;
    while let Some(at) = memchr3(b'{', b'[', b'"', rest) {
        let opens = rest[at] != b'"';
        let end = if opens {
            at + 1
        } else {
            text_end(rest, at + 1)
        };
        lines.extend_from_slice(&rest[..end]);
        if opens {
            lines.push(b'\n');
        }
        rest = &rest[end..];
    }
    lines.extend_from_slice(rest);
    lines
}

/// Behind the quote that ends the text which begins here.
fn text_end(json: &[u8], mut at: usize) -> usize {
    while let Some(found) = memchr2(b'"', b'\\', &json[at..]) {
        let escapes = json[at + found] == b'\\';
        at += found + 1;
        if !escapes {
            return at;
        }
        // What is escaped ends nothing.
        at = (at + 1).min(json.len());
    }
    json.len()
}

fn bound(body: Cow<'_, str>, uid: Option<&str>, without: &[Path]) -> Result<Vec<u8>, WriteError> {
    let Some(bound_to) = uid.filter(|_| without.is_empty()) else {
        return body_without(body, uid, without);
    };
    let broken = |error: serde_json::Error| WriteError::Invalid(error.to_string());
    let top: Top<'_> = serde_json::from_str(&body).map_err(broken)?;
    let metadata: Metadata = serde_json::from_str(top.metadata.get()).map_err(broken)?;
    if metadata.uid.is_some() {
        return body_without(body, uid, without);
    }
    // It is a part of the body: its brace opens this far from the beginning.
    let inside = top.metadata.get().as_ptr() as usize - body.as_ptr() as usize + 1;
    let comma = if body[inside..].starts_with('}') {
        ""
    } else {
        ","
    };
    let uid = Value::from(bound_to).to_string();
    let parts = [&body[..inside], "\"uid\":", &uid, comma, &body[inside..]];
    Ok(parts.concat().into_bytes())
}

/// Of a body, the part that is added to; the rest is not taken apart.
#[derive(Deserialize)]
struct Top<'a> {
    #[serde(borrow)]
    metadata: &'a RawValue,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    uid: Option<IgnoredAny>,
}

fn body_without(
    body: Cow<'_, str>,
    uid: Option<&str>,
    without: &[Path],
) -> Result<Vec<u8>, WriteError> {
    if uid.is_none() && without.is_empty() {
        return Ok(body.into_owned().into_bytes());
    }
    let mut value: Value =
        serde_json::from_str(&body).map_err(|error| WriteError::Invalid(error.to_string()))?;
    for path in without {
        path.remove(&mut value);
    }
    if let Some(uid) = uid {
        value["metadata"]["uid"] = uid.into();
    }
    Ok(value.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_bound_to_a_uid_wherever_its_metadata_stands() {
        for body in [
            r#"{"kind":"Secret","metadata":{"name":"a"},"data":{"metadata":"{"}}"#,
            r#"{"data":{"metadata":{"x":"}"}},"metadata":{}}"#,
        ] {
            let bound = body_with(body.into(), Some("u-1"), &[]).unwrap();
            let bound: Value = serde_json::from_slice(&bound).unwrap();
            let slow = body_without(body.into(), Some("u-1"), &[]).unwrap();
            assert_eq!(
                bound,
                serde_json::from_slice::<Value>(&slow).unwrap(),
                "{body}"
            );
        }
    }

    #[test]
    fn a_body_that_names_a_uid_is_bound_to_ours_only() {
        let body = r#"{"metadata":{"name":"a","uid":"theirs"}}"#;
        let bound = body_with(body.into(), Some("u-1"), &[]).unwrap();
        let bound = String::from_utf8(bound).unwrap().replace('\n', "");
        assert_eq!(bound, r#"{"metadata":{"name":"a","uid":"u-1"}}"#);
    }

    #[test]
    fn lines_end_where_something_opens_and_nowhere_in_a_text() {
        let body = r#"{"a":{"b":[1,{}],"c":"{[\"{\\"},"d\\":"[","e":"\\\"[","f":[]}"#;
        let lines = in_lines(body.as_bytes());
        let expected = body
            .replace("{\"a", "{\n\"a")
            .replace("{\"b", "{\n\"b")
            .replace("[1,{}", "[\n1,{\n}")
            .replace("\"f\":[]", "\"f\":[\n]");
        assert_eq!(String::from_utf8(lines.clone()).unwrap(), expected);
        let same: Value = serde_json::from_slice(&lines).unwrap();
        assert_eq!(same, serde_json::from_str::<Value>(body).unwrap());
    }
}
