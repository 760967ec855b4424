//! Orders as they are stored: one `ConfigMap` of the instance. It carries the labels of inventories
//! and of objects, so that the list of the start brings it; a daemon then watches it by name.

use super::hands::{Hands, Reader};
use super::inventory::INVENTORY_LABEL;
use super::request::{Call, send};
use crate::desired::instance::INSTANCE_LABEL;
use crate::desired::{Instance, ObjectKey};
use crate::engine::{Orders, WriteError};
use http::Method;
use serde_json::{Value, json};

/// Somebody else may order something in the same moment.
const TRIES: usize = 10;

impl Reader {
    /// What was ordered about the services of an instance.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn orders(&self, instance: &Instance) -> Result<Orders, WriteError> {
        let name = instance.orders_name();
        let key = ObjectKey::new("", "ConfigMap", Some(&instance.namespace), &name);
        let found = self.get(&key, &super::effective::config_maps()).await?;
        Ok(found.as_ref().map(Orders::read).unwrap_or_default())
    }
}

impl Hands {
    /// Changes what is ordered, on behalf of `by`, and gives the orders that came of it.
    ///
    /// # Errors
    /// Why they were not stored.
    pub async fn change_orders(
        &self,
        instance: &Instance,
        by: &str,
        change: impl Fn(&mut Orders),
    ) -> Result<Orders, WriteError> {
        let mut refused = WriteError::Changed;
        for _ in 0..TRIES {
            let before = self.reader().orders(instance).await?;
            let mut orders = before.clone();
            change(&mut orders);
            if orders == before {
                return Ok(orders);
            }
            orders.note_changes(&before, by, jiff::Timestamp::now());
            match self.store_orders(instance, &orders).await {
                Err(error @ (WriteError::Changed | WriteError::AlreadyExists)) => refused = error,
                Err(error @ WriteError::Gone) if before.resource_version.is_some() => {
                    refused = error;
                }
                other => return other,
            }
        }
        Err(refused)
    }

    async fn store_orders(
        &self,
        instance: &Instance,
        orders: &Orders,
    ) -> Result<Orders, WriteError> {
        let body = encode(instance, orders);
        let collection = format!("/api/v1/namespaces/{}/configmaps", instance.namespace);
        let call = match &orders.resource_version {
            Some(_) => {
                let uri = format!("{collection}/{}", instance.orders_name());
                Call::json(Method::PUT, uri, &body)
            }
            None => Call::json(Method::POST, collection, &body),
        };
        let reply = send(self.client(), call).await?;
        Ok(Orders::read(&reply.value()?))
    }
}

fn encode(instance: &Instance, orders: &Orders) -> Value {
    let mut metadata = json!({
        "name": instance.orders_name(), "namespace": instance.namespace,
        "labels": {INVENTORY_LABEL: instance.label(), INSTANCE_LABEL: instance.label()},
    });
    if let Some(version) = &orders.resource_version {
        metadata["resourceVersion"] = version.clone().into();
    }
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata,
        "data": orders.data(jiff::Timestamp::now())})
}
