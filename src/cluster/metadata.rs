//! The metadata of objects in protobuf: to list it so costs the API server about half of what
//! the same list costs as JSON.
//!
//! Numbers of fields are those of `k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto` and never
//! change. What nobody can apply or own is passed over.

use prost::Message;
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// An object as far as it says which one it is, and in which version.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Known {
    #[prost(message, optional, tag = "1")]
    pub metadata: Option<Identity>,
}

/// Empty is what is not said.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Identity {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub namespace: String,
    #[prost(string, tag = "5")]
    pub uid: String,
    #[prost(string, tag = "6")]
    pub resource_version: String,
}

/// An object with all its metadata, to be read as the JSON that it would have been.
#[derive(Clone, PartialEq, Message, Serialize)]
pub(super) struct Object {
    #[prost(message, optional, tag = "1")]
    metadata: Option<Metadata>,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "3")]
    #[serde(skip_serializing_if = "String::is_empty")]
    namespace: String,
    #[prost(string, tag = "5")]
    uid: String,
    #[prost(string, tag = "6")]
    resource_version: String,
    #[prost(int64, tag = "7")]
    #[serde(skip_serializing_if = "is_zero")]
    generation: i64,
    #[prost(message, optional, tag = "9")]
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_timestamp: Option<Moment>,
    #[prost(btree_map = "string, string", tag = "11")]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    #[prost(btree_map = "string, string", tag = "12")]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    #[prost(message, repeated, tag = "13")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    owner_references: Vec<Owner>,
    #[prost(string, repeated, tag = "14")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    finalizers: Vec<String>,
    #[prost(message, repeated, tag = "17")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    managed_fields: Vec<Entry>,
}

#[derive(Clone, PartialEq, Message)]
struct Moment {
    #[prost(int64, tag = "1")]
    seconds: i64,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
struct Owner {
    #[prost(string, tag = "5")]
    api_version: String,
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(string, tag = "4")]
    uid: String,
    #[prost(bool, optional, tag = "6")]
    #[serde(skip_serializing_if = "Option::is_none")]
    controller: Option<bool>,
    #[prost(bool, optional, tag = "7")]
    #[serde(skip_serializing_if = "Option::is_none")]
    block_owner_deletion: Option<bool>,
}

#[derive(Clone, PartialEq, Message, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[prost(string, tag = "1")]
    manager: String,
    #[prost(string, tag = "2")]
    operation: String,
    #[prost(string, tag = "3")]
    api_version: String,
    #[prost(message, optional, tag = "7")]
    #[serde(rename = "fieldsV1", skip_serializing_if = "Option::is_none")]
    fields: Option<FieldSet>,
    #[prost(string, tag = "8")]
    #[serde(skip_serializing_if = "String::is_empty")]
    subresource: String,
}

/// A set of fields, which is JSON in every encoding.
#[derive(Clone, PartialEq, Message)]
struct FieldSet {
    #[prost(string, tag = "1")]
    raw: String,
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let moment = jiff::Timestamp::from_second(self.seconds).map_err(S::Error::custom)?;
        to.collect_str(&moment)
    }
}

impl Serialize for FieldSet {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let set: &RawValue = serde_json::from_str(&self.raw).map_err(S::Error::custom)?;
        set.serialize(to)
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over references"
)]
fn is_zero(number: &i64) -> bool {
    *number == 0
}
