//! What the simulation found, each as one example.

use super::faults::Fault;
use super::samples::{config_maps, deployment, map, map_key, one, service, set, three};
use super::server::inventory_key;
use super::world::World;
use crate::desired::instance::INSTANCE_LABEL;
use crate::engine::sight::Sight;
use crate::engine::watches::watch_of;
use crate::engine::{Body, Event, Occurrence, WatchChange, WriteError, Written};
use serde_json::{Value, json};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

/// Takes our label off.
pub(super) fn unlabel(live: &mut Value) {
    let labels = live["metadata"]["labels"].as_object_mut().unwrap();
    labels.shift_remove(INSTANCE_LABEL);
}

/// The law `one-leader` asks of every batch that it begins by storing the inventory.
#[test]
fn a_batch_that_only_removes_begins_by_storing_the_inventory() {
    let mut world = World::quiet(one(three()));
    world.want(one(vec![map("a", "1", &[]), map("b", "1", &["a"])]));
    world.pass(SOON);
    assert_eq!(world.written.last().unwrap(), "delete c");
}

#[test]
fn what_is_deleted_without_our_label_is_not_waited_for_forever() {
    let mut world = World::quiet(one(three()));
    let hold = |live: &mut Value| live["metadata"]["finalizers"] = json!(["demo.dev/hold"]);
    world.server.edit(&map_key("c"), "holder", "", hold);
    world.server.remove(&map_key("c"));
    world
        .server
        .edit(&map_key("c"), "kubectl-edit", "", unlabel);
    world.pass(SOON);
    world.server.edit(&map_key("c"), "holder", "", |live| {
        live["metadata"]
            .as_object_mut()
            .unwrap()
            .shift_remove("finalizers");
    });
    world.laws.lost(&map_key("c"));
    assert!(!world.server.objects.contains_key(&map_key("c")));
    world.pass(SOON);
    assert!(world.server.objects.contains_key(&map_key("c")));
}

/// The law `one-write` counts what is on its way.
#[test]
fn what_leaves_the_set_and_comes_back_is_not_written_while_a_write_is_on_its_way() {
    let mut world = World::quiet(one(three()));
    world.plans.insert(map_key("c"), Fault::ArrivesLate);
    world
        .server
        .edit(&map_key("c"), "kubectl-edit", "", |live| {
            live["data"]["a"] = "theirs".into();
        });
    world.pass(Duration::from_millis(50));
    assert_eq!(world.processes[0].flights.len(), 1);
    world.want(one(vec![map("a", "1", &[]), map("b", "1", &["a"])]));
    world.pass(Duration::from_millis(50));
    world.want(one(three()));
    world.pass(SOON);
    assert_eq!(world.server.objects[&map_key("c")].body["data"]["a"], "1");
}

#[test]
fn a_deletion_of_what_changed_waits_for_the_watch() {
    let mut world = World::quiet(one(three()));
    let maps = watch_of(&map_key("c"), &config_maps());
    let watch = |world: &mut World, stands_still| {
        world.processes[0].streams.get_mut(&maps).unwrap().due = stands_still;
    };
    watch(&mut world, true);
    world
        .server
        .edit(&map_key("c"), "controller", "status", |live| {
            live["status"] = "1".into();
        });
    world.want(one(vec![map("a", "1", &[]), map("b", "1", &["a"])]));
    let before = world.laws.writes;
    world.pass(SOON);
    assert!(
        world.laws.writes - before < 6,
        "{}",
        world.laws.writes - before
    );
    watch(&mut world, false);
    world.call_streams_of(0);
    world.pass(SOON);
    assert_eq!(world.written.last().unwrap(), "delete c");
}

#[test]
fn what_a_watch_does_not_show_is_looked_for_before_it_is_forgotten() {
    let mut world = World::quiet(one(three()));
    let before = world.server.look(&map_key("c")).unwrap();
    world.want(one(vec![map("a", "1", &[]), map("b", "1", &["a"])]));
    world.pass(Duration::from_millis(50));
    let history = WatchChange::Deleted(before.into());
    let maps = watch_of(&map_key("c"), &config_maps());
    world.deliver(0, Event::Watch(maps, history));
    world.pass(SOON);
    assert_eq!(world.written.last().unwrap(), "delete c");
    assert_eq!(world.server.inventories["one"].records.len(), 2);
}

#[test]
fn what_left_while_it_was_deleted_without_our_label_is_forgotten() {
    let mut world = World::quiet(one(three()));
    let hold = |live: &mut Value| live["metadata"]["finalizers"] = json!(["demo.dev/hold"]);
    world.server.edit(&map_key("c"), "holder", "", hold);
    world.server.remove(&map_key("c"));
    world
        .server
        .edit(&map_key("c"), "kubectl-edit", "", unlabel);
    world.pass(SOON);
    world.want(one(vec![map("a", "1", &[]), map("b", "1", &["a"])]));
    world.pass(SOON);
    assert_eq!(world.server.inventories["one"].records.len(), 2);
}

#[test]
fn a_departure_that_an_answer_overtook_is_no_second_loss() {
    let mut world = World::quiet(one(three()));
    let before = world.server.look(&map_key("c")).unwrap();
    world.server.remove(&map_key("c"));
    world.laws.lost(&map_key("c"));
    world.pass(SOON);
    let writes = world.laws.writes;
    let maps = watch_of(&map_key("c"), &config_maps());
    let departure = WatchChange::Deleted(before.into());
    world.deliver(0, Event::Watch(maps, departure));
    world.pass(SOON);
    assert_eq!(world.laws.writes, writes, "it was made anew already");
}

#[test]
fn an_answer_that_is_no_object_is_tried_again() {
    let mut world = World::quiet(one(three()));
    world.plans.insert(map_key("c"), Fault::ArrivesLate);
    world
        .server
        .edit(&map_key("c"), "kubectl-edit", "", |live| {
            live["data"]["a"] = "theirs".into();
        });
    world.pass(Duration::from_millis(50));
    let attempt = world.processes[0].flights[&map_key("c")];
    let page = Body::from("<html>".to_owned().into_boxed_str());
    let object = Written::Object {
        created: false,
        object: page,
    };
    let answer = Event::Wrote {
        key: map_key("c"),
        attempt,
        outcome: Ok(object),
    };
    world.deliver(0, answer);
    world.pass(SOON);
    assert_eq!(world.server.objects[&map_key("c")].body["data"]["a"], "1");
    assert!(world.processes[0].flights.is_empty());
}

/// What an answer shows is judged by itself: a version that is recorded already may have been
/// forged, and was not confirmed by this very request.
#[test]
fn the_evidence_of_our_own_answer_is_read_from_it() {
    let mut world = World::quiet(one(three()));
    let engine = &world.processes[0].engine;
    let position = engine.position(&map_key("c")).unwrap();
    let known = engine.objects[position].record.clone().unwrap();
    let applied = known.applied.clone().unwrap();
    let mut shown = world.server.look(&map_key("c")).unwrap();
    shown["data"]["a"] = "theirs".into();
    let text = shown.to_string();
    let sight = Sight::read(&text).unwrap();
    assert_eq!(applied.version.as_deref(), Some(sight.resource_version()));
    let answered = engine.live(Some(position), None, &sight);
    assert_ne!(answered.evidence, applied.evidence);
    let seen = engine.live(Some(position), Some(&applied), &sight);
    assert_eq!(seen.evidence, applied.evidence);
    world.pass(SOON);
}

/// Each refusal makes the inventories be read again, after which everything is looked at again.
#[test]
fn an_inventory_that_is_refused_for_ever_is_not_tried_for_ever() {
    let mut world = World::quiet(one(vec![map("a", "1", &[])]));
    let key = inventory_key("one");
    world
        .server
        .refuses
        .insert(key.clone(), WriteError::Changed);
    world.want(one(three()));
    world.pass(SOON);
    let refused = |told: &&Occurrence| matches!(told, Occurrence::InventoryRefused { .. });
    assert!((3..12).contains(&world.told.iter().filter(refused).count()));
    world.server.refuses.remove(&key);
    world.pass(SOON);
    assert!(world.server.objects.contains_key(&map_key("c")));
}

/// Nobody stored another inventory, so that what was applied since is still known.
#[test]
fn what_was_applied_is_not_applied_again_because_its_inventory_is_refused() {
    let mut world = World::quiet(one(three()));
    world.server.remove(&map_key("a"));
    world.laws.lost(&map_key("a"));
    world.pass(Duration::from_millis(100));
    assert!(world.server.objects.contains_key(&map_key("a")));
    let key = inventory_key("one");
    world.server.refuses.insert(key, WriteError::Changed);
    let before = world.processes[0].engine.attempts;
    world.pass(SOON);
    let refused = |told: &Occurrence| matches!(told, Occurrence::InventoryRefused { .. });
    assert!(world.told.iter().any(refused));
    assert_eq!(world.processes[0].engine.attempts, before);
}

/// Its first inventory had forgotten it, and it never differed from what is wanted.
#[test]
fn what_moves_away_and_back_before_it_is_written_is_recorded_where_it_is() {
    let two = |objects| service("two", "prod", objects);
    let at_home = || {
        let home = service("one", "prod", vec![map("a", "1", &[]), map("b", "1", &[])]);
        set(vec![home, two(vec![map("c", "1", &[])])])
    };
    let mut world = World::quiet(at_home());
    let denied = WriteError::Invalid("denied by a policy".into());
    world.server.refuses.insert(map_key("b"), denied);
    world.want(set(vec![
        service("one", "prod", vec![map("a", "1", &[])]),
        two(vec![map("b", "2", &[]), map("c", "1", &[])]),
    ]));
    world.pass(SOON);
    world.want(at_home());
    world.pass(SOON);
    let names = |service: &str| {
        let inventory = world.server.inventories.get(service);
        inventory.is_some_and(|inventory| inventory.records.contains_key(&map_key("b")))
    };
    assert!(names("one") && !names("two"));
}

/// Its inventory still named the one that had been deleted, whose place another seemed to have.
#[test]
fn what_was_just_made_again_and_leaves_is_deleted() {
    let mut world = World::quiet(one(three()));
    world.server.remove(&map_key("c"));
    world.laws.lost(&map_key("c"));
    world.pass(Duration::from_millis(200));
    assert!(world.server.objects.contains_key(&map_key("c")));
    world.want(one(vec![map("a", "1", &[]), map("b", "1", &[])]));
    world.pass(SOON);
    assert!(!world.server.objects.contains_key(&map_key("c")));
}

/// What is due a little earlier, here the inventory of what was healed, is no reason to forget the
/// later time.
#[test]
fn the_pods_of_what_stays_unready_are_looked_at_again_and_again() {
    let objects = vec![deployment("web"), map("a", "1", &[])];
    let mut world = World::quiet(one(objects));
    let asked = |world: &World| world.processes[0].asked.len();
    let before = asked(&world);
    world
        .server
        .edit(&map_key("a"), "kubectl-edit", "", |live| {
            live["data"]["a"] = "theirs".into();
        });
    world.pass(Duration::from_secs(31));
    assert_eq!(asked(&world) - before, 7, "{:?}", world.processes[0].asked);
}

/// Nobody but us ever wrote to it; a copy that somebody made has other managers.
#[test]
fn what_was_made_again_without_an_answer_and_leaves_is_deleted() {
    for known in [true, false] {
        let mut world = World::quiet(one(three()));
        if known {
            world.server.remove(&map_key("c"));
            world.laws.lost(&map_key("c"));
        } else {
            world.want(one(vec![map("a", "1", &[]), map("b", "1", &["a"])]));
            world.pass(SOON);
            assert!(!world.server.objects.contains_key(&map_key("c")));
            world.want(one(three()));
        }
        world.plans.insert(map_key("c"), Fault::DoneButRefused);
        world.pass(Duration::from_millis(200));
        assert!(world.server.objects.contains_key(&map_key("c")));
        world.want(one(vec![map("a", "1", &[]), map("b", "1", &["a"])]));
        world.pass(SOON);
        assert!(!world.server.objects.contains_key(&map_key("c")));
        assert!(
            !world.server.inventories["one"]
                .records
                .contains_key(&map_key("c"))
        );
    }
}

/// The answer came while it was wanted again, and nobody asked once more.
#[test]
fn what_is_looked_for_is_wanted_and_leaves_again_is_forgotten() {
    let mut world = World::quiet(one(three()));
    let two = || one(vec![map("a", "1", &[]), map("b", "1", &["a"])]);
    world.server.remove(&map_key("c"));
    world.laws.lost(&map_key("c"));
    world.want(two());
    while world.processes[0].engine.sought.is_empty() {
        world.pass(Duration::from_millis(1));
    }
    let denied = WriteError::Invalid("denied by a policy".into());
    world.server.refuses.insert(map_key("b"), denied);
    world.want(one(vec![
        map("a", "1", &[]),
        map("b", "2", &["a"]),
        map("c", "1", &["b"]),
    ]));
    world.pass(Duration::from_millis(500));
    world.want(two());
    world.pass(SOON);
    let records = &world.server.inventories["one"].records;
    assert!(!records.contains_key(&map_key("c")));
}
