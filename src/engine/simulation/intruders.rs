//! What others do to the objects: people, controllers, other tools, the server itself.

use super::faults::Fault;
use super::fields::ITEM;
use super::samples::instance;
use super::server::{inventory_key, orders_key};
use super::world::{Item, World};
use crate::desired::ObjectKey;
use crate::desired::instance::INSTANCE_LABEL;
use crate::engine::{Order, Orders, Wish, WriteError};
use serde_json::{Value, json};
use std::time::Duration;

/// Something that goes on.
pub enum Mischief {
    /// One deed of anybody, and later the next.
    Any,
    /// Somebody changes a field again, so many times.
    Fight(ObjectKey, usize),
    /// A controller takes note of an object.
    Observe(ObjectKey),
    /// A finalizer is taken off.
    Release(ObjectKey),
    /// A suspension is taken back.
    Resume,
    /// The server takes an object again.
    Accept(ObjectKey),
}

impl World {
    /// Does it, and plans what follows.
    pub fn carry_on(&mut self, mischief: Mischief) {
        match mischief {
            Mischief::Any if self.faults.per_mille == 0 => {}
            Mischief::Any => {
                self.intrude();
                self.judge_receipts();
                let wait = self.dice.millis(50, 4_000);
                self.plan(wait, Item::Mischief(Box::new(Mischief::Any)));
            }
            Mischief::Fight(key, times) => {
                self.faults.count(Fault::Fought);
                let value = format!("theirs {times}");
                self.change(&key, "fighter", |live| live["data"]["a"] = value.into());
                if times > 0 && self.faults.per_mille > 0 {
                    let wait = self.dice.millis(50, 600);
                    let again = Mischief::Fight(key, times - 1);
                    self.plan(wait, Item::Mischief(Box::new(again)));
                }
            }
            Mischief::Observe(key) => self.observe(&key),
            Mischief::Release(key) => self.change(&key, "cleaner", |live| {
                if let Some(metadata) = live["metadata"].as_object_mut() {
                    metadata.shift_remove("finalizers");
                }
            }),
            Mischief::Resume => self.order(|_| {}),
            Mischief::Accept(key) => drop(self.server.refuses.remove(&key)),
        }
    }

    fn intrude(&mut self) {
        let all: Vec<ObjectKey> = self.server.objects.keys().cloned().collect();
        let ours = |key: &&ObjectKey| {
            !key.is("", "Namespace") && **key != orders_key() && !self.laws.is_foreign(key)
        };
        let ours: Vec<ObjectKey> = all.iter().filter(ours).cloned().collect();
        let deed = self.dice.roll(33);
        if deed == 0 {
            return self.forestall();
        }
        if deed == 1 {
            return self.suspend();
        }
        let Some(key) = self.dice.pick(&ours) else {
            return;
        };
        self.note(|| format!("deed {deed} on {}", key.short()));
        match deed {
            2..=7 => self.deed(Fault::Edited, &key, |live| {
                live["data"]["a"] = "theirs".into();
            }),
            8..=10 => self.deed(Fault::Annotated, &key, |live| {
                live["data"]["theirs"] = "1".into();
            }),
            11..=12 if key.is("demo.dev", "Widget") => {
                self.deed(Fault::Filled, &key, |live| {
                    live["data"]["room"]["x"] = "1".into();
                });
            }
            13..=14 => self.observe(&key),
            15..=16 => self.deed(Fault::Unlabelled, &key, |live| {
                if let Some(labels) = live["metadata"]["labels"].as_object_mut() {
                    labels.shift_remove(INSTANCE_LABEL);
                }
            }),
            17 => self.take(&key),
            18..=21 => {
                self.faults.count(Fault::Deleted);
                self.server.remove(&key);
                self.laws.lost(&key);
            }
            22..=23 => self.replace(&key),
            24..=25 => self.copy(&key),
            26..=27 => self.hold(&key),
            28 => {
                let mischief = Mischief::Fight(key, self.dice.roll(25));
                self.plan(Duration::ZERO, Item::Mischief(Box::new(mischief)));
            }
            29 => self.refuse(key),
            30..=32 if key.is("demo.dev", "Widget") => self.resource(key),
            _ => {}
        }
    }

    /// Somebody gives a volume another source, and the controller writes just after that.
    fn resource(&mut self, key: ObjectKey) {
        self.deed(Fault::Resourced, &key, other_source);
        let wait = self.dice.millis(0, 30);
        self.plan(wait, Item::Mischief(Box::new(Mischief::Observe(key))));
    }

    fn observe(&mut self, key: &ObjectKey) {
        self.faults.count(Fault::StatusWritten);
        let at = self.clock.as_millis().to_string();
        self.server.edit(key, "controller", "status", |live| {
            live["status"] = at.into();
        });
    }

    fn deed(&mut self, fault: Fault, key: &ObjectKey, change: impl FnOnce(&mut Value)) {
        self.faults.count(fault);
        self.change(key, "kubectl-edit", change);
    }

    fn change(&mut self, key: &ObjectKey, manager: &str, change: impl FnOnce(&mut Value)) {
        self.server.edit(key, manager, "", change);
        if !self.server.objects.contains_key(key) {
            self.laws.lost(key);
        }
        self.laws.seen_value(&self.server, key);
    }

    fn take(&mut self, key: &ObjectKey) {
        self.faults.count(Fault::Taken);
        let resource = &self.server.objects[key].body;
        let body = json!({"apiVersion": resource["apiVersion"], "kind": resource["kind"],
            "metadata": resource["metadata"], "data": {"a": "taken"}});
        drop(self.server.apply(key, "other-tool", &body, None, true));
        self.laws.seen_value(&self.server, key);
    }

    /// Somebody deletes an object and makes another of that name: a copy, or one of their own.
    fn replace(&mut self, key: &ObjectKey) {
        self.faults.count(Fault::Replaced);
        let mut body = self.server.objects[key].body.clone();
        self.server.remove(key);
        if self.server.objects.contains_key(key) {
            return;
        }
        self.laws.lost(key);
        if self.dice.chance(500) {
            body["metadata"]["labels"] = json!({"app": "theirs"});
            body["data"] = json!({"theirs": "1"});
        }
        drop(self.server.make(key, "kubectl-create", &body));
        self.laws.seen_value(&self.server, key);
    }

    fn copy(&mut self, key: &ObjectKey) {
        self.faults.count(Fault::Copied);
        let mut body = self.server.objects[key].body.clone();
        let mut copy = key.clone();
        copy.name = format!("{}-copy", key.name).into();
        body["metadata"]["name"] = (*copy.name).into();
        if self.server.make(&copy, "kubectl-create", &body).is_ok() {
            self.laws.guard(&self.server, &copy);
        }
    }

    /// Somebody makes an object that is wanted, and not there, before we do.
    fn forestall(&mut self) {
        let wanted = self.sets.last().map(|set| {
            let objects = set.objects().map(|(_, object)| object);
            let plain = objects.filter(|object| object.key.is("", "ConfigMap"));
            plain.map(|object| object.key.clone()).collect::<Vec<_>>()
        });
        let Some(key) = self.dice.pick(&wanted.unwrap_or_default()) else {
            return;
        };
        let body = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": *key.name, "namespace": key.namespace.as_deref()},
            "data": {"theirs": "1"}});
        if self.server.make(&key, "kubectl-create", &body).is_ok() {
            self.faults.count(Fault::Forestalled);
        }
    }

    fn hold(&mut self, key: &ObjectKey) {
        self.faults.count(Fault::Held);
        self.change(key, "holder", |live| {
            live["metadata"]["finalizers"] = json!(["demo.dev/hold"]);
        });
        if self.dice.chance(700) {
            self.server.remove(key);
        }
        let wait = self.dice.millis(500, 30_000);
        self.plan(
            wait,
            Item::Mischief(Box::new(Mischief::Release(key.clone()))),
        );
    }

    fn refuse(&mut self, key: ObjectKey) {
        self.faults.count(Fault::Refused);
        if self.dice.chance(250) {
            return self.refuse_inventory();
        }
        let why = if self.dice.chance(500) {
            WriteError::Invalid("denied by a policy".into())
        } else {
            WriteError::Forbidden("not allowed".into())
        };
        self.refuse_for_a_while(key, why);
    }

    /// Somebody stores an inventory again and again, or is said to.
    fn refuse_inventory(&mut self) {
        let service = ["one", "two"][self.dice.roll(2)];
        self.refuse_for_a_while(inventory_key(service), WriteError::Changed);
    }

    fn refuse_for_a_while(&mut self, key: ObjectKey, why: WriteError) {
        self.server.refuses.insert(key.clone(), why);
        let wait = self.dice.millis(20_000, 120_000);
        self.plan(wait, Item::Mischief(Box::new(Mischief::Accept(key))));
    }

    fn suspend(&mut self) {
        self.faults.count(Fault::Suspended);
        let service = ["one", "two"][self.dice.roll(2)].to_owned();
        let order = Order {
            order: Wish::Suspended,
            by: "ann".into(),
            at: None,
            until: None,
            reason: None,
        };
        self.order(|orders| orders.put(Some(&service), order));
        let wait = self.dice.millis(500, 20_000);
        self.plan(wait, Item::Mischief(Box::new(Mischief::Resume)));
    }

    /// A person stores other orders.
    fn order(&mut self, change: impl FnOnce(&mut Orders)) {
        let mut orders = Orders::default();
        change(&mut orders);
        let data = Value::Object(orders.data(self.now().wall));
        let key = orders_key();
        let instance = instance();
        let body = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": *key.name, "namespace": instance.namespace,
                "labels": {INSTANCE_LABEL: instance.label()}},
            "data": {}});
        if !self.server.objects.contains_key(&key) {
            drop(self.server.make(&key, "jsorc-cli", &body));
        }
        self.server
            .edit(&key, "jsorc-cli", "", |live| live["data"] = data);
    }
}

/// Makes a volume of another source.
pub fn other_source(live: &mut Value) {
    live["data"]["volumes"] = json!([{"name": ITEM, "hostPath": {"path": "/"}}]);
}
