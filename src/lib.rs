//! jsorc keeps an application's backing services alive on Kubernetes.
//!
//! The rooms, from the bottom up; arrows go one way only:
//!
//! - [`manifest`]: YAML to checked tables by kind; also compiled into the build script.
//! - [`embedded`]: the tables that this binary carries.
//! - [`config`]: layers to one configuration, each value with its origin.
//! - [`desired`]: configuration and tables to the set of objects that ought to be.
//! - [`engine`]: the brain, pure: `(state, event, now) → commands`.
//! - [`cluster`]: hands and eyes; decides nothing.
//! - [`drivers`]: how each kind of service is run and probed.
//! - [`report`]: plan, status and progress, for people and for programs.
//! - [`daemon`]: carries events to the engine and its commands to the hands.
//! - [`api`]: health, metrics and REST over HTTP.
//! - [`cli`]: one file per command.

pub mod api;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod daemon;
pub mod desired;
pub mod drivers;
pub mod embedded;
pub mod engine;
pub mod manifest;
pub mod report;
