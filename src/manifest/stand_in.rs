//! Stand-ins for values that only a running jsorc knows.
//!
//! The checks see documents filled with defaults. A namespace, an instance, a secret or a
//! parameter without a default is stood in for by its name between two private characters, so
//! that every check can tell it from text and none takes it for a value.

use serde_json::{Value, json};

use super::fill::FillError;
use super::nearest;
use super::parameter::{BUILT_IN, Parameter, ParameterType};
use super::spec::ServiceSpec;

const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// The stand-in of a name.
pub(super) fn of(name: &str) -> String {
    format!("{OPEN}{name}{CLOSE}")
}

/// Whether a text holds any stand-in.
pub(super) fn within(text: &str) -> bool {
    text.contains(OPEN)
}

/// The text with one letter for each stand-in, for rules about characters.
pub(super) fn as_letter(text: &str) -> String {
    replaced(text, |_| "x".to_owned())
}

/// The text with its placeholders, for people.
pub(super) fn shown(text: &str) -> String {
    replaced(text, |name| format!("$g{{{name}}}"))
}

/// The names that a text has stand-ins for.
pub(super) fn names(text: &str) -> Vec<String> {
    let after = text.split(OPEN).skip(1);
    after
        .filter_map(|rest| rest.split_once(CLOSE))
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn replaced(text: &str, with: impl Fn(&str) -> String) -> String {
    let mut parts = text.split(OPEN);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(CLOSE).unwrap_or(("", part));
        out.push_str(&with(name));
        out.push_str(rest);
    }
    out
}

/// What a parameter is taken for while a folder is checked: its default, or a stand-in.
pub(super) fn value(spec: &ServiceSpec, name: &str) -> Result<Value, FillError> {
    if BUILT_IN.contains(&name) {
        return Ok(Value::String(of(name)));
    }
    match spec.parameters.get(name) {
        Some(parameter) => Ok(sample(parameter, name)),
        None => Err(unknown(spec, name)),
    }
}

fn unknown(spec: &ServiceSpec, name: &str) -> FillError {
    let known: Vec<&str> = spec
        .parameters
        .keys()
        .map(String::as_str)
        .chain(BUILT_IN)
        .collect();
    FillError {
        message: format!("unknown parameter `{name}`"),
        hint: nearest::hint(name, &known),
    }
}

fn sample(parameter: &Parameter, name: &str) -> Value {
    if parameter.kind == ParameterType::Secret {
        return Value::String(of(name));
    }
    if let Some(default) = &parameter.default {
        return default.clone();
    }
    let least = parameter.min.clone();
    match parameter.kind {
        ParameterType::String | ParameterType::Secret => Value::String(of(name)),
        ParameterType::Int => least.unwrap_or_else(|| json!(1)),
        ParameterType::Bool => json!(true),
        ParameterType::Quantity => least.unwrap_or_else(|| json!("1")),
        ParameterType::Duration => least.unwrap_or_else(|| json!("1s")),
        ParameterType::Enum => parameter.values.first().cloned().into(),
        ParameterType::List => json!([]),
        ParameterType::Map => json!({}),
    }
}
