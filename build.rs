//! Checks `services/` and embeds it: tables by kind, all services, a digest, and a copy of exactly the
//! files that were read, for `jsorc services export`.
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

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use sha2::{Digest, Sha256};

use manifest::{Checked, Problem, Severity, emit, folder};

/// The code that composes and compares objects, and what it depends on. Another version of it may
/// compose other objects of the same services, so a record of "unchanged" holds for one version only.
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
    match folder::read_files(Path::new("services")) {
        Ok((checked, files)) => embed(&checked, &files),
        Err(problems) => {
            problems.0.iter().for_each(print);
            ExitCode::FAILURE
        }
    }
}

fn embed(checked: &Checked, files: &[PathBuf]) -> ExitCode {
    checked.warnings.iter().for_each(print);
    match write(checked, files) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error=services: {error}");
            ExitCode::FAILURE
        }
    }
}

/// SHA-256 over the composing code without its tests.
fn composer() -> io::Result<String> {
    let mut files = Vec::new();
    for part in COMPOSER {
        println!("cargo::rerun-if-changed={part}");
        collect(Path::new(part), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let text = fs::read_to_string(&file)?;
        let code = without_tests(&text);
        hash.update((code.len() as u64).to_be_bytes());
        hash.update(code);
    }
    let digest = hash.finalize();
    Ok(digest
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}

/// The text up to the unit tests, which stand at the end of a file.
fn without_tests(text: &str) -> &str {
    let tests = text.find("\n#[cfg(test)]\nmod ");
    tests.map_or(text, |tests| &text[..tests])
}

fn collect(part: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let only_tests = |name: &OsStr| name == "tests.rs" || name == "simulation";
    if part.file_name().is_some_and(only_tests) {
        return Ok(());
    }
    if !part.is_dir() {
        files.push(part.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(part)? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
}

fn write(checked: &Checked, files: &[PathBuf]) -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(
        out.join("services.rs"),
        emit::source(&checked.catalog, "crate::manifest")?,
    )?;
    let copies = out.join("services");
    if copies.exists() {
        // It may hold files that are gone from `services/`.
        fs::remove_dir_all(&copies)?;
    }
    for file in files {
        let copy = copies.join(file);
        fs::create_dir_all(copy.parent().unwrap_or(&copies))?;
        fs::copy(Path::new("services").join(file), copy)?;
    }
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
