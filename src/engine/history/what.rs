//! What a history tells, in the form in which it is stored.

use crate::desired::ObjectKey;
use crate::engine::Fault;
use crate::engine::orders::Wish;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Objects were written because their manifests say so.
    Applied {
        /// New ones.
        created: u32,
        /// Others.
        changed: u32,
        /// The version of jsorc.
        version: String,
        /// The digest of its services.
        services: String,
    },
    /// Objects that left the services folder were deleted.
    Deleted {
        /// How many.
        count: u32,
        /// The first of them.
        objects: Vec<Named>,
    },
    /// An object was put right.
    Healed {
        /// The object.
        object: Named,
        /// What was wrong with it.
        fault: Fault,
        /// The first fields.
        fields: Vec<Field>,
        /// How many more there were.
        #[serde(default)]
        more: u32,
        /// Who had changed it, if the object said so.
        #[serde(default)]
        culprit: Option<String>,
        /// Microseconds from the event to the answer.
        micros: u64,
    },
    /// The driver was started anew, and answered.
    Rerun {
        /// Why.
        why: String,
        /// What it answered.
        answer: String,
    },
    /// Workloads were restarted because the service did not answer.
    Restarted {
        /// The workloads.
        workloads: Vec<Named>,
        /// Why.
        why: String,
    },
    /// Somebody ordered something.
    Ordered {
        /// About which service; about all of them when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<String>,
        /// What.
        order: Wish,
        /// Until when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Somebody took an order back.
    Resumed {
        /// About which service; about all of them when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<String>,
        /// What had been ordered.
        was: Wish,
    },
}

/// An object, as far as a history names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its API group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// A field that was put right; values are short, and never those of a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Where.
    pub path: String,
    /// What it was.
    #[serde(default)]
    pub from: Option<String>,
    /// What it is.
    #[serde(default)]
    pub to: Option<String>,
}

impl Named {
    /// Kind and name.
    #[must_use]
    pub fn short(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

impl From<&ObjectKey> for Named {
    fn from(key: &ObjectKey) -> Self {
        Self {
            group: key.group.to_string(),
            kind: key.kind.to_string(),
            namespace: key.namespace.as_deref().map(str::to_owned),
            name: key.name.to_string(),
        }
    }
}
