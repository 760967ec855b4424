//! Looks for many objects by name with few requests: one metadata list for each kind and
//! namespace, instead of one read for each object.

use super::hands::Reader;
use super::request::{Call, METADATA_LIST, send};
use crate::desired::{ObjectKey, Resource};
use crate::engine::{WatchKey, WriteError};
use futures::StreamExt as _;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

const PAGE: u32 = 500;
/// Reads of single objects at the same time.
const SINGLES_AT_ONCE: usize = 16;

/// A kind in one namespace.
type Collection = (Arc<Resource>, Option<Arc<str>>);
type Found = (ObjectKey, Result<Option<Value>, WriteError>);

impl Reader {
    /// What is there of the wanted objects: their metadata, which says whose they are. Namespaces
    /// are read one by one, because their state counts too.
    ///
    /// A kind that a watch has just read is not read from before that: its cache answers at once,
    /// where a server otherwise waits until the cache has caught up with the store once more.
    pub async fn look_at_many(
        &self,
        wanted: Vec<(ObjectKey, Arc<Resource>)>,
        lately: &HashMap<WatchKey, String>,
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
            let place = (&**resource, namespace.as_deref());
            if let Some(version) = lately.get(&watch) {
                let since = format!("&resourceVersion={version}&resourceVersionMatch=NotOlderThan");
                let there = self.metadata(place, &since).await;
                if there.is_ok() {
                    return there;
                }
                // Another server of the same cluster may not be that far.
            }
            self.metadata(place, "").await
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

    async fn metadata(
        &self,
        (resource, namespace): (&Resource, Option<&str>),
        since: &str,
    ) -> Result<HashMap<String, Value>, WriteError> {
        let mut found = HashMap::new();
        let mut token = since.to_owned();
        loop {
            let uri = format!(
                "{}?limit={PAGE}{token}",
                resource.collection_path(namespace)
            );
            let page = match send(
                self.client(),
                Call {
                    accept: METADATA_LIST,
                    ..Call::get(uri)
                },
            )
            .await
            {
                Err(WriteError::KindNotServed | WriteError::NamespaceMissing(_)) => {
                    return Ok(found);
                }
                other => other?.value()?,
            };
            for item in page
                .get("items")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                let name = item
                    .pointer("/metadata/name")
                    .and_then(Value::as_str)
                    .unwrap_or("");
                found.insert(name.to_owned(), item.clone());
            }
            match page.pointer("/metadata/continue").and_then(Value::as_str) {
                Some(next) if !next.is_empty() => token = format!("&continue={next}"),
                _ => return Ok(found),
            }
        }
    }
}
