//! Lines of files that are never shown, because secrets stand on them.
//!
//! A folder should hold no secrets in plain text. Where it does, no message repeats them: the
//! problem keeps its place and its words, the line itself is left out.

use super::fill;
use super::problem::Problem;
use super::source::Source;
use super::yaml::{Entry, Node};

/// Line ranges of files, both ends included.
#[derive(Default)]
pub(super) struct Hidden {
    ranges: Vec<(String, u32, u32)>,
    files: Vec<String>,
}

impl Hidden {
    /// Notes the data of the Secrets among the documents of a file.
    pub(super) fn note_secrets(&mut self, source: &Source, roots: &[Node]) {
        for (index, root) in roots.iter().enumerate() {
            if root.text_at("kind") != Some("Secret") {
                continue;
            }
            let end = roots
                .get(index + 1)
                .map_or(u32::MAX, |next| next.spot.line.saturating_sub(1));
            self.note_entries(source, root, end, |entry| {
                matches!(entry.key.as_str(), "data" | "stringData")
            });
        }
    }

    /// Notes the defaults that secret parameters should not have.
    pub(super) fn note_parameters(&mut self, source: &Source, root: &Node) {
        let secret = |entry: &&Entry| entry.value.text_at("type") == Some("secret");
        let Some(parameters) = root.get("parameters") else {
            return;
        };
        let after = lines_after(root, "parameters");
        for (index, entry) in parameters
            .entries()
            .iter()
            .enumerate()
            .filter(|(_, e)| secret(e))
        {
            let next = parameters
                .entries()
                .get(index + 1)
                .map(|next| next.spot.line);
            let end = next.map_or(after, |line| line.max(entry.spot.line + 1) - 1);
            if entry.value.get("default").is_some() {
                self.ranges
                    .push((source.file.to_string(), entry.spot.line, end));
            }
        }
    }

    /// Notes a file that could not be read, when it may hold Secrets.
    pub(super) fn note_unread(&mut self, source: &Source) {
        if source.text.contains("Secret") || source.text.contains("secret") {
            self.files.push(source.file.to_string());
        }
    }

    /// Takes the lines away that must not be shown.
    pub(super) fn redact(&self, problems: &mut [Problem]) {
        for problem in problems {
            let line = problem.snippet.as_ref().map_or("", |snippet| &snippet.text);
            if !is_only_placeholder(line) && self.covers(problem) {
                problem.snippet = None;
            }
        }
    }

    fn covers(&self, problem: &Problem) -> bool {
        let (file, line) = (problem.place.file.as_ref(), problem.place.line);
        self.files.iter().any(|hidden| hidden == file)
            || self
                .ranges
                .iter()
                .any(|(f, from, to)| f == file && (*from..=*to).contains(&line))
    }

    fn note_entries(
        &mut self,
        source: &Source,
        root: &Node,
        end: u32,
        is: impl Fn(&Entry) -> bool,
    ) {
        for (index, entry) in root
            .entries()
            .iter()
            .enumerate()
            .filter(|(_, entry)| is(entry))
        {
            let next = root.entries().get(index + 1).map(|next| next.spot.line);
            let end = next.map_or(end, |line| line.max(entry.spot.line + 1) - 1);
            self.ranges
                .push((source.file.to_string(), entry.spot.line, end));
        }
    }
}

/// The last line of a key's value: the one before the next key.
fn lines_after(root: &Node, key: &str) -> u32 {
    let mut entries = root
        .entries()
        .iter()
        .skip_while(|entry| entry.key != key)
        .skip(1);
    entries
        .next()
        .map_or(u32::MAX, |next| next.spot.line.saturating_sub(1))
}

/// Whether a line's value is one placeholder, which is no secret.
fn is_only_placeholder(line: &str) -> bool {
    let value = line.split_once(": ").map_or("", |(_, value)| value);
    fill::is_whole(value.trim().trim_matches('"'))
}
