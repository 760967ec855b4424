//! Environment variables as layers: `JSORC_…` by key path, and the original's own names
//! (`REDIS_HOST` …), which lose to the `JSORC_` form.
//!
//! A value is read by the declared type of its key, so a text takes its text verbatim. What
//! Kubernetes injects for Services (`JSORC_PORT=tcp://10.0.0.1:8585` and companions) is neither a
//! key nor an error.

use super::check::{Problem, join, nearest};
use super::layer::{Layer, Source};
use super::shape::{Key, ROOT, Shape};
use crate::manifest::catalog::environment_name;
use crate::manifest::system;
use crate::manifest::{Catalog, Service};
use serde_json::{Map, Value, json};

const PREFIX: &str = "JSORC_";

/// Variables with the prefix that are flags of commands or belong to tests, not configuration.
const NOT_CONFIGURATION: &[&str] = &["CONFIG", "SERVER", "SERVICES_DIR", "TEST_"];

/// What the environment says.
#[derive(Debug, Default)]
pub struct Environment {
    /// One layer for each variable, weakest first.
    pub layers: Vec<Layer>,
    /// Variables that look like Kubernetes' service links and were left aside.
    pub ignored: Vec<String>,
    /// What cannot be read.
    pub problems: Vec<Problem>,
}

/// Reads variables; `read_file` serves the `…_FILE` forms.
#[must_use]
pub fn read(
    variables: &[(String, String)],
    catalog: &Catalog,
    read_file: &dyn Fn(&str) -> std::io::Result<String>,
) -> Environment {
    let mut found = Environment::default();
    for service in &catalog.services {
        originals(service, variables, &mut found);
    }
    let mut sorted: Vec<_> = variables
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    sorted.sort();
    for (name, value) in sorted {
        if is_service_link(name, value) {
            found.ignored.push(name.clone());
        } else if !NOT_CONFIGURATION
            .iter()
            .any(|other| name[PREFIX.len()..].starts_with(other))
        {
            prefixed(name, value, catalog, read_file, &mut found);
        }
    }
    found.ignored.sort();
    found.ignored.dedup();
    found
}

/// The problems of variables whose values are not text, where they are ours at all.
#[must_use]
pub fn unreadable(names: &[String], catalog: &Catalog) -> Vec<Problem> {
    let original = |name: &str| {
        let mut originals = catalog.services.iter().flat_map(|s| s.spec.env.values());
        originals.any(|variable| variable == name)
    };
    names
        .iter()
        .filter(|name| name.starts_with(PREFIX) || original(name))
        .map(|name| {
            let hint = Some("set it again in UTF-8".to_owned());
            problem(name, "its value is not UTF-8 text".to_owned(), hint)
        })
        .collect()
}

/// Whether Kubernetes made this variable for a Service (its name and value have the form of
/// Docker's links, Kubernetes "Accessing the Service").
#[must_use]
pub fn is_service_link(name: &str, value: &str) -> bool {
    if name.contains("__") {
        return false;
    }
    let is_url = |value: &str| {
        value.split_once("://").is_some_and(|(scheme, rest)| {
            ["tcp", "udp", "sctp"].contains(&scheme) && rest.contains(':')
        })
    };
    let numbered_port = || {
        let mut parts = name
            .rsplit('_')
            .skip_while(|part| ["PROTO", "PORT", "ADDR"].contains(part));
        matches!(parts.next(), Some("TCP" | "UDP" | "SCTP"))
            && parts.next().is_some_and(|part| part.parse::<u16>().is_ok())
            && parts.next() == Some("PORT")
    };
    (name.ends_with("_PORT") && is_url(value))
        || name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || numbered_port()
}

fn originals(service: &Service, variables: &[(String, String)], found: &mut Environment) {
    for (setting, variable) in &service.spec.env {
        let Some((_, value)) = variables.iter().find(|(name, _)| name == variable) else {
            continue;
        };
        if is_service_link(variable, value) {
            found.ignored.push(variable.clone());
            continue;
        }
        let typed = setting_value(service, setting, value);
        let values = json!({"services": {service.name.as_ref(): {"config": {setting: typed}}}});
        found
            .layers
            .push(Layer::new(Source::Variable(variable.clone()), values));
    }
}

fn prefixed(
    name: &str,
    value: &str,
    catalog: &Catalog,
    read_file: &dyn Fn(&str) -> std::io::Result<String>,
    found: &mut Environment,
) {
    let spoken = &name[PREFIX.len()..];
    let target = locate(spoken, catalog);
    let (target, text) = match (target, spoken.strip_suffix("_FILE")) {
        (Err(_), Some(shorter)) if locate(shorter, catalog).is_ok() => match read_file(value) {
            Ok(text) => (
                locate(shorter, catalog),
                text.trim_end_matches(['\r', '\n']).to_owned(),
            ),
            // The path is not said: whoever puts a secret here by mistake should not read it in a log.
            Err(error) => {
                let message = format!("cannot read the file it names: {}", system::words(&error));
                let hint = Some(format!("{name} takes the path of a file with the value"));
                return found.problems.push(problem(name, message, hint));
            }
        },
        (target, _) => (target, value.to_owned()),
    };
    match target.and_then(|target| target.read(&text)) {
        Ok(values) => found
            .layers
            .push(Layer::new(Source::Variable(name.to_owned()), values)),
        Err((message, hint)) => found.problems.push(problem(name, message, hint)),
    }
}

fn problem(name: &str, message: String, hint: Option<String>) -> Problem {
    Problem {
        place: Source::Variable(name.to_owned()).to_string(),
        message,
        hint,
    }
}

type Refused = (String, Option<String>);

/// The key that a variable sets.
struct Target<'a> {
    path: Vec<String>,
    shape: Shape,
    service: Option<&'a Service>,
}

fn locate<'a>(spoken: &str, catalog: &'a Catalog) -> Result<Target<'a>, Refused> {
    let mut target = Target {
        path: Vec::new(),
        shape: ROOT,
        service: None,
    };
    let mut rest = spoken;
    loop {
        let (part, more) = rest.split_once("__").unwrap_or((rest, ""));
        target.step(part, more, catalog)?;
        if more.is_empty() {
            return Ok(target);
        }
        rest = more;
    }
}

impl<'a> Target<'a> {
    fn step(&mut self, part: &str, rest: &str, catalog: &'a Catalog) -> Result<(), Refused> {
        match self.shape {
            Shape::Struct(keys) => {
                let key = self.pick(part, rest, keys)?;
                self.path.push(key.name.to_owned());
                self.shape = key.shape;
            }
            Shape::Services(inner) => {
                let service = catalog
                    .services
                    .iter()
                    .find(|s| environment_name(&s.name) == part);
                let service = service.ok_or_else(|| {
                    let names: Vec<String> = catalog.names().map(environment_name).collect();
                    self.unknown("service", part, rest, names.iter().map(String::as_str))
                })?;
                self.path.push(service.name.clone().into_owned());
                self.service = Some(service);
                self.shape = *inner;
            }
            Shape::Map(inner) => {
                self.path.push(part.to_lowercase());
                self.shape = *inner;
            }
            Shape::Parameters => {
                let declared = self.service.map(|s| &s.spec.parameters);
                let name =
                    declared.and_then(|map| map.keys().find(|k| environment_name(k) == part));
                let name = name.ok_or_else(|| {
                    let names: Vec<String> = declared
                        .into_iter()
                        .flat_map(|map| map.keys())
                        .map(|k| environment_name(k))
                        .collect();
                    self.unknown("parameter", part, rest, names.iter().map(String::as_str))
                })?;
                self.path.push(name.clone());
                self.shape = Shape::Any;
            }
            Shape::Settings | Shape::Any => {
                self.path.push(part.to_lowercase());
                self.shape = Shape::Any;
            }
            _ => {
                return Err((
                    format!("`{}` has no keys below it", self.path.join(".")),
                    Some(format!("write {PREFIX}{}", self.variable())),
                ));
            }
        }
        Ok(())
    }

    /// What a variable is called that sets the key so far, without the prefix.
    fn variable(&self) -> String {
        let parts: Vec<String> = self.path.iter().map(|key| environment_name(key)).collect();
        parts.join("__")
    }

    fn pick(&self, part: &str, rest: &str, keys: &'static [Key]) -> Result<&'static Key, Refused> {
        keys.iter()
            .find(|key| environment_name(key.name) == part)
            .ok_or_else(|| {
                let names: Vec<String> =
                    keys.iter().map(|key| environment_name(key.name)).collect();
                self.unknown("key", part, rest, names.iter().map(String::as_str))
            })
    }

    fn unknown<'n>(
        &self,
        what: &str,
        part: &str,
        rest: &str,
        known: impl Iterator<Item = &'n str>,
    ) -> Refused {
        let below = if rest.is_empty() {
            String::new()
        } else {
            format!("__{rest}")
        };
        let mut written = self.variable();
        if !written.is_empty() {
            written.push_str("__");
        }
        let hint = match nearest(part, known) {
            Some(near) => format!("did you mean `{PREFIX}{written}{near}{below}`?"),
            None => {
                "`jsorc config schema` lists every key; levels are joined by two underscores".into()
            }
        };
        (
            format!(
                "unknown {what} `{}`",
                join(&self.path.join("."), &part.to_lowercase())
            ),
            Some(hint),
        )
    }

    fn read(&self, text: &str) -> Result<Value, Refused> {
        let value = self
            .typed(text)
            .map_err(|(why, hint)| (format!("{}: {why}", self.path.join(".")), hint))?;
        Ok(self.path.iter().rev().fold(value, |inner, key| {
            Value::Object(Map::from_iter([(key.clone(), inner)]))
        }))
    }

    fn typed(&self, text: &str) -> Result<Value, Refused> {
        let last = self.path.last().map_or("", String::as_str);
        match (self.shape, self.service) {
            (Shape::Any, Some(service))
                if self.path.get(2).is_some_and(|key| key == "parameters") =>
            {
                match service.spec.parameters.get(last) {
                    Some(parameter) => parameter.read_text(text).map_err(|why| (why, None)),
                    None => Ok(text.into()),
                }
            }
            (Shape::Any, Some(service)) => {
                Ok(setting_value(service, &self.path[3..].join("."), text))
            }
            (shape, _) => by_shape(shape, text),
        }
    }
}

fn by_shape(shape: Shape, text: &str) -> Result<Value, Refused> {
    let refused = || (format!("expected {}", shape.expected()), shape.written());
    match shape {
        Shape::Bool => text
            .trim()
            .parse::<bool>()
            .map(Value::from)
            .map_err(|_| refused()),
        Shape::Int(_) => text
            .trim()
            .parse::<u64>()
            .map(Value::from)
            .map_err(|_| refused()),
        Shape::List(_)
        | Shape::Struct(_)
        | Shape::Map(_)
        | Shape::Services(_)
        | Shape::Settings
        | Shape::Parameters => {
            let value: Value = serde_saphyr::from_str(text).map_err(|_| refused())?;
            let is_list = matches!(shape, Shape::List(_));
            if value.is_array() == is_list && (is_list || value.is_object()) {
                Ok(value)
            } else {
                Err(refused())
            }
        }
        _ => Ok(text.into()),
    }
}

/// A driver setting takes the type of the value that `service.yaml` gives it, else text.
fn setting_value(service: &Service, setting: &str, text: &str) -> Value {
    let default = setting
        .split('.')
        .try_fold(None, |at: Option<&Value>, key| {
            at.map_or_else(|| service.spec.config.get(key), |value| value.get(key))
                .map(Some)
        })
        .flatten();
    let as_default = match default {
        Some(Value::Number(_)) => text.trim().parse::<i64>().ok().map(Value::from),
        Some(Value::Bool(_)) => text.trim().parse::<bool>().ok().map(Value::from),
        Some(Value::Array(_) | Value::Object(_)) => serde_saphyr::from_str(text).ok(),
        _ => None,
    };
    as_default.unwrap_or_else(|| text.into())
}
