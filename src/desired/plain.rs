//! Objects that only hold data are composed without being taken apart: of their text only the
//! metadata changes. What comes out is what taking apart and putting together would give.

use super::drafting::{Place, Sealed, check_name, key_of};
use super::dress::{Document, Dress};
use super::fingerprint::FingerprintKey;
use super::key::{ObjectKey, Resource};
use super::links::Links;
use super::set::WriteMode;
use super::wanted::Wanted;
use crate::config::Problem;
use crate::manifest::{Manifest, placeholder};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Composes the objects of one service that only hold data.
pub(super) struct Plain<'a> {
    pub(super) service: Arc<str>,
    pub(super) resource: Arc<Resource>,
    pub(super) dress: &'a Arc<Dress>,
    pub(super) key: &'a FingerprintKey,
}

impl Plain<'_> {
    /// The object in its final form; nothing where the document has to be filled, or a pod reads it.
    ///
    /// # Errors
    /// When it has a name that is none.
    pub(super) fn seal(
        &self,
        manifest: &Manifest,
        read: &BTreeSet<ObjectKey>,
    ) -> Option<Result<Sealed, Problem>> {
        if manifest.kind != "ConfigMap" || manifest.api_version != "v1" {
            return None;
        }
        let sealed = |text: &str| {
            let is_one = !placeholder::is_template(text) && !self.is_read(manifest, read);
            is_one.then(|| self.sealed(manifest, text))
        };
        manifest.json.peek(sealed)
    }

    fn is_read(&self, manifest: &Manifest, read: &BTreeSet<ObjectKey>) -> bool {
        let namespace = manifest.namespace.as_deref();
        let namespace = namespace.unwrap_or(&self.dress.namespace);
        let key = || ObjectKey::new("", "ConfigMap", Some(namespace), &manifest.name);
        !read.is_empty() && read.contains(&key())
    }

    fn sealed(&self, manifest: &Manifest, text: &str) -> Result<Sealed, Problem> {
        let problem = |message: String| Problem {
            place: Place::of(manifest).to_string(),
            message,
            hint: None,
        };
        let document: Document<'_> =
            serde_json::from_str(text).map_err(|error| problem(error.to_string()))?;
        let value = self.dress.placed(&document);
        let key = key_of(&value, &self.resource, &self.dress.namespace);
        check_name(&key).map_err(|why| problem(format!("{}: {why}", key.short())))?;
        let text = self.dress.put_on_document(text, &document);
        let digest = self.key.of_json(&text);
        let body = match manifest.json.slot() {
            Some(document) => Wanted::dressed(document, self.dress),
            None => text.into(),
        };
        Ok(Sealed {
            service: self.service.clone(),
            key,
            resource: self.resource.clone(),
            mode: WriteMode::Apply,
            ignored: Box::default(),
            place: Some(Place::of(manifest)),
            digest: digest.map_err(|error| problem(error.to_string()))?,
            body,
            links: Links::of(&value),
        })
    }
}
