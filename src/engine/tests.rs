//! The engine against a model of an API server, with a seeded scheduler: answers come late and in
//! any order, watches start over and repeat themselves, an intruder edits and deletes, the process
//! crashes between any two commands.
//!
//! Laws: it converges; once converged it writes nothing; it never deletes what it did not record,
//! and never has two writes in flight for one object.

use super::*;
use crate::config::Policy;
use crate::desired::{DesiredObject, DesiredService, DesiredSet, Need, Prerequisite};
use crate::manifest::spec::{
    Adopt, Conflicts, Foreign as ForeignPolicy, Mode as PolicyMode, Prune, Recreate,
};
use crate::manifest::{Probe, Remedy};
use serde_json::{Map, Value, json};
use std::collections::VecDeque;

/// A small generator: the same seed gives the same run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

fn instance() -> Instance {
    Instance {
        name: "jsorc".into(),
        namespace: "prod".into(),
    }
}

fn fingerprints() -> FingerprintKey {
    FingerprintKey::new([5; 32])
}

fn policy() -> Policy {
    Policy {
        mode: PolicyMode::Enforce,
        conflicts: Conflicts::Report,
        adopt: Adopt::Never,
        recreate: Recreate::Never,
        prune: Prune::Auto,
        foreign: ForeignPolicy::Report,
    }
}

fn config_maps() -> Arc<Resource> {
    Arc::new(Resource {
        group: "".into(),
        version: "v1".into(),
        kind: "ConfigMap".into(),
        plural: "configmaps".into(),
        namespaced: true,
    })
}

fn map(name: &str, value: &str, after: &[&str]) -> DesiredObject {
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "prod", "labels": {"jsorc.dev/instance": "prod.jsorc", "jsorc.dev/service": "one"}},
        "data": {"a": value}});
    DesiredObject {
        key: ObjectKey::new("", "ConfigMap", Some("prod"), name),
        resource: config_maps(),
        digest: fingerprints().of(&body),
        body: body.to_string().into(),
        mode: WriteMode::Apply,
        after: after
            .iter()
            .map(|name| Prerequisite {
                key: ObjectKey::new("", "ConfigMap", Some("prod"), name),
                need: Need::Applied,
            })
            .collect(),
        stage: 0,
        ignored: Vec::new(),
        wants_endpoint: false,
        place: "services/one/kube/one.yaml:1".into(),
    }
}

fn set(objects: Vec<DesiredObject>) -> DesiredSet {
    let service = DesiredService {
        name: "one".into(),
        kept: true,
        namespace: "prod".into(),
        driver: "none".into(),
        settings: Map::new(),
        probe: Probe::default(),
        remedy: Remedy::None,
        policy: policy(),
        depends_on: Vec::new(),
        protect: Vec::new(),
        objects,
    };
    DesiredSet {
        instance: instance(),
        services: vec![service],
        enabled: true,
    }
}

/// A model of an API server that holds config maps.
#[derive(Default)]
struct Server {
    objects: BTreeMap<ObjectKey, Value>,
    inventory: Option<Inventory>,
    version: u64,
    uids: u64,
    changes: Vec<(bool, Value)>,
    writes: Vec<String>,
    created: BTreeMap<ObjectKey, u32>,
}

impl Server {
    fn next(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
    }

    fn apply(&mut self, write: &Write) -> Result<Written, WriteError> {
        let Verb::Apply { body, uid, .. } = &write.verb else {
            panic!("{write:?}")
        };
        let wanted: Value = serde_json::from_str(body).unwrap();
        let there = self.objects.get(&write.key).cloned();
        match (&there, uid) {
            (None, Some(_)) => return Err(WriteError::Gone),
            (Some(live), Some(uid)) if live["metadata"]["uid"] != **uid => {
                return Err(WriteError::NotOurs);
            }
            _ => {}
        }
        let created = there.is_none();
        let mut live = there.unwrap_or_else(|| {
            self.uids += 1;
            json!({"metadata": {"uid": format!("u{}", self.uids), "managedFields": []}})
        });
        let before = live.clone();
        crate::desired::patch::merge(&mut live, &wanted);
        live["metadata"]["managedFields"] = json!([{"manager": instance().identity(), "operation": "Apply",
            "fieldsV1": {"f:data": {"f:a": {}}, "f:metadata": {"f:labels": {"f:jsorc.dev/instance": {}, "f:jsorc.dev/service": {}}}}}]);
        if live != before {
            live["metadata"]["resourceVersion"] = self.next().into();
            self.writes.push(format!("apply {}", write.key.name));
            if created {
                *self.created.entry(write.key.clone()).or_default() += 1;
            }
            self.changes.push((true, live.clone()));
            self.objects.insert(write.key.clone(), live.clone());
        }
        Ok(Written::Object {
            created,
            object: live.into(),
        })
    }

    fn delete(&mut self, write: &Write) -> Result<Written, WriteError> {
        let Verb::Delete { uid, .. } = &write.verb else {
            panic!("{write:?}")
        };
        match self.objects.get(&write.key) {
            None => Err(WriteError::Gone),
            Some(live) if live["metadata"]["uid"] != **uid => Err(WriteError::NotOurs),
            Some(_) => {
                self.writes.push(format!("delete {}", write.key.name));
                self.remove(&write.key);
                Ok(Written::Deleted)
            }
        }
    }

    fn remove(&mut self, key: &ObjectKey) {
        if let Some(mut gone) = self.objects.remove(key) {
            gone["metadata"]["resourceVersion"] = self.next().into();
            self.changes.push((false, gone));
        }
    }

    fn edit(&mut self, key: &ObjectKey) {
        let version = self.next();
        if let Some(live) = self.objects.get_mut(key) {
            live["data"]["a"] = "theirs".into();
            live["metadata"]["managedFields"] = json!([
                {"manager": instance().identity(), "operation": "Apply", "fieldsV1": {"f:metadata": {"f:labels": {"f:jsorc.dev/instance": {}, "f:jsorc.dev/service": {}}}}},
                {"manager": "kubectl-edit", "operation": "Update", "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:data": {"f:a": {}}}}]);
            live["metadata"]["resourceVersion"] = version.into();
            self.changes.push((true, live.clone()));
        }
    }
}

/// An engine, a server, and what is on its way between them.
struct World {
    engine: Engine,
    server: Server,
    mail: VecDeque<Event>,
    watched: Vec<WatchKey>,
    told: Vec<Occurrence>,
    clock: Duration,
    wake: Vec<Duration>,
    flights: BTreeMap<ObjectKey, u32>,
}

impl World {
    fn new(objects: Vec<DesiredObject>) -> Self {
        let mut world = Self {
            engine: Engine::new(instance(), fingerprints(), Mode::Enforce { run: true }),
            server: Server::default(),
            mail: VecDeque::new(),
            watched: Vec::new(),
            told: Vec::new(),
            clock: Duration::ZERO,
            wake: Vec::new(),
            flights: BTreeMap::new(),
        };
        world.begin(objects);
        world
    }

    /// What a process does at its start.
    fn begin(&mut self, objects: Vec<DesiredObject>) {
        let inventories = self.server.inventory.clone().into_iter().collect();
        self.mail.push_back(Event::Desired(Box::new(set(objects))));
        self.mail.push_back(Event::Inventories(inventories));
        self.mail.push_back(Event::Cluster(ClusterState::Ready));
    }

    /// The process dies with everything that was on its way to it, and another starts.
    fn crash(&mut self, objects: Vec<DesiredObject>) {
        self.engine = Engine::new(instance(), fingerprints(), Mode::Enforce { run: true });
        self.mail.clear();
        self.watched.clear();
        self.wake.clear();
        self.flights.clear();
        self.server.changes.clear();
        self.begin(objects);
    }

    fn now(&self) -> Now {
        Now {
            mono: self.clock,
            wall: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    fn deliver(&mut self, event: Event) {
        if let Event::Wrote { key, .. } = &event {
            self.flights.remove(key);
        }
        self.clock += Duration::from_millis(1);
        let commands = self.engine.handle([event], self.now());
        self.engine.assert_counted();
        for command in commands {
            self.carry_out(command);
        }
        for (there, object) in std::mem::take(&mut self.server.changes) {
            if let Some(watch) = self.watched.first().cloned() {
                let object = object.into();
                let change = if there {
                    WatchChange::Applied(object)
                } else {
                    WatchChange::Deleted(object)
                };
                self.mail.push_back(Event::Watch(watch, change));
            }
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Watch(keys) => {
                for key in keys.iter().filter(|key| !self.watched.contains(key)) {
                    relist(&self.server, key, &mut self.mail);
                }
                self.watched = keys;
            }
            Command::Look(looks) => {
                for (key, _) in looks {
                    let found = self.server.objects.get(&key).cloned().map(Box::new);
                    self.mail.push_back(Event::Looked(key, Ok(found)));
                }
            }
            Command::Write(write) => {
                let flights = self.flights.entry(write.key.clone()).or_default();
                *flights += 1;
                assert_eq!(*flights, 1, "two writes in flight for {}", write.key);
                let stored = self.server.inventory.as_ref();
                assert!(
                    stored.is_some_and(|i| i.records.contains_key(&write.key)),
                    "{} is not recorded",
                    write.key
                );
                let outcome = match write.verb {
                    Verb::Delete { .. } => self.server.delete(&write),
                    _ => self.server.apply(&write),
                };
                self.mail.push_back(Event::Wrote {
                    key: write.key,
                    attempt: write.attempt,
                    outcome,
                });
            }
            Command::SaveInventory(inventory) => {
                let mut stored = *inventory;
                let known = self.server.inventory.as_ref();
                let saved = if known.and_then(|known| known.resource_version.as_ref())
                    == stored.resource_version.as_ref()
                {
                    stored.resource_version = Some(self.server.next());
                    Ok(stored.resource_version.clone().unwrap())
                } else {
                    Err(WriteError::Changed)
                };
                self.mail
                    .push_back(Event::InventorySaved(stored.service.clone(), saved.clone()));
                if saved.is_ok() {
                    self.server.inventory = Some(stored);
                }
            }
            Command::Start(start) => {
                let answer = Answer {
                    advice: None,
                    latency: Duration::from_millis(1),
                    note: String::new(),
                };
                self.mail.push_back(Event::Started {
                    service: start.service,
                    run: start.run,
                    outcome: Ok(answer),
                });
            }
            Command::Probe { service, run, .. } => {
                let answer = Answer {
                    advice: None,
                    latency: Duration::from_millis(1),
                    note: String::new(),
                };
                self.mail.push_back(Event::Probed {
                    service,
                    run,
                    outcome: Ok(answer),
                });
            }
            Command::WakeAt(at) => self.wake.push(at),
            Command::Tell(occurrence) => self.told.push(occurrence),
            Command::ReadInventories => {
                let inventories = self.server.inventory.clone().into_iter().collect();
                self.mail.push_back(Event::Inventories(inventories));
            }
            Command::Compose | Command::Explain(..) | Command::Stop(..) => {}
        }
    }

    /// Everything that is on its way arrives, one by one, in an order that the dice choose; watch
    /// events keep their order among themselves.
    fn settle(&mut self, dice: &mut Dice) {
        for round in 0..10_000 {
            if self.mail.is_empty() {
                let Some(at) = self
                    .wake
                    .iter()
                    .copied()
                    .min()
                    .filter(|at| *at < self.clock + Duration::from_secs(5))
                else {
                    return;
                };
                self.wake.retain(|other| *other != at);
                self.clock = self.clock.max(at);
                self.mail.push_back(Event::Woken);
            }
            let pick = dice.roll(self.mail.len());
            let is_watch = |event: &Event| {
                matches!(
                    event,
                    Event::Watch(..)
                        | Event::Desired(_)
                        | Event::Inventories(_)
                        | Event::Cluster(_)
                )
            };
            let pick = if is_watch(&self.mail[pick]) {
                self.mail.iter().position(is_watch).unwrap()
            } else {
                pick
            };
            let event = self.mail.remove(pick).unwrap();
            self.deliver(event);
            assert!(
                round < 9_999,
                "it does not come to rest: {:?}",
                self.server.writes
            );
        }
    }

    fn tick(&mut self, dice: &mut Dice) {
        self.clock += Duration::from_secs(10);
        self.mail.push_back(Event::Tick);
        self.settle(dice);
    }
}

fn relist(server: &Server, key: &WatchKey, mail: &mut VecDeque<Event>) {
    mail.push_back(Event::Watch(key.clone(), WatchChange::Restarted));
    for object in server.objects.values() {
        mail.push_back(Event::Watch(
            key.clone(),
            WatchChange::Applied(object.clone().into()),
        ));
    }
    mail.push_back(Event::Watch(key.clone(), WatchChange::Synced));
}

fn three() -> Vec<DesiredObject> {
    vec![
        map("a", "1", &[]),
        map("b", "1", &["a"]),
        map("c", "1", &["b"]),
    ]
}

#[test]
fn the_first_check_applies_in_order_and_the_rerun_waits_for_a_later_one() {
    let mut world = World::new(three());
    world.settle(&mut Dice(1));
    assert_eq!(world.server.writes, ["apply a", "apply b", "apply c"]);
    assert!(
        world
            .told
            .iter()
            .any(|o| matches!(o, Occurrence::RerunIgnored { applied: 3, .. })),
        "{:?}",
        world.told
    );
    assert_eq!(
        world.engine.status(world.now()).services[0].phase,
        Phase::Running
    );
}

#[test]
fn a_healthy_cluster_costs_no_write_and_is_rerun_at_once() {
    let mut world = World::new(three());
    world.settle(&mut Dice(1));
    world.server.writes.clear();
    world.crash(three());
    world.settle(&mut Dice(2));
    assert_eq!(world.server.writes, Vec::<String>::new());
    assert_eq!(
        world.engine.status(world.now()).services[0].phase,
        Phase::Running
    );
    for _ in 0..20 {
        world.tick(&mut Dice(3));
    }
    assert_eq!(world.server.writes, Vec::<String>::new());
}

#[test]
fn a_heal_says_what_who_and_how_soon() {
    let mut world = World::new(three());
    world.settle(&mut Dice(1));
    let key = ObjectKey::new("", "ConfigMap", Some("prod"), "a");
    world.server.edit(&key);
    world.told.clear();
    world.deliver(Event::Woken);
    world.settle(&mut Dice(1));
    let heal = world.told.iter().find_map(|o| match o {
        Occurrence::Healed(heal) => Some(heal.clone()),
        _ => None,
    });
    let heal = heal.unwrap_or_else(|| panic!("{:?}", world.told));
    assert_eq!(heal.fault, Fault::Changed);
    assert_eq!(
        heal.by,
        Blame::Manager("kubectl-edit".into(), Some("2026-01-01T00:00:00Z".into()))
    );
    assert_eq!(heal.fields[0].path.to_string(), "data.a");
    assert_eq!(world.server.objects[&key]["data"]["a"], "1");
}

#[test]
fn a_stale_event_after_our_own_write_is_no_drift() {
    let mut world = World::new(three());
    world.settle(&mut Dice(1));
    let key = ObjectKey::new("", "ConfigMap", Some("prod"), "a");
    world.server.edit(&key);
    let (_, stale) = world.server.changes[0].clone();
    world.deliver(Event::Woken);
    world.settle(&mut Dice(1));
    world.server.writes.clear();
    let watch = world.watched[0].clone();
    world.deliver(Event::Watch(watch, WatchChange::Applied(stale.into())));
    world.settle(&mut Dice(1));
    assert_eq!(world.server.writes, Vec::<String>::new());
}

#[test]
fn what_left_the_set_is_deleted_after_a_quiet_time_and_what_was_copied_is_not() {
    let mut world = World::new(three());
    world.settle(&mut Dice(1));
    let mut copy = world.server.objects.values().next().unwrap().clone();
    copy["metadata"]["name"] = "copied".into();
    copy["metadata"]["uid"] = "other".into();
    let key = ObjectKey::new("", "ConfigMap", Some("prod"), "copied");
    world.server.objects.insert(key.clone(), copy.clone());
    world.server.changes.push((true, copy));
    world
        .mail
        .push_back(Event::Desired(Box::new(set(vec![map("a", "1", &[])]))));
    world.deliver(Event::Woken);
    while let Some(event) = world.mail.pop_front() {
        world.deliver(event);
    }
    assert!(
        !world.server.writes.iter().any(|w| w.starts_with("delete")),
        "not before it was quiet"
    );
    world.tick(&mut Dice(1));
    let mut deleted: Vec<_> = world
        .server
        .writes
        .iter()
        .filter(|w| w.starts_with("delete"))
        .cloned()
        .collect();
    deleted.sort();
    assert_eq!(deleted, ["delete b", "delete c"]);
    assert!(world.server.objects.contains_key(&key));
}

#[test]
fn a_watch_that_starts_over_makes_nothing_of_another_kind_seem_gone() {
    let mut world = World::new(three());
    world.settle(&mut Dice(1));
    let inventories = world.server.inventory.clone();
    // The next process wants one object less, and one of another kind.
    let mut account = map("account", "1", &[]);
    account.key = ObjectKey::new("", "ServiceAccount", Some("prod"), "account");
    account.resource = Arc::new(Resource {
        kind: "ServiceAccount".into(),
        plural: "serviceaccounts".into(),
        ..(*config_maps()).clone()
    });
    let maps = watching::watch_of(&map("a", "1", &[]).key, &config_maps());
    let accounts = watching::watch_of(&account.key, &account.resource);
    let mut engine = Engine::new(instance(), fingerprints(), Mode::Enforce { run: true });
    let wanted = vec![map("a", "1", &[]), map("b", "1", &["a"]), account];
    let there = world.server.objects.values().cloned();
    let mut events = vec![
        Event::Desired(Box::new(set(wanted))),
        Event::Inventories(inventories.into_iter().collect()),
        Event::Cluster(ClusterState::Ready),
        Event::Watch(maps.clone(), WatchChange::Restarted),
    ];
    events.extend(
        there.map(|object| Event::Watch(maps.clone(), WatchChange::Applied(object.into()))),
    );
    events.push(Event::Watch(accounts, WatchChange::Restarted));
    events.push(Event::Watch(maps, WatchChange::Synced));
    engine.handle(events, world.now());
    let left = ObjectKey::new("", "ConfigMap", Some("prod"), "c");
    assert_ne!(
        engine.leavers(&"one".into()),
        [(left, pruning::Leaver::Gone)]
    );
}

#[test]
fn an_empty_set_deletes_nothing() {
    let mut world = World::new(three());
    world.settle(&mut Dice(1));
    world
        .mail
        .push_back(Event::Desired(Box::new(set(Vec::new()))));
    world.settle(&mut Dice(1));
    for _ in 0..5 {
        world.tick(&mut Dice(1));
    }
    assert_eq!(world.server.objects.len(), 3);
}

/// One seeded life: intruders, lost watches, crashes, changed manifests.
fn life(seed: u64) {
    let mut dice = Dice(seed);
    let names = ["a", "b", "c"];
    let mut values = ["1", "1", "1"];
    let wanted = |values: [&str; 3]| {
        vec![
            map("a", values[0], &[]),
            map("b", values[1], &["a"]),
            map("c", values[2], &["b"]),
        ]
    };
    let mut world = World::new(wanted(values));
    for _ in 0..30 {
        let key = ObjectKey::new("", "ConfigMap", Some("prod"), names[dice.roll(3)]);
        match dice.roll(9) {
            0 => world.server.edit(&key),
            1 => world.server.remove(&key),
            2 => world.crash(wanted(values)),
            3 => {
                values[dice.roll(3)] = ["1", "2", "3"][dice.roll(3)];
                world
                    .mail
                    .push_back(Event::Desired(Box::new(set(wanted(values)))));
            }
            4 => {
                for watch in world.watched.clone() {
                    world.server.changes.clear();
                    world
                        .mail
                        .retain(|event| !matches!(event, Event::Watch(..)));
                    relist(&world.server, &watch, &mut world.mail);
                }
            }
            5 => {
                if let Some(repeat) = world
                    .mail
                    .iter()
                    .rev()
                    .find(|event| matches!(event, Event::Watch(..)))
                    .cloned()
                {
                    world.mail.push_back(repeat);
                }
            }
            _ => {
                for _ in 0..dice.roll(6) {
                    if let Some(event) = world.mail.pop_front() {
                        world.deliver(event);
                    }
                }
            }
        }
        world.deliver(Event::Woken);
    }
    world.settle(&mut dice);
    for _ in 0..12 {
        world.tick(&mut dice);
    }
    for (name, value) in names.iter().zip(values) {
        let key = ObjectKey::new("", "ConfigMap", Some("prod"), name);
        let live = world
            .server
            .objects
            .get(&key)
            .unwrap_or_else(|| panic!("seed {seed}: {name} is missing"));
        assert_eq!(live["data"]["a"], value, "seed {seed}: {name}");
        let record = world
            .server
            .inventory
            .as_ref()
            .and_then(|i| i.records.get(&key))
            .and_then(|r| r.applied.clone());
        assert_eq!(
            record.map(|applied| applied.uid),
            live["metadata"]["uid"].as_str().map(str::to_owned),
            "seed {seed}: {name}"
        );
    }
    world.server.writes.clear();
    for _ in 0..5 {
        world.tick(&mut dice);
    }
    assert_eq!(
        world.server.writes,
        Vec::<String>::new(),
        "seed {seed}: it goes on writing"
    );
    assert_eq!(
        world.engine.status(world.now()).services[0].phase,
        Phase::Running,
        "seed {seed}"
    );
}

#[test]
fn it_converges_and_stays_whatever_happens() {
    for seed in 0..300 {
        life(seed);
    }
}
