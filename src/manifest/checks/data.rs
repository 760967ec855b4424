//! `ConfigMap`s, Secrets, environment and arguments: text where Kubernetes wants text.

use super::super::document::{Document, quotes};
use super::super::names;
use super::super::problem::Problem;
use super::super::stand_in;
use super::super::yaml::{Entry, Node, Tree};
use super::pods;

/// The most bytes that the data of a ConfigMap or Secret may have.
const MOST: usize = 1024 * 1024;

/// Checks the data of a ConfigMap or Secret, and the texts of containers.
pub(super) fn check(document: &Document, problems: &mut Vec<Problem>) {
    let mut check = Check { document, problems };
    if document.is("ConfigMap") {
        check.map("data", false);
        check.map("binaryData", true);
        check.size(&["data", "binaryData"]);
    }
    if document.is("Secret") {
        check.map("stringData", false);
        check.map("data", true);
        check.size(&["data", "stringData"]);
    }
    if let Some(pod) = pods::pod_of(document) {
        for container in pod.containers() {
            check.container(container);
        }
    }
}

struct Check<'a> {
    document: &'a Document,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn not_text(&mut self, what: &str, node: &Node) {
        let message = format!("{what} must be a string, found {}", node.shape());
        let problem = self.document.source.error(node.spot, message);
        self.problems.push(problem.maybe_hint(quotes(node)));
    }

    fn map(&mut self, key: &str, encoded: bool) {
        let Some(node) = self.document.body.get(key).filter(|node| !node.is_null()) else {
            return;
        };
        if !matches!(node.tree, Tree::Map(_)) {
            let message = format!("`{key}` must be a mapping, found {}", node.shape());
            self.problems
                .push(self.document.source.error(node.spot, message));
        }
        for entry in node.entries() {
            self.pair(key, entry, encoded);
        }
    }

    fn pair(&mut self, map: &str, entry: &Entry, encoded: bool) {
        if let Err(why) = names::config_key(&stand_in::as_letter(&entry.key)) {
            let message = format!("the key `{}` {why}", stand_in::shown(&entry.key));
            self.problems
                .push(self.document.source.error(entry.spot, message));
        }
        match entry.value.text() {
            None => self.not_text(&format!("`{map}.{}`", entry.key), &entry.value),
            Some(text) if encoded && !stand_in::within(text) && !is_base64(text) => {
                let message = format!("`{map}.{}` is not base64", entry.key);
                let problem = self.document.source.error(entry.value.spot, message);
                let hint =
                    (map == "data").then(|| "write plain text under `stringData`".to_owned());
                self.problems.push(problem.maybe_hint(hint));
            }
            Some(_) => {}
        }
    }

    fn size(&mut self, keys: &[&str]) {
        let entries = keys.iter().filter_map(|key| self.document.body.get(key));
        let size: usize = entries
            .flat_map(Node::entries)
            .map(|entry| entry.key.len() + entry.value.text().map_or(0, str::len))
            .sum();
        if size > MOST {
            let message = format!(
                "{} has {size} bytes, more than 1 MiB",
                self.document.title()
            );
            self.problems
                .push(self.document.source.error(self.document.spot, message));
        }
    }

    fn container(&mut self, container: &Node) {
        for variable in container.list("env") {
            if let Some(value) = variable
                .get("value")
                .filter(|v| v.text().is_none() && !v.is_null())
            {
                let name = variable.text_at("name").unwrap_or("?");
                self.not_text(&format!("the value of `{name}`"), value);
            }
        }
        for key in ["command", "args"] {
            for item in container
                .list(key)
                .iter()
                .filter(|item| item.text().is_none())
            {
                self.not_text(&format!("an item of `{key}`"), item);
            }
        }
    }
}

/// Whether a text is standard base64 with padding; line breaks are allowed.
fn is_base64(text: &str) -> bool {
    let bytes: Vec<u8> = text
        .bytes()
        .filter(|b| !matches!(b, b'\r' | b'\n'))
        .collect();
    let padding = bytes.iter().rev().take_while(|b| **b == b'=').count();
    let body = &bytes[..bytes.len() - padding];
    let known = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    bytes.len().is_multiple_of(4) && padding <= 2 && body.iter().all(known)
}
