//! Rolls workloads when what their pods read changes: a hash of it on the pod template.

use super::drafting::Draft;
use super::fingerprint::FingerprintKey;
use super::instance::CONFIG_ANNOTATION;
use super::key::ObjectKey;
use super::set::WriteMode;
use super::workload;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The data of each `ConfigMap` and `Secret` that the pods of a service read. Generated Secrets do not
/// count, since their values never change.
pub(super) struct Contents {
    read: BTreeSet<ObjectKey>,
    known: BTreeMap<ObjectKey, Value>,
}

impl Contents {
    /// Nothing yet, of what the pods of these drafts read.
    pub(super) fn read_by(drafts: &[Draft]) -> Self {
        Self {
            read: drafts.iter().flat_map(reads).collect(),
            known: BTreeMap::new(),
        }
    }

    /// Takes in the data of those drafts that are read.
    pub(super) fn note(&mut self, drafts: &[Draft]) {
        let readable = drafts.iter().filter(|draft| {
            matches!(&*draft.key.kind, "ConfigMap" | "Secret")
                && draft.mode == WriteMode::Apply
                && self.read.contains(&draft.key)
        });
        let content = |draft: &Draft| {
            let (data, binary) = (draft.value.get("data"), draft.value.get("binaryData"));
            (draft.key.clone(), json!([data, binary]))
        };
        self.known.extend(readable.map(content));
    }
}

/// Whether the pods of a draft read any.
pub(super) fn reads_any(draft: &Draft) -> bool {
    !reads(draft).is_empty()
}

/// What the pods of a draft read.
fn reads(draft: &Draft) -> BTreeSet<ObjectKey> {
    workload::reads(&draft.value, draft.key.namespace.as_deref())
}

/// Puts a hash of what its pods read on each workload, so that a change rolls it. Jobs are left
/// alone, since their template cannot change.
pub(super) fn mark_readers(drafts: &mut [Draft], contents: &Contents, key: &FingerprintKey) {
    let unkeyed = FingerprintKey::new([0; 32]);
    for draft in drafts
        .iter_mut()
        .filter(|draft| !matches!(draft.mode, WriteMode::Job(_)))
    {
        let read: Vec<_> = reads(draft)
            .into_iter()
            .filter_map(|read| contents.known.get_key_value(&read))
            .collect();
        if read.is_empty() || matches!(&*draft.key.kind, "CronJob" | "Pod") {
            continue;
        }
        let secret = read.iter().any(|(read, _)| read.is_secret());
        let hash = (if secret { key } else { &unkeyed }).of(&read
            .iter()
            .map(|(_, value)| *value)
            .cloned()
            .collect());
        if let Some(template) = workload::template_mut(&mut draft.value) {
            let annotations = object_at(template, &["metadata", "annotations"]);
            annotations.insert(CONFIG_ANNOTATION.into(), hash.to_string().into());
        }
    }
}

/// The mapping at a path, made if it is not there.
pub(super) fn object_at<'a>(value: &'a mut Value, path: &[&str]) -> &'a mut Map<String, Value> {
    let mut at = value;
    for name in path {
        if !at.is_object() {
            *at = json!({});
        }
        at = &mut at[*name];
    }
    if !at.is_object() {
        *at = json!({});
    }
    match at {
        Value::Object(map) => map,
        _ => unreachable!("it was made a mapping just above"),
    }
}
