//! The plan for people.

use super::super::layout::{pad, safe, width};
use super::super::style::Meaning;
use super::change::{culprit, lay};
use super::selection::{Row, rows};
use super::{PlanView, foreign, tally, words};
use crate::engine::{Action, Plan, PlannedService, Step};
use std::fmt::Write as _;

/// Names beyond this width push only their own line.
const WIDEST_NAME: usize = 40;
/// Columns for one value where the terminal's width does not say otherwise.
const WIDEST_VALUE: usize = 60;
/// So many fields of a step are shown.
const FIELDS: usize = 10;
/// So many lines of a diff are shown.
const DIFF_LINES: usize = 30;

/// The plan for people; ends with a line feed.
#[must_use]
pub fn text(plan: &Plan, view: &PlanView) -> String {
    let mut page = Page {
        out: String::new(),
        view,
        shown: Vec::new(),
        kind: 0,
        name: 0,
        shortened: false,
    };
    let _ = writeln!(
        page.out,
        "{}",
        view.palette.paint(Meaning::Strong, &view.target.line())
    );
    if !view.quiet {
        page.measure(plan);
        page.services();
        page.others(plan);
    }
    page.end(plan);
    page.out
}

struct Page<'a> {
    out: String,
    view: &'a PlanView,
    shown: Vec<(&'a PlannedService, Vec<Row<'a>>)>,
    kind: usize,
    name: usize,
    shortened: bool,
}

impl<'a> Page<'a> {
    /// Selects what is shown and measures its columns.
    fn measure(&mut self, plan: &'a Plan) {
        let verbose = self.view.verbose;
        let tells = |s: &&PlannedService| !s.steps.is_empty() || (verbose && !s.foreign.is_empty());
        let changing = plan.services.iter().filter(tells);
        self.shown = changing
            .map(|service| (service, rows(service, self.view.verbose)))
            .collect();
        for (service, rows) in &self.shown {
            for row in rows {
                if let Row::Step(step) = row {
                    let name = width(&words::name(service, step));
                    self.kind = self.kind.max(width(&step.key.kind));
                    self.name = self.name.max(name.min(WIDEST_NAME));
                }
            }
        }
    }

    fn services(&mut self) {
        for (service, rows) in std::mem::take(&mut self.shown) {
            let palette = self.view.palette;
            let title = palette.paint(Meaning::Strong, &service.name);
            let _ = write!(self.out, "\n{title} · namespace {}", service.namespace);
            if self.view.verbose && !service.unchanged.is_empty() {
                let _ = write!(self.out, " · {} unchanged", service.unchanged.len());
            }
            self.out.push('\n');
            if let Some(why) = &service.suspended {
                let line = format!("{}: nothing of it is applied", safe(why));
                let line = palette.paint(Meaning::Strong, &line);
                let _ = writeln!(self.out, "  ! {line}");
            }
            for row in rows {
                match row {
                    Row::Step(step) => self.step(service, step),
                    Row::Folded(line) => {
                        let line = palette.paint(Meaning::Faint, &line);
                        let _ = writeln!(self.out, "  {line}");
                    }
                }
            }
            if self.view.verbose {
                self.out.push_str(&foreign::lines(service, self.view));
            }
        }
    }

    fn step(&mut self, service: &PlannedService, step: &Step) {
        let (sign, meaning) = words::sign(step.action);
        let line = format!(
            "  {} {}  {}  {}",
            self.view.palette.paint(meaning, sign),
            pad(&safe(&step.key.kind), self.kind),
            pad(&safe(&words::name(service, step)), self.name),
            safe(&words::note(step)),
        );
        let _ = writeln!(self.out, "{}", line.trim_end());
        self.fields(service, step);
    }

    fn fields(&mut self, service: &PlannedService, step: &Step) {
        let all = self.view.verbose || step.fields.len() <= FIELDS + 2;
        let shown = if all { step.fields.len() } else { FIELDS };
        let path = |change: &crate::engine::diff::FieldChange| {
            let path = if self.view.verbose {
                change.path.to_string()
            } else {
                change.path.folded()
            };
            safe(&path).into_owned()
        };
        let paths: Vec<String> = step.fields[..shown].iter().map(|(c, _)| path(c)).collect();
        let widest = paths.iter().map(|path| width(path)).max().unwrap_or(0);
        let column = (self.kind + self.name + 8).max(6 + widest + 2);
        let room = self.room(column);
        let laid: Vec<_> = step.fields[..shown]
            .iter()
            .map(|(change, _)| lay(&step.key, change, room))
            .collect();
        let values = laid.iter().zip(&step.fields);
        let value = values
            .filter(|(_, (_, by))| !culprit(step, by, None).is_empty())
            .map(|(laid, _)| width(&laid.value))
            .max()
            .unwrap_or(0);
        for ((path, laid), (_, by)) in paths.iter().zip(&laid).zip(&step.fields) {
            let said = culprit(step, by, Some(self.view.now));
            let line = format!(
                "      {}{}  {}",
                pad(path, column - 6),
                pad(&laid.value, value),
                self.view.palette.paint(Meaning::Change, &said),
            );
            let _ = writeln!(self.out, "{}", line.trim_end());
            self.shortened |= laid.shortened;
            self.diff(&laid.diff);
        }
        if !all {
            let line = format!(
                "… {} more fields (jsorc plan {} -v)",
                step.fields.len() - shown,
                service.name
            );
            let line = self.view.palette.paint(Meaning::Faint, &line);
            let _ = writeln!(self.out, "      {line}");
        }
    }

    /// Columns for one value that begins at `column`.
    fn room(&self, column: usize) -> usize {
        match (self.view.verbose, self.view.width) {
            (true, _) => usize::MAX,
            (false, Some(width)) => (width.saturating_sub(column + 3) / 2).clamp(16, WIDEST_VALUE),
            (false, None) => WIDEST_VALUE,
        }
    }

    fn diff(&mut self, lines: &[(char, String)]) {
        let shown = if self.view.verbose || lines.len() <= DIFF_LINES + 2 {
            lines.len()
        } else {
            DIFF_LINES
        };
        for (sign, line) in &lines[..shown] {
            let (meaning, line) = match sign {
                '+' => (Meaning::Good, format!("+{line}")),
                '-' => (Meaning::Bad, format!("-{line}")),
                '@' => (Meaning::Faint, line.clone()),
                other => (Meaning::Plain, format!("{other}{line}")),
            };
            let line = self.view.palette.paint(meaning, line.trim_end());
            let _ = writeln!(self.out, "{}", format!("        {line}").trim_end());
        }
        if shown < lines.len() {
            let _ = writeln!(
                self.out,
                "        … {} more lines (-v)",
                lines.len() - shown
            );
        }
    }

    /// The services that have nothing to plan, by why.
    fn others(&mut self, plan: &Plan) {
        let idle = || plan.services.iter().filter(|s| s.steps.is_empty());
        let named = |test: &dyn Fn(&PlannedService) -> bool| {
            let names: Vec<&str> = idle().filter(|s| test(s)).map(|s| &*s.name).collect();
            names.join(", ")
        };
        let lines = [
            (
                named(&|s| s.kept && s.has_objects),
                "as it ought to be",
                plan.differs(),
            ),
            (
                named(&|s| s.kept && !s.has_objects),
                "no manifests, rerun only",
                true,
            ),
            (
                named(&|s| !s.kept),
                "not kept alive: nothing is changed or removed",
                true,
            ),
        ];
        let lines: Vec<_> = lines
            .into_iter()
            .filter(|(names, _, said)| *said && !names.is_empty())
            .collect();
        if !lines.is_empty() {
            self.out.push('\n');
        }
        for (names, why, _) in lines {
            let _ = writeln!(self.out, "{names} · {why}");
        }
    }

    fn end(&mut self, plan: &Plan) {
        if !self.view.quiet {
            self.out.push('\n');
        }
        if self.shortened {
            self.out
                .push_str("Values with … are shortened; -v shows them whole.\n");
        }
        if !self.view.quiet && !self.view.verbose {
            self.out.push_str(&foreign::note(plan));
        }
        let _ = writeln!(self.out, "{}", tally::sentence(plan, self.view.palette));
        let acts = plan
            .steps()
            .any(|(_, step)| !matches!(step.action, Action::Kept | Action::Blocked));
        if let Some(command) = self.view.apply.as_ref().filter(|_| acts) {
            let _ = writeln!(self.out, "Apply it with: {}", safe(command));
        }
    }
}
