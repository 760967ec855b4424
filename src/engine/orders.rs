//! What people ordered about services: to leave them alone for a while, or not to bring them back.
//!
//! Orders are stored in the cluster, so that they outlive every process. An order that cannot be
//! read counts as a suspension: whoever wrote it wanted less to be done, not more.

use super::history::{Entry, History, What};
use crate::desired::at::At as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The entry for every service there is; no service can have this name.
const ALL: &str = "_all";
/// What was ordered before; no service can have this name either.
const HISTORY: &str = "_history";

/// What was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wish {
    /// Write nothing; probes go on.
    Suspended,
    /// It was deleted, and is not to come back.
    Deleted,
    /// It was left to others.
    Released,
}

/// One order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// What was ordered.
    pub order: Wish,
    /// By whom.
    #[serde(default)]
    pub by: String,
    /// When.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// All orders of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    each: BTreeMap<Arc<str>, Order>,
    all: Option<Order>,
    /// What was ordered and taken back, and by whom.
    pub history: History,
    /// The version of what they were read from; `None` before anything was ordered.
    pub resource_version: Option<String>,
}

impl Orders {
    /// Reads the `ConfigMap` that holds them.
    #[must_use]
    pub fn read(stored: &Value) -> Self {
        let text = |pointer: &str| stored.at(pointer).and_then(Value::as_str);
        let mut orders = Self {
            resource_version: text("/metadata/resourceVersion").map(str::to_owned),
            ..Self::default()
        };
        let data = stored.get("data").and_then(Value::as_object);
        for (name, order) in data.into_iter().flatten() {
            if name == HISTORY {
                orders.history = History::read(order.as_str().unwrap_or(""));
                continue;
            }
            let order = Order::read(order.as_str().unwrap_or(""));
            orders.put((name != ALL).then_some(name), order);
        }
        orders
    }

    /// What the `ConfigMap` holds. Orders that have ended are left out.
    #[must_use]
    pub fn data(&self, now: Timestamp) -> Map<String, Value> {
        let each = self.each.iter().map(|(name, order)| (&**name, order));
        let all = self.all.iter().map(|order| (ALL, order));
        each.chain(all)
            .filter(|(_, order)| !order.has_ended(now))
            .filter_map(|(name, order)| {
                let text = serde_json::to_string(order).ok()?;
                Some((name.to_owned(), text.into()))
            })
            .chain(self.told())
            .collect()
    }

    fn told(&self) -> Option<(String, Value)> {
        let text = self.history.text();
        (!text.is_empty()).then(|| (HISTORY.to_owned(), text.into()))
    }

    /// Writes down what was ordered and taken back since `before`.
    pub fn note_changes(&mut self, before: &Self, by: &str, at: Timestamp) {
        let mut news = History::default();
        for (service, order) in self
            .named()
            .filter(|named| !before.named().any(|n| n == *named))
        {
            let what = What::Ordered {
                service: service.map(str::to_owned),
                order: order.order,
                until: order.until,
                reason: order.reason.clone(),
            };
            news.note(Entry::new(at, &order.by, what));
        }
        let stays = |name: Option<&str>| self.named().any(|(service, _)| service == name);
        for (service, order) in before.named().filter(|(service, _)| !stays(*service)) {
            let what = What::Resumed {
                service: service.map(str::to_owned),
                was: order.order,
            };
            news.note(Entry::new(at, by, what));
        }
        self.history.absorb(&news);
    }

    /// Every order with the service that it is about; the one about all of them has none.
    fn named(&self) -> impl Iterator<Item = (Option<&str>, &Order)> {
        let each = self.each.iter();
        each.map(|(name, order)| (Some(&**name), order))
            .chain(self.all.iter().map(|order| (None, order)))
    }

    /// Orders something about a service, or about all of them.
    pub fn put(&mut self, service: Option<&String>, order: Order) {
        match service {
            Some(name) => drop(self.each.insert(name.as_str().into(), order)),
            None => self.all = Some(order),
        }
    }

    /// Takes the order about a service back, or the one about all of them with every suspension.
    /// Gives those that were in force.
    pub fn take_back(&mut self, service: Option<&str>) -> Vec<Order> {
        if let Some(name) = service {
            return self.each.remove(name).into_iter().collect();
        }
        let mut taken = Vec::new();
        self.each.retain(|_, order| {
            let stays = order.order != Wish::Suspended;
            taken.extend((!stays).then(|| order.clone()));
            stays
        });
        taken.extend(self.all.take());
        taken
    }

    /// The order that is in force for a service.
    #[must_use]
    pub fn of(&self, service: &str, now: Timestamp) -> Option<&Order> {
        let own = self.each.get(service);
        own.into_iter()
            .chain(&self.all)
            .find(|order| !order.has_ended(now))
    }

    /// Whether there is none, in force or not.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_none() && self.each.is_empty()
    }

    /// The suspension of all services, if one is in force.
    #[must_use]
    pub fn of_all(&self, now: Timestamp) -> Option<&Order> {
        self.all.as_ref().filter(|order| !order.has_ended(now))
    }

    /// The order that keeps a service from coming back.
    #[must_use]
    pub fn dismissal(&self, service: &str) -> Option<&Order> {
        let own = self.each.get(service);
        own.filter(|order| order.order != Wish::Suspended)
    }

    /// The services that are not to come back.
    pub fn dismissed(&self) -> impl Iterator<Item = &Arc<str>> {
        let all = self.each.iter();
        all.filter(|(_, order)| order.order != Wish::Suspended)
            .map(|(name, _)| name)
    }

    /// Every order about a single service.
    pub fn each(&self) -> impl Iterator<Item = (&Arc<str>, &Order)> {
        self.each.iter()
    }

    /// Whether these were stored before `other`. Versions are numbers that grow.
    #[must_use]
    pub fn are_older_than(&self, other: &Self) -> bool {
        let number = |orders: &Self| orders.resource_version.as_ref()?.parse::<u128>().ok();
        matches!((number(self), number(other)), (Some(a), Some(b)) if a < b)
    }
}

impl Order {
    fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|_| Self {
            order: Wish::Suspended,
            by: String::new(),
            at: None,
            until: None,
            reason: Some("its order cannot be read".to_owned()),
        })
    }

    /// Whether it ended by itself.
    #[must_use]
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// Who, since when, until when and why, for people.
    #[must_use]
    pub fn words(&self) -> String {
        let whole = |at: &Timestamp| at.to_string().split('.').next().map(str::to_owned);
        let time = |at: &Option<Timestamp>| {
            let text = at.as_ref().and_then(whole)?;
            Some(text.trim_end_matches('Z').replace('T', " "))
        };
        let mut words = match self.order {
            Wish::Suspended => "suspended",
            Wish::Deleted => "deleted",
            Wish::Released => "released",
        }
        .to_owned();
        if !self.by.is_empty() {
            words = format!("{words} by {}", self.by);
        }
        for (word, at) in [("at", &self.at), ("until", &self.until)] {
            if let Some(at) = time(at) {
                words = format!("{words} {word} {at}Z");
            }
        }
        match &self.reason {
            Some(reason) => format!("{words}: {reason}"),
            None => words,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn order(wish: Wish, until: Option<i64>) -> Order {
        Order {
            order: wish,
            by: "ann".into(),
            at: Some(at(5)),
            until: until.map(at),
            reason: None,
        }
    }

    #[test]
    fn orders_come_back_as_they_were_stored_without_those_that_ended() {
        let mut orders = Orders::default();
        orders.put(Some(&"redis".into()), order(Wish::Suspended, Some(100)));
        orders.put(Some(&"mail".into()), order(Wish::Suspended, Some(50)));
        orders.put(None, order(Wish::Suspended, None));
        let stored = json!({"metadata": {"resourceVersion": "7"}, "data": orders.data(at(60))});
        let read = Orders::read(&stored);
        assert_eq!(read.each().count(), 1);
        assert_eq!(read.of("redis", at(60)), orders.of("redis", at(60)));
        assert_eq!(read.of_all(at(60)), orders.of_all(at(60)));
        assert_eq!(read.resource_version.as_deref(), Some("7"));
    }

    #[test]
    fn what_was_ordered_and_taken_back_is_remembered() {
        let nothing = Orders::default();
        let mut orders = Orders::default();
        orders.put(Some(&"redis".into()), order(Wish::Suspended, Some(100)));
        orders.put(Some(&"mail".into()), order(Wish::Deleted, None));
        orders.note_changes(&nothing, "ann", at(5));
        let before = orders.clone();
        orders.take_back(Some("redis"));
        orders.note_changes(&before, "bob", at(9));
        let stored = json!({"data": orders.data(at(60))});
        let read = Orders::read(&stored);
        assert_eq!(read.each().count(), 1, "a history is no order");
        assert_eq!(read.history.entries().len(), 3);
        let last = read.history.entries().last().unwrap();
        let resumed = What::Resumed {
            service: Some("redis".into()),
            was: Wish::Suspended,
        };
        assert_eq!((&*last.by, &last.what), ("bob", &resumed));
    }

    #[test]
    fn an_order_ends_by_itself_and_uncovers_the_one_about_all() {
        let mut orders = Orders::default();
        orders.put(Some(&"redis".into()), order(Wish::Suspended, Some(100)));
        assert!(orders.of("redis", at(99)).is_some());
        assert!(orders.of("redis", at(100)).is_none());
        assert!(orders.of("mail", at(99)).is_none());
        orders.put(None, order(Wish::Suspended, None));
        assert_eq!(orders.of("redis", at(100)).unwrap().until, None);
        assert_eq!(orders.take_back(None).len(), 2);
        assert!(orders.of("redis", at(1)).is_none());
    }

    #[test]
    fn who_ends_all_suspensions_brings_nothing_back_that_was_deleted() {
        let mut orders = Orders::default();
        orders.put(Some(&"redis".into()), order(Wish::Deleted, None));
        assert_eq!(orders.take_back(None), []);
        assert!(orders.dismissal("redis").is_some());
        assert_eq!(orders.take_back(Some("redis")).len(), 1);
        assert!(orders.dismissal("redis").is_none());
    }

    #[test]
    fn what_cannot_be_read_suspends() {
        let stored = json!({"data": {"redis": "{\"order\": \"explode\"}", "mail": "x"}});
        let orders = Orders::read(&stored);
        for service in ["redis", "mail"] {
            let order = orders.of(service, at(1)).unwrap();
            assert_eq!(order.order, Wish::Suspended);
            assert!(orders.dismissal(service).is_none());
        }
    }

    #[test]
    fn an_order_says_who_until_when_and_why() {
        let order = Order {
            reason: Some("a migration".into()),
            ..order(Wish::Suspended, Some(3600))
        };
        assert_eq!(
            order.words(),
            "suspended by ann at 1970-01-01 00:00:05Z until 1970-01-01 01:00:00Z: a migration"
        );
    }
}
