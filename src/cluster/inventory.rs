//! Inventories as they are stored: one `ConfigMap` per service, the parent of an `ApplySet`
//! (KEP-3659), so that kubectl can list the members and refuses to prune them.

use super::hands::{Hands, Reader};
use super::request::{Call, read, send};
use crate::desired::path::Path;
use crate::desired::{Fingerprint, Instance, ObjectKey, Resource};
use crate::engine::ownership::Evidence;
use crate::engine::{Applied, FieldConflict, Inventory, Record, WriteError};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The label that makes a `ConfigMap` an inventory of an instance; its value is the instance's.
pub const INVENTORY_LABEL: &str = "jsorc.dev/inventory";
/// The annotation that names the service of an inventory.
const SERVICE_ANNOTATION: &str = "jsorc.dev/service";
const NAMESPACE_ANNOTATION: &str = "jsorc.dev/namespace";
const EPOCH_ANNOTATION: &str = "jsorc.dev/epoch";

/// One record, with short names, because there are thousands.
#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(rename = "a")]
    api_version: String,
    #[serde(rename = "k")]
    kind: String,
    #[serde(rename = "r")]
    plural: String,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(rename = "n")]
    name: String,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    projection: Option<String>,
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    conflicts: Vec<(String, String)>,
    #[serde(rename = "f", default, skip_serializing_if = "std::ops::Not::not")]
    done: bool,
}

impl Reader {
    /// All inventories of an instance, read consistently.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn inventories(&self, instance: &Instance) -> Result<Vec<Inventory>, WriteError> {
        let uri = format!(
            "/api/v1/namespaces/{}/configmaps?labelSelector={INVENTORY_LABEL}%3D{}",
            instance.namespace,
            instance.label()
        );
        let list = read(self.client(), &uri).await?;
        let items = list
            .get("items")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        Ok(items.filter_map(decode).collect())
    }
}

impl Hands {
    /// Stores an inventory and says its new version; fails when somebody else stored it meanwhile.
    ///
    /// # Errors
    /// Why it was not stored.
    pub async fn save_inventory(
        &self,
        instance: &Instance,
        inventory: &Inventory,
    ) -> Result<String, WriteError> {
        self.fence().check()?;
        let body = encode(instance, inventory);
        let collection = format!("/api/v1/namespaces/{}/configmaps", instance.namespace);
        let call = match &inventory.resource_version {
            Some(_) => Call::json(
                Method::PUT,
                format!(
                    "{collection}/{}",
                    instance.inventory_name(&inventory.service)
                ),
                &body,
            ),
            None => Call::json(Method::POST, collection, &body),
        };
        let reply = send(self.client(), call).await?;
        let version = reply
            .value
            .pointer("/metadata/resourceVersion")
            .and_then(Value::as_str);
        Ok(version.unwrap_or("").to_owned())
    }
}

fn encode(instance: &Instance, inventory: &Inventory) -> Value {
    let kinds: BTreeSet<String> = inventory
        .records
        .keys()
        .map(|key| {
            if key.group.is_empty() {
                key.kind.to_string()
            } else {
                format!("{}.{}", key.kind, key.group)
            }
        })
        .collect();
    let namespaces: BTreeSet<&str> = inventory
        .records
        .keys()
        .filter_map(|key| key.namespace.as_deref())
        .filter(|namespace| *namespace != instance.namespace)
        .collect();
    let lines: Vec<String> = inventory
        .records
        .iter()
        .filter_map(|(key, record)| serde_json::to_string(&line(key, record)).ok())
        .collect();
    let mut metadata = json!({
        "name": instance.inventory_name(&inventory.service),
        "namespace": instance.namespace,
        "labels": {
            INVENTORY_LABEL: instance.label(),
            "applyset.kubernetes.io/id": instance.apply_set_id(&inventory.service),
        },
        "annotations": {
            SERVICE_ANNOTATION: *inventory.service,
            NAMESPACE_ANNOTATION: inventory.namespace,
            EPOCH_ANNOTATION: inventory.epoch.to_string(),
            "applyset.kubernetes.io/tooling": concat!("jsorc/v", env!("CARGO_PKG_VERSION")),
            "applyset.kubernetes.io/contains-group-kinds": kinds.into_iter().collect::<Vec<_>>().join(","),
            "applyset.kubernetes.io/additional-namespaces": namespaces.into_iter().collect::<Vec<_>>().join(","),
        },
    });
    if let Some(version) = &inventory.resource_version {
        metadata["resourceVersion"] = version.clone().into();
    }
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"objects": lines.join("\n")}})
}

fn line(key: &ObjectKey, record: &Record) -> Line {
    let applied = record.applied.as_ref();
    let evidence = applied.and_then(|applied| applied.evidence.as_ref());
    Line {
        api_version: record.resource.api_version(),
        kind: key.kind.to_string(),
        plural: record.resource.plural.to_string(),
        namespace: key.namespace.as_deref().map(str::to_owned),
        name: key.name.to_string(),
        uid: applied.map(|applied| applied.uid.clone()),
        digest: applied.map(|applied| applied.digest.to_string()),
        entry: evidence.map(|evidence| evidence.entry.to_string()),
        projection: evidence.map(|evidence| evidence.projection.to_string()),
        time: evidence.and_then(|evidence| evidence.time.clone()),
        conflicts: applied
            .into_iter()
            .flat_map(|applied| &applied.conflicts)
            .map(|conflict| (conflict.path.to_string(), conflict.manager.clone()))
            .collect(),
        done: record.done,
    }
}

fn decode(object: &Value) -> Option<Inventory> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let annotation = |name: &str| {
        object
            .pointer("/metadata/annotations")
            .and_then(|all| all.get(name))
            .and_then(Value::as_str)
    };
    let lines = text("/data/objects").unwrap_or("").lines();
    let records: BTreeMap<ObjectKey, Record> = lines
        .filter_map(|line| serde_json::from_str(line).ok())
        .map(record)
        .collect();
    Some(Inventory {
        service: annotation(SERVICE_ANNOTATION)?.into(),
        resource_version: text("/metadata/resourceVersion").map(str::to_owned),
        namespace: annotation(NAMESPACE_ANNOTATION)?.to_owned(),
        epoch: annotation(EPOCH_ANNOTATION)
            .and_then(|epoch| epoch.parse().ok())
            .unwrap_or(0),
        records,
    })
}

fn record(line: Line) -> (ObjectKey, Record) {
    let (group, version) = line
        .api_version
        .split_once('/')
        .unwrap_or(("", &line.api_version));
    let key = ObjectKey::new(group, &line.kind, line.namespace.as_deref(), &line.name);
    let resource = Resource {
        group: group.into(),
        version: version.into(),
        kind: line.kind.as_str().into(),
        plural: line.plural.into(),
        namespaced: line.namespace.is_some(),
    };
    let hash = |text: &Option<String>| text.as_deref().and_then(Fingerprint::parse);
    let evidence = hash(&line.entry)
        .zip(hash(&line.projection))
        .map(|(entry, projection)| Evidence {
            entry,
            projection,
            time: line.time.clone(),
        });
    let conflicts = line.conflicts.iter().filter_map(|(path, manager)| {
        Some(FieldConflict {
            path: Path::parse(path)?,
            manager: manager.clone(),
        })
    });
    let applied = line
        .uid
        .clone()
        .zip(hash(&line.digest))
        .map(|(uid, digest)| Applied {
            uid,
            digest,
            evidence,
            conflicts: conflicts.collect(),
        });
    (
        key,
        Record {
            resource: resource.into(),
            applied,
            done: line.done,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inventory_comes_back_as_it_was_stored() {
        let instance = Instance {
            name: "jsorc".into(),
            namespace: "prod".into(),
        };
        let resource = Resource {
            group: "apps".into(),
            version: "v1".into(),
            kind: "Deployment".into(),
            plural: "deployments".into(),
            namespaced: true,
        };
        let applied = Applied {
            uid: "u".into(),
            digest: Fingerprint(7),
            evidence: Some(Evidence {
                entry: Fingerprint(1),
                time: None,
                projection: Fingerprint(2),
            }),
            conflicts: vec![FieldConflict {
                path: Path::parse("spec.replicas").unwrap(),
                manager: "hpa".into(),
            }],
        };
        let mut inventory = Inventory::empty("redis".into(), "other");
        inventory.resource_version = Some("5".into());
        inventory.epoch = 3;
        let record = |applied, done| Record {
            resource: resource.clone().into(),
            applied,
            done,
        };
        inventory.records.insert(
            ObjectKey::new("apps", "Deployment", Some("other"), "a"),
            record(Some(applied), false),
        );
        inventory.records.insert(
            ObjectKey::new("apps", "Deployment", Some("other"), "b"),
            record(None, true),
        );
        let stored = encode(&instance, &inventory);
        assert_eq!(decode(&stored), Some(inventory));
        let annotations = &stored["metadata"]["annotations"];
        assert_eq!(
            annotations["applyset.kubernetes.io/contains-group-kinds"],
            "Deployment.apps"
        );
        assert_eq!(
            annotations["applyset.kubernetes.io/additional-namespaces"],
            "other"
        );
    }
}
