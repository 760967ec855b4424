//! What the API server, or the cluster afterwards, would refuse or silently get wrong.
//!
//! Every check looks at documents that are filled with defaults, and notes all it finds. Each
//! file holds one family of rules.

mod addresses;
mod data;
mod duplicates;
mod identity;
mod images;
mod index;
pub(super) mod keys;
mod labels;
mod lists;
mod mounts;
mod numbers;
pub(super) mod placeholders;
mod pods;
mod ports;
mod references;
mod removed;
mod resources;
mod secrets;
mod selectors;
mod services;

use super::document::{Document, ServiceTable};
use super::problem::Problem;
use index::Index;

/// Runs every check over all services.
pub(super) fn run(tables: &[ServiceTable], problems: &mut Vec<Problem>) {
    services::check(tables, problems);
    duplicates::check(tables, problems);
    let index = Index::new(tables);
    for table in tables {
        secrets::check(table, problems);
        let here = Here {
            all: tables,
            index: &index,
            table,
        };
        for document in &table.documents {
            check_document(document, &here, problems);
        }
    }
}

/// What a check can see beside its document.
struct Here<'a> {
    all: &'a [ServiceTable],
    index: &'a Index<'a>,
    table: &'a ServiceTable,
}

impl<'a> Here<'a> {
    /// The documents of all services.
    fn documents(&self) -> impl Iterator<Item = &'a Document> {
        self.all.iter().flat_map(|table| table.documents.iter())
    }
}

fn check_document(document: &Document, here: &Here<'_>, problems: &mut Vec<Problem>) {
    removed::check(document, problems);
    identity::check(document, problems);
    labels::check(document, problems);
    data::check(document, problems);
    numbers::check(document, problems);
    lists::check(document, problems);
    images::check(document, problems);
    resources::check(document, problems);
    mounts::check(document, problems);
    ports::check(document, here, problems);
    if here.all.iter().all(|table| !table.partial) {
        selectors::check(document, here, problems);
        references::check(document, here, problems);
    }
    addresses::check(document, problems);
}
