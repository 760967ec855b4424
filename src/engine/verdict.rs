//! Where a service stands, before it is acted on: what comes first, its objects, its driver.

use super::event::Answer;
use super::flight::Cause;
use super::object::{Object, Standing};
use super::phase::Phase;
use super::service::{Run, Service};
use super::{ClusterState, Engine, Mode, Now};
use crate::desired::WriteMode;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// The check after one that applied something: the next event of the cluster, and where none
/// comes, this much later.
pub(super) const NEXT_CHECK: Duration = Duration::from_secs(1);

/// What is said of a service that is there as applied, where nobody asks it.
pub(super) const NOT_PROBED: &str = "objects in order; not probed";

/// Where a service stands.
pub(super) struct Verdict {
    pub(super) phase: Phase,
    pub(super) reason: String,
    pub(super) hint: Option<String>,
}

impl Verdict {
    pub(super) fn new(phase: Phase, reason: impl Into<String>) -> Self {
        Self {
            phase,
            reason: reason.into(),
            hint: None,
        }
    }

    pub(super) fn keep(service: &Service) -> Self {
        Self {
            phase: service.phase,
            reason: service.reason.clone(),
            hint: service.hint.clone(),
        }
    }
}

impl Engine {
    pub(super) fn verdict(&self, service: &Service, now: Now) -> Verdict {
        if !service.desired.kept {
            return match self.orders.now.dismissal(&service.desired.name) {
                Some(order) => Verdict {
                    hint: Some(format!("jsorc resume {}", service.desired.name)),
                    ..Verdict::new(Phase::Disabled, order.words())
                },
                None => Verdict::new(Phase::Disabled, "not kept alive"),
            };
        }
        if let Some(verdict) = self.before_the_cluster(service) {
            return verdict;
        }
        let first = service
            .desired
            .depends_on
            .iter()
            .filter_map(|name| self.services.get(name))
            .find(|s| !self.is_ready_for_others(s));
        if let Some(first) = first {
            return Verdict::new(
                Phase::Waiting,
                format!("service {} is {}", first.desired.name, first.phase),
            );
        }
        self.objects_verdict(service)
            .unwrap_or_else(|| self.run_verdict(service, now))
    }

    /// Nothing is run before it is known whether there is a cluster: what a driver connects to may
    /// be another server then, and another process may lead.
    fn before_the_cluster(&self, service: &Service) -> Option<Verdict> {
        let waits = self.cluster == ClusterState::Connecting && service.run == Run::None;
        waits.then(|| Verdict::new(Phase::Waiting, "cluster: not connected yet"))
    }

    /// What the objects say; `None` when all are applied and ready, or there is nothing to apply.
    pub(super) fn objects_verdict(&self, service: &Service) -> Option<Verdict> {
        let census = &service.census;
        if census.tracked == 0 {
            return None;
        }
        match &self.cluster {
            ClusterState::Off(why) => {
                let lost = service.desired.needs_cluster();
                return lost.then(|| {
                    Verdict::new(Phase::NotConfigured, format!("needs a cluster: {why}"))
                });
            }
            ClusterState::Unreachable(why) => {
                let up = matches!(service.run, Run::Up(..)) || !service.desired.needs_cluster();
                return (!up).then(|| Verdict::new(Phase::Waiting, format!("cluster: {why}")));
            }
            ClusterState::Connecting | ClusterState::Ready => {}
        }
        let up = matches!(service.run, Run::Up(..)) && !service.wants_rerun;
        if let Some(why) = &service.blocked {
            return Some(Verdict::new(Phase::Failed, why.clone()));
        }
        let said = |position: &usize| {
            let object = &self.objects[*position];
            let short = object.desired.key.short();
            match &object.standing {
                Standing::Blocked(why) | Standing::Failed(why) => format!("{short} {why}"),
                Standing::Waiting(what) => format!("{short} {}", waiting(what)),
                _ => short,
            }
        };
        if let Some(first) = census.troubled.first() {
            return (!up).then(|| Verdict::new(Phase::Failed, said(first)));
        }
        if census.busy > 0 {
            let text = format!("{} of {} objects", census.busy, census.all);
            return (!up).then(|| Verdict::new(Phase::Applying, text));
        }
        if let Mode::Observe { .. } = self.mode
            && let Some(verdict) = self.differing(service)
        {
            return Some(verdict);
        }
        if let Some(first) = census.waiting.first() {
            let phase = if census.in_order > 0 {
                Phase::Applying
            } else {
                Phase::Waiting
            };
            return (!up).then(|| Verdict::new(phase, said(first)));
        }
        let (object, why) = self.nearest_to_the_cause(service)?;
        (!up).then(|| Verdict {
            phase: Phase::Settling,
            reason: format!("{} {why}", object.desired.key.short()),
            hint: object.explained.as_ref().and_then(|more| more.hint.clone()),
        })
    }

    /// The object that says best why its service is not ready: a Service without endpoints has a
    /// workload that tells more.
    pub(super) fn nearest_to_the_cause(&self, service: &Service) -> Option<(&Object, String)> {
        let census = &service.census;
        let suspects: BTreeSet<usize> = census.unhealthy.union(&census.fronts).copied().collect();
        suspects
            .into_iter()
            .map(|position| &self.objects[position])
            .filter_map(|object| self.unready(object).map(|why| (object, why)))
            .min_by_key(|(object, _)| (object.explained.is_none(), object.health().is_current()))
    }

    /// What a look at the cluster says of objects that are missing or not as wanted.
    fn differing(&self, service: &Service) -> Option<Verdict> {
        let census = &service.census;
        let own = |position: &&usize| self.objects[**position].desired.mode != WriteMode::Ensure;
        let mut differs = census.differs.iter().filter(own);
        let missing = |position: &usize| {
            self.objects[*position].standing == Standing::Differs(Cause::Missing)
        };
        let all = differs.clone().count();
        if all == census.tracked && differs.clone().all(missing) {
            return Some(Verdict::new(Phase::Waiting, "not applied yet"));
        }
        let first = self.objects[*differs.next()?].desired.key.short();
        let said = match all {
            1 => format!("1 object would be written: {first}"),
            _ => format!("{all} objects would be written: {first} and others"),
        };
        Some(Verdict::new(Phase::Waiting, said))
    }

    /// Why an object does not carry its service yet.
    pub(super) fn unready(&self, object: &Object) -> Option<String> {
        let health = object.health();
        if let Some(reason) = health.reason() {
            return Some(match &object.explained {
                Some(more) => format!("{reason}: {}", more.text),
                None => reason.to_owned(),
            });
        }
        let lonely =
            object.desired.wants_endpoint && self.ready_endpoints(&object.desired.key) == 0;
        lonely.then(|| "has no ready endpoint".to_owned())
    }

    /// Where nothing is probed, objects in order are the most that can be told.
    fn unprobed(&self, service: &Service) -> Verdict {
        match self.mode {
            Mode::Follow => Verdict::new(Phase::Waiting, "waits for the Lease"),
            _ if self.has_objects(&service.desired.name) => {
                Verdict::new(Phase::Running, NOT_PROBED)
            }
            _ => Verdict::new(Phase::Waiting, "not probed"),
        }
    }

    /// Whether a service has anything to apply.
    pub(super) fn has_objects(&self, name: &Arc<str>) -> bool {
        self.members(name)
            .any(|object| object.desired.mode != WriteMode::Ensure)
    }

    /// Whether what depends on a service may go on. One without manifests says nothing while
    /// nothing is probed, and so holds nobody up.
    pub(super) fn is_ready_for_others(&self, service: &Service) -> bool {
        let probed = !matches!(
            self.mode,
            Mode::Enforce { run: false } | Mode::Observe { .. }
        );
        service.is_ready_for_others() || !(probed || self.has_objects(&service.desired.name))
    }

    /// What the driver says.
    pub(super) fn run_verdict(&self, service: &Service, now: Now) -> Verdict {
        let error = service.probes.error.as_ref();
        if self.mode != (Mode::Enforce { run: true }) {
            return self.unprobed(service);
        }
        if let Some(error) = error.filter(|error| error.not_configured) {
            return Verdict {
                phase: Phase::NotConfigured,
                reason: error.message.clone(),
                hint: error.hint.clone(),
            };
        }
        match service.run {
            Run::Starting(_) if service.phase == Phase::Degraded => Verdict::keep(service),
            Run::Starting(_) => Verdict::new(Phase::Starting, "connecting"),
            Run::Up(..) if !service.wants_rerun => {
                let last = service.probes.last.as_ref();
                let said = |pick: fn(&Answer) -> Option<String>| last.and_then(|(a, _)| pick(a));
                Verdict {
                    phase: Phase::Running,
                    reason: said(|answer| Some(answer.note.clone())).unwrap_or_default(),
                    hint: said(|answer| answer.advice.clone()),
                }
            }
            _ if service.holds_rerun && now.mono < service.held_since + NEXT_CHECK => Verdict::new(
                Phase::Settling,
                "objects were applied; rerun at the next check",
            ),
            _ => self.start_verdict(service, now),
        }
    }

    /// Where a service stands whose driver does not run: its target comes first, then the time of
    /// the next attempt.
    fn start_verdict(&self, service: &Service, now: Now) -> Verdict {
        let degraded = service.phase == Phase::Degraded;
        let target = self.unready_target(service).filter(|_| !degraded);
        if let Some(target) = target {
            return Verdict::new(Phase::Waiting, target);
        }
        let error = service.probes.error.as_ref();
        let Some(error) = error.filter(|_| service.probes.retry_at > now.mono) else {
            return Verdict::new(Phase::Starting, "connecting");
        };
        let hint = error.hint.clone();
        if service.is_awaited(error) && !degraded {
            let (failed, allowed) = (service.probes.failures, service.desired.probe.failures);
            let reason = format!("{} (attempt {failed} of {allowed})", error.message);
            return Verdict {
                hint,
                ..Verdict::new(Phase::Waiting, reason)
            };
        }
        Verdict {
            phase: if degraded {
                Phase::Degraded
            } else {
                Phase::Failed
            },
            reason: error.message.clone(),
            hint,
        }
    }
}

/// What an object waits for, or what is happening to it.
fn waiting(what: &str) -> String {
    if what.starts_with("is ") {
        what.to_owned()
    } else {
        format!("waits for {what}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_to_an_object_reads_as_a_sentence_after_its_name() {
        assert_eq!(waiting("is being deleted"), "is being deleted");
        assert_eq!(waiting("Namespace/shop"), "waits for Namespace/shop");
    }
}
