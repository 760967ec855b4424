//! A layer of configuration and where its values come from.

use figment::value::{Dict, Map as ProfileMap, Value as FigmentValue};
use figment::{Metadata, Profile, Provider};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// Where a value was set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Built into jsorc.
    Default,
    /// A `service.yaml`, embedded or in a `--services` folder.
    Service(String),
    /// A configuration file.
    File(String),
    /// Stored through the API.
    Stored,
    /// An environment variable.
    Variable(String),
    /// A command-line flag.
    Flag(String),
}

/// Where a value was set, to the line where one is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The layer.
    pub source: Source,
    /// The line in its file.
    pub line: Option<u32>,
}

/// One layer: a tree of values from one source.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Where it comes from.
    pub source: Source,
    /// Its values, a mapping.
    pub values: Value,
    /// Key path → line, where the source is a file.
    pub lines: BTreeMap<String, u32>,
}

impl Layer {
    /// A layer without line numbers.
    #[must_use]
    pub fn new(source: Source, values: Value) -> Self {
        Self {
            source,
            values,
            lines: BTreeMap::new(),
        }
    }

    /// The origin of the value at `path` in this layer.
    #[must_use]
    pub fn origin(&self, path: &str) -> Origin {
        let mut at = path;
        loop {
            if let Some(line) = self.lines.get(at) {
                return Origin {
                    source: self.source.clone(),
                    line: Some(*line),
                };
            }
            match at.rsplit_once('.') {
                Some((parent, _)) => at = parent,
                None => {
                    return Origin {
                        source: self.source.clone(),
                        line: None,
                    };
                }
            }
        }
    }
}

/// One variable or file is one figment provider, so that figment's metadata of a value leads back
/// to the very layer that set it.
pub(super) struct Provided<'a> {
    pub(super) index: usize,
    pub(super) layer: &'a Layer,
}

impl Provider for Provided<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.index.to_string())
    }

    fn data(&self) -> Result<ProfileMap<Profile, Dict>, figment::Error> {
        let dict = FigmentValue::serialize(&self.layer.values)?
            .into_dict()
            .unwrap_or_default();
        Ok(ProfileMap::from([(Profile::Default, dict)]))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source)?;
        match self.line {
            Some(line) => write!(f, ":{line}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Service(file) | Self::File(file) => f.write_str(file),
            Self::Stored => f.write_str("stored setting"),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => f.write_str(name),
        }
    }
}
