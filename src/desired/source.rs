//! What the objects of a service are composed from, as one hash: where it is the same, so are they.
//!
//! Composing is a pure function, so a hash of everything that goes into it stands for everything
//! that comes out, and is a thousand times cheaper. What takes part is the service's folder, its
//! configuration, the few settings of all services that reach into objects, the kinds that the
//! cluster says how to serve, and the composing code itself.

use super::compose::Context;
use super::fingerprint::Fingerprint;
use super::key::Resource;
use crate::config::Config;
use crate::manifest::{Manifest, Service};
use serde_json::{Value, json};

/// A digest of the source code that composes objects, and judges what is there.
const CODE: &str = env!("COMPOSER_DIGEST");

/// The hash of what a service's objects are composed from; `values` is the merged configuration of
/// the service, secrets included.
#[must_use]
pub fn source(
    service: &Service,
    values: &Value,
    config: &Config,
    context: Context<'_>,
) -> Fingerprint {
    let brought = |kind: &&Resource| {
        let name = format!("{}.{}", kind.plural, kind.group);
        definitions(service).any(|manifest| manifest.name == name)
    };
    // Kinds that the service brings with it are the same, whether they are served already or not.
    let served = context.served.iter().filter(|kind| !brought(kind));
    let served = served.map(|kind| {
        json!([
            &*kind.group,
            &*kind.version,
            &*kind.kind,
            &*kind.plural,
            kind.namespaced
        ])
    });
    context.key.of(&json!({
        "code": CODE,
        "service": &*service.digest,
        "values": values,
        "kept": config.keeps(&service.name),
        "instance": [&context.instance.namespace, &context.instance.name],
        "namespace": config.namespace,
        "create_namespace": config.create_namespace,
        "image_rewrite": config.image_rewrite,
        "pull_secrets": config.pull_secrets,
        "served": served.collect::<Vec<_>>(),
    }))
}

fn definitions(service: &Service) -> impl Iterator<Item = &Manifest> {
    let tables = service.kube.iter();
    let of_kinds = tables.filter(|table| table.kind == "CustomResourceDefinition");
    of_kinds.flat_map(|table| table.manifests.iter())
}
