//! Which steps of a service are shown: all that a person should look at, a few of the many that
//! are alike.

use super::words;
use crate::engine::{Action, PlannedService, Step};

/// Up to so many steps of one sort are shown in full.
const FEW: usize = 5;
/// Of more than that, so many.
const SAMPLE: usize = 3;

/// A line in a service's part of the plan.
#[derive(Debug)]
pub(super) enum Row<'a> {
    /// A step.
    Step(&'a Step),
    /// So many more steps that are alike.
    Folded(String),
}

/// The rows of a service, in the order of its steps.
pub(super) fn rows(service: &PlannedService, verbose: bool) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for (position, step) in service.steps.iter().enumerate() {
        let alike = |other: &&Step| are_alike(step, other);
        let many = service.steps.iter().filter(alike).count();
        if verbose || many <= FEW {
            rows.push(Row::Step(step));
            continue;
        }
        match service.steps[..position].iter().filter(alike).count() {
            before if before < SAMPLE => rows.push(Row::Step(step)),
            SAMPLE => rows.push(Row::Folded(folded(service, step, many - SAMPLE))),
            _ => {}
        }
    }
    rows
}

/// Only plain creations and objects blocked or kept for one and the same reason are alike.
fn are_alike(one: &Step, other: &Step) -> bool {
    let creates = words::is_plain_create(one) && words::is_plain_create(other);
    let blocked = one.action == Action::Blocked && other.action == Action::Blocked;
    let kept = one.action == Action::Kept && other.action == Action::Kept;
    creates || ((blocked || kept) && one.reason == other.reason)
}

fn folded(service: &PlannedService, step: &Step, more: usize) -> String {
    let what = match step.action {
        Action::Blocked => "blocked for the same reason",
        Action::Kept => "kept for the same reason",
        _ => "to create",
    };
    format!("… {more} more {what} (jsorc plan {} -v)", service.name)
}
