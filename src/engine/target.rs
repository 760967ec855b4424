//! The Kubernetes Service that a driver connects to (`service: NAME:PORT`), where the desired set
//! has it, in whichever service: before it is applied and has a ready endpoint, the driver is not
//! started.

use super::{ClusterState, Engine, Service, Standing};
use crate::desired::{DesiredService, ObjectKey};
use serde_json::Value;

impl Engine {
    /// Why the driver of a service cannot reach its target yet; `None` when it can be tried.
    pub(super) fn unready_target(&self, service: &Service) -> Option<String> {
        if self.cluster != ClusterState::Ready {
            return None;
        }
        let desired = &service.desired;
        let name = target_of(desired)?;
        let target = ObjectKey::new("", "Service", Some(&desired.namespace), name);
        let object = &self.objects[self.position(&target)?];
        // An object that jsorc cannot write may serve all the same.
        if matches!(object.standing, Standing::Blocked(_) | Standing::Failed(_)) {
            return None;
        }
        let short = target.short();
        if object.live.is_none() {
            return Some(format!("{short} is not there yet"));
        }
        let lacks_endpoint = object.desired.wants_endpoint && self.ready_endpoints(&target) == 0;
        lacks_endpoint.then(|| format!("{short} has no ready endpoint"))
    }

    /// Has the services looked at whose drivers connect to this object.
    pub(super) fn wake_clients(&mut self, key: &ObjectKey) {
        if !key.is("", "Service") {
            return;
        }
        let connects = |service: &&Service| {
            let desired = &service.desired;
            key.namespace.as_deref() == Some(&*desired.namespace)
                && target_of(desired) == Some(&*key.name)
        };
        let clients = self.services.values().filter(connects).map(Service::name);
        self.dirty.extend(clients);
    }
}

/// The name of the Service that the settings of a driver give; `None` where another address wins.
fn target_of(desired: &DesiredService) -> Option<&str> {
    let given = desired.settings.get("service").and_then(Value::as_str)?;
    let name = given.split_once(':').map_or(given, |(name, _)| name);
    (!name.is_empty() && desired.needs_cluster()).then_some(name)
}
