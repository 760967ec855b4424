//! Objects that are there twice, within a service or in two of them.

use std::collections::BTreeMap;

use super::super::document::{Document, ServiceTable};
use super::super::kinds;
use super::super::problem::Problem;
use super::super::stand_in;
use super::super::yaml::Node;

/// Checks that no two documents are the same object.
pub(super) fn check(tables: &[ServiceTable], problems: &mut Vec<Problem>) {
    let mut first: BTreeMap<[String; 4], &Document> = BTreeMap::new();
    for table in tables {
        for document in &table.documents {
            if let Some(before) = first.insert(key(document, table), document) {
                let message = format!("{} is there twice", document.title());
                let problem = document.source.error(document.name_spot(), message);
                let place = before.source.place(before.name_spot());
                problems.push(problem.label(format!("first in {place}")));
            }
        }
    }
}

/// Group, kind, namespace and name; the version does not tell objects apart.
fn key(document: &Document, table: &ServiceTable) -> [String; 4] {
    let builtin = kinds::builtin(&document.api_version, &document.kind);
    let cluster = builtin.is_some_and(|kind| !kind.namespaced);
    let written = document
        .body
        .at(&["metadata", "namespace"])
        .and_then(Node::text);
    let namespace = match written {
        _ if cluster => String::new(),
        Some(namespace) => namespace.to_owned(),
        None => table
            .spec
            .namespace
            .clone()
            .unwrap_or_else(|| stand_in::of("namespace")),
    };
    [
        document.group().to_owned(),
        document.kind.clone(),
        namespace,
        document.filled_name().to_owned(),
    ]
}
