//! What a plan comes to, in one sentence.

use super::super::measure::count;
use super::super::style::Palette;
use super::words;
use crate::engine::{Action, Checked, Plan};

const ACTIONS: [Action; 6] = [
    Action::Create,
    Action::Update,
    Action::Recreate,
    Action::Delete,
    Action::Kept,
    Action::Blocked,
];

/// `25 create, 2 update, 1 kept`, without what is not there.
pub(super) fn counts(plan: &Plan, palette: Palette) -> String {
    join(palette, |action| plan.count(action))
}

/// The same for one service.
pub(super) fn counts_of(service: &crate::engine::PlannedService, palette: Palette) -> String {
    join(palette, |action| {
        let steps = service.steps.iter();
        steps.filter(|step| step.action == action).count()
    })
}

fn join(palette: Palette, number: impl Fn(Action) -> usize) -> String {
    let said = ACTIONS.map(|action| (action, number(action)));
    let said: Vec<String> = said
        .into_iter()
        .filter(|(_, number)| *number > 0)
        .map(|(action, number)| {
            let (_, meaning) = words::sign(action);
            palette.paint(meaning, &format!("{number} {}", words::action(action)))
        })
        .collect();
    said.join(", ")
}

/// The last line of a plan.
pub(super) fn sentence(plan: &Plan, palette: Palette) -> String {
    if plan.differs() {
        let counts = counts(plan, palette);
        return format!("Plan: {counts}.   {}.", checks(plan));
    }
    let rest = match plan.unchanged() {
        1 => "1 object is as it ought to be".to_owned(),
        number => format!("{} are as they ought to be", count(number, "object")),
    };
    match plan.count(Action::Kept) {
        0 => format!("Nothing to do: {rest}."),
        kept => format!("Nothing to do: {rest}, {kept} kept."),
    }
}

/// How the steps were checked, in words.
pub(super) fn checks(plan: &Plan) -> String {
    let number = |checked: Checked| {
        let steps = plan.steps();
        steps.filter(|(_, step)| step.checked == checked).count()
    };
    let mut said = Vec::new();
    let (server, schema, assumed) = (
        number(Checked::Server),
        number(Checked::Schema),
        number(Checked::Assumed),
    );
    if server > 0 {
        said.push(format!("{server} checked by the server"));
    }
    if schema > 0 {
        said.push(format!("{schema} compared by schema, without the server"));
    }
    if assumed > 0 {
        said.push(format!("{assumed} not yet ({} first)", missing(plan)));
    }
    said.join(", ")
}

/// What has to come before the steps that nobody could check.
fn missing(plan: &Plan) -> &'static str {
    let assumed = || {
        let steps = plan.steps().map(|(_, step)| step);
        steps.filter(|step| step.checked == Checked::Assumed)
    };
    let is_new = |namespace: &str| {
        plan.steps().any(|(_, step)| {
            step.action == Action::Create
                && step.key.is("", "Namespace")
                && &*step.key.name == namespace
        })
    };
    let homeless = assumed()
        .filter(|step| step.key.namespace.as_deref().is_some_and(is_new))
        .count();
    match assumed().count() - homeless {
        0 => "their namespace comes",
        _ if homeless == 0 => "their definition comes",
        _ => "their namespace or definition comes",
    }
}
