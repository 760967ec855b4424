//! Objects that only hold data are composed without being taken apart: of their text only the
//! metadata changes. What comes out is what taking apart and putting together would give.

use super::drafting::{Labels, Sealed, check_name, key_of, place_of};
use super::fingerprint::{FingerprintKey, Name};
use super::key::{ObjectKey, Resource};
use super::namespace;
use super::set::WriteMode;
use crate::config::Problem;
use crate::manifest::{Manifest, placeholder};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt;
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
        if manifest.kind != "ConfigMap" || placeholder::is_template(&manifest.json) {
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
        let parts: Parts<'_> =
            serde_json::from_str(&manifest.json).map_err(|error| problem(error.to_string()))?;
        let mut shape = json!({"kind": &*manifest.kind, "metadata": parts.metadata()});
        namespace::settle(&mut shape, self.namespace);
        let key = key_of(&shape, &self.resource);
        check_name(&key).map_err(|why| problem(format!("{}: {why}", key.short())))?;
        self.labels.put_on(&mut shape);
        let body = parts.with_metadata(&shape["metadata"]);
        let digest = self.key.of_json(&body);
        Ok(Sealed {
            service: self.service.clone(),
            key,
            resource: self.resource.clone(),
            mode: WriteMode::Apply,
            ignored: Vec::new(),
            place: place_of(manifest),
            digest: digest.map_err(|error| problem(error.to_string()))?,
            body: body.into(),
            shape,
        })
    }
}

/// The fields of an object, as text.
struct Parts<'a>(Vec<(Name<'a>, &'a RawValue)>);

impl Parts<'_> {
    fn metadata(&self) -> Value {
        let mut parts = self.0.iter();
        let found = parts.find(|(Name(name), _)| name == "metadata");
        found
            .and_then(|(_, text)| serde_json::from_str(text.get()).ok())
            .unwrap_or_default()
    }

    fn with_metadata(&self, metadata: &Value) -> String {
        let metadata = metadata.to_string();
        let length: usize = self.0.iter().map(|(_, text)| text.get().len() + 16).sum();
        let mut body = String::with_capacity(length + metadata.len());
        for (Name(name), text) in &self.0 {
            body.push(if body.is_empty() { '{' } else { ',' });
            body.push_str(&Value::from(&**name).to_string());
            body.push(':');
            body.push_str(if name == "metadata" {
                &metadata
            } else {
                text.get()
            });
        }
        body.push('}');
        body
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Parts<'a> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Taking;
        impl<'de> Visitor<'de> for Taking {
            type Value = Parts<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parts<'de>, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = map.next_entry()? {
                    parts.push(part);
                }
                Ok(Parts(parts))
            }
        }
        reader.deserialize_map(Taking)
    }
}
