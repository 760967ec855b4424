//! The report: Markdown and charts under `target/bench`.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use crate::{chart, wishes::Wishes};

/// A report that grows.
pub struct Report {
    folder: PathBuf,
    text: String,
}

impl Report {
    /// An empty one, which says where and how often it is measured.
    pub fn new(wishes: &Wishes) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .parent()
            .unwrap()
            .join("bench");
        fs::create_dir_all(&folder).unwrap();
        let mut report = Self {
            folder,
            text: String::from("# Measured\n\n"),
        };
        report.line(&machine());
        report.line(&format!(
            "Milliseconds, median (worst) of {} runs in turns on one API server, unless a column says otherwise.",
            wishes.runs
        ));
        report
    }

    /// Begins a section.
    pub fn begin(&mut self, title: &str) {
        writeln!(self.text, "## {title}\n").unwrap();
    }

    /// Adds a paragraph.
    pub fn line(&mut self, text: &str) {
        writeln!(self.text, "{text}\n").unwrap();
    }

    /// Adds a table.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        writeln!(self.text, "| {} |", head.join(" | ")).unwrap();
        writeln!(self.text, "|{}", "---|".repeat(head.len())).unwrap();
        for row in rows {
            writeln!(self.text, "| {} |", row.join(" | ")).unwrap();
        }
        self.text.push('\n');
    }

    /// Adds a chart of bars, the shorter the better.
    pub fn chart(&mut self, name: &str, title: &str, unit: &str, bars: &[(String, f64)]) {
        let file = format!("{name}.svg");
        fs::write(self.folder.join(&file), chart::bars(title, unit, bars)).unwrap();
        self.line(&format!("![{title}]({file})"));
    }

    /// Writes what there is so far.
    pub fn save(&self) {
        fs::write(self.place(), &self.text).unwrap();
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file.
    pub fn place(&self) -> PathBuf {
        self.folder.join("report.md")
    }
}

fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |text| {
            text.trim_start_matches([' ', '\t', ':'])
        });
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    format!(
        "jsorc {}; {cores} cores, {model}; load at the beginning {load}. Client and server share the cores.",
        env!("CARGO_PKG_VERSION")
    )
}
