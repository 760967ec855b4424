//! The plan for reviews: a comment on a change, folded per service, what is risky first. Each line
//! ends with how it was checked and what could be lost.
//!
//! Everything that a cluster or a file says stands in fenced blocks whose fence is longer than any
//! run of backticks inside, one line each, so that nothing can end its block. Outside of them
//! stand only our own words and names whose punctuation is spelled as entities.

use super::super::layout::{safe, shorten};
use super::super::style::Palette;
use super::change::{culprit, lay};
use super::{PlanView, tally, words};
use crate::engine::{Action, Plan, PlannedService, Risk, Step};
use std::fmt::Write as _;

/// Characters that a review comment may have.
const LIMIT: usize = 60_000;
/// Characters that the list of risky steps may take.
const RISKY: usize = 15_000;
/// Characters kept free for what follows the services.
const TAIL: usize = 600;
/// Columns of one value.
const VALUE: usize = 120;
/// Columns of one line.
const LINE: usize = 2_000;

/// The plan for reviews, at most 60,000 characters.
#[must_use]
pub fn markdown(plan: &Plan, view: &PlanView) -> String {
    let mut page = format!("<!-- jsorc:plan {} -->\n", marker(&view.target.instance));
    let sentence = tally::sentence(plan, Palette::PLAIN);
    let _ = writeln!(page, "**jsorc** · {}\n", sentence.replace("   ", " "));
    page.push_str(&fenced(
        "text",
        &[shorten(&view.target.line(), LINE).into_owned()],
    ));
    if plan.differs() {
        page.push_str(&risky(plan));
    }
    let idle = idle(plan);
    let left_out = services(plan, &mut page, LIMIT - TAIL - length(&idle));
    if left_out > 0 {
        let _ = writeln!(page, "\n… and {left_out} more services (`jsorc plan -v`)");
    }
    page.push_str(&idle);
    page
}

/// The steps that a reviewer has to see, before anything else.
fn risky(plan: &Plan) -> String {
    let mut steps: Vec<_> = plan.steps().filter(|(_, step)| rank(step) < 3).collect();
    steps.sort_by_key(|(_, step)| rank(step));
    if steps.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = steps
        .iter()
        .map(|(service, step)| {
            let lead = if step.action == Action::Delete {
                "deletes · "
            } else {
                ""
            };
            let name = words::name(service, step);
            let what = format!("{} · {}/{name}", service.name, step.key.kind);
            line(step, &format!("{what} · {lead}{}", words::note(step)))
        })
        .collect();
    format!(
        "\n**Look at these first**\n\n{}",
        fenced("diff", &fitting(lines, RISKY))
    )
}

fn rank(step: &Step) -> u8 {
    match (step.action, step.risk) {
        (_, Risk::Loss) => 0,
        (Action::Blocked, _) => 1,
        (_, Risk::Restart) => 2,
        _ => 3,
    }
}

/// Writes a part for each service, up to `end`; says how many found no room.
fn services(plan: &Plan, page: &mut String, end: usize) -> usize {
    let changing: Vec<_> = plan
        .services
        .iter()
        .filter(|s| !s.steps.is_empty())
        .collect();
    let whole: Vec<String> = changing.iter().map(|s| part(s, &detailed(s))).collect();
    let room = end.saturating_sub(length(page));
    if whole.iter().map(|part| length(part)).sum::<usize>() <= room {
        page.extend(whole);
        return 0;
    }
    for (position, service) in changing.iter().enumerate() {
        let left = changing.len() - position;
        let share = end.saturating_sub(length(page)) / left;
        let least = length(&part(service, &[])) + 80;
        if end.saturating_sub(length(page)) < least {
            return left;
        }
        page.push_str(&squeezed(service, share.max(least)));
    }
    0
}

/// A service's part with as much detail as fits.
fn squeezed(service: &PlannedService, room: usize) -> String {
    let whole = part(service, &detailed(service));
    if length(&whole) <= room {
        return whole;
    }
    let room = room.saturating_sub(length(&part(service, &[])));
    let brief = brief(service);
    let least = total(&brief);
    let lines = if least > room {
        fitting(brief, room)
    } else {
        partly_detailed(service, room - least)
    };
    part(service, &lines)
}

/// Every step, and the fields of as many of them as `spare` characters take, the risky ones first;
/// of the others, how many lines there are.
fn partly_detailed(service: &PlannedService, spare: usize) -> Vec<String> {
    let steps = by_risk(service);
    let all: Vec<Vec<String>> = steps.iter().map(|step| details(step)).collect();
    let note = |lines: &Vec<String>| {
        let count = super::super::measure::count(lines.len(), "line");
        (!lines.is_empty()).then(|| format!("    … {count} (jsorc plan -v)"))
    };
    let notes: Vec<String> = all.iter().filter_map(note).collect();
    let mut spare = spare.checked_sub(total(&notes));
    let mut lines = Vec::new();
    for (step, details) in steps.into_iter().zip(all) {
        lines.push(headline(service, step));
        let left = spare.and_then(|spare| spare.checked_sub(total(&details)));
        if left.is_some() {
            spare = left;
            lines.extend(details);
        } else if spare.is_some() {
            lines.extend(note(&details));
        }
    }
    lines
}

/// Characters of lines, each with its end.
fn total(lines: &[String]) -> usize {
    lines.iter().map(|line| length(line) + 1).sum()
}

fn part(service: &PlannedService, lines: &[String]) -> String {
    format!(
        "\n<details><summary>{}: {}</summary>\n\n{}\n</details>\n",
        inert(&service.name),
        tally::counts_of(service, Palette::PLAIN),
        fenced("diff", lines),
    )
}

fn by_risk(service: &PlannedService) -> Vec<&Step> {
    let mut steps: Vec<&Step> = service.steps.iter().collect();
    steps.sort_by_key(|step| rank(step));
    steps
}

/// One line for each step.
fn brief(service: &PlannedService) -> Vec<String> {
    by_risk(service)
        .into_iter()
        .map(|step| headline(service, step))
        .collect()
}

/// Each step with its fields and their differences.
fn detailed(service: &PlannedService) -> Vec<String> {
    let mut lines = Vec::new();
    for step in by_risk(service) {
        lines.push(headline(service, step));
        lines.extend(details(step));
    }
    lines
}

/// The fields of a step and their differences.
fn details(step: &Step) -> Vec<String> {
    let mut lines = Vec::new();
    for (change, by) in &step.fields {
        let laid = lay(&step.key, change, VALUE);
        let said = culprit(step, by, None);
        let gap = if said.is_empty() { "" } else { "  " };
        let field = format!("    {}  {}{gap}{said}", change.path, laid.value);
        lines.push(shorten(&safe(&field), LINE).into_owned());
        let diff = laid.diff.iter().map(|(sign, text)| match sign {
            '@' => format!("    {text}"),
            sign => format!("{sign}     {text}"),
        });
        lines.extend(diff.map(|text| shorten(text.trim_end(), LINE).into_owned()));
    }
    lines
}

fn headline(service: &PlannedService, step: &Step) -> String {
    let name = words::name(service, step);
    line(
        step,
        &format!("{}/{name}  {}", step.key.kind, words::note(step)),
    )
}

fn line(step: &Step, text: &str) -> String {
    let whole = format!("{} {}", words::sign(step.action).0, safe(text.trim_end()));
    let (checked, risk) = (words::checked(step.checked), words::risk(step.risk));
    format!("{}  [{checked}, risk: {risk}]", shorten(&whole, LINE))
}

/// As many whole lines as fit into `room` characters, and how many are left.
fn fitting(lines: Vec<String>, room: usize) -> Vec<String> {
    if total(&lines) <= room {
        return lines;
    }
    let mut taken = 0;
    let count = lines.len();
    let mut kept: Vec<String> = lines
        .into_iter()
        .take_while(|line| {
            taken += length(line) + 1;
            taken + 40 <= room
        })
        .collect();
    kept.push(format!("… {} more (jsorc plan -v)", count - kept.len()));
    kept
}

/// Lines in a block that none of them can end.
fn fenced(language: &str, lines: &[String]) -> String {
    let longest = lines.iter().map(|line| backticks(line)).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let mut block = format!("{fence}{language}\n");
    for line in lines {
        block.push_str(line);
        block.push('\n');
    }
    block.push_str(&fence);
    block.push('\n');
    block
}

fn backticks(line: &str) -> usize {
    let runs = line.split(|character| character != '`');
    runs.map(str::len).max().unwrap_or(0)
}

/// The services that have nothing to plan.
fn idle(plan: &Plan) -> String {
    let idle = plan.services.iter().filter(|s| s.steps.is_empty());
    let names: Vec<String> = idle.map(|s| inert(&s.name)).collect();
    if names.is_empty() {
        return String::new();
    }
    let whole = format!("\nNothing to change in: {}.\n", names.join(", "));
    if length(&whole) <= LIMIT / 4 {
        whole
    } else {
        format!("\nNothing to change in {} services.\n", names.len())
    }
}

/// Text that Markdown and HTML take as text.
fn inert(text: &str) -> String {
    let mut inert = String::with_capacity(text.len());
    for character in safe(text).chars() {
        if character.is_ascii_punctuation() && character != '-' {
            let _ = write!(inert, "&#{};", u32::from(character));
        } else {
            inert.push(character);
        }
    }
    inert
}

/// An instance's name inside an HTML comment.
fn marker(instance: &str) -> String {
    let fit =
        |character: &char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.');
    let name: String = instance.chars().filter(fit).take(128).collect();
    name.replace("--", "-")
}

fn length(text: &str) -> usize {
    text.chars().count()
}
