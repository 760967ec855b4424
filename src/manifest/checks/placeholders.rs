//! Placeholders: written as such, declared, resolvable, without circles.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::document::Document;
use super::super::fill::{self, FillError, Table};
use super::super::placeholder::{self, ParseError, Piece, Reference};
use super::super::problem::Problem;
use super::super::source::{Source, Spot};

/// Checks every placeholder of a document as it was written.
pub(in super::super) fn check(
    document: &Document,
    spec: &Source,
    table: &Table<'_>,
    problems: &mut Vec<Problem>,
) {
    let mut check = Check {
        source: &document.source,
        spec,
        table,
        problems,
    };
    document.raw.walk(&mut |node| {
        if let Some(text) = node.text() {
            check.text(text, node.spot, false);
        }
        for entry in node.entries() {
            check.text(&entry.key, entry.spot, true);
        }
    });
}

struct Check<'a, 'b> {
    source: &'a Source,
    spec: &'a Source,
    table: &'a Table<'b>,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_, '_> {
    fn text(&mut self, text: &str, spot: Spot, is_key: bool) {
        if !placeholder::is_template(text) {
            return;
        }
        match placeholder::parse(text) {
            Ok(pieces) => self.pieces(text, &pieces, spot, is_key),
            Err(error) => self.unreadable(text, &error, spot),
        }
    }

    fn unreadable(&mut self, text: &str, error: &ParseError, spot: Spot) {
        let needle: String = text.chars().skip(error.at).take(error.width).collect();
        let spot = self.source.find(spot, &needle, 0);
        let problem = self.source.error(spot, error.message.clone());
        self.problems
            .push(problem.hint("a literal is written `$$g{` or `$$j{`"));
    }

    fn pieces(&mut self, text: &str, pieces: &[Piece], spot: Spot, is_key: bool) {
        let mut seen = BTreeSet::new();
        let mut sound = true;
        for piece in pieces {
            let Piece::Reference(reference) = piece else {
                continue;
            };
            let written = piece.to_string();
            if let Err(error) = self.value(&written) {
                sound = false;
                if seen.insert(written.clone()) {
                    self.unresolved(reference, &written, error, spot);
                }
            }
        }
        if !sound {
            return;
        }
        match self.value(text) {
            Err(error) => {
                let blamed = pieces.iter().map(Piece::to_string);
                let blamed = blamed
                    .into_iter()
                    .find(|p| error.message.contains(&format!("`{p}`")));
                let spot = blamed.map_or(spot, |written| self.source.find(spot, &written, 0));
                let problem = self.source.error(spot, error.message);
                self.problems.push(problem.maybe_hint(error.hint));
            }
            Ok(Value::String(_) | Value::Number(_)) => {}
            Ok(_) if is_key => {
                let message = format!("`{text}` is no text, which a key has to be");
                self.problems.push(self.source.error(spot, message));
            }
            Ok(_) => {}
        }
    }

    fn value(&self, text: &str) -> Result<Value, FillError> {
        let mut value = Value::String(text.to_owned());
        fill::fill(&mut value, &|reference| self.table.resolve(reference)).map(|()| value)
    }

    fn unresolved(&mut self, reference: &Reference, written: &str, error: FillError, spot: Spot) {
        let is_parameter = error.message.starts_with("unknown parameter");
        if is_parameter && matches!(reference, Reference::Field(f) if !f.name.contains("$g{")) {
            // The parameter is unknown where the field is written; it is reported there.
            return;
        }
        let single = written.replace('"', "'");
        let exact = self.source.find(spot, written, 0);
        let exact = if exact == spot {
            self.source.find(spot, &single, 0)
        } else {
            exact
        };
        let problem = self.source.error(exact, error.message);
        let label = if is_parameter {
            format!("not declared in {}", self.spec.file)
        } else {
            String::new()
        };
        self.problems
            .push(problem.label(label).maybe_hint(error.hint));
    }
}
