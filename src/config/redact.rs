//! Which values of a configuration must never be shown.

use crate::manifest::{Catalog, ParameterType};
use serde_json::Value;

/// Words that make a setting a secret, as whole words of its last key.
const SECRET_WORDS: &[&str] = &[
    "password",
    "pass",
    "passwd",
    "secret",
    "token",
    "credential",
    "credentials",
];

/// Whether the value at a path is a secret: a secret parameter, or a setting whose name says so.
#[must_use]
pub fn is_secret(path: &str, catalog: &Catalog) -> bool {
    let parts: Vec<&str> = path.split('.').collect();
    let last = parts
        .last()
        .map(|part| part.to_lowercase())
        .unwrap_or_default();
    if let ["services", service, "parameters", name, ..] = parts.as_slice() {
        return catalog
            .service(service)
            .and_then(|service| service.spec.parameters.get(*name))
            .is_some_and(|parameter| parameter.kind == ParameterType::Secret);
    }
    last.split(['_', '-'])
        .any(|word| SECRET_WORDS.contains(&word))
}

/// Every leaf of a tree with its dotted path, in order. An empty mapping and a list are leaves.
#[must_use]
pub fn flatten(values: &Value) -> Vec<(String, &Value)> {
    let mut leaves = Vec::new();
    collect(String::new(), values, &mut leaves);
    leaves
}

fn collect<'a>(path: String, value: &'a Value, leaves: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (name, inner) in map {
                let below = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                collect(below, inner, leaves);
            }
        }
        _ => leaves.push((path, value)),
    }
}
