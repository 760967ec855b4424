//! Labels, annotations and selectors: text only, and of the right characters.

use super::super::document::{Document, quotes};
use super::super::names;
use super::super::problem::Problem;
use super::super::stand_in;
use super::super::yaml::{Node, Tree};
use super::pods;

/// Checks the labels and annotations of a document, its pods and its claims.
pub(super) fn check(document: &Document, problems: &mut Vec<Problem>) {
    let mut check = Check { document, problems };
    check.metadata(document.body.get("metadata"));
    if let Some(pod) = pods::pod_of(document)
        && document.kind != "Pod"
    {
        check.metadata(pod.metadata);
    }
    if let Some(job) = document.body.at(&["spec", "jobTemplate"]) {
        check.metadata(job.get("metadata"));
    }
    for claim in document
        .body
        .at(&["spec"])
        .map_or(&[][..], |s| s.list("volumeClaimTemplates"))
    {
        check.metadata(claim.get("metadata"));
    }
    check.selectors();
}

struct Check<'a> {
    document: &'a Document,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn metadata(&mut self, metadata: Option<&Node>) {
        let Some(metadata) = metadata else { return };
        self.pairs(metadata.get("labels"), "label", true);
        self.pairs(metadata.get("annotations"), "annotation", false);
    }

    fn selectors(&mut self) {
        let spec = self.document.body.get("spec");
        let selector = spec.and_then(|spec| spec.get("selector"));
        if self.document.is("Service") || self.document.is("ReplicationController") {
            self.pairs(selector, "label", true);
        } else if self.document.is(&self.document.kind) {
            self.pairs(selector.and_then(|s| s.get("matchLabels")), "label", true);
        }
        if let Some(pod) = pods::pod_of(self.document) {
            self.pairs(pod.spec.get("nodeSelector"), "label", true);
        }
    }

    fn pairs(&mut self, node: Option<&Node>, what: &str, is_label: bool) {
        let Some(node) = node.filter(|node| !node.is_null()) else {
            return;
        };
        if !matches!(node.tree, Tree::Map(_)) {
            let message = format!("{what}s must be a mapping, found {}", node.shape());
            self.problems
                .push(self.document.source.error(node.spot, message));
        }
        for entry in node.entries() {
            if let Err(why) = names::qualified(&stand_in::as_letter(&entry.key)) {
                let message = format!("the key of a {what} {why}");
                self.problems
                    .push(self.document.source.error(entry.spot, message));
            }
            self.value(&entry.key, &entry.value, what, is_label);
        }
    }

    fn value(&mut self, key: &str, node: &Node, what: &str, is_label: bool) {
        let Some(text) = node.text() else {
            let message = format!("{what} `{key}` must be a string, found {}", node.shape());
            let problem = self.document.source.error(node.spot, message);
            self.problems.push(problem.maybe_hint(quotes(node)));
            return;
        };
        if is_label && let Err(why) = names::label_value(&stand_in::as_letter(text)) {
            let message = format!("the value of {what} `{key}` {why}");
            self.problems
                .push(self.document.source.error(node.spot, message));
        }
    }
}
