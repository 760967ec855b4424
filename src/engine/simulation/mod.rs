//! The engine against a model of an API server, with a seeded scheduler and everything that can go
//! wrong: one or more processes, a Lease, a network that loses, delays and repeats, watches that lag
//! and start over, and others who change what is ours.
//!
//! A life begins with nothing, is full of faults for a while, and then goes on without any. The laws
//! ([`laws::Law`]):
//! - `converges`: what is wanted comes about within bounded time, and the inventories are exact;
//! - `stays`: from then on nothing is written, and no version moves;
//! - `no-stale-delete`: nothing is deleted but the recorded uid of what its deleter does not want,
//!   and nothing of others is touched;
//! - `one-create`: what was made is made again only if it was lost, and made-up values stay;
//! - `one-write`: one write in flight per object and process, and none before the stored inventory
//!   names the object;
//! - `one-leader`: a deposed leader begins nothing; without a fence, no batch and no deletion, since
//!   each begins by storing an inventory;
//! - `no-hot-loop`: what is refused is tried less and less;
//! - `reports`: the reports of a service's phases form a chain, a phase that a service passes through
//!   is reported only when it lasts, and at the end the last report is true.
//!
//! The same seed gives the same life. A failure names its law and its seed:
//!
//! ```text
//! JSORC_SIMULATION_SEED=7 cargo test --lib engine::simulation -- --nocapture
//! ```
//!
//! tells that life event by event. `JSORC_SIMULATION_SEEDS=N` lives so many. That the laws notice is
//! shown by `tests/mutants`: each of its changes to the engine breaks the law that it names.

mod away;
mod carrying;
mod dice;
mod election;
mod ending;
mod examples;
mod faults;
mod fields;
mod found;
mod intruders;
mod law;
mod laws;
mod life;
mod network;
mod object;
mod obstacles;
mod process;
mod receipts;
mod reports;
pub(super) mod samples;
mod secrets;
mod server;
mod serving;
mod starts;
mod stream;
mod telling;
mod world;

use faults::Fault;
use law::Law;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// So many lives are lived by the usual run.
const SEEDS: u64 = 2_000;

#[test]
fn the_laws_hold_whatever_happens() {
    let number = |name| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    if let Some(seed) = number("JSORC_SIMULATION_SEED") {
        return drop(life::live(seed, true));
    }
    let seeds = number("JSORC_SIMULATION_SEEDS").unwrap_or(SEEDS);
    let begun = Instant::now();
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let total = std::thread::scope(|scope| {
        let each: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| lives(&next, seeds)))
            .collect();
        let each = each.into_iter().map(|lives| lives.join().unwrap());
        each.fold(Tally::default(), Tally::and)
    });
    println!("{seeds} lives in {:.1?}", begun.elapsed());
    println!("{total}");
    let missing = faults::ALL
        .iter()
        .find(|fault| !total.faults.contains_key(fault));
    assert!(
        missing.is_none() || seeds < SEEDS,
        "never struck: {missing:?}"
    );
}

/// Lives lives until enough are lived, by this thread and others.
fn lives(next: &AtomicU64, seeds: u64) -> Tally {
    let mut tally = Tally::default();
    let _last = Last { next, seeds };
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= seeds {
            return tally;
        }
        let world = life::live(seed, false);
        tally = tally.and(Tally {
            faults: world.faults.struck,
            laws: world.laws.checked,
        });
    }
}

/// Lets the other threads end when one has found something.
struct Last<'a> {
    next: &'a AtomicU64,
    seeds: u64,
}

impl Drop for Last<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.next.store(self.seeds, Ordering::Relaxed);
        }
    }
}

/// What struck, and what was checked.
#[derive(Default)]
struct Tally {
    faults: BTreeMap<Fault, u64>,
    laws: BTreeMap<Law, u64>,
}

impl Tally {
    fn and(mut self, other: Self) -> Self {
        for (fault, times) in other.faults {
            *self.faults.entry(fault).or_default() += times;
        }
        for (law, times) in other.laws {
            *self.laws.entry(law).or_default() += times;
        }
        self
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (fault, times) in &self.faults {
            writeln!(f, "  {:<16} struck {times} times", format!("{fault:?}"))?;
        }
        for (law, times) in &self.laws {
            writeln!(f, "  {:<16} checked {times} times", law.to_string())?;
        }
        Ok(())
    }
}
