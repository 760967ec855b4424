//! Parameters: what users may change in the manifests, and which values fit.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{duration, quantity};

/// The names that every service can use beside its own parameters.
pub const BUILT_IN: [&str; 3] = ["namespace", "instance", "service"];

/// A parameter as `service.yaml` declares it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// What kind of value it takes.
    #[serde(rename = "type")]
    pub kind: ParameterType,
    /// Its value when no configuration gives one. `Some(Null)` leaves the field out; without a
    /// default the parameter has to be given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub default: Option<Value>,
    /// The words an `enum` may take.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// How many characters a generated `secret` has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generate: Option<u32>,
    /// One line for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The least value of an `int`, `quantity` or `duration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Value>,
    /// The greatest value of an `int`, `quantity` or `duration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Value>,
}

/// The types of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterType {
    /// Text, verbatim.
    String,
    /// A whole number.
    Int,
    /// True or false.
    Bool,
    /// A Kubernetes quantity, such as `256Mi` or `500m`.
    Quantity,
    /// A span of time, such as `30s` or `15d`.
    Duration,
    /// One of `values`.
    Enum,
    /// A list.
    List,
    /// A mapping.
    Map,
    /// Text that is never shown; only Secrets may use it.
    Secret,
}

/// A value with bounds in comparable form: the number, thousand-millionths, or milliseconds.
type Measure = i128;

impl ParameterType {
    /// The words people write, in the order of the variants.
    pub const WORDS: &'static [&'static str] = &[
        "string", "int", "bool", "quantity", "duration", "enum", "list", "map", "secret",
    ];

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        serde_json::from_value(Value::String(word.to_owned())).ok()
    }
}

impl Parameter {
    /// Checks that a value fits the type, the words and the bounds.
    ///
    /// # Errors
    /// A lowercase fragment that says what is expected; for a secret it never quotes the value.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        if value.is_null() {
            return if self.nullable() {
                Ok(())
            } else {
                Err(self.expected("null"))
            };
        }
        match self.kind {
            ParameterType::String | ParameterType::Secret if value.is_string() => Ok(()),
            ParameterType::Bool if value.is_boolean() => Ok(()),
            ParameterType::List if value.is_array() => Ok(()),
            ParameterType::Map if value.is_object() => Ok(()),
            ParameterType::Enum => self.check_word(value),
            ParameterType::Int | ParameterType::Quantity | ParameterType::Duration => {
                self.check_bounds(value)
            }
            _ => Err(self.expected(shape(value))),
        }
    }

    /// Reads a value from text, such as an environment variable's, by the declared type.
    ///
    /// # Errors
    /// As [`Parameter::check`]; lists and maps are given as JSON.
    pub fn read_text(&self, text: &str) -> Result<Value, String> {
        let value = match self.kind {
            ParameterType::String
            | ParameterType::Secret
            | ParameterType::Enum
            | ParameterType::Quantity
            | ParameterType::Duration => Value::String(text.to_owned()),
            ParameterType::Int | ParameterType::Bool | ParameterType::List | ParameterType::Map => {
                serde_json::from_str(text).map_err(|_| self.expected("text"))?
            }
        };
        self.check(&value).map(|()| value)
    }

    /// Whether the parameter may be null, which leaves its field out.
    #[must_use]
    pub fn nullable(&self) -> bool {
        matches!(self.default, Some(Value::Null))
    }

    /// Whether a configuration has to give the value.
    #[must_use]
    pub fn required(&self) -> bool {
        self.default.is_none() && self.generate.is_none()
    }

    fn check_word(&self, value: &Value) -> Result<(), String> {
        let known = value
            .as_str()
            .is_some_and(|word| self.values.iter().any(|v| v == word));
        if known {
            Ok(())
        } else {
            Err(format!("expected one of {}", self.values.join(", ")))
        }
    }

    fn check_bounds(&self, value: &Value) -> Result<(), String> {
        let measure = self.measure(value)?;
        for (bound, low) in [(&self.min, true), (&self.max, false)] {
            let Some(bound) = bound else { continue };
            let limit = self.measure(bound)?;
            if low && measure < limit {
                return Err(format!(
                    "{} is below the minimum {}",
                    plain(value),
                    plain(bound)
                ));
            }
            if !low && measure > limit {
                return Err(format!(
                    "{} is above the maximum {}",
                    plain(value),
                    plain(bound)
                ));
            }
        }
        Ok(())
    }

    /// The value in a form that can be compared within its type.
    fn measure(&self, value: &Value) -> Result<Measure, String> {
        let wrong = || self.expected(shape(value));
        match (self.kind, value) {
            (ParameterType::Int, Value::Number(n)) => n
                .as_i64()
                .map(Measure::from)
                .or_else(|| n.as_u64().map(Measure::from))
                .ok_or_else(wrong),
            (ParameterType::Quantity, Value::String(text)) => quantity::parse(text),
            (ParameterType::Quantity, Value::Number(n)) => quantity::parse(&n.to_string()),
            (ParameterType::Duration, Value::String(_) | Value::Number(_)) => {
                let millis = duration::read(value)?.as_millis();
                Measure::try_from(millis).map_err(|_| wrong())
            }
            _ => Err(wrong()),
        }
    }

    fn expected(&self, found: &str) -> String {
        format!("expected {}, found {found}", self.kind)
    }
}

impl fmt::Display for ParameterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "a string",
            Self::Int => "a whole number",
            Self::Bool => "true or false",
            Self::Quantity => "a quantity such as 256Mi or 500m",
            Self::Duration => "a duration such as 30s or 5m",
            Self::Enum => "one of its values",
            Self::List => "a list",
            Self::Map => "a mapping",
            Self::Secret => "a secret text",
        })
    }
}

/// What a value is, in words.
#[must_use]
pub fn shape(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(n) if n.is_f64() => "a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parameter(text: Value) -> Parameter {
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn values_fit_their_type_and_bounds() {
        let rows = [
            (json!({"type": "string"}), json!("x"), Ok(())),
            (
                json!({"type": "string"}),
                json!(8.2),
                Err("expected a string, found a fraction"),
            ),
            (json!({"type": "int", "min": 1, "max": 3}), json!(3), Ok(())),
            (
                json!({"type": "int", "max": 3}),
                json!(4),
                Err("4 is above the maximum 3"),
            ),
            (
                json!({"type": "int"}),
                json!("3"),
                Err("expected a whole number, found a string"),
            ),
            (
                json!({"type": "bool"}),
                json!("true"),
                Err("expected true or false, found a string"),
            ),
            (
                json!({"type": "quantity", "min": "32Mi"}),
                json!("1Gi"),
                Ok(()),
            ),
            (json!({"type": "quantity"}), json!(2), Ok(())),
            (
                json!({"type": "quantity", "min": "32Mi"}),
                json!("1M"),
                Err("1M is below the minimum 32Mi"),
            ),
            (
                json!({"type": "duration", "min": "1s"}),
                json!("1m"),
                Ok(()),
            ),
            (
                json!({"type": "duration", "min": "1s"}),
                json!("10ms"),
                Err("10ms is below the minimum 1s"),
            ),
            (
                json!({"type": "enum", "values": ["a", "b"]}),
                json!("b"),
                Ok(()),
            ),
            (
                json!({"type": "enum", "values": ["a"]}),
                json!("c"),
                Err("expected one of a"),
            ),
            (json!({"type": "list"}), json!([1]), Ok(())),
            (
                json!({"type": "map"}),
                json!([1]),
                Err("expected a mapping, found a list"),
            ),
            (
                json!({"type": "secret"}),
                json!(5),
                Err("expected a secret text, found a number"),
            ),
            (
                json!({"type": "string", "default": null}),
                json!(null),
                Ok(()),
            ),
            (
                json!({"type": "string"}),
                json!(null),
                Err("expected a string, found null"),
            ),
        ];
        for (declared, value, expected) in rows {
            let checked = parameter(declared.clone()).check(&value);
            assert_eq!(
                checked,
                expected.map_err(str::to_owned),
                "{declared} {value}"
            );
        }
    }

    #[test]
    fn text_is_read_by_the_declared_type() {
        let rows = [
            ("string", "12345", json!("12345")),
            ("string", "[x", json!("[x")),
            ("secret", "true", json!("true")),
            ("int", "5", json!(5)),
            ("bool", "true", json!(true)),
            ("quantity", "512Mi", json!("512Mi")),
            ("duration", "30s", json!("30s")),
            ("list", "[1, \"a\"]", json!([1, "a"])),
            ("map", "{\"a\": 1}", json!({"a": 1})),
        ];
        for (kind, text, value) in rows {
            let read = parameter(json!({"type": kind})).read_text(text);
            assert_eq!(read, Ok(value), "{kind} {text}");
        }
        assert!(parameter(json!({"type": "int"})).read_text("five").is_err());
        assert!(parameter(json!({"type": "bool"})).read_text("yes").is_err());
    }

    #[test]
    fn a_default_of_null_is_told_from_none() {
        let optional = parameter(json!({"type": "string", "default": null}));
        assert!(optional.nullable() && !optional.required());
        let required = parameter(json!({"type": "string"}));
        assert!(!required.nullable() && required.required());
        let again: Parameter =
            serde_json::from_str(&serde_json::to_string(&optional).unwrap()).unwrap();
        assert_eq!(again, optional);
    }
}
