//! The records of an inventory as text: a line for each kind and namespace, then a line for each
//! object, short enough for ten thousand of them in one `ConfigMap`, which holds 1 MiB.
//!
//! ```text
//! apps/v1 Deployment deployments prod
//!  redis 1Qb0… … … … 4711 -
//! ```
//!
//! An object has its name, uid, digest, entry, projection, version and flags; `-` is none. What is not
//! in the short form that a server gives stands in Base64 behind `=`.

use crate::desired::path::Path;
use crate::desired::{Fingerprint, ObjectKey, Resource};
use crate::engine::ownership::Evidence;
use crate::engine::{Applied, FieldConflict, Record};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

const NONE: &str = "-";
const DONE: &str = "d";

/// Records as text.
#[must_use]
pub fn encode(records: &BTreeMap<ObjectKey, Record>) -> String {
    let mut text = String::with_capacity(records.len() * 100);
    let mut group = String::new();
    for (key, record) in records {
        let resource = &record.resource;
        let place = key.namespace.as_deref().unwrap_or(NONE);
        let header = format!(
            "{} {} {} {place}",
            resource.api_version(),
            key.kind,
            resource.plural
        );
        // Writing to a string cannot fail.
        if header != group {
            let _ = writeln!(text, "{header}");
            group = header;
        }
        let _ = writeln!(text, " {}", line(key, record));
    }
    text
}

/// Records from their text; a line that is none is left out.
#[must_use]
pub fn decode(text: &str) -> BTreeMap<ObjectKey, Record> {
    let mut group = None;
    let mut records = BTreeMap::new();
    for line in text.lines() {
        match line.strip_prefix(' ') {
            None => group = Group::read(line),
            Some(line) => records.extend(group.as_ref().and_then(|group| group.record(line))),
        }
    }
    records
}

/// What the objects below one header have in common.
struct Group {
    resource: Arc<Resource>,
    namespace: Option<Arc<str>>,
}

impl Group {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let api_version = words.next()?;
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let (kind, plural, place) = (words.next()?, words.next()?, words.next()?);
        Some(Self {
            resource: Arc::new(Resource {
                group: group.into(),
                version: version.into(),
                kind: kind.into(),
                plural: plural.into(),
                namespaced: place != NONE,
            }),
            namespace: (place != NONE).then(|| place.into()),
        })
    }

    fn record(&self, line: &str) -> Option<(ObjectKey, Record)> {
        let mut words = line.splitn(8, ' ');
        let mut next = || words.next();
        let name = next()?;
        let (uid, digest) = (uid_of(next()?), hash_of(next()?));
        let (entry, projection) = (hash_of(next()?), hash_of(next()?));
        let version = version_of(next()?);
        let done = next()? == DONE;
        let conflicts = words.next().map(conflicts_of).unwrap_or_default();
        let evidence = entry
            .zip(projection)
            .map(|(entry, projection)| Evidence { entry, projection });
        let applied = uid.zip(digest).map(|(uid, digest)| Applied {
            uid,
            digest,
            evidence,
            version,
            conflicts,
        });
        let key = ObjectKey {
            group: self.resource.group.clone(),
            kind: self.resource.kind.clone(),
            namespace: self.namespace.clone(),
            name: name.into(),
        };
        let record = Record {
            resource: self.resource.clone(),
            applied,
            done,
        };
        Some((key, record))
    }
}

fn line(key: &ObjectKey, record: &Record) -> String {
    let applied = record.applied.as_ref();
    let evidence = applied.and_then(|applied| applied.evidence.as_ref());
    let none = || NONE.to_owned();
    let words = [
        key.name.to_string(),
        applied.map_or_else(none, |applied| short_uid(&applied.uid)),
        applied.map_or_else(none, |applied| short_hash(applied.digest)),
        evidence.map_or_else(none, |evidence| short_hash(evidence.entry)),
        evidence.map_or_else(none, |evidence| short_hash(evidence.projection)),
        applied
            .and_then(|applied| applied.version.as_deref())
            .map_or_else(none, short_version),
        if record.done { DONE } else { NONE }.to_owned(),
    ];
    let line = words.join(" ");
    match applied.map(|applied| applied.conflicts.as_slice()) {
        None | Some([]) => line,
        Some(conflicts) => format!("{line} {}", long_conflicts(conflicts)),
    }
}

fn short_hash(hash: Fingerprint) -> String {
    BASE64.encode(hash.0.to_be_bytes())
}

fn hash_of(word: &str) -> Option<Fingerprint> {
    let bytes = BASE64.decode(word).ok()?;
    Some(Fingerprint(u64::from_be_bytes(bytes.try_into().ok()?)))
}

fn short_uid(uid: &str) -> String {
    let digits: String = uid.chars().filter(|c| *c != '-').collect();
    match u128::from_str_radix(&digits, 16) {
        Ok(number) if long_uid(number) == uid => BASE64.encode(number.to_be_bytes()),
        _ => long(uid),
    }
}

fn uid_of(word: &str) -> Option<String> {
    if let Some(uid) = word.strip_prefix('=') {
        return text_of(uid);
    }
    let bytes = BASE64.decode(word).ok()?;
    Some(long_uid(u128::from_be_bytes(bytes.try_into().ok()?)))
}

fn long_uid(number: u128) -> String {
    let digits = format!("{number:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
    parts.map(|part| &digits[part]).join("-")
}

/// A version is opaque, and a number on every server there is.
fn short_version(version: &str) -> String {
    let is_number = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        version.to_owned()
    } else {
        long(version)
    }
}

fn version_of(word: &str) -> Option<String> {
    match word.strip_prefix('=') {
        Some(version) => text_of(version),
        None => Some(word.to_owned()).filter(|word| word != NONE),
    }
}

/// Any text, as one word.
fn long(text: &str) -> String {
    format!("={}", BASE64.encode(text))
}

fn text_of(word: &str) -> Option<String> {
    String::from_utf8(BASE64.decode(word).ok()?).ok()
}

fn long_conflicts(conflicts: &[FieldConflict]) -> String {
    let pairs: Vec<(String, &str)> = conflicts
        .iter()
        .map(|conflict| (conflict.path.to_string(), conflict.manager.as_str()))
        .collect();
    serde_json::to_string(&pairs).unwrap_or_default()
}

fn conflicts_of(text: &str) -> Vec<FieldConflict> {
    let pairs: Vec<(String, String)> = serde_json::from_str(text).unwrap_or_default();
    let conflicts = pairs.into_iter().filter_map(|(path, manager)| {
        Some(FieldConflict {
            path: Path::parse(&path)?,
            manager,
        })
    });
    conflicts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, applied: Option<Applied>, done: bool) -> (ObjectKey, Record) {
        let resource = Resource {
            group: "apps".into(),
            version: "v1".into(),
            kind: "Deployment".into(),
            plural: "deployments".into(),
            namespaced: true,
        };
        let key = ObjectKey::new("apps", "Deployment", Some("prod"), name);
        let record = Record {
            resource: resource.into(),
            applied,
            done,
        };
        (key, record)
    }

    fn applied(uid: &str, version: &str) -> Applied {
        Applied {
            uid: uid.into(),
            digest: Fingerprint(u64::MAX),
            evidence: Some(Evidence {
                entry: Fingerprint(1),
                projection: Fingerprint(2),
            }),
            version: Some(version.to_owned()),
            conflicts: Vec::new(),
        }
    }

    const UID: &str = "0f0e36a2-9f5c-4a53-9d5c-5a1c4f0c7a11";

    #[test]
    fn what_is_written_is_read_again() {
        let mut torn = applied("no uuid", "no number");
        torn.conflicts = vec![FieldConflict {
            path: Path::parse("spec.replicas").unwrap(),
            manager: "a manager with blanks".into(),
        }];
        let mut created = applied(UID, "1");
        created.evidence = None;
        let records = BTreeMap::from([
            record("a", Some(applied(UID, "12345678")), false),
            record("b", Some(torn), true),
            record("c", Some(created), false),
            record("d", None, false),
        ]);
        assert_eq!(decode(&encode(&records)), records);
    }

    #[test]
    fn ten_thousand_objects_fit_into_one_config_map() {
        let records: BTreeMap<_, _> = (0..10_000)
            .map(|number| {
                let name = format!("a-name-of-25-letters-{number:05}");
                record(&name, Some(applied(UID, "12345678")), false)
            })
            .collect();
        assert!(encode(&records).len() < 1024 * 1024 - 16 * 1024);
    }

    #[test]
    fn what_is_no_record_is_left_out() {
        assert!(
            decode("v1 ConfigMap configmaps prod\n torn\nnothing\n a - - - - - -\n").is_empty()
        );
        assert!(decode(" a - - - - - -\n").is_empty());
    }
}
