//! A server that is away while there is something to write.

use super::faults::Fault;
use super::samples::{config_maps, map, map_key, one};
use super::world::World;
use crate::desired::DesiredSet;
use crate::engine::watches::watch_of;
use crate::engine::{Event, Occurrence, WatchChange};
use std::time::Duration;

const MOMENT: Duration = Duration::from_millis(50);

fn names() -> impl Iterator<Item = String> {
    (0..40).map(|number| format!("m{number}"))
}

fn wanted(value: &str) -> DesiredSet {
    one(names().map(|name| map(&name, value, &[])).collect())
}

/// For some time no write is taken.
fn turn_away(world: &mut World, fault: Fault, time: Duration) {
    let end = world.clock + time;
    while world.clock < end {
        world.plans = names().map(|name| (map_key(&name), fault)).collect();
        world.pass(MOMENT);
    }
    world.plans.clear();
}

fn is_written(world: &World, name: &str) -> bool {
    world.server.objects[&map_key(name)].body["data"]["a"] == "2"
}

/// A line for each object and try was printed: thousands within seconds.
#[test]
fn what_is_refused_in_the_same_words_is_told_once_and_then_with_their_number() {
    let mut world = World::quiet(wanted("1"));
    world.want(wanted("2"));
    turn_away(&mut world, Fault::Busy, Duration::from_secs(8));
    world.pass(Duration::from_secs(20));
    let refused = |told: &Occurrence| match told {
        Occurrence::Refused { others, .. } => Some(*others),
        _ => None,
    };
    let others: Vec<usize> = world.told.iter().filter_map(refused).collect();
    let all = names().count();
    assert!(others.len() >= 3 && others.len() <= 8, "{others:?}");
    assert_eq!(others[0], 0, "{others:?}");
    assert!(others.contains(&(all - 1)), "{others:?}");
    assert!(names().all(|name| is_written(&world, &name)));
}

/// A server that was away for minutes had its objects rest for up to a minute more.
#[test]
fn what_got_no_answer_is_tried_again_as_soon_as_the_server_speaks() {
    let mut world = World::quiet(wanted("1"));
    world.want(wanted("2"));
    turn_away(&mut world, Fault::NeverArrives, Duration::from_secs(180));
    // The answer to a write that is on its way is waited for.
    while !world.processes[0].flights.is_empty() {
        turn_away(&mut world, Fault::NeverArrives, MOMENT);
    }
    assert!(!names().any(|name| is_written(&world, &name)));
    let maps = watch_of(&map_key("m0"), &config_maps());
    let gone = WatchChange::Lost("connection refused".into());
    for change in [gone, WatchChange::Resumed] {
        world.deliver(0, Event::Watch(maps.clone(), change));
    }
    world.pass(MOMENT);
    assert!(names().all(|name| is_written(&world, &name)));
}
