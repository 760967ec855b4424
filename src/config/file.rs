//! Configuration files: the one file, and the drop-ins beside it in name order.

use super::check::{Problem, join};
use super::layer::Layer;
use crate::manifest;
use crate::manifest::source::Source;
use crate::manifest::system;
use crate::manifest::yaml::{self, Node, Tree};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Where the configuration file is when no flag names one.
pub const DEFAULT_FILE: &str = "/etc/jsorc/jsorc.yaml";

/// The files found, weakest first, and what is wrong with the others.
#[derive(Debug, Default)]
pub struct Files {
    /// One layer for each file.
    pub layers: Vec<Layer>,
    /// Files that cannot be read.
    pub problems: Vec<Problem>,
}

/// Reads the configuration file and its drop-ins (`jsorc.d/*.yaml` beside it).
///
/// A file that is named must be there; the default one may be absent.
#[must_use]
pub fn read(named: Option<&Path>) -> Files {
    let mut files = Files::default();
    let main = named.map_or_else(|| PathBuf::from(DEFAULT_FILE), Path::to_path_buf);
    if named.is_some() || main.exists() {
        files.take(&main);
    }
    for drop_in in drop_ins(&main) {
        files.take(&drop_in);
    }
    files
}

/// The folder of drop-ins beside a configuration file.
#[must_use]
pub fn drop_in_folder(main: &Path) -> PathBuf {
    main.with_extension("d")
}

fn drop_ins(main: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(drop_in_folder(main)) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml" || e == "yml"))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| !name.to_string_lossy().starts_with('.'))
        })
        .collect();
    found.sort();
    found
}

impl Files {
    fn take(&mut self, path: &Path) {
        let shown = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let said = system::words(&error);
                let message = format!("cannot read the configuration file: {said}");
                let hint = hint(&error);
                return self.problems.push(Problem {
                    place: shown,
                    message,
                    hint,
                });
            }
        };
        match parse(&shown, &text) {
            Ok(layer) => self.layers.push(layer),
            Err(problem) => self.problems.push(problem),
        }
    }
}

fn hint(error: &io::Error) -> Option<String> {
    let said = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::IsADirectory => {
            "--config, or JSORC_CONFIG, names the file"
        }
        io::ErrorKind::PermissionDenied => "let the user that runs jsorc read it",
        io::ErrorKind::InvalidData => "save it as UTF-8",
        _ => return None,
    };
    Some(said.to_owned())
}

/// Reads the text of one configuration file.
///
/// # Errors
/// When it is not YAML, gives a key twice, or is not one mapping; the place has line and column.
pub fn parse(shown: &str, text: &str) -> Result<Layer, Problem> {
    let source = Source::new(shown.to_owned(), text);
    let documents = yaml::parse(&source).map_err(|problem| of_manifest(*problem))?;
    let mut layer = Layer::new(
        super::layer::Source::File(shown.to_owned()),
        Value::Object(Map::new()),
    );
    let root = match documents.as_slice() {
        [] => return Ok(layer),
        [root] if root.is_null() => return Ok(layer),
        [root] if matches!(root.tree, Tree::Map(_)) => root,
        _ => {
            return Err(Problem {
                place: shown.to_owned(),
                message: "expected one mapping of settings".into(),
                hint: Some("`jsorc config schema` lists every key".into()),
            });
        }
    };
    lines_of(&source, "", root, &mut layer.lines).map_err(|problem| of_manifest(*problem))?;
    layer.values = root.to_json();
    Ok(layer)
}

fn lines_of(
    source: &Source,
    path: &str,
    node: &Node,
    lines: &mut BTreeMap<String, u32>,
) -> Result<(), Box<manifest::Problem>> {
    for entry in node.entries() {
        let below = join(path, &entry.key);
        if lines.insert(below.clone(), entry.spot.line).is_some() {
            return Err(Box::new(
                source.error(entry.spot, format!("key `{below}` is given twice")),
            ));
        }
        lines_of(source, &below, &entry.value, lines)?;
    }
    Ok(())
}

fn of_manifest(problem: manifest::Problem) -> Problem {
    Problem {
        place: problem.place.to_string(),
        message: problem.message,
        hint: problem.hint,
    }
}
