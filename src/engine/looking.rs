//! What looking for an object by name brought: whether it is there, and whose it seems to be.

use super::health::Health;
use super::object::{Foreign, Looked};
use super::ownership::{evidence, other_managers};
use super::{Engine, Now, Standing, WriteError};
use crate::desired::ObjectKey;
use crate::desired::at::At as _;
use serde_json::Value;

impl Engine {
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
            Ok(Some(value)) => {
                Looked::Present(Box::new(Foreign::of(&value, &self.manager, &self.key)))
            }
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

impl Foreign {
    /// Reads whose an object seems to be.
    pub(super) fn of(object: &Value, manager: &str, key: &crate::desired::FingerprintKey) -> Self {
        Self {
            uid: object
                .at("/metadata/uid")
                .and_then(Value::as_str)
                .unwrap_or("")
                .to_owned(),
            owner: owner(object, None),
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
