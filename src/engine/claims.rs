//! Who claims which fields of an object: its `managedFields`, read where somebody asks.
//!
//! The encoding of field sets is that of structured-merge-diff, as in [`ownership`](super::ownership).

use super::diff::FieldChange;
use super::occurrence::Blame;
use super::ownership::Writer;
use super::projection::Fields;
use crate::desired::path::{Path, Segment, plain};
use serde_json::{Map, Value};

/// What others than one manager's applies claim.
pub struct Claims<'a>(Vec<Claim<'a>>);

/// The fields of one writer.
pub struct Claim<'a> {
    /// Who.
    pub writer: Writer,
    /// Which.
    pub fields: Fields<'a>,
}

impl<'a> FromIterator<Claim<'a>> for Claims<'a> {
    fn from_iter<I: IntoIterator<Item = Claim<'a>>>(claims: I) -> Self {
        Self(claims.into_iter().collect())
    }
}

impl Claims<'_> {
    /// The most recent writer who claims a field.
    #[must_use]
    pub fn writer_of(&self, path: &Path) -> Option<&Writer> {
        let theirs = self.0.iter().filter(|claim| claim.fields.covers(path));
        theirs.map(|claim| &claim.writer).max()
    }

    /// Who is to blame for a field: its most recent writer, if the object names one.
    #[must_use]
    pub fn blame(&self, path: &Path) -> Blame {
        self.writer_of(path).into()
    }

    /// Who is to blame for several fields: the last who wrote one of them.
    #[must_use]
    pub fn blame_for(&self, fields: &[FieldChange]) -> Blame {
        let writers = fields
            .iter()
            .filter_map(|change| self.writer_of(&change.path));
        writers.max().into()
    }
}

impl From<Option<&Writer>> for Blame {
    fn from(writer: Option<&Writer>) -> Self {
        match writer {
            Some(writer) => Self::Manager(writer.manager.clone(), writer.time.clone()),
            None => Self::Unknown,
        }
    }
}

impl Fields<'_> {
    /// Whether the set reaches `path`: it has a leaf at, above or a node at the path.
    #[must_use]
    pub fn covers(&self, path: &Path) -> bool {
        self.reaches(&path.0)
    }

    fn reaches(&self, path: &[Segment]) -> bool {
        let Some((first, rest)) = path.split_first() else {
            return true;
        };
        let goes_on = |below: Option<&Self>| below.is_some_and(|below| below.reaches(rest));
        match first {
            _ if self.is_whole() => true,
            Segment::Field(name) => goes_on(self.child("f:", name)),
            Segment::Index(index) => goes_on(self.child("i:", &index.to_string())),
            // A path names a port as people do, and a field set by its number: then it may be any.
            Segment::Item(keys) => self
                .starting("k:")
                .any(|(name, below)| may_be(name, keys) && below.reaches(rest)),
        }
    }
}

/// Whether a field set's name of an item, without its `k:`, may be that of the item with these keys:
/// none of them is another one there.
fn may_be(name: &str, keys: &[(String, String)]) -> bool {
    let named = serde_json::from_str::<Map<String, Value>>(name);
    named.is_ok_and(|named| {
        keys.iter().all(|(key, value)| match key.as_str() {
            "" => named.values().any(|n| plain(n) == *value),
            key => named.get(key).is_none_or(|n| plain(n) == *value),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::sight::Sight;
    use super::*;
    use serde_json::{Value, json};

    fn object() -> Value {
        let entry = |manager: &str, operation: &str, time: &str, fields: Value| json!({"manager": manager, "operation": operation, "time": time, "fieldsV1": fields});
        json!({"metadata": {"managedFields": [
            entry("jsorc", "Apply", "2026-01-04T00:00:00Z", json!({"f:data": {"f:a": {}}})),
            entry("jsorc", "Update", "2026-01-01T00:00:00Z", json!({"f:data": {"f:c": {}}})),
            entry("early", "Update", "2026-01-02T00:00:00Z", json!({"f:data": {"f:a": {}, "f:b": {}}})),
            entry("late", "Apply", "2026-01-03T00:00:00Z", json!({"f:data": {"f:b": {}}})),
        ]}})
    }

    fn change(path: &str) -> FieldChange {
        FieldChange {
            path: Path::parse(path).unwrap(),
            from: None,
            to: None,
        }
    }

    #[test]
    fn the_last_who_wrote_one_of_the_fields_is_to_blame() {
        let text = object().to_string();
        let claims = Sight::read(&text).unwrap().claims("jsorc");
        let blame = |paths: &[&str]| {
            let fields: Vec<FieldChange> = paths.iter().map(|path| change(path)).collect();
            match claims.blame_for(&fields) {
                Blame::Manager(manager, _) => manager,
                Blame::Unknown => "nobody".to_owned(),
            }
        };
        assert_eq!(blame(&["data.a"]), "early");
        assert_eq!(blame(&["data.a", "data.b"]), "late");
        assert_eq!(blame(&["data.c"]), "jsorc", "who made it wrote otherwise");
        assert_eq!(blame(&["data.d", "spec"]), "nobody");
    }

    #[test]
    fn a_set_reaches_what_is_above_and_below_its_leaves() {
        let fields = r#"{"f:a":{"f:b":{},"i:1":{},"k:{\"port\":1}":{"f:x":{}}}}"#;
        let fields = Fields::read(fields).unwrap();
        let covers = |path: &str| fields.covers(&Path::parse(path).unwrap());
        for path in ["a", "a.b", "a.b.c.d", "a[1]", "a[port=1].x"] {
            assert!(covers(path), "{path}");
        }
        for path in ["b", "a.c", "a[0]", "a[port=2].x", "a[port=1].y"] {
            assert!(!covers(path), "{path}");
        }
    }

    #[test]
    fn an_item_that_a_path_names_otherwise_may_be_any() {
        // The server sorts ports by their numbers, and names them by those.
        let fields = r#"{"f:ports":{
            "k:{\"port\":80,\"protocol\":\"TCP\"}":{"f:nodePort":{}},
            "k:{\"port\":443,\"protocol\":\"TCP\"}":{"f:targetPort":{}}}}"#;
        let fields = Fields::read(fields).unwrap();
        let covers = |path: &str| fields.covers(&Path::parse(path).unwrap());
        assert!(covers("ports[name=http].nodePort"));
        assert!(covers("ports[name=https].targetPort"));
        assert!(covers("ports[port=80].nodePort"));
        assert!(!covers("ports[port=443].nodePort"));
        assert!(!covers("ports[name=http].appProtocol"));
    }
}
