//! Live progress of `apply --wait`: one line per service.
//!
//! On a terminal the lines are redrawn in place, with a spinner where something is still to come;
//! elsewhere a line is written whenever a service changes its state.

use super::layout::{pad, safe, width};
use super::measure::{span, wait};
use super::status::{colour, note};
use super::style::{Meaning, Palette};
use crate::engine::{Phase, ServiceStatus, Status};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Lines on a terminal that are redrawn in place.
    Live,
    /// One line per change of state.
    Lines,
    /// Not at all.
    Silent,
}

/// Progress on stderr.
#[derive(Debug)]
pub struct Progress {
    board: Board,
    began: Instant,
    manner: Manner,
    live: Option<Live>,
}

impl Progress {
    /// Progress of these services.
    #[must_use]
    pub fn new(manner: Manner, palette: Palette, services: &[impl AsRef<str>]) -> Self {
        let board = Board::new(palette, services);
        let drawn = || Live::drawn_to(&board, ProgressDrawTarget::stderr());
        let live = (manner == Manner::Live).then(drawn);
        Self {
            board,
            began: Instant::now(),
            manner,
            live,
        }
    }

    /// Whether anything is shown: where a status is asked for each answer to thousands of writes, it
    /// costs more than they do.
    #[must_use]
    pub fn shows(&self) -> bool {
        self.manner != Manner::Silent
    }

    /// Shows where the services stand now.
    pub fn update(&mut self, status: &Status) {
        let changed = self.board.take(status, self.began.elapsed());
        match &mut self.live {
            Some(live) => live.show(&self.board),
            None => changed.iter().for_each(|line| self.write_line(line)),
        }
    }

    /// Prints a line above the live ones.
    pub fn print(&mut self, line: &str) {
        match &self.live {
            // A terminal that went away is no reason to stop applying.
            Some(shown) => drop(shown.block.println(line)),
            None => self.write_line(line),
        }
    }

    fn write_line(&self, line: &str) {
        if self.manner != Manner::Silent {
            // A closed stderr is no reason to stop applying.
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        }
    }

    /// Shows where the services stand in the end; the lines stay.
    pub fn finish(mut self, status: &Status) {
        self.update(status);
        if let Some(live) = self.live {
            for bar in live.bars.values() {
                bar.finish();
            }
        }
    }
}

/// The lines on a terminal.
#[derive(Debug)]
struct Live {
    block: MultiProgress,
    bars: BTreeMap<String, ProgressBar>,
}

impl Live {
    const BEAT: Duration = Duration::from_millis(100);

    fn drawn_to(board: &Board, target: ProgressDrawTarget) -> Self {
        let block = MultiProgress::with_draw_target(target);
        let bars = board.names.iter().map(|name| {
            let bar = ProgressBar::new_spinner().with_style(spinner(board.palette));
            let bar = block.add(bar);
            bar.set_message(format!("{}  waiting", pad(name, board.column)));
            (name.clone(), bar)
        });
        Self {
            bars: bars.collect(),
            block,
        }
    }

    fn show(&mut self, board: &Board) {
        for (name, row) in &board.rows {
            let Some(bar) = self.bars.get(name) else {
                continue;
            };
            if row.sign == Sign::Busy {
                bar.set_style(spinner(board.palette));
                bar.enable_steady_tick(Self::BEAT);
            } else {
                bar.disable_steady_tick();
                bar.set_style(still(&board.sign(row.sign)));
            }
            bar.set_message(board.text(name, row));
        }
    }
}

fn spinner(palette: Palette) -> ProgressStyle {
    let template = if palette.is_coloured() {
        "  {spinner:.yellow} {msg}"
    } else {
        "  {spinner} {msg}"
    };
    style(template).tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
}

fn still(sign: &str) -> ProgressStyle {
    style("  {prefix}{msg}").with_key("prefix", {
        let sign = sign.to_owned();
        move |_: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{sign} ");
        }
    })
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// What the lines say, without a terminal and without a clock.
#[derive(Debug)]
struct Board {
    palette: Palette,
    names: Vec<String>,
    column: usize,
    rows: BTreeMap<String, Row>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    phase: Phase,
    sign: Sign,
    objects: String,
    reason: String,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Good,
    Busy,
    Bad,
    Idle,
}

impl Board {
    fn new(palette: Palette, services: &[impl AsRef<str>]) -> Self {
        let names: Vec<String> = services
            .iter()
            .map(|name| name.as_ref().to_owned())
            .collect();
        Self {
            palette,
            column: names.iter().map(|name| width(name)).max().unwrap_or(0),
            names,
            rows: BTreeMap::new(),
        }
    }

    /// Takes a status in; gives the lines of the services whose state changed.
    fn take(&mut self, status: &Status, elapsed: Duration) -> Vec<String> {
        let mut changed = Vec::new();
        for service in &status.services {
            if !self.names.iter().any(|name| **name == *service.name) {
                continue;
            }
            let before = self.rows.get(&*service.name);
            let row = Row::of(service, elapsed, before);
            let same =
                before.is_some_and(|before| before.phase == row.phase && row.repeats(before));
            if !same {
                let sign = self.sign(row.sign);
                changed.push(format!("  {sign} {}", self.text(&service.name, &row)));
            }
            self.rows.insert(service.name.to_string(), row);
        }
        changed
    }

    fn sign(&self, sign: Sign) -> String {
        let (meaning, sign) = match sign {
            Sign::Good => (Meaning::Good, "✓"),
            Sign::Busy => (Meaning::Change, "…"),
            Sign::Bad => (Meaning::Bad, "✗"),
            Sign::Idle => (Meaning::Faint, "–"),
        };
        self.palette.paint(meaning, sign)
    }

    fn text(&self, name: &str, row: &Row) -> String {
        let objects = self.rows.values().map(|row| width(&row.objects));
        let column = objects.max().unwrap_or(0).max(width(&row.objects));
        format!(
            "{}  {}  {}",
            pad(name, self.column),
            pad(&row.objects, column),
            row.text
        )
        .trim_end()
        .to_owned()
    }
}

impl Row {
    /// Whether this says nothing new: while a thousand objects are written, their count is none.
    fn repeats(&self, before: &Self) -> bool {
        let words = |row: &Self| -> String {
            let digit = |c: &char| c.is_ascii_digit();
            row.reason.chars().filter(|c| !digit(c)).collect()
        };
        self.reason == before.reason
            || (self.phase == Phase::Applying && words(self) == words(before))
    }

    fn of(service: &ServiceStatus, elapsed: Duration, before: Option<&Self>) -> Self {
        let sign = match colour(service.phase) {
            Meaning::Good => Sign::Good,
            Meaning::Change => Sign::Busy,
            Meaning::Bad => Sign::Bad,
            _ => Sign::Idle,
        };
        let objects = service.objects.map_or("rerun".to_owned(), |(ready, all)| {
            format!("{ready}/{all} ready")
        });
        let note = safe(&note(service)).into_owned();
        let text = match (sign, before) {
            (Sign::Good, Some(before)) if before.sign == Sign::Good => before.text.clone(),
            (Sign::Good, _) => good(service, elapsed),
            (Sign::Busy, _) => {
                let phase = service.phase.to_string().to_lowercase();
                join(&format!("{phase} {}", wait(service.age)), &note)
            }
            (Sign::Bad, _) => note,
            (Sign::Idle, _) => join(&service.phase.to_string(), &note),
        };
        Self {
            phase: service.phase,
            sign,
            objects,
            reason: service.reason.clone(),
            text,
        }
    }
}

/// How long it took, what the service says, and how fast it answered.
fn good(service: &ServiceStatus, elapsed: Duration) -> String {
    let answered = service.answer.as_ref().map(|(answer, _)| {
        let latency = span(answer.latency);
        if answer.note.is_empty() {
            format!("answered in {latency}")
        } else {
            format!("answered in {latency}: {}", safe(&answer.note))
        }
    });
    match (service.objects.is_some(), answered) {
        (true, Some(answered)) => format!("{}  {answered}", span(elapsed)),
        (true, None) => span(elapsed),
        (false, answered) => answered.unwrap_or_default(),
    }
}

fn join(head: &str, reason: &str) -> String {
    if reason.is_empty() {
        head.to_owned()
    } else {
        format!("{head}: {reason}")
    }
}

#[cfg(test)]
mod tests;
