//! How the objects of each service stand, counted as they change, so that nothing looks at every
//! object to say how one service does.
//!
//! Invariant: once the queue is empty, the census is what a count over all objects would give.
//! Every change of an object puts it into the queue, and whoever leaves the queue is counted.

use super::object::{Looked, Object, Standing};
use super::{Engine, Mode};
use crate::desired::WriteMode;
use std::collections::BTreeSet;

/// What an object is waiting for when only the inventory has to come first.
pub(super) const ITS_INVENTORY: &str = "its inventory";

/// The count of one service's objects. Sets hold positions, so the first is the first in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Every object.
    pub all: usize,
    /// Objects that are not merely made sure of: no namespaces.
    pub tracked: usize,
    /// As applied.
    pub in_order: usize,
    /// Tracked, as applied and healthy.
    pub current: usize,
    /// Being written, or not known yet.
    pub busy: usize,
    /// With a write on its way.
    pub flights: usize,
    /// Waiting for the inventory.
    pub unrecorded: usize,
    /// Waiting for something else.
    pub waiting: BTreeSet<usize>,
    /// Different, and left so.
    pub differs: BTreeSet<usize>,
    /// Blocked or failed.
    pub troubled: BTreeSet<usize>,
    /// Not healthy.
    pub unhealthy: BTreeSet<usize>,
    /// In front of pods, so that endpoints count.
    pub fronts: BTreeSet<usize>,
    /// Asking to be left alone.
    pub alone: BTreeSet<usize>,
}

/// What one object adds to a census.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a column of the census"
)]
pub(super) struct Mark {
    place: Place,
    tracked: bool,
    healthy: bool,
    flies: bool,
    front: bool,
    alone: bool,
    open: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    InOrder,
    Busy,
    Unrecorded,
    Waiting,
    Differs,
    Troubled,
}

impl Mark {
    fn of(object: &Object, mode: Mode) -> Self {
        let place = match &object.standing {
            Standing::InOrder => Place::InOrder,
            Standing::Writing | Standing::Unknown => Place::Busy,
            Standing::Waiting(what) if what == ITS_INVENTORY => Place::Unrecorded,
            Standing::Waiting(_) => Place::Waiting,
            Standing::Differs(_) => Place::Differs,
            Standing::Blocked(_) | Standing::Failed(_) => Place::Troubled,
        };
        let answered = mode != Mode::Observe { rehearse: true }
            || object.rehearsal.is_some()
            || place != Place::Differs;
        let pending = object.looked == Looked::Pending || object.flight.is_some();
        Self {
            place,
            tracked: object.desired.mode != WriteMode::Ensure,
            healthy: is_healthy(object),
            flies: object.flight.is_some(),
            front: object.desired.wants_endpoint,
            alone: object.suspended().is_some(),
            open: place == Place::Busy || pending || !answered,
        }
    }
}

fn is_healthy(object: &Object) -> bool {
    match (&object.live, &object.looked) {
        (Some(live), _) => live.health.is_current(),
        (None, Looked::Present(found)) => found.health.is_current(),
        (None, _) => object.is_done(),
    }
}

impl Census {
    fn count(&mut self, position: usize, mark: Mark, there: bool) {
        let number = |count: &mut usize, adds: bool| {
            if adds {
                *count = if there {
                    *count + 1
                } else {
                    count.saturating_sub(1)
                };
            }
        };
        number(&mut self.all, true);
        number(&mut self.tracked, mark.tracked);
        let in_order = mark.place == Place::InOrder;
        number(&mut self.in_order, in_order);
        number(&mut self.current, in_order && mark.healthy && mark.tracked);
        number(&mut self.busy, mark.place == Place::Busy);
        number(&mut self.flights, mark.flies);
        number(&mut self.unrecorded, mark.place == Place::Unrecorded);
        let list = |set: &mut BTreeSet<usize>, adds: bool| {
            if adds && there {
                set.insert(position);
            } else if adds {
                set.remove(&position);
            }
        };
        let waits = matches!(mark.place, Place::Waiting | Place::Unrecorded);
        list(&mut self.waiting, waits);
        list(&mut self.differs, mark.place == Place::Differs);
        list(&mut self.troubled, mark.place == Place::Troubled);
        list(&mut self.unhealthy, !mark.healthy);
        list(&mut self.fronts, mark.front);
        list(&mut self.alone, mark.alone);
    }
}

impl Engine {
    /// Counts an object as it is now.
    pub(super) fn count(&mut self, position: usize) {
        let object = &self.objects[position];
        let mark = Mark::of(object, self.mode);
        let known = self.marks[position].replace(mark);
        if known == Some(mark) {
            return;
        }
        if mark.open {
            self.open.insert(position);
        } else {
            self.open.remove(&position);
        }
        let Some(service) = self.services.get_mut(&object.service) else {
            return;
        };
        if let Some(known) = known {
            service.census.count(position, known, false);
        }
        service.census.count(position, mark, true);
    }

    /// Begins the count anew: positions have changed.
    pub(super) fn recount(&mut self) {
        self.marks = vec![None; self.objects.len()];
        self.open = (0..self.objects.len()).collect();
        for service in self.services.values_mut() {
            service.census = Census::default();
        }
    }
}

#[cfg(test)]
impl Engine {
    /// Counts everything anew and compares.
    pub(super) fn assert_counted(&self) {
        for (name, service) in &self.services {
            let mut census = Census::default();
            for position in self.members.get(name).into_iter().flatten() {
                let mark = Mark::of(&self.objects[*position], self.mode);
                census.count(*position, mark, true);
            }
            assert_eq!(census, service.census, "the census of {name}");
        }
    }
}
