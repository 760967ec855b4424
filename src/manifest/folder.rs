//! Reads a services folder from disk: the only IO of this room.
//!
//! Read are `NAME/service.yaml` and `NAME/kube/*.yaml|*.yml`, in the order of their names. Symbolic
//! links, files that do not belong there and names or texts that are not UTF-8 are refused;
//! dotfiles and what editors leave behind are ignored.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::assembly::{self, ServiceTexts};
use super::catalog::Checked;
use super::problem::{Place, Problem, Problems, Severity};
use super::source::Source;
use super::system;

/// Reads and checks a services folder.
///
/// Paths in tables and problems begin with the folder's own name.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(dir: &Path) -> Result<Checked, Problems> {
    read_files(dir).map(|(checked, _)| checked)
}

/// Like [`read`], with the path of every file that was read, relative to the folder.
///
/// # Errors
/// Everything that is wrong with the folder.
pub fn read_files(dir: &Path) -> Result<(Checked, Vec<PathBuf>), Problems> {
    let mut reader = FolderReader {
        dir,
        files: Vec::new(),
        problems: Vec::new(),
    };
    let texts = reader.services(dir, &shown_name(dir));
    let FolderReader {
        files, problems, ..
    } = reader;
    Ok((assembly::assemble(texts, problems)?, files))
}

fn shown_name(dir: &Path) -> String {
    let absolute = fs::canonicalize(dir);
    let path = absolute.as_deref().unwrap_or(dir);
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "services".to_owned())
}

struct FolderReader<'a> {
    dir: &'a Path,
    files: Vec<PathBuf>,
    problems: Vec<Problem>,
}

/// What a directory holds, once links and strange names are out.
struct Item {
    name: String,
    shown: String,
    path: PathBuf,
    is_dir: bool,
}

impl FolderReader<'_> {
    fn services(&mut self, dir: &Path, shown: &str) -> Vec<ServiceTexts> {
        let mut services = Vec::new();
        for item in self.items(dir, shown) {
            if item.is_dir {
                services.extend(self.service(item));
            } else {
                let hint = "a service is a folder with a service.yaml".to_owned();
                self.problem(&item.shown, "does not belong here", Some(hint));
            }
        }
        if services.is_empty() && self.problems.is_empty() {
            // More likely a wrong path or an empty mount than the wish to keep nothing alive.
            let hint = "a service is a folder with a service.yaml".to_owned();
            self.problem(shown, "holds no service", Some(hint));
        }
        services
    }

    fn service(&mut self, folder: Item) -> Option<ServiceTexts> {
        let mut spec = None;
        let mut kube = Vec::new();
        let mut has_spec = false;
        for item in self.items(&folder.path, &folder.shown) {
            match (item.name.as_str(), item.is_dir) {
                ("service.yaml", false) => {
                    has_spec = true;
                    spec = self.source(&item);
                }
                ("kube", true) => kube = self.kube(&item),
                ("service.yml", false) => {
                    has_spec = true;
                    self.problem(&item.shown, "must be named service.yaml", None);
                }
                _ => {
                    let hint = "a service has service.yaml and kube/*.yaml".to_owned();
                    self.problem(&item.shown, "does not belong here", Some(hint));
                }
            }
        }
        if !has_spec {
            let hint = "write one, at least with `driver: none`".to_owned();
            self.problem(&folder.shown, "has no service.yaml", Some(hint));
        }
        Some(ServiceTexts {
            name: folder.name,
            spec: spec?,
            kube,
        })
    }

    fn kube(&mut self, folder: &Item) -> Vec<Source> {
        let mut sources = Vec::new();
        for item in self.items(&folder.path, &folder.shown) {
            let extension = Path::new(&item.name).extension().and_then(|e| e.to_str());
            if item.is_dir || !matches!(extension, Some("yaml" | "yml")) {
                let hint = "kube/ holds *.yaml and *.yml files only".to_owned();
                self.problem(&item.shown, "does not belong here", Some(hint));
            } else {
                sources.extend(self.source(&item));
            }
        }
        sources
    }

    /// What a directory holds, sorted by name.
    fn items(&mut self, dir: &Path, shown: &str) -> Vec<Item> {
        let entries: io::Result<Vec<_>> = fs::read_dir(dir).and_then(Iterator::collect);
        let entries = entries.unwrap_or_else(|error| {
            let said = format!("cannot be read: {}", system::words(&error));
            if shown.contains('/') {
                self.problem(shown, &said, None);
            } else {
                // Of a folder that is not there, the whole path tells more than its last part.
                let hint = "--services, or JSORC_SERVICES_DIR, takes a folder of services";
                self.problem(&dir.to_string_lossy(), &said, Some(hint.to_owned()));
            }
            Vec::new()
        });
        let mut items: Vec<Item> = entries
            .iter()
            .filter_map(|entry| self.item(entry, shown))
            .collect();
        items.sort_by(|a, b| a.name.cmp(&b.name));
        items
    }

    fn item(&mut self, entry: &fs::DirEntry, shown: &str) -> Option<Item> {
        let name = entry.file_name();
        let shown = format!("{shown}/{}", name.to_string_lossy());
        if is_left_behind(&name.to_string_lossy()) {
            return None;
        }
        let Ok(name) = name.into_string() else {
            self.problem(&shown, "its name is not UTF-8", None);
            return None;
        };
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) => {
                self.problem(
                    &shown,
                    &format!("cannot be read: {}", system::words(&error)),
                    None,
                );
                return None;
            }
        };
        if kind.is_symlink() || !(kind.is_file() || kind.is_dir()) {
            let hint = "put the file itself here".to_owned();
            self.problem(&shown, "is a link or a special file", Some(hint));
            return None;
        }
        Some(Item {
            name,
            shown,
            path: entry.path(),
            is_dir: kind.is_dir(),
        })
    }

    fn source(&mut self, item: &Item) -> Option<Source> {
        let bytes = match fs::read(&item.path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.problem(
                    &item.shown,
                    &format!("cannot be read: {}", system::words(&error)),
                    None,
                );
                return None;
            }
        };
        let relative = item.path.strip_prefix(self.dir);
        self.files.extend(relative.ok().map(Path::to_owned));
        match String::from_utf8(bytes) {
            Ok(text) => Some(Source::new(item.shown.clone(), &text)),
            Err(error) => {
                let good = error.utf8_error().valid_up_to();
                let before = String::from_utf8_lossy(&error.as_bytes()[..good]);
                let line = before.matches('\n').count() + 1;
                self.problem(&item.shown, &format!("is not UTF-8 (line {line})"), None);
                None
            }
        }
    }

    fn problem(&mut self, file: &str, message: &str, hint: Option<String>) {
        self.problems.push(Problem {
            severity: Severity::Error,
            place: Place {
                file: Cow::Owned(file.to_owned()),
                line: 0,
                column: 0,
            },
            message: message.to_owned(),
            snippet: None,
            hint,
        });
    }
}

/// Whether a file is an editor's or the system's own.
fn is_left_behind(name: &str) -> bool {
    let endings = ["~", ".swp", ".swo", ".bak", ".orig", ".tmp"];
    name.starts_with('.') || name.starts_with('#') || endings.iter().any(|end| name.ends_with(end))
}
