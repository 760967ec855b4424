//! Reports the phases of services.
//!
//! At a start, a service passes through several phases within milliseconds. A phase in which a
//! service comes to rest, or that is an error, is reported at once; a phase that it passes through
//! is reported once it has lasted. Each report goes from the phase that was reported last to the
//! current one. The status shows every phase at once.
//!
//! Invariants: a phase that lasts is reported, once; no failed start and no rerun is left out; the
//! reports of a service form a chain.

use super::occurrence::Occurrence;
use super::phase::Phase;
use super::service::Service;
use super::{ClusterState, Engine, Mode, Now};
use std::sync::Arc;
use std::time::Duration;

/// A phase that a service passes through is reported when it has lasted this long.
pub(super) const LASTS: Duration = Duration::from_millis(250);

/// What was reported of a service's phase.
#[derive(Debug, Default)]
pub struct Reported {
    /// The phase that the last report named; `None` before the first.
    last: Option<Phase>,
    /// The phase, its reason and the number of the run that need no report any more. They differ
    /// from the last report where a suspension keeps a phase out of the log.
    known: Option<(Phase, String, u64)>,
    /// Since when a service that was not reported yet waits for something that no other line of the
    /// log names, on the monotonic clock.
    waits_since: Option<Duration>,
}

impl Engine {
    /// Reports the phase of a service where that is due, or asks to be woken when it will be.
    pub(super) fn report_phase(&mut self, name: &Arc<str>, now: Now) {
        let Some(service) = self.services.get(name) else {
            return;
        };
        let waits = self.waits_unreported(service);
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        let reported = &mut service.reported;
        reported.waits_since = waits.then(|| reported.waits_since.unwrap_or(now.mono));
        if !waits && !service.has_unreported_phase() {
            return;
        }
        let suspended = service.suspended.is_some();
        if service.phase.is_transitional() {
            if suspended {
                return;
            }
            let due = service.reported.waits_since.unwrap_or(service.since) + LASTS;
            if due > now.mono {
                return self.wake_to_report(name, due);
            }
        }
        service
            .reported
            .remember(service.phase, &service.reason, service.runs);
        if suspended && !service.phase.is_failure() {
            return;
        }
        let (to, reason, hint) = (service.phase, service.reason.clone(), service.hint.clone());
        self.report(name, to, reason, hint);
    }

    /// Reports that a service is suspended, or that its suspension is over.
    pub(super) fn report_suspension(&mut self, name: &Arc<str>, now: Now) {
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        if let Some(order) = &service.suspended {
            let words = order.words();
            return self.report(name, Phase::Suspended, words, None);
        }
        service.reported.known = Some((Phase::Suspended, String::new(), 0));
        self.report_phase(name, now);
    }

    fn report(&mut self, name: &Arc<str>, to: Phase, reason: String, hint: Option<String>) {
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        // A service is created in the phase Waiting.
        let from = service.reported.last.replace(to).unwrap_or(Phase::Waiting);
        self.tell(Occurrence::Phase {
            service: name.clone(),
            from,
            to,
            reason,
            hint,
        });
    }

    /// Whether a service that was never reported waits, and no other line of the log says for what:
    /// the daemon reports the wait for the cluster and for the Lease, once for all services.
    fn waits_unreported(&self, service: &Service) -> bool {
        let is_first = service.reported.known.is_none() && service.phase == Phase::Waiting;
        let is_known = match self.cluster {
            ClusterState::Connecting => false,
            ClusterState::Unreachable(_) => !self.has_objects(&service.desired.name),
            ClusterState::Off(_) | ClusterState::Ready => true,
        };
        is_first && is_known && self.mode == Mode::Enforce { run: true } && service.desired.kept
    }
}

impl Service {
    /// Whether its phase differs from what was reported.
    fn has_unreported_phase(&self) -> bool {
        let (phase, reason, run) = match &self.reported.known {
            Some((phase, reason, run)) => (*phase, reason.as_str(), *run),
            None => (Phase::Waiting, "", 0),
        };
        match self.phase {
            to if to != phase => true,
            // Each failed start is an error of its own.
            Phase::Failed => reason != self.reason || run != self.runs,
            Phase::Degraded => reason != self.reason,
            Phase::Running => run != self.runs,
            _ => false,
        }
    }
}

impl Reported {
    fn remember(&mut self, phase: Phase, reason: &str, run: u64) {
        self.known = Some((phase, reason.to_owned(), run));
    }
}
