//! A plan for people, programs and reviews.

mod change;
mod foreign;
mod json;
mod lines;
mod markdown;
mod selection;
mod tally;
mod text;
mod words;

use super::style::Palette;
use jiff::Timestamp;

pub(super) use change::{blame, one_line, value};
pub use json::json;
pub(super) use json::{change_json, step_json};
pub use markdown::markdown;
pub use text::text;

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

impl Target {
    /// Server, context, namespace and instance, as far as they are known.
    #[must_use]
    pub fn line(&self) -> String {
        let mut parts: Vec<String> = [&self.server, &self.found]
            .into_iter()
            .filter(|part| !part.is_empty())
            .cloned()
            .collect();
        for (word, value) in [("namespace", &self.namespace), ("instance", &self.instance)] {
            if !value.is_empty() {
                parts.push(format!("{word} {value}"));
            }
        }
        super::layout::safe(&parts.join(" · ")).into_owned()
    }
}

#[cfg(test)]
mod guard;
#[cfg(test)]
mod reviews;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
