//! Whether everything is as it ought to be: what is wanted is there, and the inventories name it,
//! and nothing else.

use super::fields::leaves;
use super::object::Stored;
use super::samples::instance;
use super::server::{inventory_key, orders_key};
use super::world::World;
use crate::desired::instance::INSTANCE_LABEL;
use crate::desired::{DesiredObject, ObjectKey, WriteMode};
use crate::engine::leavers::Leaver;
use crate::engine::object::Object;
use crate::engine::service::Service;
use crate::engine::{Engine, Phase, Standing};
use serde_json::Value;
use std::sync::Arc;

impl World {
    /// What is not as it ought to be.
    pub fn unfinished(&self) -> Option<String> {
        let Some(leader) = self.leader() else {
            return Some("nobody leads".to_owned());
        };
        let engine = &self.processes[leader].engine;
        let set = self.sets.last()?;
        let mut moving = set
            .objects()
            .filter(|(service, _)| !is_stuck(engine, &service.name));
        let wrong = moving.find_map(|(_, object)| self.wrong(engine, object));
        let failed =
            |object: &&Object| matches!(object.standing, Standing::Failed(_) | Standing::Writing);
        let failed = engine.objects.iter().find(failed);
        let failed = failed.map(|object| format!("{} failed", object.desired.key));
        let hoards =
            |object: &&Object| object.standing == Standing::InOrder && object.stash.is_some();
        let hoarded = engine.objects.iter().find(hoards);
        let hoarded = hoarded.map(|object| format!("the body of {} is kept", object.desired.key));
        let unwatched = engine.unwatched();
        let unwatched = unwatched.map(|it| format!("{:?} are not watched", it.kinds));
        wrong
            .or(failed)
            .or(hoarded)
            .or(unwatched)
            .or_else(|| still_pruned(engine, self))
            .or_else(|| self.inexact(engine))
            .or_else(|| unsettled(engine, self))
    }

    /// How everything stands for the leader, for whoever replays a seed.
    pub fn standings(&self) -> String {
        let Some(leader) = self.leader() else {
            return String::new();
        };
        let engine = &self.processes[leader].engine;
        let objects = engine.objects.iter().map(|object| {
            let flies = object.flight.is_some();
            format!(
                "\n  {}: {:?}, flies {flies}",
                object.desired.key, object.standing
            )
        });
        let services = engine.services.iter().map(|(name, service)| {
            let leavers = engine.leavers(name);
            format!(
                "\n  {name}: {} ({}), {leavers:?}",
                service.phase, service.reason
            )
        });
        objects.chain(services).collect()
    }

    /// The process that may write.
    fn leader(&self) -> Option<usize> {
        let leads = |process: &usize| {
            let it = &self.processes[*process];
            it.alive && (!self.leased || it.leads && self.lease.holder == Some(*process))
        };
        (0..self.processes.len()).find(leads)
    }

    /// Why a wanted object is not there as it is wanted.
    fn wrong(&self, engine: &Engine, object: &DesiredObject) -> Option<String> {
        let key = &object.key;
        let Some(live) = self.server.objects.get(key) else {
            return Some(format!("{key} is missing"));
        };
        if object.mode == WriteMode::Ensure || is_theirs(engine, key, live) {
            return None;
        }
        let known = &engine.objects[engine.position(key).unwrap()];
        let wanted = object.body.value().unwrap();
        let generated = matches!(object.mode, WriteMode::Generate(_));
        let differs = leaves(&wanted).into_iter().find(|(at, value)| {
            let left = known.leaves(&super::fields::path(at));
            // What others added to a struct before we knew it is theirs.
            let filled = value.is_object() && live.body.pointer(at).is_some_and(Value::is_object);
            !(generated || left || filled || live.body.pointer(at) == Some(value))
        });
        if let Some((at, value)) = differs {
            return Some(format!("{key}: {at} is not {value}: {}", live.shown()));
        }
        let theirs = |live: &Stored| {
            let made = live
                .owners
                .iter()
                .any(|owner| owner.manager == instance().identity());
            !made || live.label(INSTANCE_LABEL).is_none()
        };
        if generated && theirs(live) {
            return None;
        }
        let stored = &self.server.inventories.get(&known.service)?.records;
        let record = stored.get(key).and_then(|record| record.applied.as_ref());
        let recorded = record.is_some_and(|applied| *applied.uid == *live.uid);
        (!recorded).then(|| format!("{key} {} is recorded as {record:?}", live.uid))
    }

    /// Where the inventories and what is there differ otherwise.
    fn inexact(&self, engine: &Engine) -> Option<String> {
        let records = |key: &ObjectKey| {
            let stored = self.server.inventories.values();
            let named = stored.filter(|inventory| inventory.records.contains_key(key));
            let mut stuck = named
                .clone()
                .map(|inventory| is_stuck(engine, &inventory.service));
            // What is stuck does not forget what moved.
            if stuck.any(|stuck| stuck) {
                1
            } else {
                named.count()
            }
        };
        // One that is kept may have been in two services.
        let exact = |key: &ObjectKey| {
            let wanted = engine.position(key).is_some();
            records(key) == 1 || !wanted && records(key) > 1
        };
        for (key, live) in &self.server.objects {
            let ours = live.label(INSTANCE_LABEL) == Some(&*instance().label())
                && live.applied_by(&instance().identity()).is_some();
            if ours && *key != orders_key() && !self.laws.is_late(key) && !exact(key) {
                return Some(format!(
                    "{key} is ours, and {} inventories name it",
                    records(key)
                ));
            }
        }
        let all = self.server.inventories.values();
        for inventory in all.filter(|inventory| !is_stuck(engine, &inventory.service)) {
            for (key, record) in &*inventory.records {
                let wanted = engine.position(key).is_some();
                let live = self.server.objects.get(key);
                let uid = record.applied.as_ref().map(|applied| &*applied.uid);
                if live.is_none() && !self.laws.is_late(&inventory_key(&inventory.service)) {
                    return Some(format!("{key} is recorded and not there"));
                }
                // One that others made anew under its name is kept, and so is a Secret of ours.
                let ours = live.is_some_and(|live| uid == Some(&*live.uid) || is_ours_alone(live));
                if !wanted && !key.is_secret() && ours {
                    return Some(format!("{key} is not wanted, and still there"));
                }
            }
        }
        None
    }
}

/// Whether an object is somebody else's, and the engine says that a person has to decide.
fn is_theirs(engine: &Engine, key: &ObjectKey, live: &Stored) -> bool {
    let known = &engine.objects[engine.position(key).unwrap()];
    matches!(known.standing, Standing::Blocked(_))
        && live.applied_by(&instance().identity()).is_none()
        && live.body["data"].get("theirs").is_some()
}

/// Whether nobody but us wrote to an object with our label.
fn is_ours_alone(live: &Stored) -> bool {
    let ours = instance().identity();
    let mut writers = live.owners.iter().filter(|o| o.subresource.is_empty());
    live.label(INSTANCE_LABEL) == Some(&*instance().label())
        && live.applied_by(&ours).is_some()
        && writers.all(|owner| owner.manager == ours)
}

/// Whether a service waits for a person to decide about an object, of its own or of a service that
/// it depends on.
fn is_stuck(engine: &Engine, service: &Arc<str>) -> bool {
    let blocked = |object: &Object| matches!(object.standing, Standing::Blocked(_));
    engine.members(service).any(blocked)
        || engine.services.get(service).is_some_and(|service| {
            let mut first = service.desired.depends_on.iter();
            first.any(|first| is_stuck(engine, first))
        })
}

/// What a service is about to delete, however often that is refused: also of one that waits for a
/// person to decide about something else.
fn still_pruned(engine: &Engine, world: &World) -> Option<String> {
    let now = world.now();
    let mut prunes = engine.services.iter().filter(|(name, service)| {
        let settled = service.census.in_order == service.census.all;
        settled && engine.writes_of(name, now)
    });
    prunes.find_map(|(name, _)| {
        let mut leavers = engine.leavers(name).into_iter();
        let (key, _) = leavers.find(|(_, leaver)| matches!(leaver, Leaver::Delete(..)))?;
        Some(format!("{key} is about to be deleted"))
    })
}

/// A service that does not run although nothing is blocked.
fn unsettled(engine: &Engine, world: &World) -> Option<String> {
    let refused = |(_, service): &(_, &Service)| service.refusals.any;
    if let Some((name, _)) = engine.services.iter().find(refused) {
        return Some(format!("the inventory of {name} is not stored"));
    }
    let status = engine.status(world.now());
    let mut services = status.services.iter();
    let wrong = services
        .find(|service| service.phase != Phase::Running && !is_stuck(engine, &service.name))?;
    Some(format!(
        "{} is {}: {}",
        wrong.name, wrong.phase, wrong.reason
    ))
}
