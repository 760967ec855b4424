//! A verdict without a session: what is stored says what ought to be there, and the metadata of each
//! collection whether it is.

use super::attaching::Beginning;
use super::connected::Connected;
use super::loading::Settings;
use super::session::READS_AT_ONCE;
use crate::cluster::MetadataItem;
use crate::desired::kinds::Kinds;
use crate::desired::source::source;
use crate::desired::{Context, DesiredSet, Fingerprint, FingerprintKey, ObjectKey, Resource};
use crate::engine::{AtAGlance, Glance, Outline};
use crate::manifest::Service;
use crate::manifest::spec::Foreign;
use futures::StreamExt as _;
use serde_json::{Value, json};

impl Beginning {
    /// The verdict that all is in order, where that can be told at a glance. With `readiness` it
    /// also says of each service whether it was ready, in just this state.
    pub async fn glance(
        &self,
        settings: &Settings,
        connected: &Connected,
        readiness: bool,
    ) -> Option<AtAGlance> {
        let (config, instance) = (&settings.loaded.config, &settings.instance);
        if !config.enabled || !self.key_is_shared {
            return None;
        }
        let outlines = settings.outlines(&self.key, &self.served);
        let glance = Glance::new(
            instance,
            config.create_namespace,
            &outlines,
            &self.stored.inventories,
            &self.stored.orders,
        )?;
        let glance = match readiness {
            true if glance.holds_anybody_up() => return None,
            true => glance,
            false => glance.whatever_the_status(&self.key),
        };
        let label = instance.label();
        let (lists, namespaces) = tokio::join!(
            recognised(&glance, connected, &label),
            are_there(&glance, connected),
        );
        glance.conclude(lists.filter(|_| namespaces)?, jiff::Timestamp::now())
    }
}

/// How many objects were recognised; `None` when one was not.
async fn recognised(glance: &Glance<'_>, connected: &Connected, label: &str) -> Option<usize> {
    let collections = glance.collections();
    let list = |collection| async move {
        let recognise =
            |object: &MetadataItem<'_>| glance.recognises(collection, object.seen(), object.text());
        connected
            .reader
            .list_metadata(collection, label, recognise)
            .await
    };
    let mut counts = futures::stream::iter(&collections)
        .map(list)
        .buffer_unordered(READS_AT_ONCE);
    let mut all = 0;
    while let Some(count) = counts.next().await {
        all += count?;
    }
    Some(all)
}

/// Whether the namespaces that no inventory proves are there, and stay.
async fn are_there(glance: &Glance<'_>, connected: &Connected) -> bool {
    let kind = Kinds::new(&[], &[]).of(&json!({"apiVersion": "v1", "kind": "Namespace"}));
    for name in glance.namespaces() {
        let key = ObjectKey::new("", "Namespace", None, name);
        let found = connected.reader.get(&key, &kind).await.ok().flatten();
        let leaves = |namespace: &Value| namespace.pointer("/metadata/deletionTimestamp").is_some();
        if found.as_ref().is_none_or(leaves) {
            return false;
        }
    }
    true
}

impl Settings {
    /// The services, as far as they are known without being composed.
    fn outlines(&self, key: &FingerprintKey, served: &[Resource]) -> Vec<Outline> {
        let outline = |service: &Service| {
            let config = self.loaded.config.services.get(&*service.name)?;
            Some(Outline {
                name: service.name.as_ref().into(),
                namespace: config.namespace.clone(),
                kept: self.loaded.config.keeps(&service.name),
                has_manifests: !service.kube.is_empty(),
                gives_namespaces: service.kube.iter().any(|table| table.kind == "Namespace"),
                depends: !service.spec.depends_on.is_empty(),
                strips: config.policy.foreign == Foreign::Remove,
                selected: self.selects(&service.name),
                source: self.source(service, key, served),
            })
        };
        self.catalog.services.iter().filter_map(outline).collect()
    }

    /// Notes in a set what each of its services was composed from.
    pub(super) fn name_sources(
        &self,
        set: &mut DesiredSet,
        key: &FingerprintKey,
        served: &[Resource],
    ) {
        for desired in &mut set.services {
            let service = self.catalog.service(&desired.name);
            desired.source = service.map(|service| self.source(service, key, served));
        }
    }

    fn source(&self, service: &Service, key: &FingerprintKey, served: &[Resource]) -> Fingerprint {
        let values = self.loaded.values.get("services");
        let values = values.and_then(|services| services.get(&*service.name));
        let context = Context {
            instance: &self.instance,
            key,
            served,
        };
        source(
            service,
            values.unwrap_or(&Value::Null),
            &self.loaded.config,
            context,
        )
    }
}
