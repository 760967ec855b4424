//! What the watches say becomes state; drift is answered at once.

use super::decide::{self, Decision};
use super::event::{WatchChange, WatchKey};
use super::health::Health;
use super::object::{Foreign, Live, Looked, Object};
use super::ownership::{evidence, other_managers};
use super::{Engine, Now, Standing, WriteError};
use crate::desired::{Need, ObjectKey, Resource};
use serde_json::Value;
use std::sync::Arc;

/// How many ready endpoints one slice has, and of which Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) namespace: Option<Arc<str>>,
    pub(super) service: String,
    pub(super) ready: usize,
}

/// The watch that an object is seen through. Secrets are watched one by one, so that a Role can
/// name them.
#[must_use]
pub fn watch_of(key: &ObjectKey, resource: &Arc<Resource>) -> WatchKey {
    WatchKey {
        resource: resource.clone(),
        namespace: key.namespace.clone(),
        name: key.is_secret().then(|| key.name.clone()),
    }
}

/// The watch of the endpoints in a namespace.
#[must_use]
pub fn endpoint_slices(namespace: Option<Arc<str>>) -> WatchKey {
    let resource = Resource {
        group: "discovery.k8s.io".into(),
        version: "v1".into(),
        kind: "EndpointSlice".into(),
        plural: "endpointslices".into(),
        namespaced: true,
    };
    WatchKey {
        resource: Arc::new(resource),
        namespace,
        name: None,
    }
}

impl Engine {
    pub(super) fn on_watch(&mut self, watch: &WatchKey, change: WatchChange, now: Now) {
        if !self.watches.contains_key(watch) {
            return;
        }
        match change {
            WatchChange::Restarted => self.forget_seen(watch),
            WatchChange::Synced => self.on_synced(watch),
            WatchChange::Lost(reason) => self.on_lost(watch, reason),
            WatchChange::Applied(object) => self.on_applied(watch, object, now),
            WatchChange::Deleted(object) => self.on_deleted(watch, &object),
        }
    }

    fn on_applied(&mut self, watch: &WatchKey, object: Box<Value>, now: Now) {
        let key = key_in(watch, &object);
        if &*watch.resource.kind == "EndpointSlice" {
            return self.on_slice(key, &object);
        }
        let live = Live::of(&object, &self.manager, &self.label, &self.key);
        let Some(position) = self.index.get(&key).copied() else {
            if live.labelled {
                self.strays.insert(key, live);
                self.dirty.extend(self.services.keys().cloned());
            }
            return;
        };
        if self.objects[position]
            .live
            .as_ref()
            .is_some_and(|known| live.is_older_than(known))
        {
            return;
        }
        self.see(position, live, now);
        self.fresh = Some((position, object));
        self.queue.remove(&position);
        self.consider(position, now);
        if let Some((_, body)) = self.fresh.take() {
            let object = &mut self.objects[position];
            object.stash = decide::differs(object).then_some(body);
        }
    }

    /// Takes in a live object, and wakes those who wait for its health.
    pub(super) fn see(&mut self, position: usize, live: Live, now: Now) {
        let object = &mut self.objects[position];
        let before = object.health();
        let known = object.live.replace(live);
        object.looked = Looked::No;
        let after = object.health();
        let service = object.service.clone();
        let foreign_write = known.is_none_or(|known| {
            known.resource_version != object.live.as_ref().map_or("", |l| &l.resource_version)
        });
        if before == after {
            return;
        }
        if after.is_current() {
            object.explained = None;
            self.finish_job(position, now);
        }
        if foreign_write && let Some(service) = self.services.get_mut(&service) {
            service.holds_rerun = false;
        }
        let key = self.objects[position].desired.key.clone();
        self.wake_waiters(&key);
        self.dirty.insert(service);
        if key.is("apiextensions.k8s.io", "CustomResourceDefinition") {
            self.send_watches();
        }
    }

    fn on_deleted(&mut self, watch: &WatchKey, object: &Value) {
        let key = key_in(watch, object);
        self.slices.remove(&key);
        if &*watch.resource.kind == "EndpointSlice" {
            return self.dirty.extend(self.services.keys().cloned());
        }
        if self.strays.remove(&key).is_some() {
            self.dirty.extend(self.services.keys().cloned());
        }
        if let Some(position) = self.index.get(&key).copied() {
            self.vanish(position);
        }
    }

    /// An object left our sight: deleted, or without our label. Which of the two, the answer to
    /// the next apply tells.
    pub(super) fn vanish(&mut self, position: usize) {
        let object = &mut self.objects[position];
        object.live = None;
        object.looked = Looked::No;
        object.explained = None;
        self.dirty.insert(object.service.clone());
        self.queue.insert(position);
        let key = self.objects[position].desired.key.clone();
        self.wake_waiters(&key);
    }

    /// An interrupted watch that had named everything still stands for what it named: it goes on
    /// from there. Only one that never did leaves its objects unknown.
    fn on_lost(&mut self, watch: &WatchKey, reason: String) {
        if self.watches.get(watch) != Some(&true) {
            self.lost.insert(watch.clone(), reason);
            let of_watch =
                |object: &Object| watch_of(&object.desired.key, &object.desired.resource) == *watch;
            let affected =
                (0..self.objects.len()).filter(|position| of_watch(&self.objects[*position]));
            self.queue.extend(affected.collect::<Vec<_>>());
        }
    }

    fn forget_seen(&mut self, watch: &WatchKey) {
        self.watches.insert(watch.clone(), false);
        for object in &mut self.objects {
            if watch_of(&object.desired.key, &object.desired.resource) == *watch
                && let Some(live) = &mut object.live
            {
                live.seen = false;
            }
        }
        for live in self.strays.values_mut() {
            live.seen = false;
        }
    }

    fn on_synced(&mut self, watch: &WatchKey) {
        self.watches.insert(watch.clone(), true);
        self.lost.remove(watch);
        let of_watch =
            |object: &Object| watch_of(&object.desired.key, &object.desired.resource) == *watch;
        let positions: Vec<usize> = (0..self.objects.len())
            .filter(|position| of_watch(&self.objects[*position]))
            .collect();
        for position in positions {
            if self.objects[position]
                .live
                .as_ref()
                .is_some_and(|live| !live.seen)
            {
                self.vanish(position);
            }
            self.queue.insert(position);
        }
        self.strays
            .retain(|key, live| live.seen || !watch.resource.holds(key));
        self.dirty.extend(self.services.keys().cloned());
    }

    fn on_slice(&mut self, key: ObjectKey, object: &Value) {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or("")
        };
        let ready = object
            .get("endpoints")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter(|endpoint| {
                endpoint
                    .pointer("/conditions/ready")
                    .and_then(Value::as_bool)
                    != Some(false)
            })
            .count();
        let service = text("/metadata/labels/kubernetes.io~1service-name").to_owned();
        let slice = Slice {
            namespace: key.namespace.clone(),
            service,
            ready,
        };
        if self.slices.get(&key).is_none_or(|known| *known != slice) {
            let front = ObjectKey::new("", "Service", slice.namespace.as_deref(), &slice.service);
            if let Some(position) = self.index.get(&front).copied() {
                let name = self.objects[position].service.clone();
                if let Some(service) = self.services.get_mut(&name) {
                    service.holds_rerun = false;
                }
                self.dirty.insert(name);
            }
            self.slices.insert(key, slice);
        }
    }

    /// How many ready endpoints a Service has.
    pub(super) fn ready_endpoints(&self, key: &ObjectKey) -> usize {
        self.slices
            .values()
            .filter(|slice| slice.namespace == key.namespace && slice.service == *key.name)
            .map(|slice| slice.ready)
            .sum()
    }

    pub(super) fn on_looked(
        &mut self,
        key: &ObjectKey,
        found: Result<Option<Box<Value>>, WriteError>,
        now: Now,
    ) {
        let Some(position) = self.index.get(key).copied() else {
            return;
        };
        let object = &mut self.objects[position];
        object.looked = match found {
            Ok(None) => Looked::Absent,
            Ok(Some(value)) => {
                Looked::Present(Box::new(Foreign::of(&value, &self.manager, &self.key)))
            }
            Err(error) => {
                object.looked = Looked::No;
                let wait = object.fail(error.to_string(), now.mono, true, None);
                self.stand(position, Standing::Failed(error.to_string()));
                return self.wake(now.mono + wait.unwrap_or_default());
            }
        };
        let key = key.clone();
        self.queue.insert(position);
        self.wake_waiters(&key);
    }

    pub(super) fn on_explained(&mut self, key: &ObjectKey, text: Option<String>) {
        if let Some(position) = self.index.get(key).copied() {
            let object = &mut self.objects[position];
            if !object.health().is_current() && object.explained != text {
                object.explained = text;
                self.dirty.insert(object.service.clone());
            }
        }
    }

    /// What has to come before an object, in words; `None` when nothing does.
    pub(super) fn waits_for(&self, object: &Object, service: &super::Service) -> Option<String> {
        if !object.desired.key.is("", "Namespace") {
            for name in &service.desired.depends_on {
                if let Some(first) = self.services.get(name)
                    && !first.is_ready_for_others()
                {
                    return Some(format!("service {name} ({})", first.phase));
                }
            }
        }
        object.desired.after.iter().find_map(|prerequisite| {
            let position = self.index.get(&prerequisite.key)?;
            let first = &self.objects[*position];
            let there = match first.standing {
                Standing::InOrder => true,
                Standing::Differs(_) => first.live.is_some(),
                _ => false,
            };
            let health = first.health();
            let met = there && (prerequisite.need == Need::Applied || health.is_current());
            (!met).then(|| match health.reason().filter(|_| there) {
                Some(reason) => format!("{} ({reason})", prerequisite.key.short()),
                None => prerequisite.key.short(),
            })
        })
    }

    pub(super) fn act(
        &mut self,
        position: usize,
        decision: Decision,
        now: Now,
    ) -> Option<Standing> {
        Some(match decision {
            Decision::Unknown => Standing::Unknown,
            Decision::Leave => return None,
            Decision::InOrder => Standing::InOrder,
            Decision::Wait(what) => Standing::Waiting(what),
            Decision::Block(why) => Standing::Blocked(why),
            Decision::Rest(until) => {
                self.wake(until);
                let trouble = self.objects[position].trouble.as_ref();
                Standing::Failed(
                    trouble.map_or_else(|| "healed too often".into(), |t| t.reason.clone()),
                )
            }
            Decision::Look => {
                let object = &mut self.objects[position];
                object.looked = Looked::Pending;
                self.looks
                    .push((object.desired.key.clone(), object.desired.resource.clone()));
                return None;
            }
            Decision::Record => {
                self.want_recorded(position, now);
                Standing::Waiting("its inventory".into())
            }
            Decision::Report(cause) => {
                self.note_drift(position, cause);
                self.rehearse(position, cause, now);
                Standing::Differs(cause)
            }
            Decision::Write(cause) => {
                self.write(position, cause, now);
                Standing::Writing
            }
        })
    }
}

fn key_in(watch: &WatchKey, object: &Value) -> ObjectKey {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    ObjectKey::new(
        &watch.resource.group,
        &watch.resource.kind,
        text("/metadata/namespace").filter(|_| watch.resource.namespaced),
        text("/metadata/name").unwrap_or(""),
    )
}

impl Foreign {
    fn of(object: &Value, manager: &str, key: &crate::desired::FingerprintKey) -> Self {
        Self {
            uid: object
                .pointer("/metadata/uid")
                .and_then(Value::as_str)
                .unwrap_or("")
                .to_owned(),
            owner: owner(object),
            managers: other_managers(object, manager),
            applied_by_us: evidence(object, manager, key).is_some(),
            health: if object.get("kind").is_none() {
                Health::Current
            } else {
                super::health::health(object)
            },
        }
    }
}

/// Who owns an object, by the marks that the common tools leave.
fn owner(object: &Value) -> Option<String> {
    let mark = |kind: &str, name: &str| {
        object
            .pointer(&format!("/metadata/{kind}"))
            .and_then(|marks| marks.get(name))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    if let Some(other) = mark("labels", crate::desired::instance::INSTANCE_LABEL) {
        return Some(format!("the jsorc instance {other}"));
    }
    if let Some(release) = mark("annotations", "meta.helm.sh/release-name") {
        return Some(format!("the Helm release {release}"));
    }
    if let Some(tracked) = mark("annotations", "argocd.argoproj.io/tracking-id") {
        return Some(format!(
            "the Argo CD application {}",
            tracked.split(':').next().unwrap_or("")
        ));
    }
    if let Some(name) = mark("labels", "kustomize.toolkit.fluxcd.io/name") {
        return Some(format!("the Flux kustomization {name}"));
    }
    let owners = object
        .pointer("/metadata/ownerReferences")
        .and_then(Value::as_array);
    owners.and_then(|list| list.first()).map(|first| {
        let text = |field: &str| first.get(field).and_then(Value::as_str).unwrap_or("");
        format!("{}/{}", text("kind"), text("name"))
    })
}
