//! What stands in the way of a write: a refusal that passes, or a volume to which somebody gave
//! another source, beside which the server does not take ours.

use super::dice::Dice;
use super::fields::ITEM;
use super::intruders::other_source;
use super::samples::{any, fingerprints, instance};
use super::world::World;
use crate::desired::instance::INSTANCE_LABEL;
use crate::desired::{DesiredSet, ObjectBody, ObjectKey};
use crate::engine::{
    Blame, ClusterState, Command, Engine, Event, Mode, Occurrence, Verb, WatchChange, WriteError,
};
use serde_json::{Value, json};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

fn key() -> ObjectKey {
    ObjectKey::new("demo.dev", "Widget", Some("other"), "w")
}

fn wanted() -> DesiredSet {
    any(&mut Dice::new(1))
}

/// The same set with another size of the widget.
fn resized() -> DesiredSet {
    let mut set = wanted();
    for service in &mut set.services {
        let Some(widget) = service.objects.iter_mut().find(|o| o.key == key()) else {
            continue;
        };
        let mut body = widget.body.value().unwrap();
        body["data"]["size"] = "9".into();
        widget.digest = fingerprints().of(&body);
        widget.body = ObjectBody::of(&body);
        service.source = Some(widget.digest);
    }
    set
}

fn spoil(world: &mut World) {
    world.server.edit(&key(), "kubectl-edit", "", other_source);
}

fn unlabel(world: &mut World) {
    world
        .server
        .edit(&key(), "kubectl-edit", "", super::found::unlabel);
}

fn observe(world: &mut World, moment: u64) {
    world.server.edit(&key(), "controller", "status", |live| {
        live["status"] = moment.into();
    });
}

fn data(world: &World) -> Value {
    world.server.objects[&key()].body["data"].clone()
}

fn volumes() -> Value {
    json!([{"name": ITEM, "emptyDir": {}}])
}

/// The patch was for a version that was no more, and what the watch had shown since was thrown away.
#[test]
fn it_is_cleared_whenever_the_controller_writes() {
    for wait in 0..40 {
        let mut world = World::quiet(wanted());
        spoil(&mut world);
        world.pass(Duration::from_millis(wait));
        observe(&mut world, wait);
        world.pass(SOON);
        assert_eq!(data(&world)["volumes"], volumes(), "{wait} ms");
    }
}

/// The manifest's change was the cause, and only a difference was cleared.
#[test]
fn it_is_cleared_when_the_manifest_changes_too() {
    let mut world = World::quiet(wanted());
    let denied = WriteError::Forbidden("not allowed".into());
    world.server.refuses.insert(key(), denied);
    spoil(&mut world);
    world.pass(Duration::from_secs(1));
    world.want(resized());
    world.server.refuses.clear();
    world.pass(SOON);
    assert_eq!(data(&world)["volumes"], volumes());
    assert_eq!(data(&world)["size"], "9");
}

/// No watch shows such an object, so it has to be looked for.
#[test]
fn it_is_cleared_in_an_object_without_our_label() {
    let mut world = World::quiet(wanted());
    unlabel(&mut world);
    spoil(&mut world);
    world.pass(SOON);
    assert_eq!(data(&world)["volumes"], volumes());
    let live = &world.server.objects[&key()];
    assert!(live.label(INSTANCE_LABEL).is_some());
}

/// The patch was for one version of the object, of which there was another one each time; after three
/// tries in a row the next one was half a minute away.
#[test]
fn a_controller_that_writes_all_the_time_does_not_delay_it() {
    for unlabelled in [false, true] {
        let mut world = World::quiet(wanted());
        if unlabelled {
            unlabel(&mut world);
        }
        spoil(&mut world);
        for moment in 0..1_000 {
            world.pass(Duration::from_millis(2));
            observe(&mut world, moment);
        }
        assert_eq!(data(&world)["volumes"], volumes(), "{unlabelled}");
    }
}

/// Each look brings news then; the law `no-hot-loop` counts what follows.
#[test]
fn somebody_who_spoils_it_all_the_time_is_not_followed_without_end() {
    let mut world = World::quiet(wanted());
    unlabel(&mut world);
    for moment in 0..4_000 {
        world.server.edit(&key(), "kubectl-edit", "", |live| {
            live["data"]["volumes"] =
                json!([{"name": ITEM, "hostPath": {"path": format!("/{moment}")}}]);
        });
        world.pass(Duration::from_millis(2));
    }
    world.pass(Duration::from_secs(120));
    assert_eq!(data(&world)["volumes"], volumes());
}

/// What it was like before was forgotten with the first try.
#[test]
fn a_heal_that_was_refused_at_first_names_the_fields_and_the_intruder() {
    let mut world = World::quiet(wanted());
    let denied = WriteError::Forbidden("not allowed".into());
    world.server.refuses.insert(key(), denied);
    world.server.edit(&key(), "kubectl-edit", "", |live| {
        live["data"]["size"] = "theirs".into();
    });
    world.pass(Duration::from_secs(1));
    world.server.refuses.clear();
    world.pass(SOON);
    let heal = world.told.iter().find_map(|told| match told {
        Occurrence::Healed(heal) => Some(heal),
        _ => None,
    });
    let heal = heal.unwrap();
    assert!(matches!(&heal.by, Blame::Manager(name, _) if name == "kubectl-edit"));
    assert_eq!(heal.fields[0].path.to_string(), "data.size");
}

/// A plan says what an apply would do, not that it would be refused.
#[test]
fn a_plan_clears_it_too() {
    let mut world = World::quiet(wanted());
    world.processes[0].alive = false;
    unlabel(&mut world);
    spoil(&mut world);
    let mode = Mode::Observe { rehearse: true };
    let mut engine = Engine::new(instance(), fingerprints(), mode);
    let now = world.now();
    let mut commands = engine.handle(
        [
            Event::Desired(Box::new(wanted())),
            Event::Inventories(world.server.stored().1),
            Event::Cluster(ClusterState::Ready),
        ],
        now,
    );
    let mut verbs = Vec::new();
    while !commands.is_empty() {
        let mut events = Vec::new();
        for command in commands {
            match command {
                Command::Watch(watches) => events.extend(watches.into_iter().flat_map(|watch| {
                    [WatchChange::Restarted, WatchChange::Synced]
                        .map(|c| Event::Watch(watch.clone(), c))
                })),
                Command::Look(keys) => events.extend(keys.into_iter().map(|(key, _)| {
                    let found = world.server.look(&key).map(Box::new);
                    Event::Looked(key, Ok(found))
                })),
                Command::Write(write) if write.key == key() => {
                    let outcome = match &write.verb {
                        Verb::Apply { .. } => Err(WriteError::Invalid("two sources".into())),
                        _ => Err(WriteError::Forbidden("enough".into())),
                    };
                    verbs.push(write.verb);
                    let (key, attempt) = (write.key, write.attempt);
                    events.push(Event::Wrote {
                        key,
                        attempt,
                        outcome,
                    });
                }
                _ => {}
            }
        }
        commands = engine.handle(events, now);
    }
    let Some(Verb::Amend {
        patch,
        dry_run: true,
    }) = verbs.last()
    else {
        panic!("{verbs:?}")
    };
    assert!(patch.contains("/data/volumes/0"));
}
