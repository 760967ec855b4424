//! Looks for many objects by name with few requests: one metadata list for each kind and
//! namespace, instead of one read for each object.

use super::hands::Reader;
use super::metadata_list::each_item;
use crate::desired::{ObjectKey, Resource};
use crate::engine::{WatchKey, WriteError};
use futures::StreamExt as _;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Reads of single objects at the same time.
const SINGLES_AT_ONCE: usize = 16;

/// A kind in one namespace.
type Collection = (Arc<Resource>, Option<Arc<str>>);
type Found = (ObjectKey, Result<Option<Value>, WriteError>);

impl Reader {
    /// What is there of the wanted objects: their metadata, which says whose they are. Namespaces
    /// are read one by one, because their state counts too.
    ///
    /// `fresh` holds versions that watches have just read: a list of the same kind is then answered
    /// from the server's cache at once.
    pub async fn look_at_many(
        &self,
        wanted: Vec<(ObjectKey, Arc<Resource>)>,
        fresh: &HashMap<WatchKey, String>,
    ) -> Vec<Found> {
        let mut single = Vec::new();
        let mut groups: BTreeMap<Collection, Vec<ObjectKey>> = BTreeMap::new();
        for (key, resource) in wanted {
            if key.is("", "Namespace") || key.is_secret() {
                single.push((key, resource));
            } else {
                groups
                    .entry((resource, key.namespace.clone()))
                    .or_default()
                    .push(key);
            }
        }
        let one = |(key, resource): (ObjectKey, Arc<Resource>)| async move {
            let answer = self.get(&key, &resource).await;
            (key, answer)
        };
        let singles = futures::stream::iter(single)
            .map(one)
            .buffer_unordered(SINGLES_AT_ONCE)
            .collect::<Vec<Found>>();
        let reads = groups.keys().map(|(resource, namespace)| async {
            let watch = WatchKey {
                resource: resource.clone(),
                namespace: namespace.clone(),
                name: None,
            };
            let namespace = namespace.as_deref();
            if let Some(version) = fresh.get(&watch) {
                let first = format!("&resourceVersion={version}&resourceVersionMatch=NotOlderThan");
                let found = self.metadata_of(resource, namespace, &first).await;
                if found.is_ok() {
                    return found;
                }
                // Another server of the same cluster may not have come as far.
            }
            self.metadata_of(resource, namespace, "").await
        });
        let (read, mut found) = tokio::join!(futures::future::join_all(reads), singles);
        for (keys, there) in groups.values().zip(read) {
            for key in keys.iter().cloned() {
                let answer = match &there {
                    Ok(map) => Ok(map.get(&*key.name).cloned()),
                    Err(error) => Err(error.clone()),
                };
                found.push((key, answer));
            }
        }
        found
    }

    /// The metadata of every object of a kind, by name.
    async fn metadata_of(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        first: &str,
    ) -> Result<HashMap<String, Value>, WriteError> {
        let mut found = HashMap::new();
        let path = resource.collection_path(namespace);
        let listed = each_item(self.client(), format!("{path}?"), first, |text| {
            let item: Value = serde_json::from_str(text).unwrap_or_default();
            if let Some(name) = item.pointer("/metadata/name").and_then(Value::as_str) {
                found.insert(name.to_owned(), item);
            }
            true
        });
        match listed.await {
            Err(WriteError::KindNotServed | WriteError::NamespaceMissing(_)) => Ok(found),
            other => other.map(|_| found),
        }
    }
}
