//! What an object's text says about the object as a whole: who it is, whose, and how it is.
//!
//! The text is skimmed, not taken apart: names and labels are borrowed from it, and spec, status
//! and field sets stay text until somebody looks into them.

use super::claims::{Claim, Claims};
use super::exemptions::is_of_cluster;
use super::health::{Health, health, judges_spec};
use super::ownership::{Evidence, Writer};
use super::pairs::Pairs;
use super::projection::Fields;
use crate::desired::fingerprint::{ListHash, Name};
use crate::desired::path::Path;
use crate::desired::{Fingerprint, FingerprintKey};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::fmt;

/// An object, skimmed.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sight<'a> {
    #[serde(skip)]
    text: &'a str,
    #[serde(borrow, default)]
    api_version: Option<Name<'a>>,
    #[serde(borrow, default)]
    kind: Option<Name<'a>>,
    #[serde(borrow, default)]
    metadata: Metadata<'a>,
    #[serde(borrow, default)]
    spec: Option<&'a RawValue>,
    #[serde(borrow, default)]
    status: Option<&'a RawValue>,
}

#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata<'a> {
    #[serde(borrow)]
    name: Option<Name<'a>>,
    #[serde(borrow)]
    namespace: Option<Name<'a>>,
    #[serde(borrow)]
    uid: Option<Name<'a>>,
    #[serde(borrow)]
    resource_version: Option<Name<'a>>,
    generation: Option<i64>,
    deletion_timestamp: Option<IgnoredAny>,
    owner_references: Option<Vec<IgnoredAny>>,
    #[serde(borrow)]
    labels: Option<Pairs<'a>>,
    #[serde(borrow)]
    annotations: Option<Pairs<'a>>,
    #[serde(borrow)]
    managed_fields: Option<Vec<Entry<'a>>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow, default)]
    api_version: Option<Name<'a>>,
    #[serde(borrow, default)]
    manager: Option<Name<'a>>,
    #[serde(borrow, default)]
    operation: Option<Name<'a>>,
    #[serde(borrow, default)]
    subresource: Option<Name<'a>>,
    #[serde(borrow, default)]
    time: Option<Name<'a>>,
    #[serde(borrow, default, rename = "fieldsV1")]
    fields: Option<&'a RawValue>,
}

impl<'a> Sight<'a> {
    /// Skims an object's text.
    ///
    /// # Errors
    /// When it is not the text of an object.
    pub fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        let mut sight: Self = serde_json::from_str(text)?;
        sight.text = text;
        Ok(sight)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        said(self.metadata.name.as_ref())
    }

    /// Its namespace, if it is in one.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        let namespace = self.metadata.namespace.as_ref();
        namespace.map(|Name(name)| &**name)
    }

    /// Its uid.
    #[must_use]
    pub fn uid(&self) -> &str {
        said(self.metadata.uid.as_ref())
    }

    /// Its version.
    #[must_use]
    pub fn resource_version(&self) -> &str {
        said(self.metadata.resource_version.as_ref())
    }

    /// The value of a label.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<String> {
        mark(self.metadata.labels.as_ref(), name)
    }

    /// The value of an annotation.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<String> {
        mark(self.metadata.annotations.as_ref(), name)
    }

    /// Whether something else owns it.
    #[must_use]
    pub fn is_owned(&self) -> bool {
        let owners = self.metadata.owner_references.as_ref();
        owners.is_some_and(|owners| !owners.is_empty())
    }

    /// The fields that `manager` owns by apply.
    #[must_use]
    pub fn owned(&self, manager: &str) -> Option<Fields<'a>> {
        let mut entries = self.metadata.managed_fields.iter().flatten();
        let entry = entries.find(|entry| entry.is_of(manager, "Apply"))?;
        Fields::read(entry.fields?.get())
    }

    /// What others than `manager`'s applies claim of it.
    #[must_use]
    pub fn claims(&self, manager: &str) -> Claims<'a> {
        let entries = self.metadata.managed_fields.iter().flatten();
        let others = entries.filter(|entry| !entry.is_of(manager, "Apply"));
        others.filter_map(Entry::claim).collect()
    }

    /// The replicas of an object whose last scaling was the autoscaler's. The controller manager
    /// writes a scale subresource for no other reason.
    #[must_use]
    pub fn autoscaled(&self, manager: &str) -> Option<Path> {
        let path = Path::parse("spec.replicas")?;
        let ours = self
            .owned(manager)
            .is_some_and(|fields| fields.covers(&path));
        let mut entries = self.metadata.managed_fields.iter().flatten();
        let scaled = entries.any(|entry| {
            said(entry.manager.as_ref()) == "kube-controller-manager"
                && said(entry.subresource.as_ref()) == "scale"
                && entry
                    .claim()
                    .is_some_and(|claim| claim.fields.covers(&path))
        });
        (scaled && !ours).then_some(path)
    }

    /// The evidence in it, or `None` when `manager` owns nothing of it by apply.
    #[must_use]
    pub fn evidence(&self, manager: &str, key: &FingerprintKey) -> Option<Evidence> {
        let mut entries = self.metadata.managed_fields.iter().flatten();
        let entry = entries.find(|entry| entry.is_of(manager, "Apply"))?;
        let fields = entry.fields?.get();
        Some(Evidence {
            // The server writes a field set in one way only.
            entry: key.scalar(b'e', fields),
            projection: Fields::read(fields)?.project(self.text, key)?,
        })
    }

    /// What the metadata alone shows of the evidence, of an object that has a `generation`: that it
    /// counts changes of the spec. It is the same while only the status changes, or what others own
    /// of the metadata; and a metadata list shows it, too.
    #[must_use]
    pub fn surface(&self, manager: &str, key: &FingerprintKey) -> Option<Fingerprint> {
        let generation = self.metadata.generation?;
        let mut entries = self.metadata.managed_fields.iter().flatten();
        let fields = entries
            .find(|entry| entry.is_of(manager, "Apply"))?
            .fields?;
        let values = Fields::read(fields.get())?.only("f:metadata");
        let mut surface = ListHash::new(key);
        surface.add(key.scalar(b'g', &generation.to_string()));
        surface.add(key.scalar(b'e', fields.get()));
        surface.add(values.project(self.text, key)?);
        Some(surface.finish())
    }

    /// Whether it is on its way out.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// Whether `manager` wrote the object otherwise than by an apply: it made it.
    #[must_use]
    pub fn is_made_by(&self, manager: &str) -> bool {
        let mut entries = self.metadata.managed_fields.iter().flatten();
        entries.any(|entry| entry.is_of(manager, "Update"))
    }

    /// Whether a person or a tool beside `manager` wrote to the object itself.
    #[must_use]
    pub fn has_guests(&self, manager: &str) -> bool {
        let api_version = said(self.api_version.as_ref());
        let mut guests = self.guests(manager);
        guests.any(|entry| said(entry.api_version.as_ref()) == api_version)
    }

    /// The same, in whatever version of its kind: a metadata list does not say in which it is.
    #[must_use]
    pub fn may_have_guests(&self, manager: &str) -> bool {
        self.guests(manager).next().is_some()
    }

    fn guests(&self, manager: &str) -> impl Iterator<Item = &Entry<'a>> {
        let entries = self.metadata.managed_fields.iter().flatten();
        entries.filter(move |entry| {
            let name = said(entry.manager.as_ref());
            said(entry.subresource.as_ref()).is_empty() && name != manager && !is_of_cluster(name)
        })
    }

    /// The whole object, taken apart.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::from_str(self.text).unwrap_or_default()
    }

    /// Whether it is what its manifest promises.
    #[must_use]
    pub fn health(&self) -> Health {
        if self.metadata.deletion_timestamp.is_some() {
            return Health::Terminating;
        }
        let (api_version, kind) = (said(self.api_version.as_ref()), said(self.kind.as_ref()));
        let spec = judges_spec(api_version, kind);
        if self.status.is_none() && !spec {
            return Health::Current;
        }
        let mut judged = json!({
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {},
            "status": self.status.map(value).unwrap_or_default(),
        });
        if let Some(generation) = self.metadata.generation {
            judged["metadata"]["generation"] = generation.into();
        }
        if let Some(text) = self.spec.filter(|_| spec)
            && let Ok(WithoutTemplate(spec)) = serde_json::from_str(text.get())
        {
            judged["spec"] = spec.into();
        }
        health(&judged)
    }
}

impl<'a> Entry<'a> {
    fn claim(&self) -> Option<Claim<'a>> {
        let text = |name: &Name<'_>| name.0.clone().into_owned();
        let writer = Writer {
            time: self.time.as_ref().map(text),
            manager: self
                .manager
                .as_ref()
                .map_or_else(|| "unknown".to_owned(), text),
        };
        let fields = Fields::read(self.fields?.get())?;
        Some(Claim { writer, fields })
    }

    fn is_of(&self, manager: &str, operation: &str) -> bool {
        said(self.manager.as_ref()) == manager
            && said(self.operation.as_ref()) == operation
            && said(self.subresource.as_ref()).is_empty()
    }
}

/// A spec as far as health looks into it: what pods are made of has no say.
struct WithoutTemplate(Map<String, Value>);

impl<'de> Deserialize<'de> for WithoutTemplate {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Taking;
        impl<'de> Visitor<'de> for Taking {
            type Value = Map<String, Value>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a spec")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                let mut spec = Map::new();
                while let Some(Name(name)) = entries.next_key()? {
                    if name == "template" {
                        entries.next_value::<IgnoredAny>()?;
                    } else {
                        spec.insert(name.into_owned(), entries.next_value()?);
                    }
                }
                Ok(spec)
            }
        }
        reader.deserialize_map(Taking).map(WithoutTemplate)
    }
}

fn said<'s>(text: Option<&'s Name<'_>>) -> &'s str {
    text.map_or("", |Name(text)| text)
}

fn mark(marks: Option<&Pairs<'_>>, name: &str) -> Option<String> {
    let mut marks = marks?.0.iter();
    let (_, text) = marks.find(|(Name(known), _)| known == name)?;
    Some(Name::of(text.get())?.0.into_owned())
}

fn value(text: &RawValue) -> Value {
    serde_json::from_str(text.get()).unwrap_or_default()
}
