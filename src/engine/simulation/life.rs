//! One life: a world of one kind or another, in which things go wrong for a while, and then do not.

use super::faults::Fault;
use super::intruders::Mischief;
use super::law::Law;
use super::samples;
use super::world::{Item, World};
use std::time::Duration;

/// It has converged by then, once nothing goes wrong any more: the longest wait after refusals is
/// five minutes.
const PATIENCE: usize = 80;
const MOMENT: Duration = Duration::from_secs(10);

/// Lives one life. Gives the world as it is at its end.
pub fn live(seed: u64, trace: bool) -> World {
    let mut dice = super::dice::Dice::new(seed);
    let mut world = World::new(seed, samples::any(&mut dice));
    world.trace = trace;
    world.leased = dice.chance(600);
    world.fenced = dice.chance(700);
    world.faults.per_mille = [3, 10, 30, 80][dice.roll(4)];
    world.add_process(0);
    if world.leased {
        world.add_process(0);
    }
    let wait = dice.millis(0, 3_000);
    world.plan(wait, Item::Mischief(Box::new(Mischief::Any)));
    for _ in 0..2 + dice.roll(5) {
        let time = dice.millis(200, 10_000);
        world.pass(time);
        upset(&mut world, &mut dice);
    }
    calm(&mut world);
    converge(&mut world);
    stay(&mut world);
    world
}

/// Something larger happens.
fn upset(world: &mut World, dice: &mut super::dice::Dice) {
    let newest = world.sets.len();
    match dice.roll(6) {
        0 => {
            world.faults.count(Fault::Reloaded);
            world.sets.push(samples::any(dice));
            for process in 0..world.processes.len() {
                let wait = dice.millis(0, 3_000);
                world.plan(wait, Item::Reload(process, newest));
            }
        }
        4 => {
            world.faults.count(Fault::PutBack);
            let before = world.sets[newest - 1].clone();
            world.sets.extend([samples::any(dice), before]);
            for process in 0..world.processes.len() {
                let there = dice.millis(0, 3_000);
                let back = there + dice.millis(0, 60);
                world.plan(there, Item::Reload(process, newest));
                world.plan(back, Item::Reload(process, newest + 1));
            }
        }
        1 if world.leased => {
            world.faults.count(Fault::RolledOut);
            world.sets.push(samples::any(dice));
            let old = 0..world.processes.len();
            world.add_process(newest);
            for process in old {
                let wait = dice.millis(0, 25_000);
                world.plan(wait, Item::Retire(process));
            }
        }
        2 | 3 if world.leased => {
            let process = dice.roll(world.processes.len());
            world.faults.count(Fault::Pause);
            let until = world.clock + dice.millis(1_000, 40_000);
            world.note(|| format!("{process} stands still until {until:?}"));
            world.processes[process].paused_until = until;
        }
        _ => {}
    }
}

/// From now on nothing goes wrong; what was begun comes to its end.
fn calm(world: &mut World) {
    world.faults.per_mille = 0;
    let newest = world.sets.len() - 1;
    world.note(|| "calm".to_owned());
    // What is late has arrived, and who was to go is gone.
    world.pass(Duration::from_secs(30));
    for process in 0..world.processes.len() {
        if !world.processes[process].retired && world.processes[process].wants != newest {
            world.reload(process, newest);
        }
    }
}

fn converge(world: &mut World) {
    let mut reason = None;
    for _ in 0..PATIENCE {
        world.pass(MOMENT);
        reason = world.unfinished();
        if reason.is_none() {
            break;
        }
    }
    let said = reason.map(|reason| format!("{reason}{}", world.standings()));
    world.laws.hold(Law::Converges, said.is_none(), || {
        format!(
            "after {PATIENCE} checks, {}",
            said.clone().unwrap_or_default()
        )
    });
}

fn stay(world: &mut World) {
    // What was healed is stored within half a minute.
    world.pass(Duration::from_secs(35));
    let before = (world.server.version, world.laws.writes);
    world.pass(Duration::from_secs(65));
    let after = (world.server.version, world.laws.writes);
    world.laws.hold(Law::Stays, before == after, || {
        format!("it goes on writing: version and requests {before:?} became {after:?}")
    });
    let reason = world.unfinished();
    world.laws.hold(Law::Stays, reason.is_none(), || {
        format!(
            "it was as wanted, and then {}",
            reason.clone().unwrap_or_default()
        )
    });
    world.judge_receipts();
    world.judge_reports();
    let server = std::mem::take(&mut world.server);
    world.laws.judge_foreign(&server);
    world.server = server;
}
