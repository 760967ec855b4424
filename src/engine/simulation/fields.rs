//! Field ownership as the API server keeps it: the leaves of an object by JSON pointer, and
//! `managedFields` made of them.
//!
//! The model knows mappings, values, and lists of one item that is called [`ITEM`]; any other list
//! is one value. That is what the objects of the simulation consist of.

use crate::desired::path::{Path, Segment};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The name of the one item of a list that is keyed by names.
pub const ITEM: &str = "scratch";

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
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (name, value) in map {
                let name = name.replace('~', "~0").replace('/', "~1");
                descend(format!("{at}/{name}"), value, found);
            }
        }
        Value::Array(list) if list.first().is_some_and(|item| item.get("name").is_some()) => {
            descend(format!("{at}/0"), &list[0], found);
        }
        _ => drop(found.insert(at, value)),
    }
}

/// Sets a leaf.
pub fn put(object: &mut Value, pointer: &str, value: Value) {
    let mut at = object;
    for name in steps(pointer) {
        at = if is_item(&name) {
            if !at.is_array() {
                *at = json!([null]);
            }
            &mut at[0]
        } else {
            if !at.is_object() {
                *at = json!({});
            }
            &mut at[name]
        };
    }
    *at = value;
}

/// Whether a step of a pointer leads to the item of a list.
fn is_item(step: &str) -> bool {
    step == "0"
}

/// Removes a leaf, and the parents that hold nothing else.
pub fn take(object: &mut Value, pointer: &str) {
    let names: Vec<String> = steps(pointer).collect();
    remove(object, &names);
}

fn remove(parent: &mut Value, names: &[String]) {
    let Some((name, below)) = names.split_first() else {
        return;
    };
    let child = if is_item(name) {
        parent.get_mut(0)
    } else {
        parent.get_mut(name)
    };
    let Some(child) = child else { return };
    remove(child, below);
    let holds = match &*child {
        Value::Object(map) => !map.is_empty() || name == "metadata",
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    if holds && !below.is_empty() {
        return;
    }
    match parent {
        Value::Array(items) => items.clear(),
        Value::Object(map) => drop(map.shift_remove(name)),
        _ => {}
    }
}

/// A pointer as people, and conflicts, say it.
pub fn path(pointer: &str) -> Path {
    let segment = |step: String| {
        if is_item(&step) {
            Segment::Item(vec![("name".to_owned(), ITEM.to_owned())])
        } else {
            Segment::Field(step)
        }
    };
    Path(steps(pointer).map(segment).collect())
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
            let name = if is_item(&step) {
                format!("k:{}", json!({"name": ITEM}))
            } else {
                format!("f:{step}")
            };
            at = &mut at[name];
            if at.is_null() {
                *at = json!({});
            }
        }
    }
    set
}
