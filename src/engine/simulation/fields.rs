//! Field ownership as the API server keeps it: the leaves of an object by JSON pointer, and
//! `managedFields` made of them.
//!
//! The model knows mappings and values; a list is one value. That is what the objects of the
//! simulation consist of.

use crate::desired::path::{Path, Segment};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Leaves, by JSON pointer.
pub type Fields = BTreeSet<String>;

/// The fields of one manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its name.
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: &'static str,
    /// `status`, or nothing.
    pub subresource: &'static str,
    /// When it last changed something.
    pub time: String,
    /// What it owns.
    pub fields: Fields,
}

impl Owner {
    /// As an entry of `managedFields`.
    pub fn entry(&self) -> Value {
        let mut entry = json!({"manager": self.manager, "operation": self.operation,
            "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": field_set(&self.fields)});
        if !self.time.is_empty() {
            entry["time"] = self.time.clone().into();
        }
        if !self.subresource.is_empty() {
            entry["subresource"] = self.subresource.into();
        }
        entry
    }
}

/// Every leaf of an object that somebody can own.
pub fn leaves(object: &Value) -> BTreeMap<String, &Value> {
    let mut found = BTreeMap::new();
    for (name, value) in object.as_object().into_iter().flatten() {
        match name.as_str() {
            "apiVersion" | "kind" => {}
            "metadata" => {
                for part in ["labels", "annotations", "finalizers"] {
                    if let Some(value) = value.get(part) {
                        descend(format!("/metadata/{part}"), value, &mut found);
                    }
                }
            }
            _ => descend(format!("/{name}"), value, &mut found),
        }
    }
    found
}

fn descend<'a>(at: String, value: &'a Value, found: &mut BTreeMap<String, &'a Value>) {
    match value.as_object().filter(|map| !map.is_empty()) {
        Some(map) => {
            for (name, value) in map {
                let name = name.replace('~', "~0").replace('/', "~1");
                descend(format!("{at}/{name}"), value, found);
            }
        }
        None => drop(found.insert(at, value)),
    }
}

/// Sets a leaf.
pub fn put(object: &mut Value, pointer: &str, value: Value) {
    let mut at = object;
    for name in steps(pointer) {
        if !at.is_object() {
            *at = json!({});
        }
        at = &mut at[name];
    }
    *at = value;
}

/// Removes a leaf, and the parents that hold nothing else.
pub fn take(object: &mut Value, pointer: &str) {
    let names: Vec<String> = steps(pointer).collect();
    if let Some(map) = object.as_object_mut() {
        remove(map, &names);
    }
}

fn remove(map: &mut Map<String, Value>, names: &[String]) {
    let Some((name, below)) = names.split_first() else {
        return;
    };
    if below.is_empty() {
        map.shift_remove(name);
    } else if let Some(child) = map.get_mut(name).and_then(Value::as_object_mut) {
        remove(child, below);
        if child.is_empty() && name != "metadata" {
            map.shift_remove(name);
        }
    }
}

/// A pointer as people, and conflicts, say it.
pub fn path(pointer: &str) -> Path {
    Path(steps(pointer).map(Segment::Field).collect())
}

fn steps(pointer: &str) -> impl Iterator<Item = String> {
    let steps = pointer.split('/').skip(1);
    steps.map(|step| step.replace("~1", "/").replace("~0", "~"))
}

fn field_set(fields: &Fields) -> Value {
    let mut set = json!({});
    for pointer in fields {
        let mut at = &mut set;
        for step in steps(pointer) {
            at = &mut at[format!("f:{step}")];
            if at.is_null() {
                *at = json!({});
            }
        }
    }
    set
}
