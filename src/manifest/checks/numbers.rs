//! Numbers: what looks like one number and is another, and where only whole ones will do.

use super::super::document::Document;
use super::super::kinds;
use super::super::problem::Problem;
use super::super::yaml::{self, Entry, Node, Tree};

/// Fields that hold a whole number wherever they occur in the kinds of Kubernetes itself.
const WHOLE: &[&str] = &[
    "activeDeadlineSeconds",
    "backoffLimit",
    "completions",
    "containerPort",
    "defaultMode",
    "expirationSeconds",
    "failedJobsHistoryLimit",
    "failureThreshold",
    "fsGroup",
    "hostPort",
    "initialDelaySeconds",
    "maxReplicas",
    "minReadySeconds",
    "minReplicas",
    "mode",
    "nodePort",
    "parallelism",
    "partition",
    "periodSeconds",
    "progressDeadlineSeconds",
    "replicas",
    "revisionHistoryLimit",
    "runAsGroup",
    "runAsUser",
    "startingDeadlineSeconds",
    "successThreshold",
    "successfulJobsHistoryLimit",
    "terminationGracePeriodSeconds",
    "timeoutSeconds",
    "ttlSecondsAfterFinished",
];
/// Fields that hold a port number or a port's name.
const PORTS: &[&str] = &[
    "containerPort",
    "hostPort",
    "nodePort",
    "port",
    "targetPort",
];
/// Fields that hold file permissions.
const MODES: &[&str] = &["defaultMode", "mode"];
/// The greatest file permissions: 0777.
const FULL_MODE: u64 = 0o777;

/// Checks every number of a document.
pub(super) fn check(document: &Document, problems: &mut Vec<Problem>) {
    // A number in a Secret is refused as no text; its digits are not repeated.
    if document.is("Secret") {
        return;
    }
    let builtin = kinds::builtin(&document.api_version, &document.kind).is_some();
    let mut check = Check { document, problems };
    document.raw.walk(&mut |node| {
        check.doubtful(node);
        for item in node.items() {
            check.literal(item, false);
        }
        for entry in node.entries() {
            check.literal(&entry.value, is_mode(&entry.key));
        }
    });
    if builtin && let Some(spec) = document.body.get("spec") {
        spec.walk(&mut |node| node.entries().iter().for_each(|entry| check.field(entry)));
    }
}

/// Whether a key holds file permissions, in custom resources too.
fn is_mode(key: &str) -> bool {
    key.to_ascii_lowercase().ends_with("mode")
}

struct Check<'a> {
    document: &'a Document,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn error(&mut self, node: &Node, message: String, hint: Option<String>) {
        let problem = self.document.source.error(node.spot, message);
        self.problems.push(problem.maybe_hint(hint));
    }

    /// Digits and underscores that some readers take for a number and some for text.
    fn doubtful(&mut self, node: &Node) {
        let Some(text) = node.text().filter(|text| text.contains('_')) else {
            return;
        };
        let digits = text.trim_start_matches(['-', '+']);
        let numeric = digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.chars().all(|c| c.is_ascii_digit() || c == '_');
        if numeric && yaml::literal(&self.document.source, node) == text {
            let message = format!("`{text}` is a number to some readers of YAML");
            self.error(node, message, Some("put it in quotes".to_owned()));
        }
    }

    /// A number with a leading zero: octal, unless a digit says otherwise.
    fn literal(&mut self, node: &Node, is_mode: bool) {
        let Tree::Number(number) = &node.tree else {
            return;
        };
        let literal = yaml::literal(&self.document.source, node);
        let digits = literal.trim_start_matches(['-', '+']).replace('_', "");
        let zero = digits.len() > 1 && digits.starts_with('0');
        if !zero || !digits.chars().all(|c| c.is_ascii_digit()) {
            return;
        }
        if digits.contains(['8', '9']) {
            let message = format!("`{literal}` looks octal, but is read as {number}");
            self.error(node, message, Some("octal digits are 0 to 7".to_owned()));
        } else if !is_mode {
            let message = format!("`{literal}` is octal, it is read as {number}");
            let plain = digits.trim_start_matches('0');
            let plain = if plain.is_empty() { "0" } else { plain };
            self.error(
                node,
                message,
                Some(format!("write `{plain}`, or `\"{literal}\"` for text")),
            );
        }
    }

    fn field(&mut self, entry: &Entry) {
        let key = entry.key.as_str();
        let node = &entry.value;
        if WHOLE.contains(&key) {
            match &node.tree {
                Tree::Number(number) if number.is_f64() => {
                    self.error(
                        node,
                        format!("`{key}` must be a whole number, found {number}"),
                        None,
                    );
                }
                Tree::Text(_) | Tree::Bool(_) => {
                    let message = format!("`{key}` must be a whole number, found {}", node.shape());
                    self.error(node, message, None);
                }
                _ => {}
            }
        }
        if let Tree::Number(number) = &node.tree {
            self.range(key, node, number);
        }
    }

    fn range(&mut self, key: &str, node: &Node, number: &serde_json::Number) {
        if number.is_f64() || yaml::literal(&self.document.source, node).starts_with('0') {
            return;
        }
        // Zero in these two means "none": the API server takes it.
        let least = u64::from(!matches!(key, "hostPort" | "nodePort"));
        let fits = number
            .as_u64()
            .is_some_and(|n| (least..=65535).contains(&n));
        if PORTS.contains(&key) && !fits {
            let message = format!("`{key}` must be from 1 to 65535, found {number}");
            self.error(node, message, None);
        }
        let Some(mode) = number
            .as_u64()
            .filter(|n| MODES.contains(&key) && *n > FULL_MODE)
        else {
            return;
        };
        let hint = format!("octal begins with a zero: write `0{mode}`");
        let message = format!("`{key}` {mode} is 0{mode:o}, more than 0777");
        self.error(
            node,
            message,
            mode.to_string().chars().all(|c| c < '8').then_some(hint),
        );
    }
}
