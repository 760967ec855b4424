//! Plans in files: which argument means one, how it is written, how it is read.

use super::failure::{Exit, Failure};
use crate::manifest::system;
use crate::report::saved::SavedPlan;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Only who makes a plan reads it: it tells what the objects hold.
const MODE: u32 = 0o600;

/// Writes a file whole or not at all.
///
/// # Errors
/// When the folder or the disk does not take it.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let name = path.file_name().and_then(|name| name.to_str());
    let Some(name) = name.filter(|_| !path.is_dir()) else {
        return Err(Failure::usage(
            format!("--out {}: it is not the name of a file", path.display()),
            "give it a name, such as jsorc.plan",
        ));
    };
    let draft = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = draft_of(&draft, text).and_then(|()| std::fs::rename(&draft, path));
    written.map_err(|error| {
        // What could not be written may not be there at all.
        let _ = std::fs::remove_file(&draft);
        Failure::failed(
            format!("--out {}: {}", path.display(), system::words(&error)),
            None,
        )
    })
}

fn draft_of(draft: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(MODE);
    let mut file = options.open(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The file that the arguments of `apply` name, if it is one and no service.
///
/// # Errors
/// When an argument could be either, or stands beside others.
pub(super) fn named_file<'n>(
    arguments: &[String],
    services: impl Iterator<Item = &'n str>,
) -> Result<Option<PathBuf>, Failure> {
    let services: Vec<&str> = services.collect();
    for argument in arguments {
        let path = Path::new(argument);
        let spelled = is_spelled(argument);
        let exists = path.is_file();
        if !spelled && exists && services.contains(&argument.as_str()) {
            return Err(Failure::usage(
                format!("`{argument}` is a service and a file"),
                format!(
                    "`jsorc apply ./{argument}` means the file; call it something else to mean the service"
                ),
            ));
        }
        if !spelled && !exists {
            continue;
        }
        if arguments.len() > 1 {
            return Err(Failure::usage(
                format!("`{argument}` is a saved plan, and says itself which services it is about"),
                format!("jsorc apply {argument}"),
            ));
        }
        return Ok(Some(path.to_owned()));
    }
    Ok(None)
}

/// A file as an argument of `apply` that can mean nothing else.
#[must_use]
pub(super) fn argument(path: &Path) -> String {
    let text = path.display().to_string();
    let text = if is_spelled(&text) {
        text
    } else {
        format!("./{text}")
    };
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// Whether an argument can only be a file.
fn is_spelled(argument: &str) -> bool {
    let extension = Path::new(argument).extension();
    argument.contains('/') || extension.is_some_and(|it| it == "json" || it == "plan")
}

/// Reads a saved plan.
///
/// # Errors
/// When there is none, or it is something else.
pub(super) fn read(path: &Path) -> Result<SavedPlan, Failure> {
    let refuse = |why: String| Failure {
        exit: Exit::Usage,
        ..Failure::failed(
            format!("{}: {why}", path.display()),
            Some("`jsorc plan --out FILE` saves a plan".to_owned()),
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| refuse(system::words(&error)))?;
    SavedPlan::read(&text).map_err(|error| refuse(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_spelled_so_that_it_is_no_service() {
        let spelled = |name: &str| argument(Path::new(name));
        assert_eq!(spelled("a.plan"), "a.plan");
        assert_eq!(spelled("redis"), "./redis");
        assert_eq!(spelled("/plans/it's"), "'/plans/it'\\''s'");
    }

    #[test]
    fn services_and_files_are_told_apart_by_their_names() {
        let named = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|&a| a.to_owned()).collect();
            named_file(&arguments, ["redis"].into_iter())
        };
        assert_eq!(named(&["redis"]).unwrap(), None);
        assert_eq!(
            named(&["reddis"]).unwrap(),
            None,
            "the nearest name is told later"
        );
        assert_eq!(named(&["x.plan"]).unwrap(), Some("x.plan".into()));
        assert_eq!(named(&["dir/x"]).unwrap(), Some("dir/x".into()));
        let both = named(&["x.json", "redis"]).unwrap_err();
        assert!(both.message.contains("x.json"), "{both}");
    }
}
