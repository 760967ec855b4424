//! What a `service.yaml` says, as types.
//!
//! Driver names and driver settings are not judged here: the drivers know them. The line of every
//! key is kept, so that whoever judges a setting can name `services/mail/service.yaml:4`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::duration;
use super::parameter::Parameter;

/// The settings of one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceSpec {
    /// What runs and probes the service; `none` for objects only.
    pub driver: String,
    /// One line for people.
    pub description: String,
    /// Whether the service is run at all.
    pub enabled: bool,
    /// Whether the service is kept alive unless a configuration says otherwise.
    pub keep_alive: bool,
    /// Services that must be Running first.
    pub depends_on: Vec<String>,
    /// The namespace of its objects, when it is not the instance's.
    pub namespace: Option<String>,
    /// The driver's own settings, not judged here.
    pub config: Map<String, Value>,
    /// Driver setting → the environment variable that sets it, as the original named it.
    pub env: BTreeMap<String, String>,
    /// What users may change in the manifests.
    pub parameters: BTreeMap<String, Parameter>,
    /// How often and how patiently the service is asked.
    pub probe: Probe,
    /// What is done about a service that is ready but does not answer.
    pub remedy: Remedy,
    /// What differs from the global policy.
    pub policy: Policy,
    /// Fields left to others.
    pub ignore: Vec<Ignore>,
    /// Kinds protected from deletion beside the ones that always are.
    pub protect: Vec<String>,
    /// Names that others provide, so that referring to them is no mistake.
    pub external: Vec<External>,
    /// Key path (`config.host`) → line in `service.yaml`.
    pub lines: BTreeMap<String, u32>,
}

/// How a service is probed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Time between probes; the global interval when absent.
    #[serde(with = "optional_duration")]
    pub interval: Option<Duration>,
    /// How long an answer may take.
    #[serde(with = "duration::serde_text")]
    pub timeout: Duration,
    /// How many failures in a row make a service Degraded, or Failed where its target never answered
    /// since the start.
    pub failures: u32,
}

/// What is done about a service that is ready but does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Remedy {
    /// Nothing beyond the rerun.
    #[default]
    None,
    /// A rollout restart, at most once per 10 minutes.
    Restart,
}

macro_rules! policy_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// The words people write, in the order of the variants.
            pub const WORDS: &'static [&'static str] = &[$($text),+];

            /// Reads the word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($text => Some(Self::$variant),)+ _ => None }
            }

            /// The word people write.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

policy_enum! {
    /// Whether drift is put right or only shown.
    Mode { /// Put it right.
        Enforce = "enforce", /// Show it.
        Report = "report" }
}
policy_enum! {
    /// What happens to a field that another manager owns and jsorc never did.
    Conflicts { /// Leave it and say so.
        Report = "report", /// Take it over.
        Take = "take" }
}
policy_enum! {
    /// Whether objects that jsorc did not create are taken over.
    Adopt { /// Never without being told.
        Never = "never", /// When nobody owns them.
        Unowned = "unowned" }
}
policy_enum! {
    /// Whether an object is deleted and made again.
    Recreate { /// Never.
        Never = "never", /// When an immutable field must change.
        Immutable = "immutable" }
}
policy_enum! {
    /// What happens to objects that left the folder.
    Prune { /// They are deleted.
        Auto = "auto", /// They wait for a yes.
        Ask = "ask", /// They stay.
        Off = "off" }
}
policy_enum! {
    /// What happens to fields that others added.
    Foreign { /// They are listed.
        Report = "report", /// They are removed.
        Remove = "remove" }
}

/// Overrides of the global policy; what is absent follows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Put drift right, or report it.
    pub mode: Option<Mode>,
    /// Fields of other managers.
    pub conflicts: Option<Conflicts>,
    /// Objects of others.
    pub adopt: Option<Adopt>,
    /// Immutable fields.
    pub recreate: Option<Recreate>,
    /// Objects that left the folder.
    pub prune: Option<Prune>,
    /// Fields that others added.
    pub foreign: Option<Foreign>,
}

/// A field left to others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignore {
    /// The kind it is about.
    pub kind: String,
    /// The object; every object of the kind when absent.
    pub name: Option<String>,
    /// The field, such as `spec.replicas`.
    pub path: String,
}

/// An object that others provide: `Secret/registry-login`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct External {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl ServiceSpec {
    /// The line of a key, such as `config.host` or `parameters.memory.default`.
    ///
    /// A path that was not written falls back to the nearest key around it that was.
    #[must_use]
    pub fn line_of(&self, path: &str) -> Option<u32> {
        if let Some(line) = self.lines.get(path) {
            return Some(*line);
        }
        let (parent, _) = path.rsplit_once('.')?;
        self.line_of(parent)
    }
}

impl Default for Probe {
    fn default() -> Self {
        Self {
            interval: None,
            timeout: Duration::from_secs(2),
            failures: 3,
        }
    }
}

impl Remedy {
    /// The words people write.
    pub const WORDS: &'static [&'static str] = &["none", "restart"];
}

impl External {
    /// Reads `KIND/NAME`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.trim().split_once('/')?;
        let whole = !kind.is_empty() && !name.is_empty() && !name.contains('/');
        whole.then(|| Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
        })
    }
}

mod optional_duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::ref_option, reason = "the shape serde asks of a `with` module")]
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => to.serialize_str(&super::duration::print(*duration)),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        let value = Option::<serde_json::Value>::deserialize(from)?;
        value
            .map(|v| super::duration::read(&v))
            .transpose()
            .map_err(D::Error::custom)
    }
}
