//! The records of an inventory as text: a line for each kind and namespace, then a line for each
//! object, short enough for ten thousand of them in one `ConfigMap`, which holds 1 MiB.
//!
//! ```text
//! apps/v1 Deployment deployments prod
//!  redis 1Qb0… 4711
//! ```
//!
//! An object has its name, a proof, its version and, where there are any, flags and conflicts; `-` is
//! none. A proof is the bytes of the
//! uid, the digest, the entry and the projection, and the surface, as many of them as are known, in
//! Base64. What is not in the form that a server gives stands in Base64 behind `=`: a uid that is no
//! UUID before the rest of its proof, a version that is no number.

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
pub fn encode(records: &BTreeMap<ObjectKey, Arc<Record>>) -> String {
    let mut text = String::with_capacity(records.len() * 100);
    let mut group = None;
    // Writing to a string cannot fail.
    for (key, record) in records {
        let of = (&record.resource, &key.kind, &key.namespace);
        if group != Some(of) {
            group = Some(of);
            let (api_version, plural) = (record.resource.api_version(), &record.resource.plural);
            let place = key.namespace.as_deref().unwrap_or(NONE);
            let _ = writeln!(text, "{api_version} {} {plural} {place}", key.kind);
        }
        text.push(' ');
        add_line(&mut text, key, record);
        text.push('\n');
    }
    text
}

/// Records from their text; a line that is none is left out.
#[must_use]
pub fn decode(text: &str) -> BTreeMap<ObjectKey, Arc<Record>> {
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

    fn record(&self, line: &str) -> Option<(ObjectKey, Arc<Record>)> {
        let mut words = line.splitn(5, ' ');
        let mut next = || words.next();
        let (name, proof) = (next()?, next()?);
        let version = version_of(next()?);
        let done = next() == Some(DONE);
        let conflicts = words.next().map(conflicts_of).unwrap_or_default();
        let applied = proof_of(proof).map(|proof| Applied {
            version: version.map(Into::into),
            conflicts,
            ..proof
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
        Some((key, Arc::new(record)))
    }
}

fn add_line(text: &mut String, key: &ObjectKey, record: &Record) {
    text.push_str(&key.name);
    text.push(' ');
    let Some(applied) = &record.applied else {
        text.extend([NONE, " ", NONE]);
        if record.done {
            text.extend([" ", DONE]);
        }
        return;
    };
    add_proof(text, applied);
    text.push(' ');
    add_version(text, applied.version.as_deref());
    let flags = if record.done { DONE } else { NONE };
    match applied.conflicts.as_slice() {
        [] if record.done => text.extend([" ", flags]),
        [] => {}
        conflicts => text.extend([" ", flags, " ", &long_conflicts(conflicts)]),
    }
}

/// The bytes of a UUID.
const UID: usize = 16;
/// The bytes of a hash.
const HASH: usize = 8;
/// The bytes of a proof with everything in it.
const PROOF: usize = UID + 4 * HASH;

fn add_proof(text: &mut String, applied: &Applied) {
    let mut bytes = Vec::with_capacity(PROOF);
    match number_of(&applied.uid) {
        Some(number) => bytes.extend(number.to_be_bytes()),
        None => text.extend([&*long(&applied.uid), "="]),
    }
    let evidence = applied.evidence.as_ref();
    let hashes = [
        Some(applied.digest),
        evidence.map(|evidence| evidence.entry),
        evidence.map(|evidence| evidence.projection),
        applied.surface,
    ];
    // Whoever has a surface has evidence.
    for hash in hashes.into_iter().flatten() {
        bytes.extend(hash.0.to_be_bytes());
    }
    BASE64.encode_string(bytes, text);
}

/// What a proof says, without version and conflicts.
fn proof_of(word: &str) -> Option<Applied> {
    let mut room = [0; PROOF + 2];
    let (uid, word) = match word.strip_prefix('=') {
        Some(odd) => odd
            .split_once('=')
            .map(|(uid, rest)| (text_of(uid), rest))?,
        None => (None, word),
    };
    let length = BASE64.decode_slice(word, &mut room).ok()?;
    let mut bytes = &room[..length];
    let uid = match uid {
        Some(uid) => uid,
        None => long_uid(u128::from_be_bytes(*bytes.split_off(..UID)?.first_chunk()?)),
    };
    let mut hash = || {
        let bytes = bytes.split_off(..HASH)?.first_chunk()?;
        Some(Fingerprint(u64::from_be_bytes(*bytes)))
    };
    let (digest, entry, projection, surface) = (hash()?, hash(), hash(), hash());
    let evidence = entry.zip(projection);
    Some(Applied {
        uid: uid.into(),
        digest,
        evidence: evidence.map(|(entry, projection)| Evidence { entry, projection }),
        version: None,
        surface,
        conflicts: Vec::new(),
    })
}

/// The number that a UUID stands for, where it is written as servers write it.
fn number_of(uid: &str) -> Option<u128> {
    if uid.len() != 36 {
        return None;
    }
    uid.bytes().enumerate().try_fold(0, |number, (at, byte)| {
        let digit = match (byte, matches!(at, 8 | 13 | 18 | 23)) {
            (b'-', true) => return Some(number),
            (b'0'..=b'9', false) => byte - b'0',
            (b'a'..=b'f', false) => byte - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })
}

fn long_uid(number: u128) -> String {
    let digits = format!("{number:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
    parts.map(|part| &digits[part]).join("-")
}

/// A version is opaque, and a number on every server there is.
fn add_version(text: &mut String, version: Option<&str>) {
    let is_number = |version: &str| version.bytes().all(|byte| byte.is_ascii_digit());
    match version {
        None => text.push_str(NONE),
        Some(version) if !version.is_empty() && is_number(version) => text.push_str(version),
        Some(version) => text.push_str(&long(version)),
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

    fn record(name: &str, applied: Option<Applied>, done: bool) -> (ObjectKey, Arc<Record>) {
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
        (key, record.into())
    }

    fn applied(uid: &str, version: &str) -> Applied {
        Applied {
            uid: uid.into(),
            digest: Fingerprint(u64::MAX),
            evidence: Some(Evidence {
                entry: Fingerprint(1),
                projection: Fingerprint(2),
            }),
            version: Some(version.into()),
            surface: Some(Fingerprint(3)),
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
        created.surface = None;
        let records = BTreeMap::from([
            record("a", Some(applied(UID, "12345678")), false),
            record("b", Some(torn), true),
            record("c", Some(created), false),
            record("d", None, false),
        ]);
        assert_eq!(decode(&encode(&records)), records);
    }

    #[test]
    fn only_a_uuid_as_servers_write_it_is_a_number() {
        let number = number_of(UID).unwrap();
        assert_eq!(long_uid(number), UID);
        assert_eq!(number_of("00000000-0000-0000-0000-000000000000"), Some(0));
        let odd = [
            "",
            "0F0E36A2-9F5C-4A53-9D5C-5A1C4F0C7A11",
            "0f0e36a29-f5c-4a53-9d5c-5a1c4f0c7a11",
            "0f0e36a2-9f5c-4a53-9d5c-5a1c4f0c7a1",
            "0f0e36a2-9f5c-4a53-9d5c-5a1c4f0c7a111",
            "0f0e36a2-9f5c-4a53-9d5c05a1c4f0c7a11",
            "0f0e36a2-9f5c-4a53-9d5c-5a1c4f0c7ag1",
        ];
        for uid in odd {
            assert_eq!(number_of(uid), None, "{uid}");
        }
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
        assert!(decode("v1 ConfigMap configmaps prod\n torn\nnothing\n a - -\n").is_empty());
        assert!(decode(" a - -\n").is_empty());
    }
}
