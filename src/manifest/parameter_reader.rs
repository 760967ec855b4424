//! Reads the `parameters` of a `service.yaml` and checks their defaults.

use std::collections::BTreeMap;

use super::parameter::{BUILT_IN, Parameter, ParameterType};
use super::source::Spot;
use super::spec_reader::SpecReader;
use super::yaml::{Entry, Node, Tree};
use super::{names, nearest};

const KEYS: [&str; 7] = [
    "type",
    "default",
    "values",
    "generate",
    "description",
    "min",
    "max",
];

/// The fewest characters of a generated secret that are worth the name.
const SHORTEST_SECRET: u32 = 8;
/// The most characters of a generated secret.
const LONGEST_SECRET: u32 = 1024;

/// Reads all parameters; one that cannot be read is left out beside its problem.
pub(super) fn read(reader: &mut SpecReader<'_>, entry: &Entry) -> BTreeMap<String, Parameter> {
    if !entry.value.is_null() && !matches!(entry.value.tree, Tree::Map(_)) {
        let message = format!(
            "`parameters` must be a mapping, found {}",
            entry.value.shape()
        );
        reader.error(entry.value.spot, message, None);
    }
    let mut parameters = BTreeMap::new();
    for entry in entry.value.entries() {
        check_name(reader, entry);
        if let Some(parameter) = read_one(reader, entry) {
            parameters.insert(entry.key.clone(), parameter);
        }
    }
    parameters
}

fn check_name(reader: &mut SpecReader<'_>, entry: &Entry) {
    if BUILT_IN.contains(&entry.key.as_str()) {
        let message = format!("`{}` is built in and cannot be declared", entry.key);
        reader.error(entry.spot, message, Some("take another name".to_owned()));
    } else if let Err(why) = names::parameter(&entry.key) {
        reader.error(entry.spot, format!("parameter `{}` {why}", entry.key), None);
    }
}

fn read_one(reader: &mut SpecReader<'_>, entry: &Entry) -> Option<Parameter> {
    let node = &entry.value;
    if node.is_null() || !reader.mapping(node, &KEYS, "a parameter") {
        if node.is_null() {
            let hint = "write {type: string, default: …}".to_owned();
            reader.error(
                entry.spot,
                format!("parameter `{}` has no type", entry.key),
                Some(hint),
            );
        }
        return None;
    }
    let parameter = Parameter {
        kind: read_type(reader, entry)?,
        default: node.get("default").map(Node::to_json),
        values: node
            .entry("values")
            .map(|e| reader.texts(e))
            .unwrap_or_default(),
        generate: node.entry("generate").and_then(|e| reader.count(e)),
        description: node
            .entry("description")
            .and_then(|e| reader.text(e))
            .unwrap_or_default(),
        min: node.get("min").map(Node::to_json),
        max: node.get("max").map(Node::to_json),
    };
    check_words(reader, &parameter, entry);
    check_generate(reader, &parameter, entry);
    check_bounds(reader, &parameter, node);
    check_default(reader, &parameter, node);
    Some(parameter)
}

fn read_type(reader: &mut SpecReader<'_>, entry: &Entry) -> Option<ParameterType> {
    let Some(kind) = entry.value.entry("type") else {
        let known = ParameterType::WORDS.join(", ");
        let message = format!("parameter `{}` has no type", entry.key);
        reader.error(entry.spot, message, Some(format!("known: {known}")));
        return None;
    };
    let word = reader.text(kind)?;
    let known = ParameterType::from_word(&word);
    if known.is_none() {
        let hint = nearest::hint(&word, ParameterType::WORDS);
        reader.error(kind.value.spot, format!("unknown type `{word}`"), hint);
    }
    known
}

fn check_words(reader: &mut SpecReader<'_>, parameter: &Parameter, entry: &Entry) {
    let is_enum = parameter.kind == ParameterType::Enum;
    if is_enum && parameter.values.is_empty() {
        let message = format!("enum `{}` has no `values`", entry.key);
        reader.error(entry.spot, message, Some("write values: [a, b]".to_owned()));
    }
    if let Some(values) = entry.value.entry("values").filter(|_| !is_enum) {
        misplaced(reader, values.spot, "values", "an enum");
    }
}

fn check_generate(reader: &mut SpecReader<'_>, parameter: &Parameter, entry: &Entry) {
    let Some(generate) = entry.value.entry("generate") else {
        return;
    };
    if parameter.kind != ParameterType::Secret {
        misplaced(reader, generate.spot, "generate", "a secret");
        return;
    }
    let length = parameter.generate.unwrap_or(SHORTEST_SECRET);
    if !(SHORTEST_SECRET..=LONGEST_SECRET).contains(&length) {
        let message =
            format!("a generated secret has {SHORTEST_SECRET} to {LONGEST_SECRET} characters");
        reader.error(generate.value.spot, message, None);
    }
}

fn misplaced(reader: &mut SpecReader<'_>, spot: Spot, key: &str, owner: &str) {
    reader.error(spot, format!("`{key}` belongs to {owner} only"), None);
}

fn check_bounds(reader: &mut SpecReader<'_>, parameter: &Parameter, node: &Node) {
    let bare = Parameter {
        min: None,
        max: None,
        ..parameter.clone()
    };
    for key in ["min", "max"] {
        let Some(entry) = node.entry(key) else {
            continue;
        };
        let bounded = [
            ParameterType::Int,
            ParameterType::Quantity,
            ParameterType::Duration,
        ]
        .contains(&parameter.kind);
        if !bounded {
            misplaced(reader, entry.spot, key, "an int, a quantity or a duration");
        } else if let Err(why) = bare.check(&entry.value.to_json()) {
            reader.error(entry.value.spot, format!("`{key}`: {why}"), None);
        }
    }
    let (Some(min), Some(_)) = (&parameter.min, node.get("max")) else {
        return;
    };
    let only_max = Parameter {
        min: None,
        ..parameter.clone()
    };
    if bare.check(min).is_ok() && only_max.check(min).is_err() {
        let spot = node.entry("min").map(|e| e.value.spot).unwrap_or_default();
        reader.error(spot, "`min` is above `max`", None);
    }
}

fn check_default(reader: &mut SpecReader<'_>, parameter: &Parameter, node: &Node) {
    let Some(entry) = node.entry("default") else {
        return;
    };
    if entry.value.is_null() {
        return;
    }
    if parameter.kind == ParameterType::Secret {
        let hint = "leave `default` out, and let it be made by `generate: 24` or given by \
                    configuration";
        reader.error(entry.spot, "a secret has no default", Some(hint.to_owned()));
        return;
    }
    if let Err(why) = parameter.check(&entry.value.to_json()) {
        let hint = match (&entry.value.tree, parameter.kind) {
            (Tree::Number(_) | Tree::Bool(_), ParameterType::String) => {
                Some("put it in quotes".to_owned())
            }
            _ => None,
        };
        reader.error(
            entry.value.spot,
            format!("the default does not fit: {why}"),
            hint,
        );
    }
}
