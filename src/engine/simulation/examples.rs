//! What the engine does in plain situations, each alone.

use super::samples::{config_maps, instance, map, map_key, one, three};
use super::world::World;
use crate::desired::{ObjectKey, Resource};
use crate::engine::leavers::Leaver;
use crate::engine::watches::{orders_of, watch_of};
use crate::engine::{
    Blame, ClusterState, Command, Engine, Event, Fault, Mode, Occurrence, Phase, WatchChange,
    WatchKey,
};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(5);
const LATER: Duration = Duration::from_secs(200);

fn phase(world: &World) -> Phase {
    let engine = &world.processes[0].engine;
    engine.status(world.now()).services[0].phase
}

fn suspended(world: &World) -> bool {
    !world.processes[0].engine.orders().is_empty()
}

fn edit(world: &mut World, key: &ObjectKey) {
    let theirs = |live: &mut Value| live["data"]["a"] = "theirs".into();
    world.server.edit(key, "kubectl-edit", "", theirs);
}

#[test]
fn the_first_check_applies_in_order_and_the_rerun_waits_for_a_later_one() {
    let world = World::quiet(one(three()));
    assert_eq!(world.written, ["apply a", "apply b", "apply c"]);
    let ignored = |o: &Occurrence| matches!(o, Occurrence::RerunIgnored { applied: 3, .. });
    assert!(world.told.iter().any(ignored), "{:?}", world.told);
    assert_eq!(phase(&world), Phase::Running);
}

#[test]
fn a_healthy_cluster_costs_no_write_and_is_rerun_at_once() {
    let mut world = World::quiet(one(three()));
    world.written.clear();
    world.processes[0].die();
    world.plan(Duration::ZERO, super::world::Item::Start(0));
    world.pass(SOON);
    assert_eq!(phase(&world), Phase::Running);
    world.pass(LATER);
    assert_eq!(world.written, Vec::<String>::new());
}

#[test]
fn a_heal_says_what_who_and_how_soon() {
    let mut world = World::quiet(one(three()));
    let key = map_key("a");
    edit(&mut world, &key);
    world.told.clear();
    world.pass(SOON);
    let heal = world.told.iter().find_map(|told| match told {
        Occurrence::Healed(heal) => Some(heal.clone()),
        _ => None,
    });
    let heal = heal.unwrap_or_else(|| panic!("{:?}", world.told));
    assert_eq!(heal.fault, Fault::Changed);
    let by = Blame::Manager("kubectl-edit".into(), Some("2026-01-01T00:00:05Z".into()));
    assert_eq!(heal.by, by);
    assert_eq!(heal.fields[0].path.to_string(), "data.a");
    assert!(heal.took < Duration::from_millis(50));
    assert_eq!(world.server.objects[&key].body["data"]["a"], "1");
}

#[test]
fn what_waits_for_room_is_written_in_its_turn_and_counts_from_when_it_was_seen() {
    let mut world = World::quiet(one(["a", "b", "c"].map(|name| map(name, "1", &[])).into()));
    world.processes[0].engine.room.most = 1;
    world.told.clear();
    world.written.clear();
    for name in ["a", "b", "c"] {
        let key = map_key(name);
        edit(&mut world, &key);
        let changed = WatchChange::Applied(world.server.look(&key).unwrap().into());
        world.deliver(0, Event::Watch(watch_of(&key, &config_maps()), changed));
    }
    for _ in 0..100 {
        world.pass(Duration::from_millis(1));
        assert!(world.processes[0].flights.len() <= 1);
    }
    assert_eq!(world.written, ["apply a", "apply b", "apply c"]);
    let healed = world.told.iter().filter_map(|told| match told {
        Occurrence::Healed(heal) => Some(heal.took),
        _ => None,
    });
    let took: Vec<Duration> = healed.collect();
    assert!(took[0] < took[1] && took[1] < took[2], "{took:?}");
}

#[test]
fn what_a_store_forgot_is_no_loss_and_its_inventories_are_read_anew() {
    let mut world = World::quiet(one(vec![map("a", "1", &[])]));
    let key = map_key("a");
    let then = world.server.look(&key).unwrap();
    edit(&mut world, &key);
    world.pass(SOON);
    // The store is put back to what it held before the heal.
    let watch = watch_of(&key, &config_maps());
    let seen = [
        WatchChange::Rewound,
        WatchChange::Restarted,
        WatchChange::Applied(then.into()),
        WatchChange::Synced,
    ];
    let seen = seen.map(|change| Event::Watch(watch.clone(), change));
    let inventories = world.server.inventories.values().cloned().collect();
    let now = world.now();
    let engine = &mut world.processes[0].engine;
    let writes = |commands: &[Command]| commands.iter().any(|c| matches!(c, Command::Write(_)));
    let commands = engine.handle(seen, now);
    let reads = |command: &Command| matches!(command, Command::ReadInventories);
    assert!(
        commands.iter().any(reads) && !writes(&commands),
        "{commands:?}"
    );
    let commands = engine.handle([Event::Inventories(inventories)], now);
    assert!(!writes(&commands), "{commands:?}");
    assert_eq!(phase(&world), Phase::Running);
}

#[test]
fn a_field_that_was_taken_while_the_manifest_changed_is_taken_back() {
    let mut world = World::quiet(one(vec![map("a", "1", &[])]));
    let key = map_key("a");
    world.want(one(vec![map("a", "2", &[])]));
    while world.processes[0].flights.is_empty() {
        world.pass(Duration::from_micros(100));
    }
    // It lands before our write does.
    edit(&mut world, &key);
    world.pass(LATER);
    assert_eq!(world.server.objects[&key].body["data"]["a"], "2");
}

#[test]
fn a_change_is_told_also_after_a_start_that_knew_nothing_yet() {
    let mut world = World::quiet(one(three()));
    // Before it had a cluster, a daemon kept no bodies.
    let nothing = crate::desired::ObjectBody::empty();
    for object in &mut world.processes[0].engine.objects {
        object.was = Some(nothing.clone());
    }
    world.told.clear();
    world.want(one(vec![map("a", "2", &[])]));
    world.pass(SOON);
    let fields = world.told.iter().find_map(|told| match told {
        Occurrence::Applied { fields, .. } => Some(fields.clone()),
        _ => None,
    });
    let fields = fields.unwrap_or_else(|| panic!("{:?}", world.told));
    assert_eq!(fields[0].path.to_string(), "data.a");
}

#[test]
fn what_was_wanted_and_never_written_is_not_taken_for_what_was_applied() {
    let mut world = World::quiet(one(vec![map("a", "1", &[])]));
    let now = world.now();
    let engine = &mut world.processes[0].engine;
    // It began with another manifest than the one that was applied.
    let position = engine.position(&map_key("a")).unwrap();
    engine.objects[position].desired = map("a", "2", &[]);
    let set = Box::new(one(vec![map("a", "3", &[])]));
    engine.handle([Event::Desired(set)], now);
    let position = engine.position(&map_key("a")).unwrap();
    assert_eq!(engine.objects[position].was, None);
}

#[test]
fn a_stale_event_after_our_own_write_is_no_drift() {
    let mut world = World::quiet(one(three()));
    edit(&mut world, &map_key("a"));
    let stale = world.server.look(&map_key("a")).unwrap();
    world.pass(SOON);
    world.written.clear();
    let watch = watch_of(&map_key("a"), &config_maps());
    let change = WatchChange::Applied(stale.into());
    world.deliver(0, Event::Watch(watch, change));
    world.pass(SOON);
    assert_eq!(world.written, Vec::<String>::new());
}

#[test]
fn an_order_that_was_taken_back_does_not_come_back_by_a_watch_that_is_behind() {
    let mut world = World::quiet(one(three()));
    let order = serde_json::json!({
        "metadata": {"name": instance().orders_name(), "namespace": instance().namespace,
                     "uid": "u", "resourceVersion": "7"},
        "data": {"_all": "{\"order\":\"suspended\"}"},
    });
    let say = |world: &mut World, watch: WatchKey, change: WatchChange| {
        world.deliver(0, Event::Watch(watch, change));
        world.pass(SOON);
    };
    let maps = watch_of(&map_key("a"), &config_maps());
    let orders = orders_of(&instance());
    say(
        &mut world,
        orders.clone(),
        WatchChange::Applied(order.clone().into()),
    );
    assert!(suspended(&world));
    say(
        &mut world,
        orders,
        WatchChange::Deleted(order.clone().into()),
    );
    say(&mut world, maps.clone(), WatchChange::Applied(order.into()));
    assert!(!suspended(&world));
    assert!(maps.may_rest() && !orders_of(&instance()).may_rest());
}

#[test]
fn a_struct_that_is_wanted_empty_is_emptied() {
    let mut dice = super::dice::Dice::new(1);
    let mut world = World::quiet(super::samples::any(&mut dice));
    let key = ObjectKey::new("demo.dev", "Widget", Some("other"), "w");
    let fill = |live: &mut Value| live["data"]["room"]["x"] = "1".into();
    world.server.edit(&key, "kubectl-edit", "", fill);
    world.pass(SOON);
    assert_eq!(
        world.server.objects[&key].body["data"]["room"],
        serde_json::json!({})
    );
}

#[test]
fn what_left_the_set_is_deleted_after_a_quiet_time_and_what_was_copied_is_not() {
    let mut world = World::quiet(one(three()));
    let mut body = world.server.objects[&map_key("c")].body.clone();
    body["metadata"]["name"] = "copied".into();
    let copied = map_key("copied");
    world.server.make(&copied, "kubectl-create", &body).unwrap();
    world.written.clear();
    world.want(one(vec![map("a", "1", &[])]));
    world.pass(Duration::from_secs(4));
    assert_eq!(
        world.written,
        Vec::<String>::new(),
        "not before it was quiet"
    );
    world.pass(SOON);
    world.written.sort();
    assert_eq!(world.written, ["delete b", "delete c"]);
    assert!(world.server.objects.contains_key(&copied));
}

#[test]
fn an_empty_set_deletes_nothing() {
    let mut world = World::quiet(one(three()));
    world.want(one(Vec::new()));
    world.pass(LATER);
    assert_eq!(world.server.objects.len(), 3);
}

#[test]
fn a_watch_that_starts_over_makes_nothing_of_another_kind_seem_gone() {
    let world = World::quiet(one(three()));
    // The next process wants one object less, and one of another kind.
    let mut account = map("account", "1", &[]);
    account.key = ObjectKey::new("", "ServiceAccount", Some("prod"), "account");
    account.resource = Arc::new(Resource {
        kind: "ServiceAccount".into(),
        plural: "serviceaccounts".into(),
        ..(*config_maps()).clone()
    });
    let maps = watch_of(&map_key("a"), &config_maps());
    let accounts = watch_of(&account.key, &account.resource);
    let instance = super::samples::instance();
    let key = super::samples::fingerprints();
    let mut engine = Engine::new(instance, key, Mode::Enforce { run: true });
    let wanted = vec![map("a", "1", &[]), map("b", "1", &["a"]), account];
    let mut events = vec![
        Event::Desired(Box::new(one(wanted))),
        Event::Inventories(world.server.stored().1),
        Event::Cluster(ClusterState::Ready),
        Event::Watch(maps.clone(), WatchChange::Restarted),
    ];
    let there = world
        .server
        .objects
        .values()
        .map(|object| object.shown().into());
    events.extend(there.map(|object| Event::Watch(maps.clone(), WatchChange::Applied(object))));
    events.push(Event::Watch(accounts, WatchChange::Restarted));
    events.push(Event::Watch(maps, WatchChange::Synced));
    engine.handle(events, world.now());
    let leavers = engine.leavers(&"one".into());
    assert_ne!(leavers, [(map_key("c"), Leaver::Gone)]);
}

#[test]
fn a_probe_costs_one_wake_up_however_many_checks_come_between() {
    let mut world = World::quiet(one(three()));
    world.processes[0].woken = 0;
    world.pass(Duration::from_secs(3600));
    let woken = world.processes[0].woken;
    assert!((55..65).contains(&woken), "{woken}");
}

/// Each heal puts off when the inventory is stored; what it was put off from wakes nobody.
#[test]
fn heals_in_a_row_cost_no_wake_up_each() {
    let mut world = World::quiet(one(three()));
    // The next probe is half a minute away.
    world.pass(Duration::from_secs(30));
    world.processes[0].woken = 0;
    world.written.clear();
    for _ in 0..5 {
        for name in ["a", "b", "c"] {
            edit(&mut world, &map_key(name));
            world.pass(Duration::from_millis(200));
        }
    }
    assert_eq!(world.written.len(), 15, "{:?}", world.written);
    let woken = world.processes[0].woken;
    assert!(woken <= 3, "{woken} wake-ups in three seconds");
}
