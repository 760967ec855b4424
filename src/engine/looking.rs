//! What looking for an object by name brought: whether it is there, and whose it seems to be.

use super::body::Body;
use super::health::Health;
use super::object::{Foreign, Looked};
use super::ownership::{other_managers, owned_fields};
use super::sight::Sight;
use super::{Engine, Now, Standing, WriteError};
use crate::desired::at::At as _;
use crate::desired::{ObjectKey, Resource};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// After a look for what is not wanted that brought no answer.
const AGAIN: Duration = Duration::from_secs(10);

/// What is known of a recorded object that is not wanted and that no watch shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sought {
    /// It is looked for.
    Pending,
    /// Nobody answered; it is looked for again at this time.
    Again(Duration),
    /// It is not there, or not ours any more.
    Gone,
}

impl Engine {
    pub(super) fn on_looked(
        &mut self,
        key: &ObjectKey,
        found: Result<Option<Box<Value>>, WriteError>,
        now: Now,
    ) {
        let Some(position) = self.position(key) else {
            return self.on_sought(key, found, now);
        };
        // Once it leaves again it is looked for anew.
        self.sought.remove(key);
        if let Ok(Some(found)) = &found
            && self.see_refused(position, found, now)
        {
            self.queue.insert(position);
            return;
        }
        let object = &mut self.objects[position];
        if let Ok(found) = &found {
            // One that no watch shows is gone when it is not found.
            let uid = found
                .as_ref()
                .and_then(|found| found.at("/metadata/uid")?.as_str());
            object
                .live
                .take_if(|live| !live.labelled && uid != Some(&live.uid));
        }
        object.looked = match found {
            Ok(None) => Looked::Absent,
            Ok(Some(value)) => Looked::Present(Box::new(Foreign::of(&value, &self.manager))),
            // It is looked at again at the next check.
            Err(_) if object.is_out_of_sight() => return,
            Err(error) => {
                object.looked = Looked::No;
                let wait = object.fail(error.to_string(), now.mono, true, None);
                self.stand(position, Standing::Failed(error.to_string()));
                return self.wake(now.mono + wait);
            }
        };
        let key = key.clone();
        self.queue.insert(position);
        self.wake_waiters(&key);
    }
}

impl Engine {
    /// Whether a recorded object that is not wanted, and that its watch does not show, is gone for
    /// sure. A watch can be behind, so it is looked for before it is forgotten.
    pub(super) fn is_surely_gone(
        &mut self,
        key: &ObjectKey,
        resource: &Arc<Resource>,
        now: Now,
    ) -> bool {
        let known = self.sought.get(key).copied();
        let asks = match known {
            None => true,
            Some(Sought::Again(at)) => at <= now.mono,
            Some(Sought::Pending | Sought::Gone) => false,
        };
        if asks {
            self.sought.insert(key.clone(), Sought::Pending);
            self.looks.push((key.clone(), resource.clone()));
        }
        known == Some(Sought::Gone)
    }

    /// An object that is not wanted was looked for. One without our label is not ours any more.
    fn on_sought(
        &mut self,
        key: &ObjectKey,
        found: Result<Option<Box<Value>>, WriteError>,
        now: Now,
    ) {
        if self.sought.get(key) != Some(&Sought::Pending) {
            return;
        }
        let Ok(found) = found else {
            let again = now.mono + AGAIN;
            self.sought.insert(key.clone(), Sought::Again(again));
            return self.wake(again);
        };
        self.sought.remove(key);
        let found = found.map(|object| Body::from(*object));
        let sight = found
            .as_ref()
            .and_then(|body| Sight::read(body.text()).ok());
        let live = sight.map(|sight| self.live(None, None, &sight));
        match live.filter(|live| live.labelled) {
            Some(live) => drop(self.strays.entry(key.clone()).or_insert(live)),
            None => drop(self.sought.insert(key.clone(), Sought::Gone)),
        }
        self.dirty.extend(self.services.keys().cloned());
    }
}

impl Foreign {
    /// Reads whose an object seems to be.
    pub(super) fn of(object: &Value, manager: &str) -> Self {
        Self {
            uid: object
                .at("/metadata/uid")
                .and_then(Value::as_str)
                .unwrap_or("")
                .into(),
            owner: owner(object, None),
            managers: other_managers(object, manager),
            applied_by_us: owned_fields(object, manager).is_some(),
            health: if object.get("kind").is_none() {
                Health::Current
            } else {
                super::health::health(object)
            },
        }
    }
}

/// Who owns an object, by the marks that the common tools leave; `ours` is the label of an instance
/// that does not count.
pub(super) fn owner(object: &Value, ours: Option<&str>) -> Option<String> {
    let mark = |kind: &str, name: &str| {
        object
            .at(&format!("/metadata/{kind}"))
            .and_then(|marks| marks.get(name))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let instance = mark("labels", crate::desired::instance::INSTANCE_LABEL);
    if let Some(other) = instance.filter(|other| Some(other.as_str()) != ours) {
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
        .at("/metadata/ownerReferences")
        .and_then(Value::as_array);
    owners.and_then(|list| list.first()).map(|first| {
        let text = |field: &str| first.get(field).and_then(Value::as_str).unwrap_or("");
        format!("{}/{}", text("kind"), text("name"))
    })
}
