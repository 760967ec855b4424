//! The one integration binary: everything in it runs against real programs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper that fails is the failure of its test"
)]

mod additions;
mod adopt;
mod artefact;
mod children;
mod clocks;
mod credentials;
mod database;
mod delete;
mod deploy;
mod drift;
mod drivers;
mod export;
mod faults;
mod files;
mod finding;
mod graph;
mod hazards;
mod history;
mod instances;
mod intruders;
mod key;
mod leader;
mod lines;
mod manifest;
mod messages;
mod order;
mod original;
mod outage;
mod ownership;
mod protection;
mod prune_cap;
mod release;
mod requests;
mod restored;
mod review;
mod rig;
mod rollback;
mod soak;
mod stale;
mod starts;
mod support;
mod suspend;
mod unchanged;
mod unscheduled;
mod workers;
