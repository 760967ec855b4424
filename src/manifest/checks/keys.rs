//! Keys of mappings: none given twice, none that YAML reads as something else than text.

use std::collections::BTreeMap;

use super::super::problem::Problem;
use super::super::source::Source;
use super::super::yaml::{Entry, KeyShape, Node};

/// Checks the keys of a node and of everything in it.
pub(in super::super) fn check(source: &Source, root: &Node, problems: &mut Vec<Problem>) {
    root.walk(&mut |node| {
        let mut first: BTreeMap<&str, &Entry> = BTreeMap::new();
        for entry in node.entries() {
            check_shape(source, entry, problems);
            if let Some(before) = first.insert(&entry.key, entry) {
                let message = format!("key `{}` is given twice", entry.key);
                let problem = source.error(entry.spot, message);
                problems.push(problem.label(format!("first on line {}", before.spot.line)));
            }
        }
    });
}

fn check_shape(source: &Source, entry: &Entry, problems: &mut Vec<Problem>) {
    let what = match entry.shape {
        KeyShape::Text | KeyShape::Number => return,
        KeyShape::Bool => format!("YAML reads this key as `{}`", entry.key),
        KeyShape::Null => "YAML reads this key as null".to_owned(),
        KeyShape::Compound => "a key cannot be a list or a mapping".to_owned(),
    };
    let problem = source.error(entry.spot, what);
    problems.push(match entry.shape {
        KeyShape::Compound => problem,
        _ => problem.hint("put it in quotes"),
    });
}
