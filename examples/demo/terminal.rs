//! How the story looks: a heading per step, commands as one types them, what they say beneath.
//!
//! Colours only on a terminal; elsewhere the same lines without them.

use std::{
    fmt::Display,
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// The terminal, or the file that stands for it.
pub struct Terminal {
    coloured: bool,
    started: Instant,
    steps: u32,
}

const BOLD: &str = "1";
const FAINT: &str = "2";
const CYAN: &str = "36";

impl Terminal {
    /// The terminal of this process.
    pub fn new() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            coloured: std::io::stdout().is_terminal() && !plain,
            started: Instant::now(),
            steps: 0,
        }
    }

    /// Begins a step.
    pub fn heading(&mut self, title: &str) {
        self.steps += 1;
        let time = format!("{:.1} s", self.started.elapsed().as_secs_f32());
        let head = self.paint(BOLD, format_args!("── {}. {title}", self.steps));
        self.line(&format!("\n{head}  {}", self.paint(FAINT, time)));
    }

    /// Says something in the story's own words.
    pub fn say(&self, text: &str) {
        self.line(text);
    }

    /// Shows a command.
    pub fn command(&self, command: &str) {
        self.line(&self.paint(CYAN, format_args!("$ {command}")));
    }

    /// Shows what a command said, or lines of a log.
    pub fn quote(&self, text: &str) {
        for line in text.lines() {
            self.line(&format!("    {}", self.paint(FAINT, line)));
        }
    }

    /// Shows a result that should not be faint.
    pub fn result(&self, text: &str) {
        for line in text.lines() {
            self.line(&format!("    {line}"));
        }
    }

    /// Shows rows in columns as wide as they must be; the first row is the title.
    pub fn table(&self, rows: &[Vec<String>]) {
        let columns = rows.first().map_or(0, Vec::len);
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        for (index, row) in rows.iter().enumerate() {
            let cells = (0..columns).map(|column| {
                let (cell, width) = (&row[column], width(column).unwrap_or(0));
                format!("{cell:<width$}")
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            let colour = if index == 0 { FAINT } else { "0" };
            self.line(&format!("    {}", self.paint(colour, line.trim_end())));
        }
    }

    /// How long the story has lasted.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn paint(&self, colour: &str, text: impl Display) -> String {
        if self.coloured {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_string()
        }
    }

    #[expect(
        clippy::unused_self,
        reason = "every line goes through the terminal that was asked"
    )]
    fn line(&self, line: &str) {
        let mut out = std::io::stdout().lock();
        // Whoever closed the pipe does not want the rest.
        let _ = writeln!(out, "{line}");
        let _ = out.flush();
    }
}
