//! The law `reports`: what is said of the phases of services.

use super::law::Law;
use super::world::World;
use crate::engine::phase_notice::LASTS;
use crate::engine::{Occurrence, Phase};

impl World {
    /// A process reports something.
    pub fn judge_report(&mut self, process: usize, occurrence: &Occurrence) {
        let Occurrence::Phase {
            service, from, to, ..
        } = occurrence
        else {
            return;
        };
        let it = &mut self.processes[process];
        let before = it.reported.insert(service.clone(), *to);
        // A service is created in the phase Waiting.
        let before = before.unwrap_or(Phase::Waiting);
        self.laws.hold(Law::Reports, before == *from, || {
            format!("{service} was reported as {before}, and then {from} → {to}")
        });
        let known = &self.processes[process].engine.services[service];
        let age = self.clock.saturating_sub(known.since);
        let is_moment = known.phase == *to && to.is_transitional() && age < LASTS;
        self.laws.hold(Law::Reports, !is_moment, || {
            format!("{service} is reported as {to} after {age:?}")
        });
    }

    /// What was reported last is so.
    pub fn judge_reports(&mut self) {
        for it in self.processes.iter().filter(|process| process.alive) {
            for (name, service) in &it.engine.services {
                let last = it.reported.get(name).copied().unwrap_or(Phase::Waiting);
                self.laws.hold(Law::Reports, last == service.phase, || {
                    format!("{name} is {}, and was reported as {last}", service.phase)
                });
            }
        }
    }
}
