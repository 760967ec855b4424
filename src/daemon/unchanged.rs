//! Finds out without a session that nothing changed: the stored inventories name the objects, and the
//! metadata of each collection shows whether they are there in the recorded versions.

use super::attaching::Beginning;
use super::connected::Connected;
use super::loading::Settings;
use super::session::READS_AT_ONCE;
use crate::cluster::MetadataItem;
use crate::desired::kinds::Kinds;
use crate::desired::source::source;
use crate::desired::{Context, DesiredSet, Fingerprint, FingerprintKey, ObjectKey, Resource};
use crate::engine::{ServiceInputs, Unchanged, UnchangedCheck};
use crate::manifest::Service;
use crate::manifest::spec::Foreign;
use futures::StreamExt as _;
use serde_json::{Value, json};

impl Beginning {
    /// Returns plan and status when every service is in sync, and `None` when only a full comparison
    /// can tell. With `readiness` the status says of each service whether it was ready in this state.
    pub async fn unchanged(
        &self,
        settings: &Settings,
        connected: &Connected,
        readiness: bool,
    ) -> Option<Unchanged> {
        let (config, instance) = (&settings.loaded.config, &settings.instance);
        if !config.enabled || !self.key_is_shared {
            return None;
        }
        let inputs = settings.inputs(&self.key, &self.served);
        let check = UnchangedCheck::new(
            instance,
            config.create_namespace,
            &inputs,
            &self.stored.inventories,
            &self.stored.orders,
        )?;
        let check = match readiness {
            true if check.blocks_dependents() => return None,
            true => check,
            false => check.ignore_status(&self.key),
        };
        let label = instance.label();
        let (lists, namespaces) = tokio::join!(
            matching(&check, connected, &label),
            are_there(&check, connected),
        );
        check.finish(lists.filter(|_| namespaces)?, jiff::Timestamp::now())
    }
}

/// How many objects match their records; `None` when one does not.
async fn matching(check: &UnchangedCheck<'_>, connected: &Connected, label: &str) -> Option<usize> {
    let collections = check.collections();
    let list = |collection| async move {
        let recognise = |object: &MetadataItem<'_>| {
            check.matches_record(collection, object.seen(), object.text())
        };
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
async fn are_there(check: &UnchangedCheck<'_>, connected: &Connected) -> bool {
    let kind = Kinds::new(&[], &[]).of(&json!({"apiVersion": "v1", "kind": "Namespace"}));
    for name in check.namespaces() {
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
    fn inputs(&self, key: &FingerprintKey, served: &[Resource]) -> Vec<ServiceInputs> {
        let inputs_of = |service: &Service| {
            let config = self.loaded.config.services.get(&*service.name)?;
            Some(ServiceInputs {
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
        self.catalog.services.iter().filter_map(inputs_of).collect()
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
