//! What an apply did, and how its story ends: what was applied, what is not ready yet, and how to
//! follow that.

use super::arguments::Output;
use super::context::Context;
use super::failure::Failure;
use crate::engine::{Action, Occurrence, Phase, PlanSummary, Status};
use crate::report::measure::wait;
use crate::report::style::{Meaning, Palette};
use crate::report::table::{Cell, Table};
use serde_json::{Value, json};
use std::time::Duration;

/// What an apply did.
#[derive(Default)]
pub(super) struct Tally {
    created: usize,
    updated: usize,
    deleted: usize,
    /// Writes that the server refused.
    pub(super) refused: usize,
}

/// How it came out.
pub(super) struct Outcome<'a> {
    /// What was planned.
    pub(super) summary: &'a PlanSummary,
    /// Objects that a person has to decide about.
    pub(super) blocked: usize,
    /// Where the services stand.
    pub(super) status: &'a Status,
    /// Whether they were started and probed.
    pub(super) waited: bool,
    /// After how long it was waited no more.
    pub(super) gave_up: Option<Duration>,
}

impl Tally {
    /// Counts what happened.
    pub(super) fn count(&mut self, occurrence: &Occurrence) {
        match occurrence {
            Occurrence::Applied { created: true, .. } => self.created += 1,
            Occurrence::Applied { .. } | Occurrence::Healed(_) => self.updated += 1,
            Occurrence::Pruned { .. } => self.deleted += 1,
            Occurrence::Refused { .. } => self.refused += 1,
            _ => {}
        }
    }

    /// Prints the result.
    pub(super) fn print(&self, context: &Context, outcome: &Outcome<'_>) -> Result<(), Failure> {
        if context.output == Output::Text || context.output == Output::Markdown {
            let text = self.sentence(outcome) + &story(outcome, context.palette, context.width);
            return context.print(Default::default, || text);
        }
        context.print(|| self.json(outcome), String::new)
    }

    fn sentence(&self, outcome: &Outcome<'_>) -> String {
        let unchanged = outcome.summary.unchanged();
        let kept = outcome.summary.count(Action::Kept);
        if self.created + self.updated + self.deleted + outcome.blocked == 0 {
            return match unchanged {
                0 => "Nothing to apply.\n".to_owned(),
                1 => "Nothing to do: 1 object is as it ought to be.\n".to_owned(),
                _ => format!("Nothing to do: {unchanged} objects are as they ought to be.\n"),
            };
        }
        let counts = [
            (self.created, "created"),
            (self.updated, "updated"),
            (self.deleted, "deleted"),
            (unchanged, "unchanged"),
            (kept, "kept"),
            (outcome.blocked, "blocked"),
        ];
        let said: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        format!("Applied: {}.\n", said.join(", "))
    }

    fn json(&self, outcome: &Outcome<'_>) -> Value {
        let not_ready: Vec<Value> = unready(outcome)
            .map(|(name, phase, reason)| json!({"service": name, "phase": phase, "reason": reason}))
            .collect();
        json!({
            "apiVersion": "jsorc.dev/v1alpha1", "kind": "Applied",
            "summary": {"created": self.created, "updated": self.updated, "deleted": self.deleted,
                        "unchanged": outcome.summary.unchanged(), "kept": outcome.summary.count(Action::Kept), "blocked": outcome.blocked},
            "not_ready": not_ready,
        })
    }
}

/// The services that are not ready, and why. Without objects they count only where they were waited
/// for: nothing else starts them.
fn unready<'a>(outcome: &Outcome<'a>) -> impl Iterator<Item = (&'a str, Phase, &'a str)> {
    let waited = outcome.waited;
    let services = outcome.status.services.iter();
    services
        .filter(move |service| waited || service.objects.is_some())
        .filter(|service| !service.phase.is_settled() && service.phase != Phase::Orphaned)
        .map(|service| (&*service.name, service.phase, service.reason.as_str()))
}

/// What is still to come, and how to follow it; nothing where everything was waited for.
fn story(outcome: &Outcome<'_>, palette: Palette, width: Option<usize>) -> String {
    let mut table = Table::new(2);
    for (name, _, reason) in unready(outcome) {
        table.row([Cell::new(Meaning::Strong, name), reason.into()]);
    }
    let rows = table.render(palette, width);
    if rows.is_empty() {
        return String::new();
    }
    let (when, more) = match outcome.gave_up {
        Some(after) => (
            format!("after {}", wait(after)),
            "--timeout gives them longer",
        ),
        None => (
            "yet".to_owned(),
            "jsorc apply --wait waits until the services answer",
        ),
    };
    format!("Not ready {when}:\n{rows}Follow it with: jsorc status --watch   ({more})\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{ClusterState, ServiceStatus};
    use std::time::Duration;

    fn service(name: &str, phase: Phase, objects: Option<(usize, usize)>) -> ServiceStatus {
        ServiceStatus {
            name: name.into(),
            phase,
            since: jiff::Timestamp::UNIX_EPOCH,
            age: Duration::ZERO,
            reason: "Deployment/web 0/1 available".into(),
            hint: None,
            objects,
            answer: None,
            answers: false,
            retry: None,
            problems: Vec::new(),
            suspended: Vec::new(),
            kept: Vec::new(),
        }
    }

    #[test]
    fn the_story_ends_with_what_is_not_ready() {
        let mut status = Status {
            services: vec![
                service("cache", Phase::Running, Some((2, 2))),
                service("mail", Phase::Waiting, None),
                service("web", Phase::Settling, Some((1, 2))),
            ],
            watched_kinds: 2,
            synced: true,
            unwatched: None,
            cluster: ClusterState::Ready,
            last_heal: None,
            drifts: Vec::new(),
        };
        let summary = PlanSummary::default();
        let told = |status: &Status, waited, gave_up| {
            let outcome = Outcome {
                summary: &summary,
                blocked: 0,
                status,
                waited,
                gave_up,
            };
            story(&outcome, Palette::PLAIN, None)
        };
        assert_eq!(
            told(&status, false, None),
            "Not ready yet:\n  web  Deployment/web 0/1 available\nFollow it with: jsorc status --watch   (jsorc apply --wait waits until the services answer)\n"
        );
        assert_eq!(
            told(&status, true, Some(Duration::from_secs(8))),
            "Not ready after 8 s:\n  mail  Deployment/web 0/1 available\n  web   Deployment/web 0/1 available\nFollow it with: jsorc status --watch   (--timeout gives them longer)\n"
        );
        status.services.pop();
        assert_eq!(told(&status, false, None), "");
        status.services.pop();
        assert_eq!(told(&status, true, None), "");
    }
}
