//! A plan for people, programs and reviews.

use super::style::Palette;
use crate::engine::Plan;
use jiff::Timestamp;
use serde_json::Value;

/// How a plan is shown.
#[derive(Clone, Debug)]
pub struct PlanView {
    /// What it was made for.
    pub target: Target,
    /// Everything, in full.
    pub verbose: bool,
    /// Only the first line and the last ones.
    pub quiet: bool,
    /// Columns of the terminal; `None` when it goes elsewhere.
    pub width: Option<usize>,
    /// Colour or plain.
    pub palette: Palette,
    /// The time of day.
    pub now: Timestamp,
    /// The command that carries the plan out, when one is to be suggested.
    pub apply: Option<String>,
}

/// What a plan was made for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The server's address.
    pub server: String,
    /// Where it was found: `context kind-dev`, `in-cluster`.
    pub found: String,
    /// The default namespace.
    pub namespace: String,
    /// The instance's name.
    pub instance: String,
}

/// The plan for people; ends with a line feed.
#[must_use]
pub fn text(plan: &Plan, view: &PlanView) -> String {
    let _ = (plan, view);
    String::new()
}

/// The plan for programs: `kind: Plan`. Unchanged objects are steps only when `verbose`.
#[must_use]
pub fn json(plan: &Plan, view: &PlanView) -> Value {
    let _ = (plan, view);
    Value::Null
}

/// The plan for reviews, at most 60,000 characters.
#[must_use]
pub fn markdown(plan: &Plan, view: &PlanView) -> String {
    let _ = (plan, view);
    String::new()
}
