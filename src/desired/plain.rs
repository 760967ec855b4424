//! Objects that only hold data are composed without being taken apart: of their text only the
//! metadata changes. What comes out is what taking apart and putting together would give.

use super::drafting::{Labels, Sealed, check_name, key_of, place_of};
use super::fingerprint::FingerprintKey;
use super::key::{ObjectKey, Resource};
use super::namespace;
use super::set::WriteMode;
use super::shape::shape;
use super::wanted::{Wanted, splice};
use crate::config::Problem;
use crate::manifest::{Manifest, placeholder};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// Composes the objects of one service that only hold data.
pub(super) struct Plain<'a> {
    pub(super) service: Arc<str>,
    pub(super) resource: Arc<Resource>,
    pub(super) namespace: &'a str,
    pub(super) labels: &'a Labels,
    pub(super) key: &'a FingerprintKey,
}

impl Plain<'_> {
    /// Whether a document is one of them: nothing in it has to be filled, and no pod reads it.
    pub(super) fn takes(&self, manifest: &Manifest, read: &BTreeSet<ObjectKey>) -> bool {
        let is_one = manifest.kind == "ConfigMap" && manifest.api_version == "v1";
        if !is_one || placeholder::is_template(&manifest.json) {
            return false;
        }
        let namespace = manifest.namespace.as_deref().unwrap_or(self.namespace);
        read.is_empty()
            || !read.contains(&ObjectKey::new(
                "",
                "ConfigMap",
                Some(namespace),
                &manifest.name,
            ))
    }

    /// The object in its final form.
    ///
    /// # Errors
    /// When it has a name that is none.
    pub(super) fn seal(&self, manifest: &Manifest) -> Result<Sealed, Problem> {
        let problem = |message: String| Problem {
            place: place_of(manifest),
            message,
            hint: None,
        };
        let document: Document<'_> =
            serde_json::from_str(&manifest.json).map_err(|error| problem(error.to_string()))?;
        let mut value = json!({"kind": &*manifest.kind, "metadata": document.metadata()});
        namespace::settle(&mut value, self.namespace);
        let key = key_of(&value, &self.resource);
        check_name(&key).map_err(|why| problem(format!("{}: {why}", key.short())))?;
        self.labels.put_on(&mut value);
        let (place, metadata) = (
            document.place_in(&manifest.json),
            value["metadata"].to_string(),
        );
        let text = splice(&manifest.json, &place, &metadata);
        let digest = self.key.of_json(&text);
        let body = match manifest.json {
            Cow::Borrowed(document) => Wanted::spliced(document, place, &metadata),
            Cow::Owned(_) => text.into(),
        };
        Ok(Sealed {
            service: self.service.clone(),
            key,
            resource: self.resource.clone(),
            mode: WriteMode::Apply,
            ignored: Vec::new(),
            place: place_of(manifest),
            digest: digest.map_err(|error| problem(error.to_string()))?,
            body,
            shape: shape(&value),
        })
    }
}

/// A document whose metadata is looked into, and nothing else.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    metadata: &'a RawValue,
}

impl Document<'_> {
    fn metadata(&self) -> Value {
        serde_json::from_str(self.metadata.get()).unwrap_or_default()
    }

    /// Where its metadata is in its text.
    fn place_in(&self, text: &str) -> Range<usize> {
        let metadata = self.metadata.get();
        let start = metadata.as_ptr().addr() - text.as_ptr().addr();
        start..start + metadata.len()
    }
}
