//! Takes orders in, and says what they mean for services and objects.

use super::orders::{Order, Orders, Wish};
use super::{Command, Engine, Now};
use crate::desired::ObjectKey;
use crate::desired::instance::SUSPEND_ANNOTATION;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// What is known of the orders.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Those in force.
    pub(super) now: Orders,
    /// The services that were dismissed when the desired set was taken in.
    pub(super) dismissed: BTreeSet<Arc<str>>,
    /// Named since their watch last started over.
    pub(super) seen: bool,
}

impl Engine {
    /// The `ConfigMap` that holds the orders.
    pub(super) fn is_orders(&self, key: &ObjectKey) -> bool {
        key.is("", "ConfigMap")
            && key.namespace.as_deref() == Some(&*self.instance.namespace)
            && *key.name == *self.instance.orders_name()
    }

    /// Other orders are in force; unless they are older than those that are known.
    pub(super) fn on_orders(&mut self, orders: Orders) {
        if orders.are_older_than(&self.orders.now) || orders == self.orders.now {
            return;
        }
        self.orders.now = orders;
        self.queue.extend(0..self.objects.len());
        self.dirty.extend(self.services.keys().cloned());
        let dismissed: BTreeSet<&Arc<str>> = self.orders.now.dismissed().collect();
        // Whether a service is kept alive decides which objects it has.
        if !self.services.is_empty() && dismissed != self.orders.dismissed.iter().collect() {
            self.out.push(Command::Compose);
        }
    }

    /// The order that keeps us from writing anything of a service.
    pub(super) fn suspension(&self, service: &str, now: Now) -> Option<&Order> {
        let order = self.orders.now.of(service, now.wall);
        order.filter(|order| order.order == Wish::Suspended)
    }

    /// Whether anything of a service may be written.
    pub(super) fn writes_of(&self, service: &str, now: Now) -> bool {
        self.writes() && self.suspension(service, now).is_none()
    }

    /// Says when a service is suspended or is not any more, and wakes up at the end.
    pub(super) fn heed(&mut self, name: &Arc<str>, now: Now) {
        let order = self.suspension(name, now).cloned();
        if let Some(until) = order.as_ref().and_then(|order| order.until) {
            let left = until.duration_since(now.wall);
            self.wake(now.mono + Duration::try_from(left).unwrap_or_default());
        }
        let Some(service) = self.services.get_mut(name) else {
            return;
        };
        let order = order.filter(|_| service.desired.kept);
        if service.suspended == order {
            return;
        }
        service.suspended = order;
        self.report_suspension(name, now);
    }

    /// What was ordered about services.
    #[must_use]
    pub fn orders(&self) -> &Orders {
        &self.orders.now
    }
}

/// Why an object is left alone that says so itself.
#[must_use]
pub fn left_alone(reason: &str) -> String {
    match reason {
        "" | "true" => format!("left alone: annotation {SUSPEND_ANNOTATION}"),
        reason => format!("left alone: annotation {SUSPEND_ANNOTATION}: {reason}"),
    }
}
