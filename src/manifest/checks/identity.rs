//! Names and namespaces: what the API server would take, where an object can live, and what it is not
//! for a manifest to say.

use super::super::document::Document;
use super::super::kinds;
use super::super::names;
use super::super::problem::Problem;
use super::super::stand_in;

/// What is of one object in one cluster. An apply with it is refused, or lands on no other object.
const GIVEN_BY_THE_SERVER: &[&str] = &["uid", "resourceVersion", "managedFields"];

/// Checks the name and the namespace of a document, and its other metadata.
pub(super) fn check(document: &Document, problems: &mut Vec<Problem>) {
    check_name(document, problems);
    check_namespace(document, problems);
    check_given(document, problems);
}

fn check_given(document: &Document, problems: &mut Vec<Problem>) {
    for field in GIVEN_BY_THE_SERVER {
        let Some(node) = document.body.at(&["metadata", field]) else {
            continue;
        };
        if !node.is_null() {
            let message = format!("`metadata.{field}` is given by the server");
            let problem = document.source.error(node.spot, message);
            problems.push(problem.hint(format!("remove `{field}`")));
        }
    }
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
