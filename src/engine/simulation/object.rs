//! One object of the model server: its body and who owns which of its fields.

use super::fields::{Fields, Owner, leaves, path, put, take};
use crate::engine::FieldConflict;
use serde_json::Value;

/// An object that is stored.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Without what the server adds.
    pub body: Value,
    /// Its `managedFields`.
    pub owners: Vec<Owner>,
    /// Its identity.
    pub uid: String,
    /// Its version.
    pub version: u64,
    /// How often more changed of it than metadata, where its kind counts that.
    pub generation: Option<u64>,
    /// Whether it has a `deletionTimestamp`.
    pub deleting: bool,
}

impl Stored {
    /// An object that holds nothing but its name.
    pub fn new(body: &Value, uid: String) -> Self {
        let mut bare = serde_json::json!({"apiVersion": body["apiVersion"], "kind": body["kind"],
            "metadata": {"name": body["metadata"]["name"]}});
        if let Some(namespace) = body["metadata"].get("namespace") {
            bare["metadata"]["namespace"] = namespace.clone();
        }
        Self {
            body: bare,
            owners: Vec::new(),
            uid,
            version: 0,
            generation: (body["kind"] == "Widget").then_some(0),
            deleting: false,
        }
    }

    /// As the server shows it.
    pub fn shown(&self) -> Value {
        let mut shown = self.body.clone();
        let metadata = &mut shown["metadata"];
        metadata["uid"] = self.uid.clone().into();
        metadata["resourceVersion"] = self.version.to_string().into();
        metadata["managedFields"] = self.owners.iter().map(Owner::entry).collect();
        if let Some(generation) = self.generation {
            metadata["generation"] = generation.into();
        }
        if self.deleting {
            metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        }
        shown
    }

    /// Counts a change of more than metadata and status since `before`.
    pub fn count_change(&mut self, before: Option<&Value>) {
        let rest = |object: &Value| {
            let mut rest = object.clone();
            let fields = rest.as_object_mut().into_iter();
            fields
                .for_each(|fields| fields.retain(|name, _| name != "metadata" && name != "status"));
            rest
        };
        if before.map(rest) != Some(rest(&self.body)) {
            self.generation = self.generation.map(|generation| generation + 1);
        }
    }

    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.body["metadata"].get("labels")?.get(name)?.as_str()
    }

    /// Why the server does not take it as it is: it is of two sources.
    pub fn invalid(&self) -> Option<&'static str> {
        let volume = self.body.pointer("/data/volumes/0")?.as_object()?;
        (volume.len() > 2).then_some("may not specify more than 1 volume type")
    }

    /// Whether something keeps it from going.
    pub fn is_held(&self) -> bool {
        self.body["metadata"].get("finalizers").is_some()
    }

    /// The fields that `manager` owns by apply.
    pub fn applied_by(&self, manager: &str) -> Option<&Fields> {
        let ours = |owner: &&Owner| owner.manager == manager && owner.operation == "Apply";
        self.owners.iter().find(ours).map(|owner| &owner.fields)
    }

    /// A server-side apply. Whether anything changed.
    pub fn apply(
        &mut self,
        manager: &str,
        wanted: &Value,
        force: bool,
        time: &str,
    ) -> Result<bool, Vec<FieldConflict>> {
        let wanted = leaves(wanted);
        let is_ours = |owner: &Owner| owner.manager == manager && owner.operation == "Apply";
        let differs =
            |pointer: &String, value: &Value| self.body.pointer(pointer).is_none_or(|v| v != value);
        let mut conflicts = Vec::new();
        for (pointer, _) in wanted.iter().filter(|(at, value)| differs(at, value)) {
            let others = self.owners.iter().filter(|owner| {
                !is_ours(owner) && owner.manager != manager && owner.fields.contains(pointer)
            });
            conflicts.extend(others.map(|owner| FieldConflict {
                path: path(pointer),
                manager: owner.manager.clone(),
            }));
        }
        if !conflicts.is_empty() && !force {
            return Err(conflicts);
        }
        let before = (self.body.clone(), self.owners.clone());
        let mut changed = Fields::new();
        for (pointer, value) in &wanted {
            let now = self.body.pointer(pointer);
            // A struct that is wanted empty keeps what others put into it.
            let filled = value.is_object() && now.is_some_and(Value::is_object);
            if now != Some(*value) && !filled {
                put(&mut self.body, pointer, (*value).clone());
                changed.insert(pointer.clone());
            }
        }
        let fields: Fields = wanted.keys().cloned().collect();
        let given_up: Vec<String> = self
            .applied_by(manager)
            .into_iter()
            .flat_map(|owned| owned.difference(&fields).cloned().collect::<Vec<_>>())
            .collect();
        self.owners.retain(|owner| !is_ours(owner));
        for owner in &mut self.owners {
            owner.fields.retain(|pointer| !changed.contains(pointer));
        }
        for pointer in given_up {
            let owned = self.owners.iter().any(|o| o.fields.contains(&pointer));
            // One that was wanted empty, and holds something by now.
            let now = self.body.pointer(&pointer).and_then(Value::as_object);
            if !owned && now.is_none_or(serde_json::Map::is_empty) {
                take(&mut self.body, &pointer);
            }
        }
        if !fields.is_empty() {
            let known = before.1.iter().find(|owner| is_ours(owner));
            let same = known.filter(|owner| owner.fields == fields && self.body == before.0);
            self.owners.push(Owner {
                manager: manager.to_owned(),
                operation: "Apply",
                subresource: "",
                time: same.map_or_else(|| time.to_owned(), |owner| owner.time.clone()),
                fields,
            });
        }
        self.tidy();
        Ok((&self.body, &self.owners) != (&before.0, &before.1))
    }

    /// Any other write: what it changes belongs to its manager. Whether anything changed.
    pub fn update(
        &mut self,
        manager: &str,
        subresource: &'static str,
        time: &str,
        change: impl FnOnce(&mut Value),
    ) -> bool {
        let before = self.body.clone();
        change(&mut self.body);
        if self.body == before {
            return false;
        }
        let then = leaves(&before);
        let emptied = |at: &String, value: &Value| {
            value.is_object() && before.pointer(at).is_some_and(Value::is_object)
        };
        let changed: Fields = leaves(&self.body)
            .into_iter()
            .filter(|(at, value)| then.get(at) != Some(value) && !emptied(at, value))
            .map(|(at, _)| at)
            .collect();
        for owner in &mut self.owners {
            owner
                .fields
                .retain(|at| !changed.contains(at) && self.body.pointer(at).is_some());
        }
        let own = |owner: &&mut Owner| {
            owner.manager == manager
                && owner.operation == "Update"
                && owner.subresource == subresource
        };
        match self.owners.iter_mut().find(own) {
            Some(owner) => {
                owner.fields.extend(changed);
                time.clone_into(&mut owner.time);
            }
            None => self.owners.push(Owner {
                manager: manager.to_owned(),
                operation: "Update",
                subresource,
                time: time.to_owned(),
                fields: changed,
            }),
        }
        self.tidy();
        true
    }

    /// Entries that own nothing go; the others keep an order of their own.
    fn tidy(&mut self) {
        self.owners.retain(|owner| !owner.fields.is_empty());
        let order = |owner: &Owner| (owner.operation, owner.manager.clone(), owner.subresource);
        self.owners.sort_by_key(order);
    }
}
