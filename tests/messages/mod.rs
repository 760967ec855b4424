//! Bad inputs, each with the exact message that it gives: what is wrong, where, and what to do.
//!
//! Whatever is refused is said on stderr and nowhere else, with the exit code of its kind, without
//! a word of Rust and without a secret: inputs carry [`CANARY`] wherever one could stand.
//!
//! With `JSORC_TEST_BAD_INPUTS=FILE` every row is also added to that file, as a line of a Markdown
//! table.

mod configuration;
mod daemon;
mod environment;
mod flags;
mod folders;
mod forbidden;
mod kubeconfig;
mod manifests;
mod misfits;
mod pleasant;
mod services;

use std::{fs::OpenOptions, io::Write as _};

use crate::support::{Jsorc, Ran};

/// A secret that no message may hold.
const CANARY: &str = "hunter2-canary";

/// What only programmers would say.
const RUST: &[&str] = &[
    "Os {",
    "(os error",
    "Some(",
    "Err(",
    "panicked",
    "RUST_BACKTRACE",
    "stack backtrace",
    "called `",
    "src/",
    ".rs:",
];

/// Runs a command that must be refused with exactly this message. In it, `DIR` is the test's own
/// folder.
#[track_caller]
fn refused(input: &str, jsorc: &Jsorc, arguments: &[&str], code: i32, message: &str) {
    refused_with(input, jsorc, arguments, code, message, &[]);
}

/// The same, with further names for what differs from run to run.
#[track_caller]
fn refused_with(
    input: &str,
    jsorc: &Jsorc,
    arguments: &[&str],
    code: i32,
    message: &str,
    names: &[(&str, &str)],
) {
    let ran = jsorc.run(arguments);
    let said = said(jsorc, &ran, names);
    decent(&said);
    note(input, &said);
    assert_eq!(said, message, "{input}:\n{said}");
    assert_eq!(ran.code, code, "{input}: {said}");
    assert_eq!(ran.stdout, "", "{input}: what is refused has no result");
}

/// What a command said beside its result, with names in place of what differs from run to run.
fn said(jsorc: &Jsorc, ran: &Ran, names: &[(&str, &str)]) -> String {
    let folder = jsorc.folder().display().to_string();
    let mut said = ran.stderr.trim_end().replace(&folder, "DIR");
    for (real, name) in names {
        said = said.replace(real, name);
    }
    said
}

/// Holds a message against the rules that all of them obey.
#[track_caller]
fn decent(said: &str) {
    assert!(said.starts_with("error: "), "no error: {said}");
    for word in RUST {
        assert!(!said.contains(word), "`{word}` in: {said}");
    }
    assert!(!said.contains(CANARY), "a secret in: {said}");
    for line in said.lines() {
        assert_eq!(line, line.trim_end(), "blanks at the end: {said}");
    }
}

fn note(input: &str, said: &str) {
    let Some(file) = std::env::var_os("JSORC_TEST_BAD_INPUTS") else {
        return;
    };
    let cell = |text: &str| text.replace('|', "\\|").replace('<', "&lt;");
    let lines: Vec<String> = said.lines().map(cell).collect();
    let class = std::thread::current()
        .name()
        .and_then(|name| name.split("::").nth(1).map(str::to_owned))
        .unwrap_or_default();
    let row = format!("| {class} | {} | {} |\n", cell(input), lines.join("<br>"));
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .unwrap();
    file.write_all(row.as_bytes()).unwrap();
}
