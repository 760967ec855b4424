//! YAML as `kubectl` reads it, with the place of every key and value.
//!
//! This is the only module that knows the YAML parser. Numbers with a leading zero are octal,
//! integral floats are integers, merge keys are merged, empty documents are skipped. What would
//! silently mean something else than it looks like is kept visible in the tree.
//! The parser's budgets (depth, nodes, aliases) stay on.

mod tabs;
mod visitor;

use serde_json::{Map, Number, Value};

use super::problem::Problem;
use super::source::{Source, Spot, narrow};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub tree: Tree,
    /// Where it stands.
    pub spot: Spot,
}

/// A value of JSON's kinds.
#[derive(Clone, Debug)]
pub enum Tree {
    /// Null, or nothing at all.
    Null,
    /// A bool.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in file order; a key given twice is here twice.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key as text.
    pub key: String,
    /// Where the key stands.
    pub spot: Spot,
    /// What kind of scalar the key was before it became text.
    pub shape: KeyShape,
    /// The value.
    pub value: Node,
}

/// What a key was written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyShape {
    /// Text.
    Text,
    /// A number, which becomes text.
    Number,
    /// `yes`, `on`, `true` and the like, which become "true" or "false".
    Bool,
    /// Nothing, `~` or `null`.
    Null,
    /// A list or a mapping, which no JSON key can be.
    Compound,
}

/// Reads all documents of a file; empty ones are skipped.
///
/// # Errors
/// When the file is no YAML, or exceeds the parser's budgets.
pub fn parse(source: &Source) -> Result<Vec<Node>, Box<Problem>> {
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        with_snippet: false,
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::PassThrough,
    };
    let nodes = serde_saphyr::from_multiple_with_options::<Node>(&source.text, options)
        .map_err(|error| Box::new(syntax_problem(source, &error)))?;
    match tabs::first_refused(&source.text) {
        None => Ok(nodes),
        Some(spot) => {
            let problem = source.error(spot, "a tab at the beginning of a line without content");
            Err(Box::new(
                problem.hint("remove it: kubectl refuses the file"),
            ))
        }
    }
}

fn syntax_problem(source: &Source, error: &serde_saphyr::Error) -> Problem {
    let spot = error
        .location()
        .map(|at| visitor::spot_of(at, at))
        .unwrap_or_default();
    let text = error.without_snippet().to_string();
    let message = plain(text.split(" at line ").next().unwrap_or(&text));
    let problem = source.error(spot, format!("not readable as YAML: {message}"));
    let line = problem.snippet.as_ref().map_or("", |snippet| &snippet.text);
    let placeholder = ["$g{", "$j{"].iter().any(|open| line.contains(open));
    let hint = "inside {…} or […] a placeholder is put in quotes: \"$g{name}\"";
    problem.maybe_hint(placeholder.then(|| hint.to_owned()))
}

/// The parser's message, without its own words for limits and policies.
fn plain(message: &str) -> &str {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    if message.starts_with("budget breached") {
        return "too much of it, too deep, or too many aliases";
    }
    if message.starts_with("non-finite float") {
        return "JSON has no infinity and no nan";
    }
    message.trim().trim_end_matches(':')
}

impl Node {
    /// The value of a key, when this is a mapping that has it. The last one wins.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry of a key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().rev().find(|entry| entry.key == key)
    }

    /// The value at the end of a path of keys.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The entries of a mapping; none for anything else.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &self.tree {
            Tree::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        match &self.tree {
            Tree::List(items) => items,
            _ => &[],
        }
    }

    /// The items of the list under a key.
    #[must_use]
    pub fn list(&self, key: &str) -> &[Node] {
        self.get(key).map_or(&[], Node::items)
    }

    /// The text, when this is a string.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.tree {
            Tree::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text under a key.
    #[must_use]
    pub fn text_at(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Node::text)
    }

    /// Whether this is null or an empty mapping or list.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.tree, Tree::Null)
    }

    /// What the value is, in words.
    #[must_use]
    pub fn shape(&self) -> &'static str {
        super::parameter::shape(&self.to_json())
    }

    /// The value as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match &self.tree {
            Tree::Null => Value::Null,
            Tree::Bool(b) => Value::Bool(*b),
            Tree::Number(n) => Value::Number(n.clone()),
            Tree::Text(text) => Value::String(text.clone()),
            Tree::List(items) => items.iter().map(Node::to_json).collect(),
            Tree::Map(entries) => {
                let pairs = entries.iter().map(|e| (e.key.clone(), e.value.to_json()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }

    /// A value that stands at one spot.
    #[must_use]
    pub fn from_json(value: Value, spot: Spot) -> Self {
        let tree = match value {
            Value::Null => Tree::Null,
            Value::Bool(b) => Tree::Bool(b),
            Value::Number(n) => Tree::Number(n),
            Value::String(text) => Tree::Text(text),
            Value::Array(items) => Tree::List(
                items
                    .into_iter()
                    .map(|item| Self::from_json(item, spot))
                    .collect(),
            ),
            Value::Object(map) => Tree::Map(
                map.into_iter()
                    .map(|(key, value)| {
                        let value = Self::from_json(value, spot);
                        Entry {
                            key,
                            spot,
                            shape: KeyShape::Text,
                            value,
                        }
                    })
                    .collect(),
            ),
        };
        Self { tree, spot }
    }

    /// Calls `visit` for this node and everything in it, parents first.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Node)) {
        visit(self);
        for item in self.items() {
            item.walk(visit);
        }
        for entry in self.entries() {
            entry.value.walk(visit);
        }
    }
}

/// The literal of a number or bool as it stands in the file, to tell traps from intent.
#[must_use]
pub fn literal<'a>(source: &'a Source, node: &Node) -> &'a str {
    let rest = source.text.get(node.spot.offset..).unwrap_or_default();
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}'));
    rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
}

/// The spot of a document's first line, for problems about the document itself.
#[must_use]
pub fn first_line(source: &Source, node: &Node) -> Spot {
    let rest = source.text.get(node.spot.offset..).unwrap_or_default();
    let width = rest.lines().next().unwrap_or_default().chars().count();
    Spot {
        width: narrow(width),
        ..node.spot
    }
}
