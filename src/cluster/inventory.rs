//! Inventories as they are stored: one `ConfigMap` per service, the parent of an `ApplySet`
//! (KEP-3659), so that kubectl can list the members and refuses to prune them.

use super::hands::{Hands, Reader};
use super::records;
use super::request::{Call, METADATA, read, send};
use crate::desired::{Fingerprint, Instance};
use crate::engine::history::History;
use crate::engine::{Inventory, Orders, Receipt, WriteError};
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The label that makes a `ConfigMap` an inventory of an instance; its value is the instance's.
pub const INVENTORY_LABEL: &str = "jsorc.dev/inventory";
/// The annotation that names the service of an inventory.
const SERVICE_ANNOTATION: &str = "jsorc.dev/service";
const NAMESPACE_ANNOTATION: &str = "jsorc.dev/namespace";
const EPOCH_ANNOTATION: &str = "jsorc.dev/epoch";
const SOURCE_ANNOTATION: &str = "jsorc.dev/source";
const UNREADY_ANNOTATION: &str = "jsorc.dev/unready";
const OBJECTS: &str = "objects";
const HISTORY: &str = "history";

/// What an instance stores about its services.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// What was applied, service by service.
    pub inventories: Vec<Inventory>,
    /// What people ordered.
    pub orders: Orders,
}

impl Reader {
    /// All inventories of an instance and the orders beside them, read consistently.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn stored(&self, instance: &Instance) -> Result<Stored, WriteError> {
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
        let orders = instance.orders_name();
        let mut stored = Stored::default();
        for item in items {
            if item.pointer("/metadata/name").and_then(Value::as_str) == Some(&orders) {
                stored.orders = Orders::read(item);
            } else {
                stored.inventories.extend(decode(item));
            }
        }
        Ok(stored)
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
        let collection = format!("/api/v1/namespaces/{}/configmaps", instance.namespace);
        let name = instance.inventory_name(&inventory.service);
        let (method, uri) = match &inventory.resource_version {
            Some(_) => (Method::PUT, format!("{collection}/{name}")),
            None => (Method::POST, collection),
        };
        let call = Call {
            accept: METADATA,
            ..Call::json(method, uri, &encode(instance, inventory))
        };
        let reply = send(self.client(), call).await?;
        let stored = reply.value()?;
        let version = stored.pointer("/metadata/resourceVersion");
        Ok(version.and_then(Value::as_str).unwrap_or("").to_owned())
    }
}

impl Hands {
    /// Deletes an inventory, if it is still the one that is known.
    ///
    /// # Errors
    /// Why it was not deleted.
    pub async fn delete_inventory(
        &self,
        instance: &Instance,
        inventory: &Inventory,
    ) -> Result<(), WriteError> {
        self.fence().check()?;
        let uri = format!(
            "/api/v1/namespaces/{}/configmaps/{}",
            instance.namespace,
            instance.inventory_name(&inventory.service)
        );
        let options = json!({"apiVersion": "v1", "kind": "DeleteOptions",
            "preconditions": {"resourceVersion": inventory.resource_version}});
        send(self.client(), Call::json(Method::DELETE, uri, &options))
            .await
            .map(drop)
    }
}

fn encode(instance: &Instance, inventory: &Inventory) -> Value {
    let keys = inventory.records.keys();
    let kinds: BTreeSet<(&str, &str)> = keys.map(|key| (&*key.kind, &*key.group)).collect();
    let kinds = kinds.into_iter().map(|(kind, group)| match group {
        "" => kind.to_owned(),
        group => format!("{kind}.{group}"),
    });
    let namespaces: BTreeSet<&str> = inventory
        .records
        .keys()
        .filter_map(|key| key.namespace.as_deref())
        .filter(|namespace| *namespace != instance.namespace)
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
            "applyset.kubernetes.io/contains-group-kinds": kinds.collect::<Vec<_>>().join(","),
            "applyset.kubernetes.io/additional-namespaces": namespaces.into_iter().collect::<Vec<_>>().join(","),
        },
    });
    if let Some(version) = &inventory.resource_version {
        metadata["resourceVersion"] = version.clone().into();
    }
    if let Some(receipt) = &inventory.receipt {
        let source = format!("{} {}", receipt.source, receipt.objects);
        metadata["annotations"][SOURCE_ANNOTATION] = source.into();
        if let Some((ready, why)) = &receipt.unready {
            metadata["annotations"][UNREADY_ANNOTATION] = format!("{ready} {why}").into();
        }
    }
    let mut data = json!({OBJECTS: records::encode(&inventory.records)});
    let history = inventory.history.text();
    if !history.is_empty() {
        data[HISTORY] = history.into();
    }
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
}

fn decode(object: &Value) -> Option<Inventory> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let annotation = |name: &str| {
        object
            .pointer("/metadata/annotations")
            .and_then(|all| all.get(name))
            .and_then(Value::as_str)
    };
    let data = |name: &str| {
        let data = object.get("data").and_then(|data| data.get(name));
        data.and_then(Value::as_str).unwrap_or("")
    };
    Some(Inventory {
        service: annotation(SERVICE_ANNOTATION)?.into(),
        resource_version: text("/metadata/resourceVersion").map(str::to_owned),
        namespace: annotation(NAMESPACE_ANNOTATION)?.to_owned(),
        epoch: annotation(EPOCH_ANNOTATION)
            .and_then(|epoch| epoch.parse().ok())
            .unwrap_or(0),
        history: History::read(data(HISTORY)),
        receipt: receipt(
            annotation(SOURCE_ANNOTATION),
            annotation(UNREADY_ANNOTATION),
        ),
        records: records::decode(data(OBJECTS)).into(),
    })
}

fn receipt(source: Option<&str>, unready: Option<&str>) -> Option<Receipt> {
    let (source, objects) = source?.split_once(' ')?;
    let unready = match unready {
        Some(words) => {
            let (ready, why) = words.split_once(' ')?;
            Some((ready.parse().ok()?, why.to_owned()))
        }
        None => None,
    };
    Some(Receipt {
        source: Fingerprint::parse(source)?,
        objects: objects.parse().ok()?,
        unready,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::path::Path;
    use crate::desired::{ObjectKey, Resource};
    use crate::engine::history::{Entry, What};
    use crate::engine::ownership::Evidence;
    use crate::engine::{Applied, FieldConflict, Record};
    use std::sync::Arc;

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
                projection: Fingerprint(2),
            }),
            version: Some("12".into()),
            surface: None,
            conflicts: vec![FieldConflict {
                path: Path::parse("spec.replicas").unwrap(),
                manager: "hpa".into(),
            }],
        };
        let mut inventory = Inventory::empty("redis".into(), "other");
        inventory.resource_version = Some("5".into());
        inventory.epoch = 3;
        inventory.receipt = Some(Receipt {
            source: Fingerprint(0xab),
            objects: 2,
            unready: Some((3, "Deployment/a 0/1 available".into())),
        });
        let what = What::Rerun {
            why: "asked for".into(),
            answer: "PONG".into(),
        };
        let time = jiff::Timestamp::from_second(7).unwrap();
        inventory.history.note(Entry::new(time, "ann", what));
        let record = |applied, done| {
            Arc::new(Record {
                resource: resource.clone().into(),
                applied,
                done,
            })
        };
        let records = Arc::make_mut(&mut inventory.records);
        records.insert(
            ObjectKey::new("apps", "Deployment", Some("other"), "a"),
            record(Some(applied), false),
        );
        records.insert(
            ObjectKey::new("apps", "Deployment", Some("other"), "b"),
            record(None, true),
        );
        let stored = encode(&instance, &inventory);
        assert_eq!(decode(&stored), Some(inventory.clone()));
        let mut odd = stored.clone();
        odd["data"][HISTORY] = "what is this".into();
        inventory.history = History::default();
        assert_eq!(decode(&odd), Some(inventory));
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
