//! `jsorc services export`: writes the embedded services as files, to be edited and used with
//! `--services`.
//!
//! Invariant: no file that exists is changed; if one of the files exists, none is written.

use super::context::Context;
use super::failure::{Exit, Failure};
use crate::embedded::FILES;
use crate::manifest::system;
use crate::report::services as report;
use include_dir::{Dir, File};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Why the services could not be written.
#[derive(Debug, thiserror::Error)]
enum ExportError {
    #[error("{} is there already: nothing was written", .0.display())]
    Exists(PathBuf),
    #[error("write {}: {}", .0.display(), system::words(.1))]
    Write(PathBuf, #[source] io::Error),
}

pub(super) fn command(context: &Context, dir: &Path) -> Result<Exit, Failure> {
    if context.globals.services.is_some() {
        return Err(Failure::usage(
            "`services export` writes the services that this program carries, not those of a folder",
            "leave --services away, and JSORC_SERVICES_DIR unset",
        ));
    }
    let written = export(&FILES, dir)?;
    context.print(
        || report::exported_json(dir, &written),
        || report::exported(dir, &written),
    )?;
    Ok(Exit::Fine)
}

/// Writes every file, and returns their paths.
fn export(from: &Dir<'_>, dir: &Path) -> Result<Vec<PathBuf>, ExportError> {
    let mut files = Vec::new();
    collect(from, &mut files);
    let place = |file: &File<'_>| dir.join(file.path());
    let taken = files.iter().map(|file| place(file));
    // A dangling link counts as well.
    if let Some(taken) = taken
        .into_iter()
        .find(|path| path.symlink_metadata().is_ok())
    {
        return Err(ExportError::Exists(taken));
    }
    let write = |file: &&File<'_>| {
        let path = place(file);
        match write_new(&path, file.contents()) {
            Ok(()) => Ok(path),
            Err(error) => Err(ExportError::Write(path, error)),
        }
    };
    files.iter().map(write).collect()
}

fn collect<'a>(dir: &'a Dir<'a>, files: &mut Vec<&'a File<'a>>) {
    files.extend(dir.files());
    dir.dirs().for_each(|inner| collect(inner, files));
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(content)
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        let message = error.to_string();
        match error {
            ExportError::Exists(_) => Self::usage(
                message,
                "export into a folder that is empty or not there yet",
            ),
            ExportError::Write(..) => Self::failed(message, None),
        }
    }
}
