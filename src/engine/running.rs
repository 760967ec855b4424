//! Brings services up, keeps them up, and says where they stand.

use super::event::{Answer, DriverError};
use super::occurrence::Occurrence;
use super::phase::Phase;
use super::service::{Run, Service};
use super::verdict::{NEXT_CHECK, Verdict};
use super::{Command, Engine, Now, Start};
use std::sync::Arc;
use std::time::Duration;

/// Pods of an object that is not ready are looked at no more often than this.
const EXPLAIN_EVERY: Duration = Duration::from_secs(5);

impl Engine {
    /// Looks at one service and does what comes next.
    pub(super) fn review(&mut self, name: &Arc<str>, now: Now) {
        self.save_inventory(name, now);
        self.heed(name, now);
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

    /// Moves a service to its phase and acts on it.
    fn enter(&mut self, name: &Arc<str>, verdict: Verdict, now: Now) {
        match verdict.phase {
            Phase::Starting => self.start(name),
            Phase::Running => self.probe_if_due(name, now),
            Phase::Disabled => self.stop_run(name),
            Phase::Failed | Phase::Degraded | Phase::Waiting => {
                if let Some(service) = self.services.get(name) {
                    let at = service.probes.retry_at;
                    if at > now.mono {
                        self.wake(at);
                    }
                }
            }
            Phase::Settling => {
                self.say_ignored(name);
                let held = self
                    .services
                    .get(name)
                    .filter(|service| service.holds_rerun);
                if let Some(at) = held
                    .map(|service| service.held_since + NEXT_CHECK)
                    .filter(|at| *at > now.mono)
                {
                    self.wake(at);
                }
            }
            _ => {}
        }
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        service.reason = verdict.reason;
        service.hint = verdict.hint;
        if service.phase != verdict.phase {
            service.phase = verdict.phase;
            service.since = now.mono;
            service.since_wall = now.wall;
            self.wake_dependents(name);
        }
        self.report_phase(name, now);
    }

    /// Services that depend on this one, and their objects, look again.
    pub(super) fn wake_dependents(&mut self, name: &Arc<str>) {
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
    pub(super) fn say_ignored(&mut self, name: &Arc<str>) {
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

    pub(super) fn start(&mut self, name: &Arc<str>) {
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

    pub(super) fn probe_if_due(&mut self, name: &Arc<str>, now: Now) {
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
                service.answered(answer.clone(), now);
                self.chronicle_rerun(name, &answer);
            }
            Err(error) => {
                service.run = Run::None;
                let reason = error.message.clone();
                let unconfigured = error.not_configured;
                let wait = service.start_failed(error, now.mono);
                if !unconfigured && service.probes.failures >= service.desired.probe.failures {
                    self.remedy(name, &reason, now);
                }
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
            Ok(answer) => {
                let advised = |answer: &Answer| answer.advice.is_some();
                let before = service
                    .probes
                    .last
                    .as_ref()
                    .map(|(answer, _)| advised(answer));
                let (now_so, note) = (advised(&answer), answer.note.clone());
                let advice = answer.advice.clone();
                service.answered(answer, now);
                if before.is_some_and(|before| before != now_so) {
                    let service = name.clone();
                    self.tell(Occurrence::Noted {
                        service,
                        note,
                        advice,
                    });
                }
            }
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
        service.phase = Phase::Degraded;
        service.since = now.mono;
        service.since_wall = now.wall;
        service.probes.failures = 0;
        service.probes.retry_at = now.mono;
        service.reason.clone_from(&error.message);
        service.hint.clone_from(&error.hint);
        service.probes.error = Some(error);
        self.report_phase(name, now);
        self.wake_dependents(name);
        self.start(name);
    }

    pub(super) fn on_refresh(&mut self, name: &Arc<str>) {
        if let Some(service) = self.services.get_mut(name) {
            service.asked = true;
            service.wants_rerun = true;
            service.holds_rerun = false;
            service.probes.retry_at = Duration::ZERO;
            service.probes.failures = 0;
            service.probes.error = None;
            self.dirty.insert(name.clone());
        }
    }

    /// Whether everything that was asked about objects that are not ready is answered.
    #[must_use]
    pub fn has_explained(&self) -> bool {
        self.explanations.keys().all(|position| {
            let object = &self.objects[*position];
            object.explained.is_some() || object.health().is_current()
        })
    }

    /// Asks why the first object that is not ready is not, unless someone asked just now.
    pub(super) fn explain(&mut self, name: &Arc<str>, now: Now) {
        let Some(service) = self.services.get(name) else {
            return;
        };
        let stuck = service.census.unhealthy.iter().copied().find(|position| {
            let object = &self.objects[*position];
            crate::desired::workload::template_pointer(&object.desired.key.kind).is_some()
                && object
                    .live
                    .as_ref()
                    .is_some_and(|live| !live.health.is_unseen())
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
