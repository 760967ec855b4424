//! Lines that begin with a tab and say nothing. `kubectl` refuses them in block style, where a tab
//! can be no indentation; our parser skips them.

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, StructureStyle};

use super::super::source::{Spot, narrow};

/// The first such line of a readable text, outside of brackets and quotes, where a tab is a blank like any other.
pub(super) fn first_refused(text: &str) -> Option<Spot> {
    let mut offset = 0;
    let mut suspects = Vec::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let said = line.trim();
        if line.starts_with('\t') && (said.is_empty() || said.starts_with('#')) {
            suspects.push((index + 1, offset));
        }
        offset += line.len();
    }
    if suspects.is_empty() {
        return None;
    }
    let blanks = where_tabs_are_blanks(text);
    let refused = |line: usize| {
        !blanks
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&line))
    };
    suspects
        .into_iter()
        .find(|(line, _)| refused(*line))
        .map(|(line, offset)| Spot {
            line: narrow(line),
            column: 1,
            width: 1,
            offset,
        })
}

/// The lines, after the one where it begins, of each bracket and each quoted text.
fn where_tabs_are_blanks(text: &str) -> Vec<(usize, usize)> {
    let (mut found, mut open) = (Vec::new(), Vec::new());
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        let (from, to) = (span.start.line(), span.end.line());
        match event {
            Event::Scalar(_, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted, ..) => {
                found.push((from + 1, to));
            }
            Event::SequenceStart(style, ..) | Event::MappingStart(style, ..) => {
                open.push((style, from));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((StructureStyle::Flow, from)) = open.pop() {
                    found.push((from + 1, to));
                }
            }
            _ => {}
        }
    }
    found
}
