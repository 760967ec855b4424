//! What is asked of this run, by variables of the environment.

use std::{path::PathBuf, time::Duration};

use crate::mix::Mix;

/// A part of the report.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Size of the program and its first request.
    Start,
    /// Cold, unchanged and drifted sets, beside the raw bound and other programs.
    Apply,
    /// How many requests those take.
    Requests,
    /// How much memory those take.
    Memory,
    /// How fast the daemon puts right.
    Heal,
    /// What the daemon does when nothing happens.
    Idle,
}

/// What is asked.
pub struct Wishes {
    /// `BENCH_RUNS`: how often each is measured.
    pub runs: usize,
    /// `BENCH_SIZES`: how many objects.
    pub sizes: Vec<usize>,
    /// `BENCH_MIXES`: which ones.
    pub mixes: Vec<Mix>,
    /// `BENCH_IDLE`: how long nothing happens.
    pub idle: Duration,
    /// `BENCH_PEERS=0` leaves the other programs out.
    pub peers: bool,
    /// `BENCH_EMBEDDED`: a folder of programs that each have one set built in.
    pub embedded: Option<PathBuf>,
    /// `BENCH_BEFORE`: the same of an earlier state: whether a change makes it slower is said by no
    /// figure of another day.
    pub before: Option<PathBuf>,
    /// `write FOLDER` as arguments: only write the mixes as a services folder.
    pub write: Option<PathBuf>,
    parts: Vec<String>,
}

impl Part {
    /// All, in the order of the report.
    pub const ALL: &[Self] = &[
        Self::Start,
        Self::Apply,
        Self::Requests,
        Self::Memory,
        Self::Heal,
        Self::Idle,
    ];

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Start => "Program and start",
            Self::Apply => "Applying",
            Self::Requests => "Requests",
            Self::Memory => "Memory",
            Self::Heal => "Healing",
            Self::Idle => "Idle",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Apply => "apply",
            Self::Requests => "requests",
            Self::Memory => "memory",
            Self::Heal => "heal",
            Self::Idle => "idle",
        }
    }
}

impl Wishes {
    /// Reads them.
    pub fn read() -> Self {
        let number = |name: &str, otherwise: usize| {
            text(name).map_or(otherwise, |text| text.parse().expect(name))
        };
        let list = |name: &str, otherwise: &str| -> Vec<String> {
            let text = text(name).unwrap_or_else(|| otherwise.to_owned());
            text.split(',').map(|item| item.trim().to_owned()).collect()
        };
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let write = arguments.iter().position(|argument| argument == "write");
        Self {
            runs: number("BENCH_RUNS", 5),
            sizes: list("BENCH_SIZES", "1000,5000")
                .iter()
                .map(|size| size.parse().expect("BENCH_SIZES"))
                .collect(),
            mixes: list("BENCH_MIXES", "C1,F4")
                .iter()
                .map(|name| Mix::named(name))
                .collect(),
            idle: Duration::from_secs(number("BENCH_IDLE", 90) as u64),
            peers: text("BENCH_PEERS").is_none_or(|text| text != "0"),
            embedded: text("BENCH_EMBEDDED").map(PathBuf::from),
            before: text("BENCH_BEFORE").map(PathBuf::from),
            write: write
                .and_then(|at| arguments.get(at + 1))
                .map(PathBuf::from),
            parts: list("BENCH_ONLY", ""),
        }
    }

    /// Whether a part is asked for.
    pub fn wants(&self, part: Part) -> bool {
        let named = |name: &String| name == part.name();
        self.parts.iter().all(String::is_empty) || self.parts.iter().any(named)
    }
}

fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
