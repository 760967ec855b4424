//! Puts the layers on top of each other, lowest first, and makes one checked [`Config`] of them.

use super::check::{Problem, check};
use super::environment;
use super::layer::{Layer, Origin, Provided, Source};
use super::settings::Config;
use super::shape::ROOT;
use crate::manifest::{Catalog, Service};
use figment::Figment;
use serde_json::{Map, Value, json};

/// Everything that configuration is made from.
#[derive(Debug, Default)]
pub struct Sources {
    /// Files, weakest first: the configuration file, then its drop-ins.
    pub files: Vec<Layer>,
    /// What files could not be read.
    pub file_problems: Vec<Problem>,
    /// Settings stored through the API.
    pub stored: Option<Value>,
    /// Environment variables.
    pub variables: Vec<(String, String)>,
    /// Environment variables whose values are not text.
    pub unreadable: Vec<String>,
    /// Command-line flags: flag, and the values it sets.
    pub flags: Vec<(String, Value)>,
}

/// A configuration with the way it came about.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The merged values, for showing.
    pub values: Value,
    /// Kubernetes' service links that were left aside.
    pub ignored_variables: Vec<String>,
    layers: Vec<Layer>,
    figment: Figment,
}

/// Everything that is wrong with a configuration, never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Problems(pub Vec<Problem>);

/// Loads the configuration.
///
/// # Errors
/// Every problem of every layer, not only the first.
pub fn load(catalog: &Catalog, sources: Sources) -> Result<Loaded, Problems> {
    let read_file = |path: &str| std::fs::read_to_string(path);
    let environment = environment::read(&sources.variables, catalog, &read_file);
    let mut problems = sources.file_problems;
    problems.extend(environment.problems);
    problems.extend(environment::unreadable(&sources.unreadable, catalog));

    let mut layers = vec![Layer::new(Source::Default, defaults(catalog))];
    layers.extend(catalog.services.iter().map(service_layer));
    layers.extend(sources.files);
    layers.extend(
        sources
            .stored
            .map(|values| Layer::new(Source::Stored, values)),
    );
    layers.extend(environment.layers);
    layers.extend(
        sources
            .flags
            .into_iter()
            .map(|(flag, values)| Layer::new(Source::Flag(flag), values)),
    );
    for layer in &layers {
        problems.extend(check(layer, &ROOT, catalog));
    }
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    let figment = merge(&layers);
    let values: Value = figment.extract().map_err(|error| unexpected(&error))?;
    let config = Config::from_values(&values, catalog);
    let loaded = Loaded {
        config,
        values,
        ignored_variables: environment.ignored,
        layers,
        figment,
    };
    let problems = loaded.beyond_shape(catalog);
    if problems.is_empty() {
        Ok(loaded)
    } else {
        Err(Problems(problems))
    }
}

impl Loaded {
    /// Where the value at a dotted path was set.
    #[must_use]
    pub fn origin(&self, path: &str) -> Origin {
        let metadata = self.figment.find_metadata(path);
        let layer = metadata
            .and_then(|metadata| metadata.name.parse::<usize>().ok())
            .and_then(|index| self.layers.get(index));
        layer.map_or(
            Origin {
                source: Source::Default,
                line: None,
            },
            |layer| layer.origin(path),
        )
    }

    /// What no single layer can know: names that must exist, parameters that must be given.
    fn beyond_shape(&self, catalog: &Catalog) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut report = |path: &str, message: String, hint: Option<String>| {
            problems.push(Problem {
                place: self.origin(path).to_string(),
                message,
                hint,
            });
        };
        for name in &self.config.keep_alive {
            if catalog.service(name).is_none() {
                let near = super::check::nearest(name, catalog.names());
                let hint = near.map_or_else(
                    || {
                        format!(
                            "services: {}",
                            catalog.names().collect::<Vec<_>>().join(", ")
                        )
                    },
                    |near| format!("did you mean `{near}`?"),
                );
                report(
                    "keep_alive",
                    format!("keep_alive: unknown service `{name}`"),
                    Some(hint),
                );
            }
        }
        for service in &catalog.services {
            let Some(given) = self.config.services.get(service.name.as_ref()) else {
                continue;
            };
            let active = given.enabled
                && self
                    .config
                    .keep_alive
                    .iter()
                    .any(|name| *name == service.name);
            for (name, parameter) in service
                .spec
                .parameters
                .iter()
                .filter(|(_, p)| active && p.required())
            {
                if !given.parameters.contains_key(name) {
                    let path = format!("services.{}.parameters.{name}", service.name);
                    let variable =
                        crate::manifest::catalog::environment_name(&path).replace('.', "__");
                    let spec = &service.spec_place.file;
                    let line = service.spec.line_of(&format!("parameters.{name}"));
                    let line = line.map_or_else(String::new, |line| format!(":{line}"));
                    problems.push(Problem {
                        place: format!("{spec}{line}"),
                        message: format!("{path}: nothing gives it a value ({})", parameter.kind),
                        hint: Some(format!(
                            "set it in a configuration file or as JSORC_{variable}"
                        )),
                    });
                }
            }
        }
        problems
    }
}

fn merge(layers: &[Layer]) -> Figment {
    layers
        .iter()
        .enumerate()
        .fold(Figment::new(), |figment, (index, layer)| {
            figment.merge(Provided { index, layer })
        })
}

fn unexpected(error: &figment::Error) -> Problems {
    let path = error.path.join(".");
    Problems(vec![Problem {
        place: "the configuration".into(),
        message: format!("cannot put the layers together at `{path}`"),
        hint: None,
    }])
}

fn defaults(catalog: &Catalog) -> Value {
    let kept: Vec<&str> = catalog
        .services
        .iter()
        .filter(|s| s.spec.keep_alive)
        .map(|s| s.name.as_ref())
        .collect();
    json!({
        "enabled": true, "quiet": true, "interval": "10s", "namespace": "default",
        "keep_alive": kept,
        "instance": {"name": "jsorc"},
        "policy": {"mode": "enforce", "conflicts": "report", "adopt": "never", "recreate": "never",
                   "prune": "auto", "foreign": "report"},
        "images": {"rewrite": {}, "pullSecrets": []},
        "create_namespace": true,
        "kubernetes": {"mode": "auto"},
        "api": {"listen": "127.0.0.1:8585"},
        "health": {"listen": "0.0.0.0:8586"},
        "log": {"level": "info", "format": "auto"},
    })
}

/// What a `service.yaml` says, as the lowest layer above the defaults.
fn service_layer(service: &Service) -> Layer {
    let spec = &service.spec;
    let mut values = Map::new();
    values.insert("enabled".into(), spec.enabled.into());
    if let Some(namespace) = &spec.namespace {
        values.insert("namespace".into(), namespace.clone().into());
    }
    values.insert("config".into(), Value::Object(spec.config.clone()));
    let given = |(name, parameter): (&String, &crate::manifest::Parameter)| {
        Some((name.clone(), parameter.default.clone()?))
    };
    values.insert(
        "parameters".into(),
        Value::Object(spec.parameters.iter().filter_map(given).collect()),
    );
    for (key, value) in [
        ("probe", serde_json::to_value(&spec.probe)),
        ("policy", serde_json::to_value(spec.policy)),
        ("ignore", serde_json::to_value(&spec.ignore)),
    ] {
        values.insert(key.into(), without_nulls(value.unwrap_or_default()));
    }
    let prefix = format!("services.{}", service.name);
    let lines = spec
        .lines
        .iter()
        .map(|(path, line)| (format!("{prefix}.{path}"), *line))
        .collect();
    Layer {
        source: Source::Service(service.spec_place.file.to_string()),
        values: json!({"services": {service.name.as_ref(): values}}),
        lines,
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}
