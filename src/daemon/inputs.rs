//! What a run is made of, and which files that is.

use super::stamp::Stamp;
use crate::config::file;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where a run's input comes from.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The configuration file, when one is named.
    pub config_file: Option<PathBuf>,
    /// A folder of services in place of the embedded ones.
    pub services: Option<PathBuf>,
    /// Environment variables.
    pub variables: Vec<(String, String)>,
    /// Environment variables whose values are not text.
    pub unreadable: Vec<String>,
    /// Command-line flags that are configuration: flag, and the values it sets.
    pub flags: Vec<(String, Value)>,
    /// The pod's own namespace, inside a cluster.
    pub pod_namespace: Option<String>,
}

/// The files and folders among the inputs, by their whole paths, whether they exist or not.
#[derive(Debug)]
pub(super) struct Paths {
    /// The configuration file; its drop-ins are beside it.
    pub config_file: PathBuf,
    /// A folder of services.
    pub services: Option<PathBuf>,
    /// Files that hold single values.
    pub values: Vec<PathBuf>,
}

impl Inputs {
    /// The files that variables name in place of values.
    #[must_use]
    pub fn value_files(&self) -> Vec<PathBuf> {
        let variables = self.variables.iter();
        let named =
            variables.filter(|(name, _)| name.starts_with("JSORC_") && name.ends_with("_FILE"));
        named.map(|(_, path)| path.into()).collect()
    }
}

impl Paths {
    /// Those of these inputs.
    pub(super) fn of(inputs: &Inputs) -> Self {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.into());
        let default = Path::new(file::DEFAULT_FILE);
        Self {
            config_file: absolute(inputs.config_file.as_deref().unwrap_or(default)),
            services: inputs.services.as_deref().map(absolute),
            values: inputs.value_files(),
        }
    }

    /// The folder of the configuration file's drop-ins.
    pub(super) fn drop_ins(&self) -> PathBuf {
        file::drop_in_folder(&self.config_file)
    }

    /// What they are now, with everything below them.
    pub(super) fn stamp(&self) -> Stamp {
        let drop_ins = self.drop_ins();
        let configuration = [&*self.config_file, &*drop_ins].into_iter();
        let values = self.values.iter().map(PathBuf::as_path);
        Stamp::of(configuration.chain(self.services.as_deref()).chain(values))
    }
}
