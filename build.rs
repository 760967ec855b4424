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
use std::{env, fs, io};

use sha2::{Digest, Sha256};

use manifest::{Checked, Problem, Severity, emit, folder};

/// What composes objects and judges them: where it changes, the same services may make other ones,
/// and what was in order may not be.
const COMPOSER: &[&str] = &[
    "src/config",
    "src/desired",
    "src/engine",
    "src/manifest",
    "Cargo.lock",
];

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=services");
    println!("cargo::rerun-if-changed=build.rs");
    match composer() {
        Ok(digest) => println!("cargo::rustc-env=COMPOSER_DIGEST={digest}"),
        Err(error) => {
            println!("cargo::error=hash the source code: {error}");
            return ExitCode::FAILURE;
        }
    }
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

/// SHA-256 over the code that composes.
fn composer() -> io::Result<String> {
    let mut files = Vec::new();
    for part in COMPOSER {
        println!("cargo::rerun-if-changed={part}");
        collect(Path::new(part), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let text = fs::read(&file)?;
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    let digest = hash.finalize();
    Ok(digest
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}

fn collect(part: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !part.is_dir() {
        files.push(part.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(part)? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
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
