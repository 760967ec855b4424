//! What is done about a service that is ready and does not answer: with `remedy: restart` its
//! workloads are restarted, at most once in ten minutes.

use super::occurrence::Occurrence;
use super::{Command, Engine, Now, Verb, Write};
use crate::desired::ObjectKey;
use crate::manifest::Remedy;
use std::sync::Arc;
use std::time::Duration;

const AT_MOST_EVERY: Duration = Duration::from_secs(600);

impl Engine {
    /// Restarts the workloads of a service that failed to answer as often as its probe allows.
    pub(super) fn remedy(&mut self, name: &Arc<str>, reason: &str, now: Now) {
        let Some(service) = self.services.get(name) else {
            return;
        };
        let recent = service
            .restarted
            .is_some_and(|at| at + AT_MOST_EVERY > now.mono);
        let ready = self
            .members(name)
            .all(|object| object.health().is_current());
        if service.desired.remedy != Remedy::Restart
            || recent
            || !ready
            || !self.writes_of(name, now)
        {
            return;
        }
        let workloads: Vec<_> = self
            .members(name)
            .map(|object| (object.desired.key.clone(), object.desired.resource.clone()))
            .filter(|(key, _)| restarts(key))
            .collect();
        if workloads.is_empty() {
            return;
        }
        let mut keys = Vec::new();
        for (key, resource) in workloads {
            let attempt = self.next_attempt();
            keys.push(key.clone());
            self.out.push(Command::Write(Write {
                key,
                resource,
                attempt,
                verb: Verb::Restart,
            }));
        }
        if let Some(service) = self.services.get_mut(name) {
            service.restarted = Some(now.mono);
        }
        self.tell(Occurrence::Restarted {
            service: name.clone(),
            workloads: keys,
            reason: reason.to_owned(),
        });
    }
}

/// Whether a kind's pods are restarted by a change of its template.
pub(super) fn restarts(key: &ObjectKey) -> bool {
    &*key.group == "apps" && matches!(&*key.kind, "Deployment" | "StatefulSet" | "DaemonSet")
}
