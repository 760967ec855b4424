//! Where a service stands, before it is acted on: what comes first, its objects, its driver.

use super::object::{Object, Standing};
use super::phase::Phase;
use super::service::{Run, Service};
use super::{ClusterState, Engine, Mode, Now};
use std::time::Duration;

/// The check after one that applied something: the next event of the cluster, and where none
/// comes, this much later.
pub(super) const NEXT_CHECK: Duration = Duration::from_secs(1);

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
            return Verdict::new(Phase::Disabled, "not kept alive");
        }
        let first = service
            .desired
            .depends_on
            .iter()
            .filter_map(|name| self.services.get(name))
            .find(|s| !s.is_ready_for_others());
        if let Some(first) = first {
            return Verdict::new(
                Phase::Waiting,
                format!("service {} is {}", first.desired.name, first.phase),
            );
        }
        self.objects_verdict(service)
            .unwrap_or_else(|| self.run_verdict(service, now))
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
            ClusterState::Ready => {}
        }
        let up = matches!(service.run, Run::Up(..)) && !service.wants_rerun;
        if let Some(why) = &service.blocked {
            return Some(Verdict::new(Phase::Failed, why.clone()));
        }
        let said = |position: &usize, what: &str| {
            let object = &self.objects[*position];
            match &object.standing {
                Standing::Blocked(why) | Standing::Failed(why) | Standing::Waiting(why) => {
                    format!("{} {what}{why}", object.desired.key.short())
                }
                _ => object.desired.key.short(),
            }
        };
        if let Some(first) = census.troubled.first() {
            return (!up).then(|| Verdict::new(Phase::Failed, said(first, "")));
        }
        if census.busy > 0 {
            let text = format!("{} of {} objects", census.busy, census.all);
            return (!up).then(|| Verdict::new(Phase::Applying, text));
        }
        if let Some(first) = census.waiting.first() {
            let phase = if census.in_order > 0 {
                Phase::Applying
            } else {
                Phase::Waiting
            };
            return (!up).then(|| Verdict::new(phase, said(first, "waits for ")));
        }
        let differs = census.differs.len();
        if differs > 0 && matches!(self.mode, Mode::Observe { .. }) {
            return Some(Verdict::new(
                Phase::Waiting,
                format!("{differs} objects would be written"),
            ));
        }
        let (short, why) = self.first_unready(service)?;
        (!up).then(|| Verdict::new(Phase::Settling, format!("{short} {why}")))
    }

    /// The first object that does not carry its service yet, and why.
    fn first_unready(&self, service: &Service) -> Option<(String, String)> {
        let ill = service.census.unhealthy.first();
        let lonely = service
            .census
            .fronts
            .iter()
            .find(|position| self.unready(&self.objects[**position]).is_some());
        let first = ill.into_iter().chain(lonely).min()?;
        let object = &self.objects[*first];
        Some((object.desired.key.short(), self.unready(object)?))
    }

    /// Why an object does not carry its service yet.
    pub(super) fn unready(&self, object: &Object) -> Option<String> {
        let health = object.health();
        if let Some(reason) = health.reason() {
            return Some(match &object.explained {
                Some(more) => format!("{reason}: {more}"),
                None => reason.to_owned(),
            });
        }
        let lonely =
            object.desired.wants_endpoint && self.ready_endpoints(&object.desired.key) == 0;
        lonely.then(|| "has no ready endpoint".to_owned())
    }

    /// What the driver says.
    pub(super) fn run_verdict(&self, service: &Service, now: Now) -> Verdict {
        let error = service.probes.error.as_ref();
        if self.mode != (Mode::Enforce { run: true }) {
            return Verdict::new(Phase::Waiting, "services are run by `jsorc run`");
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
                let note = service
                    .probes
                    .last
                    .as_ref()
                    .map(|(answer, _)| answer.note.clone());
                Verdict::new(Phase::Running, note.unwrap_or_default())
            }
            _ if service.holds_rerun && now.mono < service.held_since + NEXT_CHECK => Verdict::new(
                Phase::Settling,
                "objects were applied; rerun at the next check",
            ),
            _ => match error {
                Some(error) if service.probes.retry_at > now.mono => Verdict {
                    phase: if service.phase == Phase::Degraded {
                        Phase::Degraded
                    } else {
                        Phase::Failed
                    },
                    reason: error.message.clone(),
                    hint: error.hint.clone(),
                },
                _ => Verdict::new(Phase::Starting, "connecting"),
            },
        }
    }
}
