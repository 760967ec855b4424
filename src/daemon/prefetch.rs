//! The watches that a first start opens before its objects are composed.
//!
//! An API server answers a consistent read only when its cache has caught up with etcd, up to a tenth of
//! a second. Watches that are opened early wait for that while jsorc stores its key and composes. The
//! engine closes a watch that turns out to be wrong, and opens one that is missing.

use super::loading::Settings;
use crate::desired::kinds::Kinds;
use crate::desired::{ObjectKey, Resource};
use crate::engine::{WatchKey, watch_of};
use crate::manifest::Manifest;
use crate::manifest::kinds::builtin;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Settings {
    /// The watches that the services that are kept alive will need, as far as their manifests tell.
    pub(super) fn expected_watches(&self) -> Vec<WatchKey> {
        let mut expected = BTreeSet::new();
        let mut kinds = BTreeMap::new();
        for service in &self.catalog.services {
            let settings = self.loaded.config.services.get(service.name.as_ref());
            let kept = self.keeps(&service.name);
            let Some(settings) = settings.filter(|_| kept) else {
                continue;
            };
            for table in service.kube.iter() {
                // Secrets are watched one by one, all others of a namespace by one watch.
                let mut places = BTreeSet::new();
                for manifest in table.manifests.iter() {
                    let namespace = manifest.namespace.as_deref().unwrap_or(&settings.namespace);
                    let is_secret = manifest.kind == "Secret";
                    if (is_secret || places.insert(namespace))
                        && let Some(resource) = resource(manifest, &mut kinds)
                    {
                        expected.extend(watch(manifest, namespace, &resource));
                    }
                }
            }
        }
        expected.into_iter().collect()
    }
}

/// Where a built-in kind is served that is watched at all.
fn resource<'a>(
    manifest: &'a Manifest,
    kinds: &mut BTreeMap<(&'a str, &'a str), Arc<Resource>>,
) -> Option<Arc<Resource>> {
    let (version, kind) = (&*manifest.api_version, &*manifest.kind);
    if kind == "Namespace" {
        return None;
    }
    builtin(version, kind)?;
    let of = || Kinds::new(&[], &[]).of(&json!({"apiVersion": version, "kind": kind}));
    Some(kinds.entry((version, kind)).or_insert_with(of).clone())
}

fn watch(manifest: &Manifest, namespace: &str, resource: &Arc<Resource>) -> Option<WatchKey> {
    let is_known = |text: &str| !text.contains('$');
    let namespace = resource.namespaced.then_some(namespace);
    let key = ObjectKey::new(&resource.group, &resource.kind, namespace, &manifest.name);
    let known = namespace.is_none_or(is_known) && (!key.is_secret() || is_known(&key.name));
    known.then(|| watch_of(&key, resource))
}

#[cfg(test)]
mod tests {
    use super::super::{Inputs, loading::load};
    use crate::desired::FingerprintKey;
    use crate::engine::watch_of;
    use std::collections::BTreeSet;

    #[test]
    fn the_expected_watches_are_those_that_the_objects_need() {
        let inputs = Inputs {
            variables: vec![(
                "JSORC_KEEP_ALIVE".into(),
                "[promon, redis, task, mail]".into(),
            )],
            ..Inputs::default()
        };
        let settings = load(&inputs).unwrap();
        let key = FingerprintKey::new([1; 32]);
        let set = settings.desired(&key, &[]).unwrap();
        let needed: BTreeSet<_> = set
            .objects()
            .filter(|(_, object)| !object.key.is("", "Namespace"))
            .map(|(_, object)| watch_of(&object.key, &object.resource))
            .collect();
        let expected: BTreeSet<_> = settings.expected_watches().into_iter().collect();
        assert!(!needed.is_empty());
        assert_eq!(expected, needed);
    }
}
