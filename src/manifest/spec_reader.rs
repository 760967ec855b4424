//! Reads `service.yaml` into a [`ServiceSpec`]: every key, every type, all problems at once.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::nearest;
use super::problem::Problem;
use super::source::{Source, Spot};
use super::spec::{External, Ignore, Policy, Probe, Remedy, ServiceSpec};
use super::yaml::{self, Entry, Node, Tree};
use super::{names, parameter_reader};

const KEYS: [&str; 15] = [
    "driver",
    "description",
    "enabled",
    "keep_alive",
    "depends_on",
    "namespace",
    "config",
    "env",
    "parameters",
    "probe",
    "remedy",
    "policy",
    "ignore",
    "protect",
    "external",
];

/// Reads the settings; what cannot be read keeps its default beside its problem.
pub(super) fn read(source: &Source, root: &Node, problems: &mut Vec<Problem>) -> ServiceSpec {
    let mut reader = SpecReader { source, problems };
    let mut spec = empty_spec();
    if reader.mapping(root, &KEYS, "service.yaml") {
        for entry in root.entries() {
            reader.key(entry, &mut spec);
        }
        if root.get("driver").is_none() {
            no_driver(source, yaml::first_line(source, root), reader.problems);
        }
        collect_lines(root, "", &mut spec.lines);
    }
    spec
}

/// What an empty file says: nothing, which is reported when the file could be read.
pub(super) fn nothing(source: &Source, readable: bool, problems: &mut Vec<Problem>) -> ServiceSpec {
    if readable {
        no_driver(source, Spot::default(), problems);
    }
    empty_spec()
}

fn no_driver(source: &Source, spot: Spot, problems: &mut Vec<Problem>) {
    let problem = source.error(spot, "`driver` is missing");
    problems.push(problem.hint("write `driver: none` for a service that only has manifests"));
}

fn empty_spec() -> ServiceSpec {
    ServiceSpec {
        driver: String::new(),
        description: String::new(),
        enabled: true,
        keep_alive: true,
        depends_on: Vec::new(),
        namespace: None,
        config: Map::new(),
        env: BTreeMap::new(),
        parameters: BTreeMap::new(),
        probe: Probe::default(),
        remedy: Remedy::None,
        policy: Policy::default(),
        ignore: Vec::new(),
        protect: Vec::new(),
        external: Vec::new(),
        lines: BTreeMap::new(),
    }
}

/// Notes the line of every key; items of lists count as `key[0]`.
fn collect_lines(node: &Node, path: &str, lines: &mut BTreeMap<String, u32>) {
    for entry in node.entries() {
        let dot = if path.is_empty() { "" } else { "." };
        let path = format!("{path}{dot}{}", entry.key);
        lines.insert(path.clone(), entry.spot.line);
        collect_lines(&entry.value, &path, lines);
    }
    for (index, item) in node.items().iter().enumerate() {
        let path = format!("{path}[{index}]");
        lines.insert(path.clone(), item.spot.line);
        collect_lines(item, &path, lines);
    }
}

/// A reader of typed values that notes what does not fit.
pub(super) struct SpecReader<'a> {
    pub(super) source: &'a Source,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl SpecReader<'_> {
    fn key(&mut self, entry: &Entry, spec: &mut ServiceSpec) {
        let value = &entry.value;
        match entry.key.as_str() {
            "driver" => spec.driver = self.text(entry).unwrap_or_default(),
            "description" => spec.description = self.text(entry).unwrap_or_default(),
            "enabled" => spec.enabled = self.boolean(entry).unwrap_or(true),
            "keep_alive" => spec.keep_alive = self.boolean(entry).unwrap_or(true),
            "depends_on" => spec.depends_on = self.texts(entry),
            "protect" => spec.protect = self.texts(entry),
            "namespace" => spec.namespace = self.namespace(entry),
            "config" => spec.config = self.object(entry),
            "env" => spec.env = self.env(entry),
            "parameters" => spec.parameters = parameter_reader::read(self, entry),
            "probe" => spec.probe = self.probe(value),
            "remedy" => spec.remedy = self.remedy(entry),
            "policy" => spec.policy = self.policy(value),
            "ignore" => spec.ignore = self.ignores(entry),
            "external" => spec.external = self.externals(entry),
            _ => {}
        }
    }

    pub(super) fn error(&mut self, spot: Spot, message: impl Into<String>, hint: Option<String>) {
        self.problems
            .push(self.source.error(spot, message).maybe_hint(hint));
    }

    /// Whether a node is a mapping; its keys are checked against the known ones.
    pub(super) fn mapping(&mut self, node: &Node, known: &[&str], what: &str) -> bool {
        if node.is_null() {
            return true;
        }
        if !matches!(node.tree, Tree::Map(_)) {
            let message = format!("`{what}` must be a mapping, found {}", node.shape());
            self.error(yaml::first_line(self.source, node), message, None);
            return false;
        }
        for entry in node.entries() {
            if !known.contains(&entry.key.as_str()) {
                let message = format!("unknown key `{}`", entry.key);
                let hint = nearest::hint(&entry.key, known);
                self.problems.push(
                    self.source
                        .error(entry.spot, message)
                        .label(format!("not a key of {what}"))
                        .maybe_hint(hint),
                );
            }
        }
        true
    }

    fn wrong(&mut self, entry: &Entry, expected: &str) {
        let found = match &entry.value.tree {
            Tree::Number(number) => number.to_string(),
            _ => entry.value.shape().to_owned(),
        };
        let spot = if entry.value.is_null() {
            entry.spot
        } else {
            entry.value.spot
        };
        self.error(
            spot,
            format!("`{}` must be {expected}, found {found}", entry.key),
            None,
        );
    }

    pub(super) fn text(&mut self, entry: &Entry) -> Option<String> {
        let text = entry.value.text().map(str::to_owned);
        if text.is_none() {
            self.wrong(entry, "a string");
        }
        text
    }

    fn boolean(&mut self, entry: &Entry) -> Option<bool> {
        if let Tree::Bool(value) = entry.value.tree {
            return Some(value);
        }
        self.wrong(entry, "true or false");
        None
    }

    pub(super) fn texts(&mut self, entry: &Entry) -> Vec<String> {
        if entry.value.is_null() {
            return Vec::new();
        }
        if !matches!(entry.value.tree, Tree::List(_)) {
            self.wrong(entry, "a list of strings");
        }
        let mut texts = Vec::new();
        for item in entry.value.items() {
            if let Some(text) = item.text() {
                texts.push(text.to_owned());
            } else {
                let message = format!("`{}` holds {}, expected strings", entry.key, item.shape());
                self.error(item.spot, message, Some("put it in quotes".to_owned()));
            }
        }
        texts
    }

    fn object(&mut self, entry: &Entry) -> Map<String, Value> {
        match entry.value.to_json() {
            Value::Object(map) => map,
            Value::Null => Map::new(),
            _ => {
                self.wrong(entry, "a mapping");
                Map::new()
            }
        }
    }

    fn namespace(&mut self, entry: &Entry) -> Option<String> {
        let name = self.text(entry)?;
        if let Err(why) = names::label(&name) {
            self.error(entry.value.spot, format!("namespace `{name}` {why}"), None);
        }
        Some(name)
    }

    fn env(&mut self, entry: &Entry) -> BTreeMap<String, String> {
        if !entry.value.is_null() && !matches!(entry.value.tree, Tree::Map(_)) {
            self.wrong(entry, "a mapping from settings to variables");
        }
        let mut env = BTreeMap::new();
        for pair in entry.value.entries() {
            let Some(variable) = self.text(pair) else {
                continue;
            };
            let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            if variable.is_empty() || !variable.chars().all(plain) {
                let message = format!("`{variable}` is no name of an environment variable");
                let hint = "write upper case letters, digits and `_`".to_owned();
                self.error(pair.value.spot, message, Some(hint));
            }
            env.insert(pair.key.clone(), variable);
        }
        env
    }

    pub(super) fn count(&mut self, entry: &Entry) -> Option<u32> {
        let number = match &entry.value.tree {
            Tree::Number(number) => number.as_u64().and_then(|n| u32::try_from(n).ok()),
            _ => None,
        };
        let count = number.filter(|n| *n >= 1);
        if count.is_none() {
            self.wrong(entry, "a whole number from 1");
        }
        count
    }

    /// A text that must be one of the words. `off` and `on` are bools in YAML, but meant as words.
    pub(super) fn word(&mut self, entry: &Entry, words: &[&str]) -> Option<String> {
        let text = match &entry.value.tree {
            Tree::Bool(false) if words.contains(&"off") => "off".to_owned(),
            _ => self.text(entry)?,
        };
        if words.contains(&text.as_str()) {
            return Some(text);
        }
        let message = format!("`{}` cannot be `{text}`", entry.key);
        self.error(entry.value.spot, message, nearest::hint(&text, words));
        None
    }

    fn ignores(&mut self, entry: &Entry) -> Vec<Ignore> {
        if !entry.value.is_null() && !matches!(entry.value.tree, Tree::List(_)) {
            self.wrong(entry, "a list of {kind, name, path}");
        }
        entry
            .value
            .items()
            .iter()
            .filter_map(|item| self.ignore(item))
            .collect()
    }

    fn ignore(&mut self, node: &Node) -> Option<Ignore> {
        if !self.mapping(node, &["kind", "name", "path"], "ignore") {
            return None;
        }
        let text =
            |reader: &mut Self, key: &str| node.entry(key).and_then(|entry| reader.text(entry));
        let (kind, name, path) = (text(self, "kind"), text(self, "name"), text(self, "path"));
        for (key, value) in [("kind", &kind), ("path", &path)] {
            if value.is_none() && node.get(key).is_none() {
                let hint = "write {kind: Deployment, name: web, path: spec.replicas}".to_owned();
                self.error(node.spot, format!("`{key}` is missing"), Some(hint));
            }
        }
        Some(Ignore {
            kind: kind?,
            name,
            path: path?,
        })
    }

    fn externals(&mut self, entry: &Entry) -> Vec<External> {
        let texts = self.texts(entry);
        let mut externals = Vec::new();
        for (text, item) in texts.iter().zip(entry.value.items()) {
            if let Some(external) = External::parse(text) {
                externals.push(external);
            } else {
                let hint = "write KIND/NAME, such as Secret/registry-login".to_owned();
                self.error(item.spot, format!("`{text}` names no object"), Some(hint));
            }
        }
        externals
    }
}
