//! Secret parameters: only in the data of a Secret; a generated one in exactly one of them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::document::{Document, ServiceTable};
use super::super::parameter::ParameterType;
use super::super::placeholder::{self, Reference};
use super::super::problem::Problem;
use super::super::source::Spot;
use super::super::spec::ServiceSpec;
use super::super::stand_in;
use super::super::yaml::Node;

/// Checks where the parameters of a service are used.
pub(super) fn check(table: &ServiceTable, problems: &mut Vec<Problem>) {
    let mut users: BTreeMap<String, Vec<&Document>> = BTreeMap::new();
    for document in &table.documents {
        for name in check_document(document, &table.spec, problems) {
            users.entry(name).or_default().push(document);
        }
    }
    check_generated(table, &users, problems);
    if !table.partial && !table.spec_partial {
        check_unused(table, problems);
    }
}

/// Reports secrets in the wrong place; returns the secrets that the document uses.
fn check_document(
    document: &Document,
    spec: &ServiceSpec,
    problems: &mut Vec<Problem>,
) -> BTreeSet<String> {
    let mut search = Search {
        document,
        spec,
        used: BTreeSet::new(),
        problems,
    };
    for entry in document.body.entries() {
        let place = match entry.key.as_str() {
            "stringData" if document.is("Secret") => Some(Place::Text),
            "data" if document.is("Secret") => Some(Place::Base64),
            _ => None,
        };
        search.node(&entry.value, place);
    }
    search.used
}

/// Where secrets may stand.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Text,
    Base64,
}

struct Search<'a> {
    document: &'a Document,
    spec: &'a ServiceSpec,
    used: BTreeSet<String>,
    problems: &'a mut Vec<Problem>,
}

impl Search<'_> {
    fn node(&mut self, root: &Node, place: Option<Place>) {
        let mut found = Vec::new();
        root.walk(&mut |node| {
            let texts = node.text().map(|text| (text.to_owned(), node.spot, place));
            let keys = node.entries().iter().map(|e| (e.key.clone(), e.spot, None));
            found.extend(texts.into_iter().chain(keys));
        });
        for (text, spot, place) in found {
            for name in stand_in::names(&text) {
                self.secret(&name, spot, place);
            }
        }
    }

    fn secret(&mut self, name: &str, spot: Spot, place: Option<Place>) {
        let Some(parameter) = self.spec.parameters.get(name) else {
            return;
        };
        if parameter.kind != ParameterType::Secret {
            return;
        }
        if place.is_some() {
            self.used.insert(name.to_owned());
        }
        let source = &self.document.source;
        let exact = source.find(spot, &format!("$g{{{name}}}"), 0);
        let exact = if exact.line == spot.line { exact } else { spot };
        match place {
            Some(Place::Text) => {}
            Some(Place::Base64) if parameter.generate.is_none() => {}
            Some(Place::Base64) => self.problems.push(
                source
                    .error(
                        exact,
                        format!("`data` is base64, the generated secret `{name}` is not"),
                    )
                    .hint("write it under `stringData`"),
            ),
            None => self.problems.push(
                source
                    .error(
                        exact,
                        format!("the secret `{name}` is used outside of a Secret"),
                    )
                    .hint(
                        "put it into the `stringData` of a Secret, and read that with \
                         `secretKeyRef`",
                    ),
            ),
        }
    }
}

fn check_generated(
    table: &ServiceTable,
    users: &BTreeMap<String, Vec<&Document>>,
    problems: &mut Vec<Problem>,
) {
    for (name, parameter) in &table.spec.parameters {
        let Some(second) = users.get(name).and_then(|documents| documents.get(1)) else {
            continue;
        };
        if parameter.generate.is_some() {
            let message = format!("the generated secret `{name}` is in two Secrets");
            let problem = second.source.error(second.name_spot(), message);
            problems.push(problem.hint("keep it in one, so that one of them cannot be lost alone"));
        }
    }
}

fn check_unused(table: &ServiceTable, problems: &mut Vec<Problem>) {
    let mut used = BTreeSet::new();
    let mut note = |reference: &Reference| {
        if let Reference::Parameter(name) = reference {
            used.insert(name.clone());
        }
    };
    for document in &table.documents {
        placeholder::each_reference(&document.raw.to_json(), &mut note);
    }
    for value in table.spec.config.values() {
        placeholder::each_reference(value, &mut note);
    }
    for (name, parameter) in &table.spec.parameters {
        if used.contains(name) {
            continue;
        }
        let line = table
            .spec
            .line_of(&format!("parameters.{name}"))
            .unwrap_or(1);
        let start = Spot {
            line,
            column: 1,
            width: 1,
            offset: offset_of(table, line),
        };
        let source = &table.spec_source;
        let spot = source.find(start, name, 0);
        let message = format!("no manifest uses the parameter `{name}`");
        problems.push(match parameter.generate {
            Some(_) => source
                .error(spot, message)
                .hint(format!("write `$g{{{name}}}` in a Secret")),
            None => source.warning(spot, message),
        });
    }
}

fn offset_of(table: &ServiceTable, line: u32) -> usize {
    let lines = table.spec_source.text.split_inclusive('\n');
    lines
        .take(line.saturating_sub(1) as usize)
        .map(str::len)
        .sum()
}
