//! Checks `services/` and embeds it: tables by kind, all services, and a digest.
//!
//! Every problem is printed with its file, line and column, and the build ends only after all of
//! them are known.

#[path = "src/manifest/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "the build needs the reading half of the room only"
)]
mod manifest;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use manifest::{Checked, Problem, Severity, emit, folder};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=services");
    println!("cargo::rerun-if-changed=src/manifest");
    println!("cargo::rerun-if-changed=build.rs");
    match folder::read(Path::new("services")) {
        Ok(checked) => embed(&checked),
        Err(problems) => {
            problems.0.iter().for_each(print);
            ExitCode::FAILURE
        }
    }
}

fn embed(checked: &Checked) -> ExitCode {
    checked.warnings.iter().for_each(print);
    match write(checked) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error=services: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(checked: &Checked) -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?).join("services.rs");
    fs::write(out, emit::source(&checked.catalog, "crate::manifest")?)?;
    Ok(())
}

/// Prints a problem for cargo, which takes one line; the snippet goes to the build's own output.
fn print(problem: &Problem) {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let hint = problem
        .hint
        .as_ref()
        .map_or_else(String::new, |hint| format!(" (hint: {hint})"));
    println!("cargo::{severity}={}{hint}", problem.headline());
    eprintln!("{problem}\n");
}
