//! The laws.

use std::fmt;

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// Once nothing goes wrong any more, what is wanted is there, and the inventories are exact.
    Converges,
    /// From then on nothing is written.
    Stays,
    /// Nothing is deleted but the recorded uid of what is not wanted, and nothing of others is
    /// touched.
    NoStaleDelete,
    /// What was made once is not made again unless it was lost, and keeps its made-up values.
    OneCreate,
    /// One write in flight per object, and none before the inventory names it.
    OneWrite,
    /// A deposed leader begins nothing.
    OneLeader,
    /// What is refused is tried less and less.
    NoHotLoop,
    /// A receipt that is found to hold is true, and what a plan comes to is what it says.
    Honest,
    /// The reports of a service's phases form a chain, a phase that is passed through is reported only
    /// when it lasts, and the last report is true.
    Reports,
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Converges => "converges",
            Self::Stays => "stays",
            Self::NoStaleDelete => "no-stale-delete",
            Self::OneCreate => "one-create",
            Self::OneWrite => "one-write",
            Self::OneLeader => "one-leader",
            Self::NoHotLoop => "no-hot-loop",
            Self::Honest => "honest",
            Self::Reports => "reports",
        })
    }
}
