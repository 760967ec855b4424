//! One document of a kube file while it is being checked.

use std::rc::Rc;

use serde_json::Value;

use super::fill::{self, Resolve};
use super::placeholder;
use super::problem::Problem;
use super::source::{Source, Spot};
use super::spec::ServiceSpec;
use super::stand_in;
use super::yaml::{self, Entry, Node, Tree};

/// A document that is at least an object with a name.
pub(super) struct Document {
    pub source: Rc<Source>,
    /// As it was written.
    pub raw: Rc<Node>,
    /// Filled with defaults and stand-ins; the same as the raw one where there is nothing to fill.
    pub body: Rc<Node>,
    pub api_version: String,
    pub kind: String,
    /// As it was written; may hold placeholders.
    pub name: String,
    /// As it was written; may hold placeholders.
    pub namespace: Option<String>,
    /// Its first line.
    pub spot: Spot,
}

/// A service while it is being checked.
pub(super) struct ServiceTable {
    pub name: String,
    pub spec: ServiceSpec,
    pub spec_source: Rc<Source>,
    pub documents: Vec<Document>,
    /// Whether there is more in its files than could be read. What is missing is then unknown.
    pub partial: bool,
    /// Whether some of its settings could not be read.
    pub spec_partial: bool,
}

impl Document {
    /// Takes a document, if it says what it is.
    pub(super) fn read(
        source: &Rc<Source>,
        raw: Node,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let spot = yaml::first_line(source, &raw);
        if !matches!(raw.tree, Tree::Map(_)) {
            let message = format!("a document must be a mapping, found {}", raw.shape());
            problems.push(source.error(spot, message));
            return None;
        }
        let mut reader = Identity {
            source,
            raw: &raw,
            spot,
            problems,
        };
        let api_version = reader.required(&["apiVersion"]);
        let kind = reader.required(&["kind"]);
        if kind
            .as_deref()
            .is_some_and(|kind| kind == "List" || is_list(kind, &raw))
        {
            let spot = raw.entry("kind").map_or(spot, |entry| entry.value.spot);
            let problem = source.error(spot, "a list is no object");
            problems.push(problem.hint("write its items as documents, with `---` between them"));
            return None;
        }
        let name = reader.name();
        let namespace = raw
            .at(&["metadata", "namespace"])
            .and_then(Node::text)
            .map(str::to_owned);
        let raw = Rc::new(raw);
        Some(Self {
            source: Rc::clone(source),
            body: Rc::clone(&raw),
            api_version: api_version?,
            kind: kind?,
            name: name?,
            namespace,
            spot,
            raw,
        })
    }

    /// The API group; empty for the core group.
    pub(super) fn group(&self) -> &str {
        super::kinds::split(&self.api_version).0
    }

    /// The name as the checks compare it.
    pub(super) fn filled_name(&self) -> &str {
        self.body
            .at(&["metadata", "name"])
            .and_then(Node::text)
            .unwrap_or(&self.name)
    }

    /// `Deployment "redis"`, with placeholders as they are written.
    pub(super) fn title(&self) -> String {
        format!("{} `{}`", self.kind, stand_in::shown(self.filled_name()))
    }

    /// Where the document's name is.
    pub(super) fn name_spot(&self) -> Spot {
        self.raw
            .at(&["metadata", "name"])
            .map_or(self.spot, |node| node.spot)
    }

    /// Whether the document is of that kind, of the group that Kubernetes has it in.
    pub(super) fn is(&self, kind: &str) -> bool {
        self.kind == kind && super::kinds::builtin(&self.api_version, kind).is_some()
    }

    /// Fills the body; what cannot be filled becomes a stand-in.
    pub(super) fn fill(&mut self, resolve: &Resolve<'_>) {
        if has_template(&self.raw)
            && let Some(body) = filled(&self.raw, resolve)
        {
            self.body = Rc::new(body);
        }
    }

    /// The text of an annotation.
    pub(super) fn annotation(&self, key: &str) -> Option<&Node> {
        self.body.at(&["metadata", "annotations", key])
    }
}

/// Whether a kind is a list of objects, such as `ConfigMapList`.
fn is_list(kind: &str, raw: &Node) -> bool {
    kind.ends_with("List")
        && raw
            .get("items")
            .is_some_and(|items| matches!(items.tree, Tree::List(_)))
}

/// Reads what every object must say.
struct Identity<'a> {
    source: &'a Source,
    raw: &'a Node,
    spot: Spot,
    problems: &'a mut Vec<Problem>,
}

impl Identity<'_> {
    fn required(&mut self, path: &[&str]) -> Option<String> {
        let dotted = path.join(".");
        let Some(node) = self.raw.at(path).filter(|node| !node.is_null()) else {
            let problem = self
                .source
                .error(self.spot, format!("`{dotted}` is missing"));
            self.problems.push(problem);
            return None;
        };
        let text = node
            .text()
            .filter(|text| !text.is_empty())
            .map(str::to_owned);
        if text.is_none() {
            let message = format!("`{dotted}` must be a string, found {}", described(node));
            let problem = self.source.error(node.spot, message);
            self.problems.push(problem.maybe_hint(quotes(node)));
        }
        text
    }

    fn name(&mut self) -> Option<String> {
        let generate = self
            .raw
            .at(&["metadata"])
            .and_then(|meta| meta.entry("generateName"));
        if let Some(entry) = generate {
            let problem = self
                .source
                .error(entry.spot, "`generateName` makes a new object each time");
            self.problems.push(problem.hint("give it a fixed `name`"));
            return None;
        }
        self.required(&["metadata", "name"])
    }
}

fn described(node: &Node) -> &'static str {
    if node.text() == Some("") {
        "an empty one"
    } else {
        node.shape()
    }
}

/// The advice for a scalar that should have been text.
pub(super) fn quotes(node: &Node) -> Option<String> {
    let scalar = matches!(node.tree, Tree::Number(_) | Tree::Bool(_));
    scalar.then(|| "put it in quotes".to_owned())
}

fn has_template(node: &Node) -> bool {
    let entries = node.entries().iter();
    node.text().is_some_and(placeholder::is_template)
        || node.items().iter().any(has_template)
        || entries
            .into_iter()
            .any(|entry| placeholder::is_template(&entry.key) || has_template(&entry.value))
}

/// A copy of a node with its placeholders filled; nothing where null leaves it out.
fn filled(node: &Node, resolve: &Resolve<'_>) -> Option<Node> {
    let tree = match &node.tree {
        Tree::Text(text) if placeholder::is_template(text) => {
            let value = filled_text(text, resolve);
            if value.is_null() {
                return None;
            }
            return Some(Node::from_json(value, node.spot));
        }
        Tree::List(items) => Tree::List(items.iter().filter_map(|n| filled(n, resolve)).collect()),
        Tree::Map(entries) => Tree::Map(
            entries
                .iter()
                .filter_map(|e| filled_entry(e, resolve))
                .collect(),
        ),
        other => other.clone(),
    };
    Some(Node {
        tree,
        spot: node.spot,
    })
}

fn filled_entry(entry: &Entry, resolve: &Resolve<'_>) -> Option<Entry> {
    let key = if placeholder::is_template(&entry.key) {
        match filled_text(&entry.key, resolve) {
            Value::String(key) => key,
            other => other.to_string(),
        }
    } else {
        entry.key.clone()
    };
    Some(Entry {
        key,
        value: filled(&entry.value, resolve)?,
        ..entry.clone()
    })
}

/// The filled text, or a stand-in whose own check reports why there is none.
fn filled_text(text: &str, resolve: &Resolve<'_>) -> Value {
    let mut value = Value::String(text.to_owned());
    match fill::fill(&mut value, resolve) {
        Ok(()) => value,
        Err(_) => Value::String(stand_in::of("")),
    }
}
