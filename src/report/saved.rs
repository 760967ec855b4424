//! A plan as a file: what it was made for and on, so that exactly it can be carried out later.
//!
//! Of each object it pins the uid, the version, a hash of what is wanted and the fields that would
//! change. A Secret is there as hashes under the instance's key only; before there is such a key,
//! values of Secrets are not pinned at all.

mod since;

pub use since::{Change, Verdict, since};

use super::plan::{PlanView, step_json};
use crate::desired::{FingerprintKey, ObjectKey};
use crate::engine::history::Named;
use crate::engine::{Action, Author, Pin, Plan};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const KIND: &str = "SavedPlan";
/// What a key is told by, without telling it.
const KEY_MARK: &str = "a plan of jsorc";
/// The annotation that rolls pods hashes the values of Secrets.
const ROLLS: &str = "jsorc.dev/config";

/// A plan that was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedPlan {
    /// The version of this form.
    pub api_version: String,
    /// Always `SavedPlan`.
    pub kind: String,
    /// When, by whom, with which jsorc.
    pub made: Made,
    /// The cluster and the instance that it was made for.
    pub target: SavedTarget,
    /// The digest of the services that it was made from.
    pub digest: String,
    /// Tells the key of the fingerprints; `None` before the instance has one.
    pub key: Option<String>,
    /// The services that were named; none for all.
    pub services: Vec<String>,
    /// Whether deletions that need a yes are in it.
    pub confirmed: bool,
    /// Protected objects that may be deleted.
    pub allow_delete: Vec<String>,
    /// What is to be done.
    pub steps: Vec<SavedStep>,
}

/// When, by whom and with which jsorc a plan was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// When.
    pub time: jiff::Timestamp,
    /// By whom.
    pub by: String,
    /// With which version.
    pub version: String,
}

/// What a plan was made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedTarget {
    /// The server's address.
    pub server: String,
    /// The default namespace.
    pub namespace: String,
    /// The instance.
    pub instance: String,
}

/// One step of a saved plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedStep {
    /// What is done.
    pub action: String,
    /// The service.
    pub service: String,
    /// The object.
    pub object: Named,
    /// The fields that change.
    pub fields: Vec<SavedField>,
    /// Why.
    pub reason: String,
    /// What could be lost.
    pub risk: String,
    /// How it was checked.
    pub checked: String,
    /// What it was made on.
    pub pin: SavedPin,
}

/// A field that changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedField {
    /// Where.
    pub path: String,
    /// From this value.
    pub from: Value,
    /// To this one.
    pub to: Value,
}

/// What a step was made on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedPin {
    /// The live object's uid.
    pub uid: Option<String>,
    /// Its version.
    pub resource_version: Option<String>,
    /// A hash of what is wanted.
    pub desired: Option<String>,
}

/// Beside the plan itself, what is saved with it.
#[derive(Clone, Debug)]
pub struct Circumstances<'a> {
    /// Who makes it.
    pub author: &'a Author,
    /// The digest of the services, whole.
    pub digest: &'a str,
    /// The instance's key, if there is one.
    pub key: Option<&'a FingerprintKey>,
    /// The services that were named.
    pub services: &'a [String],
    /// Whether deletions that need a yes are in it.
    pub confirmed: bool,
    /// Protected objects that may be deleted.
    pub allow_delete: &'a [String],
}

/// Why a file is no plan to be carried out.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// It is no JSON, or not of this form.
    #[error("it is no saved plan: {0}")]
    Form(#[from] serde_json::Error),
    /// It is another kind of document.
    #[error(
        "it is a {kind} of {api_version}, not a saved plan of {}",
        super::API_VERSION
    )]
    Kind {
        /// Its kind.
        kind: String,
        /// Its version.
        api_version: String,
    },
}

impl SavedPlan {
    /// A plan with everything that it was made on.
    #[must_use]
    pub fn of(
        plan: &Plan,
        pins: &BTreeMap<ObjectKey, Pin>,
        view: &PlanView,
        around: &Circumstances<'_>,
    ) -> Self {
        let acts = plan.steps().filter(|(_, step)| step.action != Action::Kept);
        let steps = acts.filter_map(|(service, step)| {
            let pin = pins.get(&step.key).map(|pin| pinned(pin, around.key));
            saved(&step_json(&service.name, step), pin.unwrap_or_default())
        });
        Self {
            api_version: super::API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            made: Made {
                time: jiff::Timestamp::from_second(view.now.as_second()).unwrap_or(view.now),
                by: around.author.who.clone(),
                version: around.author.version.clone(),
            },
            target: SavedTarget {
                server: view.target.server.clone(),
                namespace: view.target.namespace.clone(),
                instance: view.target.instance.clone(),
            },
            digest: around.digest.to_owned(),
            key: around.key.map(key_mark),
            services: around.services.to_vec(),
            confirmed: around.confirmed,
            allow_delete: around.allow_delete.to_vec(),
            steps: steps.collect(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it is something else.
    pub fn read(text: &str) -> Result<Self, SavedError> {
        let value: Value = serde_json::from_str(text)?;
        let word = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or("nothing");
        let (kind, api_version) = (word("kind"), word("apiVersion"));
        if kind != KIND || api_version != super::API_VERSION {
            return Err(SavedError::Kind {
                kind: kind.to_owned(),
                api_version: api_version.to_owned(),
            });
        }
        Ok(serde_json::from_value(value)?)
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{:#}\n", json!(self))
    }
}

/// Tells one key from another.
fn key_mark(key: &FingerprintKey) -> String {
    key.of(&KEY_MARK.into()).to_string()
}

fn pinned(pin: &Pin, key: Option<&FingerprintKey>) -> SavedPin {
    let desired = pin.desired.as_ref().map(|(digest, body)| match key {
        Some(_) => digest.to_string(),
        None => public_digest(body),
    });
    SavedPin {
        uid: pin.uid.clone(),
        resource_version: pin.resource_version.clone(),
        desired,
    }
}

/// A hash of a body without anything that comes of the values of Secrets.
fn public_digest(body: &str) -> String {
    let mut body: Value = serde_json::from_str(body).unwrap_or_default();
    if body.get("kind").and_then(Value::as_str) == Some("Secret") {
        for data in ["data", "stringData"] {
            if let Some(values) = body.get_mut(data).and_then(Value::as_object_mut) {
                values.values_mut().for_each(|value| *value = Value::Null);
            }
        }
    }
    forget_rolls(&mut body);
    let hash = Sha256::digest(body.to_string());
    hash.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn forget_rolls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.shift_remove(ROLLS);
            map.values_mut().for_each(forget_rolls);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_rolls),
        _ => {}
    }
}

/// A step in the form of a plan's JSON, with its pin.
fn saved(step: &Value, pin: SavedPin) -> Option<SavedStep> {
    let text = |name: &str| step.get(name)?.as_str().map(str::to_owned);
    let object = step.get("object")?;
    let part = |name: &str| object.get(name)?.as_str().map(str::to_owned);
    let group = part("apiVersion")?;
    let fields = step.get("fields").and_then(Value::as_array);
    let field = |field: &Value| {
        let side = |name: &str| field.get(name).cloned().unwrap_or_default();
        Some(SavedField {
            path: field.get("path")?.as_str()?.to_owned(),
            from: side("from"),
            to: side("to"),
        })
    };
    Some(SavedStep {
        action: text("action")?,
        service: text("service")?,
        object: Named {
            group: group
                .split_once('/')
                .map_or("", |(group, _)| group)
                .to_owned(),
            kind: part("kind")?,
            namespace: part("namespace"),
            name: part("name")?,
        },
        fields: fields.into_iter().flatten().filter_map(field).collect(),
        reason: text("reason")?,
        risk: text("risk")?,
        checked: text("checked")?,
        pin,
    })
}

#[cfg(test)]
mod tests;
