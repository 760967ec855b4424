//! The leader's effective configuration, stored beside its inventories, so that a plan made
//! elsewhere is the plan of the leader. Secrets are stored as fingerprints.

use super::hands::{Hands, Reader};
use super::request::{Call, send};
use crate::desired::{Instance, ObjectKey, Resource};
use crate::engine::WriteError;
use http::Method;
use serde_json::{Value, json};

impl Reader {
    /// What the leader of an instance runs with, `None` when none was stored.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn effective_configuration(
        &self,
        instance: &Instance,
    ) -> Result<Option<Value>, WriteError> {
        let key = ObjectKey::new("", "ConfigMap", Some(&instance.namespace), &name(instance));
        let found = self.get(&key, &config_maps()).await?;
        let text = found
            .as_ref()
            .and_then(|map| map.pointer("/data/configuration")?.as_str());
        Ok(text.and_then(|text| serde_json::from_str(text).ok()))
    }
}

impl Hands {
    /// Stores what this leader runs with.
    ///
    /// # Errors
    /// Why it was not stored.
    pub async fn store_effective_configuration(
        &self,
        instance: &Instance,
        values: &Value,
    ) -> Result<(), WriteError> {
        let body = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name(instance), "namespace": instance.namespace},
            "data": {"configuration": values.to_string()},
        });
        let uri = format!(
            "{}?fieldManager=jsorc-configuration&force=true",
            config_maps().object_path(Some(&instance.namespace), &name(instance))
        );
        let call = Call {
            content_type: "application/apply-patch+yaml",
            ..Call::json(Method::PATCH, uri, &body)
        };
        send(self.client(), call).await.map(drop)
    }
}

fn name(instance: &Instance) -> String {
    format!("{}-configuration", instance.name)
}

pub(super) fn config_maps() -> Resource {
    Resource {
        group: "".into(),
        version: "v1".into(),
        kind: "ConfigMap".into(),
        plural: "configmaps".into(),
        namespaced: true,
    }
}
