//! Names and namespaces: what the API server would take, and where an object can live.

use super::super::document::Document;
use super::super::kinds;
use super::super::names;
use super::super::problem::Problem;
use super::super::stand_in;

/// Checks the name and the namespace of a document.
pub(super) fn check(document: &Document, problems: &mut Vec<Problem>) {
    check_name(document, problems);
    check_namespace(document, problems);
}

fn check_name(document: &Document, problems: &mut Vec<Problem>) {
    let (rule, most) = names::rule_for(document.group(), &document.kind);
    let name = document.filled_name();
    // Stand-ins count as one letter: their length is not known yet.
    if let Err(why) = names::check(&stand_in::as_letter(name), rule, most) {
        let message = format!("name `{}` {why}", stand_in::shown(name));
        problems.push(document.source.error(document.name_spot(), message));
    }
}

fn check_namespace(document: &Document, problems: &mut Vec<Problem>) {
    let Some(node) = document.body.at(&["metadata", "namespace"]) else {
        return;
    };
    let builtin = kinds::builtin(&document.api_version, &document.kind);
    if builtin.is_some_and(|kind| !kind.namespaced) {
        let message = format!("a {} is in no namespace", document.kind);
        let problem = document.source.error(node.spot, message);
        problems.push(problem.hint("remove `namespace`"));
        return;
    }
    let Some(name) = node.text() else {
        let message = format!(
            "`metadata.namespace` must be a string, found {}",
            node.shape()
        );
        problems.push(document.source.error(node.spot, message));
        return;
    };
    if let Err(why) = names::label(&stand_in::as_letter(name)) {
        let message = format!("namespace `{}` {why}", stand_in::shown(name));
        problems.push(document.source.error(node.spot, message));
    }
}
