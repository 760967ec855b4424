//! Everything that people and programs see: plan, status, progress, configuration, errors.
//!
//! Text for people, one documented JSON form for programs, Markdown for reviews. This room decides
//! nothing and does no IO, but for the progress, which writes to stderr.
//!
//! Invariants: colour only repeats what a sign already says; a reason comes last in its line and
//! is never cut; nothing that comes from a cluster or a file can steer a terminal or break out of
//! a Markdown block; a secret's value never arrives here, or is masked before it is laid out.

pub mod configuration;
mod document;
pub mod error;
pub mod graph;
mod heal;
pub mod history;
mod layout;
pub mod measure;
pub mod occurrence;
pub mod plan;
pub mod progress;
#[cfg(test)]
mod samples;
pub mod saved;
pub mod services;
pub mod status;
pub mod style;
pub mod table;

/// The `apiVersion` of every JSON document.
pub const API_VERSION: &str = "jsorc.dev/v1alpha1";

pub use plan::{PlanView, Target};
pub use progress::Progress;
pub use status::StatusView;
pub use style::{Palette, When};
