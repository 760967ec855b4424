//! Holds one layer against the shape: unknown keys, wrong types, values out of bounds. All
//! problems at once, each with its layer, its key and the nearest key that exists.
//!
//! A value never appears in a message, because a secret may stand in the wrong place; only a
//! parameter that `service.yaml` declares as no secret is quoted.

use super::layer::Layer;
use super::shape::{Key, Shape};
use crate::manifest::{Catalog, duration, names, parameter};
use serde_json::{Map, Value};

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct Problem {
    /// The layer, with the line where one is known.
    pub place: String,
    /// What is wrong with which key, a lowercase fragment.
    pub message: String,
    /// What to type instead.
    pub hint: Option<String>,
}

/// Checks every key of a layer.
#[must_use]
pub fn check(layer: &Layer, root: &Shape, catalog: &Catalog) -> Vec<Problem> {
    let mut checker = Checker {
        layer,
        catalog,
        service: None,
        problems: Vec::new(),
    };
    checker.value("", &layer.values, root);
    checker.problems
}

struct Checker<'a> {
    layer: &'a Layer,
    catalog: &'a Catalog,
    service: Option<&'a str>,
    problems: Vec<Problem>,
}

impl<'a> Checker<'a> {
    fn value(&mut self, path: &str, value: &'a Value, shape: &Shape) {
        match (shape, value) {
            (Shape::Struct(keys), Value::Object(map)) => self.keys(path, map, keys),
            (Shape::Services(inner), Value::Object(map)) => self.services(path, map, inner),
            (Shape::Map(inner), Value::Object(map)) => {
                map.iter()
                    .for_each(|(name, item)| self.value(&join(path, name), item, inner));
            }
            (Shape::List(inner), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(&format!("{path}[{index}]"), item, inner);
                }
            }
            (Shape::Parameters, Value::Object(map)) => self.parameters(path, map),
            (Shape::Settings, Value::Object(_)) | (Shape::Any, _) => {}
            _ => self.scalar(path, value, shape),
        }
    }

    fn keys(&mut self, path: &str, map: &'a Map<String, Value>, keys: &[Key]) {
        for (name, value) in map {
            match keys.iter().find(|key| key.name == name) {
                Some(key) => self.value(&join(path, name), value, &key.shape),
                None => self.unknown(path, name, "key", keys.iter().map(|key| key.name)),
            }
        }
        for key in keys.iter().filter(|key| key.needed) {
            if !map.contains_key(key.name) {
                let hint = Some(format!("`{}` is {}", key.name, key.about));
                self.problem(path, &format!("needs `{}`", key.name), hint);
            }
        }
    }

    fn services(&mut self, path: &str, map: &'a Map<String, Value>, inner: &Shape) {
        for (name, value) in map {
            if self.catalog.service(name).is_none() {
                let catalog = self.catalog;
                self.unknown(path, name, "service", catalog.names());
                continue;
            }
            self.service = Some(name);
            self.value(&join(path, name), value, inner);
            self.service = None;
        }
    }

    fn parameters(&mut self, path: &str, map: &'a Map<String, Value>) {
        let Some(service) = self.service.and_then(|name| self.catalog.service(name)) else {
            return;
        };
        let declared = &service.spec.parameters;
        for (name, value) in map {
            match declared.get(name).map(|parameter| parameter.check(value)) {
                Some(Ok(())) => {}
                Some(Err(why)) => {
                    let secret = declared[name].kind == parameter::ParameterType::Secret;
                    let message = if secret {
                        "expected a secret text".to_owned()
                    } else {
                        why
                    };
                    self.problem(&join(path, name), &message, None);
                }
                None => self.unknown(path, name, "parameter", declared.keys().map(String::as_str)),
            }
        }
    }

    fn scalar(&mut self, path: &str, value: &Value, shape: &Shape) {
        let fits = match (shape, value) {
            (Shape::Bool, Value::Bool(_)) | (Shape::Text, Value::String(_)) => true,
            (Shape::Int(least), Value::Number(number)) => {
                number.as_u64().is_some_and(|n| n >= *least)
            }
            (Shape::Label, Value::String(text)) => names::label(text).is_ok(),
            (Shape::Listen, Value::String(text)) => is_listen(text),
            (Shape::Level, Value::String(text)) => is_level(text),
            (Shape::Word(words), Value::String(text)) => words.contains(&text.as_str()),
            (Shape::Duration(least), Value::String(_) | Value::Number(_)) => {
                return self.span(path, value, *least);
            }
            _ => false,
        };
        if !fits {
            let found = parameter::shape(value);
            let (message, hint) = match (shape, value) {
                (Shape::Word(words), Value::String(text)) => (
                    format!("expected {}", shape.expected()),
                    nearest(text, words.iter().copied()),
                ),
                (_, Value::String(_)) => (format!("expected {}", shape.expected()), None),
                _ => (
                    format!("expected {}, found {found}", shape.expected()),
                    None,
                ),
            };
            let hint = hint.map(|word| format!("did you mean `{word}`?"));
            self.problem(path, &message, hint.or_else(|| shape.written()));
        }
    }

    fn span(&mut self, path: &str, value: &Value, least: u64) {
        match duration::read(value) {
            Err(_) => self.problem(path, "expected a duration such as 10s or 5m", None),
            Ok(span) if span.as_millis() < u128::from(least) => {
                let least = duration::print(std::time::Duration::from_millis(least));
                self.problem(path, &format!("must be at least {least}"), None);
            }
            Ok(_) => {}
        }
    }

    fn unknown<'n>(
        &mut self,
        path: &str,
        name: &str,
        what: &str,
        known: impl Iterator<Item = &'n str>,
    ) {
        let known: Vec<&str> = known.collect();
        let hint = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{}`?", join(path, near)),
            None if known.is_empty() => format!("there is no {what} here"),
            None => format!("known here: {}", known.join(", ")),
        };
        self.raw(
            &join(path, name),
            format!("unknown {what} `{}`", join(path, name)),
            Some(hint),
        );
    }

    fn problem(&mut self, path: &str, message: &str, hint: Option<String>) {
        let subject = if path.is_empty() {
            "the configuration"
        } else {
            path
        };
        self.raw(path, format!("{subject}: {message}"), hint);
    }

    fn raw(&mut self, path: &str, message: String, hint: Option<String>) {
        let place = self.layer.origin(path).to_string();
        self.problems.push(Problem {
            place,
            message,
            hint,
        });
    }
}

/// The known name that a mistyped one is nearest to, if one is near at all.
#[must_use]
pub fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    known
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len().max(3) / 3))
        .min()
        .map(|(_, candidate)| candidate)
}

/// A dotted path one key deeper.
#[must_use]
pub fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// Words that a log understands; a filter says at least one `=`.
fn is_level(text: &str) -> bool {
    let words = ["off", "error", "warn", "info", "debug", "trace"];
    let known = |word: &str| words.contains(&word.trim());
    text.split(',').all(|part| match part.split_once('=') {
        Some((_, level)) => known(level),
        None => known(part),
    })
}

fn is_listen(text: &str) -> bool {
    text.rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}
