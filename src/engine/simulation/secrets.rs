//! What the simulation found about Secrets with made-up values.

use super::faults::Fault;
use super::found::unlabel;
use super::samples::{instance, map, one, secret, secret_key};
use super::world::World;
use crate::engine::{Occurrence, Phase};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const LATER: Duration = Duration::from_secs(200);

fn with_secret() -> World {
    World::quiet(one(vec![map("a", "1", &[]), secret()]))
}

fn recorded_uid(world: &World) -> Option<String> {
    let record = world.server.inventories["one"].records.get(&secret_key())?;
    Some(record.applied.as_ref()?.uid.to_string())
}

fn secret_uid(world: &World) -> Option<String> {
    Some(world.server.objects.get(&secret_key())?.uid.clone())
}

#[test]
fn a_made_up_secret_without_our_label_is_in_order_and_is_made_again_when_it_goes() {
    let mut world = with_secret();
    let uid = secret_uid(&world);
    world
        .server
        .edit(&secret_key(), "kubectl-edit", "", unlabel);
    let before = world.laws.writes;
    world.pass(LATER);
    assert_eq!(world.laws.writes, before, "nothing is to be written");
    let status = world.processes[0].engine.status(world.now());
    assert_eq!(
        status.services[0].phase,
        Phase::Running,
        "{:?}",
        status.services
    );
    assert_eq!(secret_uid(&world), uid);
    world.server.remove(&secret_key());
    world.laws.lost(&secret_key());
    world.pass(SOON);
    assert_ne!(secret_uid(&world), uid);
    assert_eq!(secret_uid(&world), recorded_uid(&world));
}

#[test]
fn a_made_up_secret_whose_answer_was_lost_is_recorded() {
    let mut world = World::quiet(one(vec![map("a", "1", &[])]));
    world.plans.insert(secret_key(), Fault::AnswerLost);
    world.want(one(vec![map("a", "1", &[]), secret()]));
    world.pass(SOON);
    assert!(secret_uid(&world).is_some());
    assert_eq!(secret_uid(&world), recorded_uid(&world));
}

#[test]
fn new_values_restart_their_readers_although_the_answer_was_lost() {
    let mut world = with_secret();
    world.plans.insert(secret_key(), Fault::AnswerLost);
    world.server.remove(&secret_key());
    world.laws.lost(&secret_key());
    world.pass(SOON);
    assert_eq!(secret_uid(&world), recorded_uid(&world));
    let restarted = |told: &Occurrence| matches!(told, Occurrence::Restarted { .. });
    assert_eq!(world.told.iter().filter(|told| restarted(told)).count(), 1);
}

#[test]
fn a_watch_that_was_faster_than_a_refusal_is_believed() {
    let mut world = World::quiet(one(vec![map("a", "1", &[])]));
    world.plans.insert(secret_key(), Fault::ArrivesTwice);
    world.want(one(vec![map("a", "1", &[]), secret()]));
    world.pass(SOON);
    assert_eq!(secret_uid(&world), recorded_uid(&world));
}

/// It was in order before the inventory named it, and nobody looked at it again.
#[test]
fn a_made_up_secret_that_its_maker_never_recorded_is_recorded() {
    let mut world = World::quiet(one(vec![map("a", "1", &[])]));
    let body = secret().body.value().unwrap();
    let identity = instance().identity();
    world.server.make(&secret_key(), &identity, &body).unwrap();
    world.want(one(vec![map("a", "1", &[]), map("b", "1", &[]), secret()]));
    world.pass(SOON);
    assert!(recorded_uid(&world).is_some());
    assert_eq!(recorded_uid(&world), secret_uid(&world));
}
