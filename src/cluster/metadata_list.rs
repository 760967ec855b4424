//! Lists the metadata of a collection, page by page, and hands each item on as text.
//!
//! Invariant: at most one page is in memory.

use super::client::Client;
use super::hands::Reader;
use super::page::Page;
use super::request::{Call, METADATA_LIST, parsed, send};
use crate::desired::instance::INSTANCE_LABEL;
use crate::engine::{ObjectVersion, WatchKey, WriteError};
use serde::Deserialize;
use std::borrow::Cow;

/// Items of one page: a few megabytes of metadata.
const PAGE: u32 = 2500;

/// An object of a list, by its metadata.
#[derive(Debug)]
pub struct MetadataItem<'a> {
    text: &'a str,
    metadata: Identity<'a>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow)]
    metadata: Identity<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    namespace: Option<Cow<'a, str>>,
    #[serde(borrow)]
    uid: Cow<'a, str>,
    #[serde(borrow)]
    resource_version: Cow<'a, str>,
}

impl Reader {
    /// Passes the metadata of each object of ours in a collection to `recognise`, until that returns
    /// false. Returns how many objects there are; `None` when `recognise` returned false, or the list
    /// could not be read.
    pub async fn list_metadata(
        &self,
        collection: &WatchKey,
        label: &str,
        mut recognise: impl FnMut(&MetadataItem<'_>) -> bool,
    ) -> Option<usize> {
        let path = collection
            .resource
            .collection_path(collection.namespace.as_deref());
        let by_name = collection.name.as_ref();
        let by_name = by_name.map(|name| format!("&fieldSelector=metadata.name%3D{name}"));
        let uri = format!(
            "{path}?labelSelector={INSTANCE_LABEL}%3D{label}{}&",
            by_name.unwrap_or_default()
        );
        let mut count = 0;
        let listed = each_item(self.client(), uri, "", |text| {
            count += 1;
            MetadataItem::read(text).is_some_and(|item| recognise(&item))
        });
        listed.await.ok()?.then_some(count)
    }
}

/// Passes each item of a metadata list to `take` as JSON text, until that returns false. Returns
/// whether it took all of them. `uri` is ready for more of a query, and `first` is the part that
/// only the request of the first page has.
///
/// # Errors
/// What the server answers in place of a page.
pub(super) async fn each_item(
    client: &Client,
    uri: String,
    first: &str,
    mut take: impl FnMut(&str) -> bool,
) -> Result<bool, WriteError> {
    let mut more = first.to_owned();
    loop {
        let call = Call {
            accept: METADATA_LIST,
            ..Call::get(format!("{uri}limit={PAGE}{more}"))
        };
        let reply = send(client, call).await?;
        let page: Page<'_> = parsed(&reply.body)?;
        if !page.items.iter().flatten().all(|item| take(item.get())) {
            return Ok(false);
        }
        if page.metadata.next.is_empty() {
            return Ok(true);
        }
        more = format!("&continue={}", page.metadata.next);
    }
}

impl<'a> MetadataItem<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let Item { metadata } = serde_json::from_str(text).ok()?;
        Some(Self { text, metadata })
    }

    /// Which object it is, and in which version.
    #[must_use]
    pub fn seen(&self) -> ObjectVersion<'_> {
        ObjectVersion {
            name: &self.metadata.name,
            namespace: self.metadata.namespace.as_deref(),
            uid: &self.metadata.uid,
            resource_version: &self.metadata.resource_version,
        }
    }

    /// The JSON text of an object that has only this metadata.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_names_its_object_and_version() {
        let text = r#"{"metadata":{"name":"a","namespace":"prod","uid":"u\u002d1","resourceVersion":"7","managedFields":[]}}"#;
        let item = MetadataItem::read(text).unwrap();
        let seen = item.seen();
        assert_eq!((seen.name, seen.uid), ("a", "u-1"));
        assert_eq!((seen.namespace, seen.resource_version), (Some("prod"), "7"));
        assert_eq!(item.text(), text);
    }

    #[test]
    fn an_item_without_a_uid_is_not_recognised() {
        for text in ["{}", "[]", r#"{"metadata":{"name":"a"}}"#] {
            assert!(MetadataItem::read(text).is_none(), "{text}");
        }
    }
}
