//! The counts of a plan: how many steps of each kind there are per service, without the steps.

use super::{Action, Plan, PlannedService};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The counts of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanSummary {
    /// Every service, in name order.
    pub services: Vec<ServiceSummary>,
}

/// The counts of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSummary {
    /// The service.
    pub name: Arc<str>,
    /// Whether it is enabled and kept alive.
    pub kept: bool,
    /// Why jsorc leaves it alone, for a suspended service.
    pub suspended: Option<String>,
    /// Whether it has objects at all.
    pub has_objects: bool,
    /// How many objects are in sync.
    pub unchanged: usize,
    /// How many steps of each kind there are.
    pub steps: BTreeMap<Action, usize>,
}

impl PlanSummary {
    /// How many steps do `action`.
    #[must_use]
    pub fn count(&self, action: Action) -> usize {
        self.services
            .iter()
            .map(|service| service.count(action))
            .sum()
    }

    /// How many objects are in sync.
    #[must_use]
    pub fn unchanged(&self) -> usize {
        self.services.iter().map(|service| service.unchanged).sum()
    }

    /// Whether applying the plan would change anything, or a step is blocked.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.services.iter().any(ServiceSummary::differs)
    }

    /// How many objects applying the plan would delete, for good or to recreate them.
    #[must_use]
    pub fn deletions(&self) -> usize {
        let acts = self.services.iter().filter(|s| s.suspended.is_none());
        acts.map(|s| s.count(Action::Delete) + s.count(Action::Recreate))
            .sum()
    }
}

impl ServiceSummary {
    /// Whether applying the plan would change anything of the service, or a step is blocked.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.steps.keys().any(|action| *action != Action::Kept)
    }

    fn count(&self, action: Action) -> usize {
        self.steps.get(&action).copied().unwrap_or(0)
    }
}

impl Plan {
    /// Counts the steps.
    #[must_use]
    pub fn summary(&self) -> PlanSummary {
        let services = self.services.iter().map(PlannedService::summary);
        PlanSummary {
            services: services.collect(),
        }
    }
}

impl PlannedService {
    fn summary(&self) -> ServiceSummary {
        let mut steps = BTreeMap::new();
        for step in &self.steps {
            *steps.entry(step.action).or_default() += 1;
        }
        ServiceSummary {
            name: self.name.clone(),
            kept: self.kept,
            suspended: self.suspended.clone(),
            has_objects: self.has_objects,
            unchanged: self.unchanged.len(),
            steps,
        }
    }
}
