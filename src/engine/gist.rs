//! What a plan comes to: how much of it there is, without its steps.
//!
//! Whoever carries thousands of steps out only has to know whether there are any, what could be lost,
//! and at the end how much stayed as it was.

use super::Engine;
use super::orders::Order;
use super::plan::{Action, Plan, PlannedService};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a plan comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gist {
    /// Every service, in name order.
    pub services: Vec<ServiceGist>,
}

/// What it comes to for one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceGist {
    /// The service.
    pub name: Arc<str>,
    /// Whether it is enabled and kept alive.
    pub kept: bool,
    /// Why it is left alone, if it is.
    pub suspended: Option<String>,
    /// Whether it has objects at all.
    pub has_objects: bool,
    /// How many objects are as they ought to be.
    pub unchanged: usize,
    /// How many steps of each kind there are.
    pub steps: BTreeMap<Action, usize>,
}

impl Gist {
    /// How many steps do `action`.
    #[must_use]
    pub fn count(&self, action: Action) -> usize {
        self.services
            .iter()
            .map(|service| service.count(action))
            .sum()
    }

    /// How many objects are as they ought to be.
    #[must_use]
    pub fn unchanged(&self) -> usize {
        self.services.iter().map(|service| service.unchanged).sum()
    }

    /// Whether carrying it out would change anything, or something is blocked.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.services.iter().any(ServiceGist::differs)
    }

    /// How many objects would be deleted, for good or to be made anew.
    #[must_use]
    pub fn losses(&self) -> usize {
        let acts = self.services.iter().filter(|s| s.suspended.is_none());
        acts.map(|s| s.count(Action::Delete) + s.count(Action::Recreate))
            .sum()
    }
}

impl ServiceGist {
    /// Whether carrying it out would change anything of the service, or something is blocked.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.steps.keys().any(|action| *action != Action::Kept)
    }

    fn count(&self, action: Action) -> usize {
        self.steps.get(&action).copied().unwrap_or(0)
    }
}

impl Plan {
    /// What it comes to.
    #[must_use]
    pub fn gist(&self) -> Gist {
        let services = self.services.iter().map(PlannedService::gist);
        Gist {
            services: services.collect(),
        }
    }
}

impl PlannedService {
    fn gist(&self) -> ServiceGist {
        let mut gist = ServiceGist {
            name: self.name.clone(),
            kept: self.kept,
            suspended: self.suspended.clone(),
            has_objects: self.has_objects,
            unchanged: self.unchanged.len(),
            steps: BTreeMap::new(),
        };
        for step in &self.steps {
            *gist.steps.entry(step.action).or_default() += 1;
        }
        gist
    }
}

impl Engine {
    /// What the [plan](Self::plan) comes to, without making it.
    #[must_use]
    pub fn gist(&self) -> Gist {
        let services = self.services.keys().map(|name| self.gist_of(name));
        Gist {
            services: services.collect(),
        }
    }

    fn gist_of(&self, name: &Arc<str>) -> ServiceGist {
        let service = &self.services[name];
        let mut gist = ServiceGist {
            name: name.clone(),
            kept: service.desired.kept,
            suspended: service.suspended.as_ref().map(Order::words),
            has_objects: self.members(name).next().is_some(),
            unchanged: 0,
            steps: BTreeMap::new(),
        };
        let leavers = self.leavers(name);
        let leaving = leavers.iter().filter_map(|(_, leaver)| leaver.action());
        let staying = self
            .members(name)
            .map(|object| Self::outline(object).map(|step| step.action));
        for action in staying.chain(leaving.map(Some)) {
            match action {
                Some(action) => *gist.steps.entry(action).or_default() += 1,
                None => gist.unchanged += 1,
            }
        }
        gist
    }
}
