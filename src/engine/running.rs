//! Brings services up, keeps them up, and says where they stand.

use super::event::{Answer, DriverError};
use super::object::{Object, Standing};
use super::occurrence::Occurrence;
use super::phase::Phase;
use super::service::{Run, Service};
use super::{ClusterState, Command, Engine, Mode, Now, Start};
use crate::desired::WriteMode;
use std::sync::Arc;
use std::time::Duration;

/// Pods of an object that is not ready are looked at no more often than this.
const EXPLAIN_EVERY: Duration = Duration::from_secs(5);

/// Where a service stands, before it becomes a phase.
struct Verdict {
    phase: Phase,
    reason: String,
    hint: Option<String>,
}

impl Engine {
    /// Looks at one service and does what comes next.
    pub(super) fn review(&mut self, name: &Arc<str>, now: Now) {
        self.save_inventory(name, now);
        self.prune(name, now);
        let Some(service) = self.services.get(name) else {
            return;
        };
        let verdict = self.verdict(service, now);
        if verdict.phase == Phase::Settling {
            self.explain(name, now);
        }
        self.enter(name, verdict, now);
    }

    fn verdict(&self, service: &Service, now: Now) -> Verdict {
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
    fn objects_verdict(&self, service: &Service) -> Option<Verdict> {
        let members: Vec<&Object> = self.members(&service.desired.name).collect();
        if !members
            .iter()
            .any(|object| object.desired.mode != WriteMode::Ensure)
        {
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
        let find = |test: &dyn Fn(&Object) -> Option<String>| {
            members.iter().find_map(|object| {
                test(object).map(|why| format!("{} {why}", object.desired.key.short()))
            })
        };
        if let Some(why) = &service.blocked {
            return Some(Verdict::new(Phase::Failed, why.clone()));
        }
        if let Some(why) = find(&|object| match &object.standing {
            Standing::Blocked(why) | Standing::Failed(why) => Some(why.clone()),
            _ => None,
        }) {
            return (!up).then(|| Verdict::new(Phase::Failed, why));
        }
        let busy = members
            .iter()
            .filter(|o| matches!(o.standing, Standing::Writing | Standing::Unknown))
            .count();
        if busy > 0 {
            return (!up).then(|| {
                Verdict::new(
                    Phase::Applying,
                    format!("{busy} of {} objects", members.len()),
                )
            });
        }
        if let Some(why) = find(&|object| match &object.standing {
            Standing::Waiting(what) => Some(format!("waits for {what}")),
            _ => None,
        }) {
            let begun = members
                .iter()
                .any(|object| object.standing == Standing::InOrder);
            return (!up).then(|| {
                Verdict::new(
                    if begun {
                        Phase::Applying
                    } else {
                        Phase::Waiting
                    },
                    why,
                )
            });
        }
        let differs = members
            .iter()
            .filter(|o| matches!(o.standing, Standing::Differs(_)))
            .count();
        if differs > 0 && matches!(self.mode, Mode::Observe { .. }) {
            return Some(Verdict::new(
                Phase::Waiting,
                format!("{differs} objects would be written"),
            ));
        }
        let unready = find(&|object| self.unready(object))?;
        (!up).then(|| Verdict::new(Phase::Settling, unready))
    }

    /// Why an object does not carry its service yet.
    fn unready(&self, object: &Object) -> Option<String> {
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
    fn run_verdict(&self, service: &Service, now: Now) -> Verdict {
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
            _ if service.holds_rerun => Verdict::new(
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

    /// Moves a service to its phase and acts on it.
    fn enter(&mut self, name: &Arc<str>, verdict: Verdict, now: Now) {
        match verdict.phase {
            Phase::Starting => self.start(name),
            Phase::Running => self.probe_if_due(name, now),
            Phase::Disabled => self.stop_run(name),
            Phase::Failed | Phase::Degraded => {
                if let Some(service) = self.services.get(name) {
                    let at = service.probes.retry_at;
                    if at > now.mono {
                        self.wake(at);
                    }
                }
            }
            Phase::Settling => self.say_ignored(name),
            _ => {}
        }
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        let from = service.phase;
        let same_failure = service.reason == verdict.reason;
        service.reason.clone_from(&verdict.reason);
        service.hint.clone_from(&verdict.hint);
        if from == verdict.phase
            && (same_failure || !matches!(from, Phase::Failed | Phase::Degraded))
        {
            return;
        }
        if from != verdict.phase {
            service.phase = verdict.phase;
            service.since = now.mono;
            service.since_wall = now.wall;
            self.wake_dependents(name);
        }
        self.tell(Occurrence::Phase {
            service: name.clone(),
            from,
            to: verdict.phase,
            reason: verdict.reason,
            hint: verdict.hint,
        });
    }

    /// Services that depend on this one, and their objects, look again.
    fn wake_dependents(&mut self, name: &Arc<str>) {
        let dependents: Vec<Arc<str>> = self
            .services
            .values()
            .filter(|service| service.desired.depends_on.contains(name))
            .map(Service::name)
            .collect();
        for dependent in dependents {
            self.queue
                .extend(self.members.get(&dependent).into_iter().flatten().copied());
            self.dirty.insert(dependent);
        }
    }

    /// The first check that applied something leaves the rerun to a later one; said once.
    fn say_ignored(&mut self, name: &Arc<str>) {
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        if service.applied > 0 && service.wants_rerun {
            let applied = std::mem::take(&mut service.applied);
            self.tell(Occurrence::RerunIgnored {
                service: name.clone(),
                applied,
            });
        }
    }

    fn start(&mut self, name: &Arc<str>) {
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        if let Run::Starting(_) = service.run {
            return;
        }
        let old = service.run;
        service.runs += 1;
        service.wants_rerun = false;
        service.applied = 0;
        let run = service.runs;
        service.run = Run::Starting(run);
        let desired = &service.desired;
        let start = Start {
            service: name.clone(),
            run,
            driver: desired.driver.clone(),
            settings: desired.settings.clone(),
            namespace: desired.namespace.clone(),
            timeout: desired.probe.timeout,
        };
        if let Run::Up(number, _) = old {
            self.out.push(Command::Stop(name.clone(), number));
        }
        self.out.push(Command::Start(start));
    }

    pub(super) fn stop_run(&mut self, name: &Arc<str>) {
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        if let Run::Up(number, _) | Run::Starting(number) = service.run {
            service.run = Run::None;
            self.out.push(Command::Stop(name.clone(), number));
        }
    }

    fn probe_if_due(&mut self, name: &Arc<str>, now: Now) {
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        let Run::Up(run, false) = service.run else {
            return;
        };
        let due = service.probes.next;
        if due > now.mono {
            return self.wake(due);
        }
        service.run = Run::Up(run, true);
        let timeout = service.desired.probe.timeout;
        self.out.push(Command::Probe {
            service: name.clone(),
            run,
            timeout,
        });
    }

    pub(super) fn on_started(
        &mut self,
        name: &Arc<str>,
        run: u64,
        outcome: Result<Answer, DriverError>,
        now: Now,
    ) {
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        if service.run != Run::Starting(run) {
            return;
        }
        match outcome {
            Ok(answer) => {
                service.run = Run::Up(run, false);
                service.answered(answer, now);
            }
            Err(error) => {
                service.run = Run::None;
                let wait = service.start_failed(error, now.mono);
                self.wake(now.mono + wait);
            }
        }
        self.dirty.insert(name.clone());
    }

    pub(super) fn on_probed(
        &mut self,
        name: &Arc<str>,
        run: u64,
        outcome: Result<Answer, DriverError>,
        now: Now,
    ) {
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        if service.run != Run::Up(run, true) {
            return;
        }
        service.run = Run::Up(run, false);
        self.dirty.insert(name.clone());
        match outcome {
            Ok(answer) => service.answered(answer, now),
            Err(error) => {
                let failures = service.probes.failures + 1;
                service.probes.failures = failures;
                let reason = error.message.clone();
                service.probes.error = Some(error.clone());
                if failures >= service.desired.probe.failures {
                    return self.degrade(name, error, now);
                }
                // A first failure is asked again soon: an interval is long when something is down.
                let interval = service
                    .desired
                    .probe
                    .interval
                    .unwrap_or(Duration::from_secs(10));
                service.probes.next = now.mono + (interval / 4).min(Duration::from_secs(2));
                self.tell(Occurrence::ProbeFailed {
                    service: name.clone(),
                    reason,
                    failures,
                });
            }
        }
    }

    /// A running service that does not answer any more: Degraded, and rerun at once.
    fn degrade(&mut self, name: &Arc<str>, error: DriverError, now: Now) {
        self.stop_run(name);
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        let from = service.phase;
        service.phase = Phase::Degraded;
        service.since = now.mono;
        service.since_wall = now.wall;
        service.probes.failures = 0;
        service.probes.retry_at = now.mono;
        service.reason.clone_from(&error.message);
        service.probes.error = Some(error.clone());
        self.tell(Occurrence::Phase {
            service: name.clone(),
            from,
            to: Phase::Degraded,
            reason: error.message,
            hint: error.hint,
        });
        self.wake_dependents(name);
        self.start(name);
    }

    pub(super) fn on_refresh(&mut self, name: &Arc<str>) {
        if let Some(service) = self.services.get_mut(name) {
            service.wants_rerun = true;
            service.holds_rerun = false;
            service.probes.retry_at = Duration::ZERO;
            service.probes.failures = 0;
            service.probes.error = None;
            self.dirty.insert(name.clone());
        }
    }

    /// Asks why the first object that is not ready is not, unless someone asked just now.
    fn explain(&mut self, name: &Arc<str>, now: Now) {
        let stuck = self
            .members
            .get(name)
            .into_iter()
            .flatten()
            .copied()
            .find(|position| {
                let object = &self.objects[*position];
                crate::desired::workload::template_pointer(&object.desired.key.kind).is_some()
                    && object.live.is_some()
                    && !object.health().is_current()
            });
        let Some(position) = stuck else { return };
        let asked = self.explanations.get(&position).copied();
        if asked.is_some_and(|at| at + EXPLAIN_EVERY > now.mono) {
            return;
        }
        self.explanations.insert(position, now.mono);
        let object = &self.objects[position];
        self.out.push(Command::Explain(
            object.desired.key.clone(),
            object.desired.resource.clone(),
        ));
        self.wake(now.mono + EXPLAIN_EVERY);
    }
}

impl Verdict {
    fn new(phase: Phase, reason: impl Into<String>) -> Self {
        Self {
            phase,
            reason: reason.into(),
            hint: None,
        }
    }

    fn keep(service: &Service) -> Self {
        Self {
            phase: service.phase,
            reason: service.reason.clone(),
            hint: service.hint.clone(),
        }
    }
}

impl Service {
    /// Whether services that depend on this one may go on: it runs, or nobody wants it to.
    #[must_use]
    pub fn is_ready_for_others(&self) -> bool {
        matches!(
            self.phase,
            Phase::Running | Phase::NotConfigured | Phase::Disabled
        )
    }
}
