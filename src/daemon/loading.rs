//! Reads everything that a run is made of: services, configuration, and what they come to. A
//! command does it once; the daemon does it again whenever a file changes.

use super::inputs::{Inputs, Paths};
use super::stamp::Stamp;
use crate::config::{self, Loaded, Problem, Sources};
use crate::desired::secret::UNKNOWN;
use crate::desired::{Context, DesiredSet, FingerprintKey, Instance, Resource, compose};
use crate::manifest::{Catalog, Problems as ManifestProblems, folder};
use crate::{drivers, embedded};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

/// Services and configuration, checked together.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The services.
    pub catalog: Arc<Catalog>,
    /// The configuration.
    pub loaded: Loaded,
    /// Whose it is.
    pub instance: Instance,
    /// What should be looked at but stops nothing.
    pub warnings: Vec<String>,
    /// The services that a command is about; all when empty.
    pub selection: Vec<String>,
    /// What the files were just before they were read.
    pub(super) stamp: Stamp,
}

/// Why there is nothing to run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The services folder is refused.
    #[error("{0}")]
    Services(#[from] ManifestProblems),
    /// The embedded services cannot be taken out of the binary.
    #[error("{0}")]
    Embedded(#[from] embedded::EmbeddedError),
    /// The configuration is refused, or does not fit the services.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Config(Vec<Problem>),
}

impl LoadError {
    /// Every problem with its hint, as people see it.
    #[must_use]
    pub fn render(&self) -> String {
        match self {
            Self::Services(problems) => problems.to_string(),
            Self::Embedded(error) => format!("error: {error}"),
            Self::Config(problems) => {
                let mut text = String::new();
                for (index, problem) in problems.iter().enumerate() {
                    let gap = if index == 0 { "" } else { "\n\n" };
                    // Writing to a String cannot fail.
                    let _ = write!(text, "{gap}error: {problem}");
                    if let Some(hint) = &problem.hint {
                        let _ = write!(text, "\nhint: {hint}");
                    }
                }
                text
            }
        }
    }

    /// How many problems there are.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Services(problems) => problems.0.len(),
            Self::Embedded(_) => 1,
            Self::Config(problems) => problems.len(),
        }
    }
}

/// Reads services and configuration.
///
/// # Errors
/// Everything that is wrong with either.
pub fn load(inputs: &Inputs) -> Result<Settings, LoadError> {
    let stamp = Paths::of(inputs).stamp();
    let (catalog, warnings) = match &inputs.services {
        Some(folder) => {
            let checked = folder::read(folder)?;
            (
                checked.catalog,
                checked.warnings.iter().map(ToString::to_string).collect(),
            )
        }
        None => (embedded::catalog()?, Vec::new()),
    };
    let files = config::file::read(inputs.config_file.as_deref());
    let sources = Sources {
        files: files.layers,
        file_problems: files.problems,
        stored: None,
        variables: inputs.variables.clone(),
        unreadable: inputs.unreadable.clone(),
        flags: inputs.flags.clone(),
    };
    let loaded =
        config::load(&catalog, sources).map_err(|problems| LoadError::Config(problems.0))?;
    let problems = driver_problems(&catalog, &loaded);
    if !problems.is_empty() {
        return Err(LoadError::Config(problems));
    }
    let config = &loaded.config;
    let namespace = config
        .instance_namespace
        .clone()
        .or_else(|| inputs.pod_namespace.clone());
    let instance = Instance {
        name: config.instance_name.clone(),
        namespace: namespace.unwrap_or_else(|| config.namespace.clone()),
    };
    Ok(Settings {
        catalog: catalog.into(),
        loaded,
        instance,
        warnings,
        selection: Vec::new(),
        stamp,
    })
}

impl Settings {
    /// Whether a service is kept alive, and is one of those that were asked for.
    #[must_use]
    pub fn keeps(&self, service: &str) -> bool {
        self.selects(service) && self.loaded.config.keeps(service)
    }

    /// Whether a service is one of those that were asked for.
    #[must_use]
    pub fn selects(&self, service: &str) -> bool {
        self.selection.is_empty() || self.selection.iter().any(|name| name == service)
    }

    /// What ought to be, with this key and these kinds of the cluster.
    ///
    /// # Errors
    /// What services and configuration do not make together.
    pub fn desired(
        &self,
        key: &FingerprintKey,
        served: &[Resource],
    ) -> Result<DesiredSet, LoadError> {
        self.desired_without(key, served, std::iter::empty())
    }

    /// What ought to be, where some services are dismissed: they are not kept alive.
    ///
    /// # Errors
    /// What services and configuration do not make together.
    pub fn desired_without<'a>(
        &self,
        key: &FingerprintKey,
        served: &[Resource],
        dismissed: impl Iterator<Item = &'a Arc<str>>,
    ) -> Result<DesiredSet, LoadError> {
        let context = Context {
            instance: &self.instance,
            key,
            served,
        };
        let dismissed: Vec<&Arc<str>> = dismissed.collect();
        let mut config = Cow::Borrowed(&self.loaded.config);
        if !dismissed.is_empty() {
            let keep = |name: &String| !dismissed.iter().any(|gone| ***gone == **name);
            config.to_mut().keep_alive.retain(keep);
        }
        let refuse = |problems: crate::desired::Problems| {
            LoadError::Config(problems.0.into_iter().map(|p| self.placed(p)).collect())
        };
        if !self.selection.is_empty() {
            let selected = |name: &String| self.selects(name);
            config.to_mut().keep_alive.retain(selected);
        }
        let mut set = compose(&self.catalog, &config, context).map_err(refuse)?;
        set.services.retain(|service| self.selects(&service.name));
        self.name_sources(&mut set, key, served);
        Ok(set)
    }

    /// A problem with a value of the configuration names the layer that set it.
    fn placed(&self, problem: Problem) -> Problem {
        let Some(key) = problem.place.strip_prefix("services.") else {
            return problem;
        };
        // The items of a list have no origins of their own.
        let list = key.split_once('[').map_or(key, |(list, _)| list);
        Problem {
            place: self.loaded.origin(&format!("services.{list}")).to_string(),
            message: format!("{}: {}", problem.place, problem.message),
            hint: problem.hint,
        }
    }

    /// The merged values with a fingerprint in place of each secret.
    #[must_use]
    pub fn with_fingerprints(&self, key: &FingerprintKey) -> Value {
        let mut values = self.loaded.values.clone();
        for path in self.secret_paths(&self.loaded.values) {
            if let Some(secret) = values
                .pointer_mut(&pointer(&path))
                .filter(|value| value.is_string())
            {
                *secret = format!("{FINGERPRINT}{}", key.of(secret)).into();
            }
        }
        values
    }

    /// These settings with the configuration that a leader stored: its values for everything but
    /// the way to the cluster and the addresses of this process. A secret is the one of this shell
    /// where the fingerprints are the same, and otherwise known to be elsewhere.
    ///
    /// # Errors
    /// When the leader's configuration does not fit this binary's services.
    pub fn with_configuration_of_leader(
        &self,
        stored: &Value,
        key: &FingerprintKey,
    ) -> Result<(Self, Vec<String>), LoadError> {
        let mut values = stored.clone();
        for path in self.secret_paths(stored) {
            let mine = self.loaded.values.pointer(&pointer(&path));
            if let Some(theirs) = values
                .pointer_mut(&pointer(&path))
                .filter(|value| value.is_string())
            {
                let same =
                    mine.is_some_and(|mine| *theirs == format!("{FINGERPRINT}{}", key.of(mine)));
                *theirs = if same {
                    mine.cloned().unwrap_or_default()
                } else {
                    UNKNOWN.into()
                };
            }
        }
        for local in ["kubernetes", "api", "health", "log", "instance"] {
            if let (Some(values), Some(mine)) =
                (values.as_object_mut(), self.loaded.values.get(local))
            {
                values.insert(local.into(), mine.clone());
            }
        }
        let differ: Vec<String> = config::flatten(&values)
            .into_iter()
            .filter(|(path, value)| self.loaded.values.pointer(&pointer(path)) != Some(*value))
            .map(|(path, _)| path)
            .collect();
        let sources = Sources {
            stored: Some(values),
            ..Sources::default()
        };
        let loaded = config::load(&self.catalog, sources)
            .map_err(|problems| LoadError::Config(problems.0))?;
        Ok((
            Self {
                loaded,
                ..self.clone()
            },
            differ,
        ))
    }

    fn secret_paths(&self, values: &Value) -> Vec<String> {
        let leaves = config::flatten(values).into_iter().map(|(path, _)| path);
        leaves
            .filter(|path| config::is_secret(path, &self.catalog))
            .collect()
    }

    /// The same settings for some services only.
    ///
    /// # Errors
    /// Names of services that do not exist.
    pub fn select(mut self, names: &[String]) -> Result<Self, LoadError> {
        let unknown = names
            .iter()
            .filter(|name| self.catalog.service(name).is_none());
        let problems: Vec<Problem> = unknown
            .map(|name| Problem {
                place: "command line".into(),
                message: format!("unknown service `{name}`"),
                hint: Some(match config::nearest(name, self.catalog.names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!(
                        "services: {}",
                        self.catalog.names().collect::<Vec<_>>().join(", ")
                    ),
                }),
            })
            .collect();
        if !problems.is_empty() {
            return Err(LoadError::Config(problems));
        }
        self.selection = names.to_vec();
        Ok(self)
    }

    /// The `apiVersion`s of kinds that are not built in and that no definition of a service brings.
    #[must_use]
    pub fn foreign_api_versions(&self) -> Vec<String> {
        let mut found: Vec<String> = self
            .catalog
            .services
            .iter()
            .flat_map(crate::manifest::Service::manifests)
            .filter(|manifest| {
                crate::manifest::kinds::builtin(&manifest.api_version, &manifest.kind).is_none()
            })
            .map(|manifest| manifest.api_version.to_string())
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// What a stored secret begins with, in place of the secret.
const FINGERPRINT: &str = "fingerprint:";

fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

/// Drivers that do not exist, and settings that they refuse.
fn driver_problems(catalog: &Catalog, loaded: &Loaded) -> Vec<Problem> {
    let mut problems = Vec::new();
    for service in &catalog.services {
        let Some(settings) = loaded.config.services.get(service.name.as_ref()) else {
            continue;
        };
        let Some(driver) = drivers::by_name(&service.spec.driver) else {
            let line = service.spec.line_of("driver").unwrap_or(1);
            let near = config::nearest(&service.spec.driver, drivers::names());
            problems.push(Problem {
                place: format!("{}:{line}", service.spec_place.file),
                message: format!("unknown driver `{}`", service.spec.driver),
                hint: Some(match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!(
                        "drivers: {}",
                        drivers::names().collect::<Vec<_>>().join(", ")
                    ),
                }),
            });
            continue;
        };
        for problem in driver.check(&settings.config) {
            let path = format!("services.{}.config.{}", service.name, problem.path);
            problems.push(Problem {
                place: loaded.origin(&path).to_string(),
                message: format!("{path} {}", problem.message),
                hint: problem.hint,
            });
        }
    }
    problems
}
