//! Which documents of a service have to be there together while it is composed.
//!
//! Most do not: their form depends on no other document, and no other's on theirs. Those are read and
//! sealed in portions, so that thousands of objects are never there as JSON values at once.

use super::workload::template_pointer;
use crate::config::ServiceConfig;
use crate::manifest::kinds::builtin;
use crate::manifest::{Manifest, Service, placeholder};

/// So many documents are there as JSON values at once, where nothing needs them together.
pub(super) const PORTION: usize = 256;

/// The documents of a service, by who looks into them.
#[derive(Default)]
pub(super) struct Portions<'a> {
    /// What pods may read.
    pub(super) data: Vec<&'a Manifest>,
    /// What nobody looks into.
    pub(super) loose: Vec<&'a Manifest>,
    /// What runs pods, where nothing of the service scales it: data that its pods read, if they do,
    /// changes its form.
    pub(super) workloads: Vec<&'a Manifest>,
    /// What scales others or is scaled, defines kinds or is of such a kind, and everything where
    /// patches or references may lead anywhere.
    pub(super) linked: Vec<&'a Manifest>,
}

impl<'a> Portions<'a> {
    /// The portions of a service with these settings.
    pub(super) fn of(service: &'a Service, settings: &ServiceConfig) -> Self {
        let looked_into = !settings.patches.is_empty()
            || service
                .manifests()
                .any(|m| m.json.peek(placeholder::refers));
        let scales = service
            .manifests()
            .any(|m| &*m.kind == "HorizontalPodAutoscaler");
        let mut portions = Self::default();
        for manifest in service.manifests() {
            let portion = match &*manifest.kind {
                _ if looked_into => &mut portions.linked,
                "ConfigMap" | "Secret" => &mut portions.data,
                _ if !is_simple(manifest) => &mut portions.linked,
                kind if template_pointer(kind).is_none() => &mut portions.loose,
                _ if scales => &mut portions.linked,
                _ => &mut portions.workloads,
            };
            portion.push(manifest);
        }
        portions
    }
}

/// Whether the form of an object depends on no other, and that of no other on it, but for data and
/// who reads it.
fn is_simple(manifest: &Manifest) -> bool {
    builtin(&manifest.api_version, &manifest.kind).is_some()
        && !matches!(
            &*manifest.kind,
            "HorizontalPodAutoscaler" | "CustomResourceDefinition"
        )
}
