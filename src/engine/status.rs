//! Where everything stands, as data.

use super::diff::FieldChange;
use super::event::Answer;
use super::flight::Cause;
use super::leavers::Leaver;
use super::object::Standing;
use super::occurrence::{Blame, Fault, Heal};
use super::orders::Order;
use super::outages::Unwatched;
use super::phase::Phase;
use super::service::{Run, Save, Service};
use super::{ClusterState, Engine, Now};
use crate::desired::{ObjectKey, WriteMode};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Where everything stands.
#[derive(Clone, Debug)]
pub struct Status {
    /// The services, in name order; orphaned ones last.
    pub services: Vec<ServiceStatus>,
    /// How many kinds are watched.
    pub watched_kinds: usize,
    /// Whether every watch has named all that is there.
    pub synced: bool,
    /// The kinds whose watches are interrupted.
    pub unwatched: Option<Unwatched>,
    /// The cluster.
    pub cluster: ClusterState,
    /// The last object that was put right.
    pub last_heal: Option<Heal>,
    /// Objects that are not as applied and are not being put right.
    pub drifts: Vec<Drift>,
}

/// An object that is not as applied.
#[derive(Clone, Debug)]
pub struct Drift {
    /// Its service.
    pub service: Arc<str>,
    /// The object.
    pub key: ObjectKey,
    /// What is wrong with it.
    pub fault: Fault,
    /// The fields that differ and who changed them, as far as a dry run told.
    pub fields: Vec<(FieldChange, Blame)>,
}

/// Where one service stands.
#[derive(Clone, Debug)]
pub struct ServiceStatus {
    /// Its name.
    pub name: Arc<str>,
    /// Its phase.
    pub phase: Phase,
    /// Since when.
    pub since: jiff::Timestamp,
    /// For how long.
    pub age: Duration,
    /// Why.
    pub reason: String,
    /// What a person can do.
    pub hint: Option<String>,
    /// Objects that are in order and ready, and all of them; `None` without manifests.
    pub objects: Option<(usize, usize)>,
    /// The last answer, and when it came; `None` before the first.
    pub answer: Option<(Answer, jiff::Timestamp)>,
    /// Whether the driver answers now.
    pub answers: bool,
    /// When the next start is tried, from now, and how often it failed.
    pub retry: Option<(Duration, u32)>,
    /// What is wrong with single objects.
    pub problems: Vec<(ObjectKey, String)>,
    /// Objects that ask to be left alone, and why.
    pub suspended: Vec<(ObjectKey, String)>,
    /// Objects that left the folder and stay, and why.
    pub kept: Vec<(ObjectKey, String)>,
}

impl ServiceStatus {
    /// The status of a service that no driver runs: how many of its objects are ready, of how many.
    pub(super) fn unprobed(
        name: &Arc<str>,
        phase: Phase,
        reason: String,
        objects: (usize, usize),
        now: jiff::Timestamp,
    ) -> Self {
        Self {
            name: name.clone(),
            phase,
            since: now,
            age: Duration::ZERO,
            reason,
            hint: None,
            objects: Some(objects),
            answer: None,
            answers: false,
            retry: None,
            problems: Vec::new(),
            suspended: Vec::new(),
            kept: Vec::new(),
        }
    }
}

impl Engine {
    /// Where everything stands now.
    #[must_use]
    pub fn status(&self, now: Now) -> Status {
        let mut services: Vec<ServiceStatus> = self
            .services
            .keys()
            .map(|name| self.service_status(name, now))
            .collect();
        services.extend(self.orphans.iter().map(|(name, inventory)| {
            let records = inventory.records.len();
            let reason = orphaned(name, records);
            ServiceStatus {
                hint: Some(format!("jsorc delete {name}")),
                ..ServiceStatus::unprobed(name, Phase::Orphaned, reason, (0, records), now.wall)
            }
        }));
        let kinds: BTreeSet<_> = self.watches.keys().map(|watch| &watch.resource).collect();
        Status {
            services,
            watched_kinds: kinds.len(),
            synced: self.has_inventories() && self.watches.values().all(|synced| *synced),
            unwatched: self.unwatched(),
            cluster: self.cluster.clone(),
            last_heal: self.last_heal.clone(),
            drifts: self.drifts(),
        }
    }

    fn drifts(&self) -> Vec<Drift> {
        let different = self
            .services
            .values()
            .flat_map(|service| &service.census.differs);
        let positions: BTreeSet<usize> = different.copied().collect();
        positions
            .into_iter()
            .filter_map(|position| self.drift(position))
            .collect()
    }

    fn drift(&self, position: usize) -> Option<Drift> {
        let object = &self.objects[position];
        let Standing::Differs(Cause::Drift(fault)) = object.standing else {
            return None;
        };
        let rehearsed = object.rehearsal.as_ref();
        Some(Drift {
            service: object.service.clone(),
            key: object.desired.key.clone(),
            fault,
            fields: rehearsed
                .and_then(|rehearsal| rehearsal.outcome.clone().ok())
                .unwrap_or_default(),
        })
    }

    /// The service that an object belongs to.
    #[must_use]
    pub fn service_of(&self, key: &ObjectKey) -> Option<&Arc<str>> {
        let position = self.position(key)?;
        Some(&self.objects[position].service)
    }

    fn kept(&self, name: &Arc<str>) -> Vec<(ObjectKey, String)> {
        self.leavers(name)
            .into_iter()
            .filter_map(|(key, leaver)| match leaver {
                Leaver::Keep(reason) | Leaver::Held(reason) | Leaver::Unseen(reason) => {
                    Some((key, reason))
                }
                _ => None,
            })
            .collect()
    }

    fn service_status(&self, name: &Arc<str>, now: Now) -> ServiceStatus {
        let service = &self.services[name];
        let census = &service.census;
        let suspension = service.suspended.as_ref();
        let problem = |standing: &Standing| match standing {
            Standing::Blocked(why) | Standing::Failed(why) => Some(why.clone()),
            _ => None,
        };
        ServiceStatus {
            name: name.clone(),
            phase: suspension.map_or(service.phase, |_| Phase::Suspended),
            since: suspension
                .and_then(|order| order.at)
                .unwrap_or(service.since_wall),
            age: now.mono.saturating_sub(service.since),
            reason: match suspension {
                Some(order) => beneath(service, order),
                None => service.reason.clone(),
            },
            hint: service.hint.clone(),
            objects: (census.tracked > 0).then_some((census.current, census.tracked)),
            answer: service.probes.last.clone(),
            answers: matches!(service.run, Run::Up(..)) && service.probes.failures == 0,
            retry: (service.probes.retry_at > now.mono).then(|| {
                (
                    service.probes.retry_at.saturating_sub(now.mono),
                    service.probes.failures,
                )
            }),
            problems: census
                .troubled
                .iter()
                .map(|position| &self.objects[*position])
                .filter(|object| object.desired.mode != WriteMode::Ensure)
                .filter_map(|o| problem(&o.standing).map(|why| (o.desired.key.clone(), why)))
                .collect(),
            suspended: census
                .alone
                .iter()
                .map(|position| &self.objects[*position])
                .filter_map(|object| Some((object.desired.key.clone(), object.suspended()?)))
                .collect(),
            kept: self.kept(name),
        }
    }

    /// Whether every service has come to rest: running, or nothing to wait for.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.services
            .values()
            .all(|service| service.suspended.is_some() || service.phase.is_settled())
    }

    /// Whether every object is written and recorded, or cannot be without something else.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        let at_rest = |service: &Service| {
            let census = &service.census;
            let left = census.troubled.len() + census.differs.len();
            census.flights == 0 && census.in_order + left == census.all
        };
        // A service with an object that cannot be written prunes nothing, so nothing is waited for.
        let leaves = |(name, service): (&Arc<str>, &Service)| {
            service.census.in_order == service.census.all
                && service.suspended.is_none()
                && self
                    .leavers(name)
                    .iter()
                    .any(|(_, leaver)| matches!(leaver, Leaver::Delete(..) | Leaver::Gone))
        };
        self.has_inventories()
            && self.deletions.is_empty()
            && self.landing.is_empty()
            && self.departures.is_empty()
            && self
                .services
                .values()
                .all(|service| service.save == Save::Clean && at_rest(service))
            && !self.services.iter().any(leaves)
    }
}

/// A suspended service is still looked at: what it would be told to be otherwise.
fn beneath(service: &Service, order: &Order) -> String {
    let mut words = format!("{}; {}", order.words(), service.phase);
    if !service.reason.is_empty() {
        words = format!("{words}: {}", service.reason);
    }
    words
}

fn orphaned(name: &str, objects: usize) -> String {
    let are = match objects {
        1 => "1 object is".to_owned(),
        _ => format!("{objects} objects are"),
    };
    format!("{are} in the cluster, and services/{name} is gone")
}
