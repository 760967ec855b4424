//! Whether receipts are true: whenever a process that starts now would find the receipts to hold, a
//! comparison of every object has to find the same.

use super::fields::leaves;
use super::law::Law;
use super::samples::{fingerprints, instance};
use super::world::World;
use crate::desired::instance::INSTANCE_LABEL;
use crate::desired::{DesiredObject, DesiredService, DesiredSet, ObjectKey, WriteMode};
use crate::engine::{ObjectVersion, ServiceInputs, UnchangedCheck};
use serde_json::{Value, json};

impl World {
    /// Holds the receipts that are stored against what is there, for everything that was ever
    /// wanted.
    pub fn judge_receipts(&mut self) {
        for set in self.sets.clone() {
            for exact in [true, false] {
                if !self.finds_in_order(&set, exact) {
                    continue;
                }
                let wrong = set.objects().find_map(|(_, object)| self.untrue(object));
                self.laws.hold(Law::Honest, wrong.is_none(), || {
                    format!("the unchanged check succeeds, and {wrong:?}")
                });
            }
        }
    }

    /// Whether the unchanged check of a new process succeeds.
    fn finds_in_order(&self, set: &DesiredSet, exact: bool) -> bool {
        let (orders, inventories) = self.server.stored();
        let inputs: Vec<ServiceInputs> = set.services.iter().map(inputs_of).collect();
        let instance = instance();
        let check = UnchangedCheck::new(&instance, true, &inputs, &inventories, &orders);
        let Some(mut check) = check else {
            return false;
        };
        let key = fingerprints();
        if !exact {
            check = check.ignore_status(&key);
        }
        let mut recognised = 0;
        for collection in check.collections() {
            for (key, object) in &self.server.objects {
                let listed = object.label(INSTANCE_LABEL) == Some(&*instance.label());
                if !listed || !collection.shows(key) {
                    continue;
                }
                let metadata = json!({"metadata": object.shown()["metadata"]});
                let said = |field: &str| metadata["metadata"][field].as_str();
                let seen = ObjectVersion {
                    name: &key.name,
                    namespace: key.namespace.as_deref(),
                    uid: said("uid").unwrap(),
                    resource_version: said("resourceVersion").unwrap(),
                };
                if !check.matches_record(&collection, seen, &metadata.to_string()) {
                    return false;
                }
                recognised += 1;
            }
        }
        let is_there = |name: &&str| {
            let key = ObjectKey::new("", "Namespace", None, name);
            let namespace = self.server.objects.get(&key);
            namespace.is_some_and(|namespace| !namespace.deleting)
        };
        check.namespaces().iter().all(is_there)
            && check.finish(recognised, self.now().wall).is_some()
    }

    /// What of a wanted object is otherwise.
    fn untrue(&self, object: &DesiredObject) -> Option<String> {
        let key = &object.key;
        let Some(live) = self.server.objects.get(key) else {
            return Some(format!("{key} is missing"));
        };
        if live.deleting {
            return Some(format!("{key} is being deleted"));
        }
        if object.mode != WriteMode::Apply {
            return None;
        }
        let wanted = object.body.value().unwrap();
        let differs = leaves(&wanted).into_iter().find(|(at, value)| {
            // What others added to a struct before we knew it is theirs.
            let filled = value.is_object() && live.body.pointer(at).is_some_and(Value::is_object);
            !filled && live.body.pointer(at) != Some(value)
        });
        differs.map(|(at, value)| format!("{key}: {at} is not {value}: {}", live.shown()))
    }
}

fn inputs_of(service: &DesiredService) -> ServiceInputs {
    ServiceInputs {
        name: service.name.clone(),
        namespace: service.namespace.clone(),
        kept: service.kept,
        has_manifests: true,
        gives_namespaces: false,
        depends: !service.depends_on.is_empty(),
        strips: false,
        selected: true,
        source: service.source.unwrap(),
    }
}
