//! The body of an apply: as planned, bound to one uid, without the fields that are left to others.

use crate::desired::body::in_lines;
use crate::desired::path::Path;
use crate::engine::WriteError;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

/// The body as planned, bound to one uid, without the fields that are left to others.
pub(super) fn body_with(
    body: &str,
    uid: Option<&str>,
    without: &[Path],
) -> Result<Vec<u8>, WriteError> {
    let Some(bound_to) = uid.filter(|_| without.is_empty()) else {
        return body_without(body, uid, without);
    };
    let broken = |error: serde_json::Error| WriteError::Invalid(error.to_string());
    let top: Top<'_> = serde_json::from_str(body).map_err(broken)?;
    let metadata: Metadata = serde_json::from_str(top.metadata.get()).map_err(broken)?;
    if metadata.uid.is_some() {
        return body_without(body, uid, without);
    }
    // It is a part of the body: its brace opens this far from the beginning.
    let inside = top.metadata.get().as_ptr() as usize - body.as_ptr() as usize + 1;
    let comma = if body[inside..].trim_start().starts_with('}') {
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

fn body_without(body: &str, uid: Option<&str>, without: &[Path]) -> Result<Vec<u8>, WriteError> {
    if uid.is_none() && without.is_empty() {
        return Ok(body.as_bytes().to_vec());
    }
    let mut value: Value =
        serde_json::from_str(body).map_err(|error| WriteError::Invalid(error.to_string()))?;
    for path in without {
        path.remove(&mut value);
    }
    if let Some(uid) = uid {
        value["metadata"]["uid"] = uid.into();
    }
    Ok(in_lines(&value).into_bytes())
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
            let bound = body_with(body, Some("u-1"), &[]).unwrap();
            let bound: Value = serde_json::from_slice(&bound).unwrap();
            let slow = body_without(body, Some("u-1"), &[]).unwrap();
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
        let bound = body_with(body, Some("u-1"), &[]).unwrap();
        let bound = String::from_utf8(bound).unwrap().replace('\n', "");
        assert_eq!(bound, r#"{"metadata":{"name":"a","uid":"u-1"}}"#);
    }
}
