//! The model API server: objects under versions, a log of what happened to them, and what it
//! answers to each verb of the engine.
//!
//! It is faithful where the engine relies on it: server-side apply with field ownership, uids and
//! versions as preconditions, finalizers, created apart from changed, inventories that are stored
//! under the version that was read. A person's or a controller's writes go through the same store.

use super::object::Stored;
use super::samples::{instance, map_key};
use crate::desired::ObjectKey;
use crate::desired::secret::generate;
use crate::engine::{Inventory, Orders, Verb, Write, WriteError, Written};
use serde_json::Value;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Something that happened to one object.
#[derive(Clone, Debug)]
pub struct Change {
    /// The object.
    pub key: ObjectKey,
    /// As it was, under its new version.
    pub before: Option<Rc<Value>>,
    /// As it is.
    pub after: Option<Rc<Value>>,
}

/// The server.
#[derive(Default)]
pub struct Server {
    /// Everything that is there.
    pub objects: BTreeMap<ObjectKey, Stored>,
    /// The inventories.
    pub inventories: BTreeMap<Arc<str>, Inventory>,
    /// What happened, in order.
    pub log: Vec<Change>,
    /// What it refuses for good: a policy, a missing right.
    pub refuses: BTreeMap<ObjectKey, WriteError>,
    /// The time, for people.
    pub clock: Duration,
    /// The last version that was given.
    pub version: u64,
    /// Everything that is there, as it is shown.
    pub shown: BTreeMap<ObjectKey, Rc<Value>>,
    uids: u64,
}

impl Server {
    /// A write of ours.
    pub fn write(&mut self, write: &Write) -> Result<Written, WriteError> {
        if let Some(why) = self.refuses.get(&write.key) {
            return Err(why.clone());
        }
        match &write.verb {
            Verb::Apply {
                body,
                uid,
                force,
                without,
                ..
            } => {
                let mut body: Value = body.value().unwrap();
                for path in without {
                    path.remove(&mut body);
                }
                let manager = instance().identity();
                self.apply(&write.key, &manager, &body, uid.as_deref(), *force)
            }
            Verb::Create { body, generated } => {
                let mut number = u8::try_from(self.uids % 50).unwrap();
                let made = generate(body.text(), generated, &mut |bytes: &mut [u8]| {
                    for byte in bytes {
                        number = (number + 7) % 50;
                        *byte = number;
                    }
                    Ok::<(), WriteError>(())
                })?;
                let body: Value = serde_json::from_str(&made).unwrap();
                self.make(&write.key, &instance().identity(), &body)
            }
            Verb::Delete {
                uid,
                resource_version,
            } => self.delete(&write.key, uid, resource_version.as_deref()),
            Verb::Amend { patch, .. } => self.amend(&write.key, patch),
            other => panic!("the samples never need {other:?}"),
        }
    }

    /// A server-side apply of anybody.
    pub fn apply(
        &mut self,
        key: &ObjectKey,
        manager: &str,
        body: &Value,
        uid: Option<&str>,
        force: bool,
    ) -> Result<Written, WriteError> {
        match (self.objects.get(key), uid) {
            (None, Some(_)) => return Err(WriteError::Gone),
            (Some(live), Some(uid)) if live.uid != uid => return Err(WriteError::NotOurs),
            // It answers as if it had, and saves nothing.
            (Some(live), _) if live.deleting => return Ok(self.written(key, false)),
            (None, None) => self.check_namespace(key)?,
            _ => {}
        }
        let time = self.time();
        let created = !self.objects.contains_key(key);
        let mut object = match self.objects.get(key) {
            Some(object) => object.clone(),
            None => Stored::new(body, self.next_uid()),
        };
        let changed = object
            .apply(manager, body, force, &time)
            .map_err(WriteError::Conflict)?;
        if let Some(why) = object.invalid() {
            return Err(WriteError::Invalid(why.to_owned()));
        }
        if changed || created {
            self.store(key, Some(object));
        }
        Ok(self.written(key, created))
    }

    /// A plain creation by anybody.
    pub fn make(
        &mut self,
        key: &ObjectKey,
        manager: &str,
        body: &Value,
    ) -> Result<Written, WriteError> {
        if self.objects.contains_key(key) {
            return Err(WriteError::AlreadyExists);
        }
        self.check_namespace(key)?;
        let mut object = Stored::new(body, self.next_uid());
        let time = self.time();
        object.update(manager, "", &time, |live| live.clone_from(body));
        self.store(key, Some(object));
        Ok(self.written(key, true))
    }

    /// Any other change by anybody.
    pub fn edit(
        &mut self,
        key: &ObjectKey,
        manager: &str,
        subresource: &'static str,
        change: impl FnOnce(&mut Value),
    ) {
        let time = self.time();
        let Some(mut object) = self.objects.get(key).cloned() else {
            return;
        };
        if object.update(manager, subresource, &time, change) {
            let goes = object.deleting && !object.is_held();
            self.store(key, (!goes).then_some(object));
        }
    }

    /// A deletion by anybody, whatever the object is by now.
    pub fn remove(&mut self, key: &ObjectKey) {
        if let Some(uid) = self.objects.get(key).map(|object| object.uid.clone()) {
            self.delete(key, &uid, None).unwrap();
        }
    }

    fn delete(
        &mut self,
        key: &ObjectKey,
        uid: &str,
        version: Option<&str>,
    ) -> Result<Written, WriteError> {
        let mut object = self.objects.get(key).ok_or(WriteError::Gone)?.clone();
        if object.uid != uid {
            return Err(WriteError::NotOurs);
        }
        if version.is_some_and(|version| version != object.version.to_string()) {
            return Err(WriteError::Changed);
        }
        if !object.is_held() {
            self.store(key, None);
        } else if !object.deleting {
            object.deleting = true;
            self.store(key, Some(object));
        }
        Ok(Written::Deleted)
    }

    /// A JSON patch of ours: tests of what it is for, and what is replaced.
    fn amend(&mut self, key: &ObjectKey, patch: &str) -> Result<Written, WriteError> {
        let live = self.shown.get(key).ok_or(WriteError::Gone)?;
        let patch: Vec<Value> = serde_json::from_str(patch).unwrap();
        let at = |step: &Value| step["path"].as_str().unwrap().to_owned();
        let (tests, changes): (Vec<Value>, Vec<Value>) =
            patch.into_iter().partition(|step| step["op"] == "test");
        let holds = |test: &Value| live.pointer(&at(test)) == Some(&test["value"]);
        if !tests.iter().all(holds) {
            return Err(WriteError::Changed);
        }
        self.edit(key, &instance().identity(), "", |live| {
            for step in &changes {
                super::fields::put(live, &at(step), step["value"].clone());
            }
        });
        Ok(self.written(key, false))
    }

    /// Stores an inventory, if the stored one is the one that is known.
    pub fn save(&mut self, mut inventory: Inventory) -> Result<String, WriteError> {
        if let Some(why) = self.refuses.get(&inventory_key(&inventory.service)) {
            return Err(why.clone());
        }
        let stored = self.inventories.get(&inventory.service);
        match (stored, &inventory.resource_version) {
            (None, Some(_)) => return Err(WriteError::Gone),
            (Some(_), None) => return Err(WriteError::AlreadyExists),
            (Some(stored), known) if stored.resource_version != *known => {
                return Err(WriteError::Changed);
            }
            _ => {}
        }
        self.version += 1;
        let version = self.version.to_string();
        inventory.resource_version = Some(version.clone());
        self.inventories
            .insert(inventory.service.clone(), inventory);
        Ok(version)
    }

    /// The orders and all inventories, read consistently.
    pub fn stored(&self) -> (Orders, Vec<Inventory>) {
        let orders = self.shown.get(&orders_key());
        let orders = orders.map(|shown| Orders::read(shown));
        let inventories = self.inventories.values().cloned().collect();
        (orders.unwrap_or_default(), inventories)
    }

    /// One object as it is shown.
    pub fn look(&self, key: &ObjectKey) -> Option<Value> {
        self.shown.get(key).map(|shown| (**shown).clone())
    }

    /// The time of day, in whole seconds.
    fn time(&self) -> String {
        let at = jiff::Timestamp::from_second(1_767_225_600).unwrap() + self.clock;
        at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    fn next_uid(&mut self) -> String {
        self.uids += 1;
        format!("u{}", self.uids)
    }

    fn check_namespace(&self, key: &ObjectKey) -> Result<(), WriteError> {
        let Some(name) = key.namespace.as_deref() else {
            return Ok(());
        };
        let home = ObjectKey::new("", "Namespace", None, name);
        if name == instance().namespace || self.objects.contains_key(&home) {
            return Ok(());
        }
        Err(WriteError::NamespaceMissing(name.to_owned()))
    }

    fn store(&mut self, key: &ObjectKey, object: Option<Stored>) {
        self.version += 1;
        let known = self.objects.remove(key);
        let before = self.shown.remove(key).map(|shown| {
            let mut shown = (*shown).clone();
            shown["metadata"]["resourceVersion"] = self.version.to_string().into();
            Rc::new(shown)
        });
        let after = object.map(|mut object| {
            object.version = self.version;
            object.count_change(known.as_ref().map(|known| &known.body));
            let shown = Rc::new(object.shown());
            self.objects.insert(key.clone(), object);
            self.shown.insert(key.clone(), shown.clone());
            shown
        });
        self.log.push(Change {
            key: key.clone(),
            before,
            after,
        });
    }

    fn written(&self, key: &ObjectKey, created: bool) -> Written {
        Written::Object {
            created,
            object: self.look(key).expect("it is there").into(),
        }
    }
}

/// The `ConfigMap` of the orders.
pub fn orders_key() -> ObjectKey {
    map_key(&instance().orders_name())
}

/// The `ConfigMap` of a service's inventory.
pub fn inventory_key(service: &str) -> ObjectKey {
    map_key(&instance().inventory_name(service))
}
