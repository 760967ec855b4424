//! The shape of the configuration: every key, its type and what it means.
//!
//! One tree serves all who need to know: unknown keys and wrong types are found with it,
//! environment variables are read by it, and the JSON Schema is printed from it.

use crate::manifest::spec;
use serde_json::{Map, Value, json};

/// The type of a value.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// `true` or `false`.
    Bool,
    /// A whole number of at least this much.
    Int(u64),
    /// Text.
    Text,
    /// Text that is an RFC 1123 label: namespaces and names.
    Label,
    /// `HOST:PORT`.
    Listen,
    /// A span of time of at least so many milliseconds.
    Duration(u64),
    /// A level of the log, or a filter of levels by module.
    Level,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of such items.
    List(&'static Shape),
    /// A mapping with these keys and no others.
    Struct(&'static [Key]),
    /// A mapping from names of any kind to such values.
    Map(&'static Shape),
    /// A mapping from service names to such values.
    Services(&'static Shape),
    /// A driver's settings; the driver checks them.
    Settings,
    /// A service's parameters; their declaration checks them.
    Parameters,
    /// Any value.
    Any,
}

/// One key of a mapping.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub shape: Shape,
    /// What it means, one line.
    pub about: &'static str,
    /// Whether the mapping means nothing without it.
    pub needed: bool,
}

const fn key(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key {
        name,
        shape,
        about,
        needed: false,
    }
}

const fn needed(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key {
        needed: true,
        ..key(name, shape, about)
    }
}

const POLICY: Shape = Shape::Struct(&[
    key(
        "mode",
        Shape::Word(spec::Mode::WORDS),
        "put drift right, or only show it",
    ),
    key(
        "conflicts",
        Shape::Word(spec::Conflicts::WORDS),
        "fields that another manager owns and jsorc never did",
    ),
    key(
        "adopt",
        Shape::Word(spec::Adopt::WORDS),
        "objects that jsorc did not create",
    ),
    key(
        "recreate",
        Shape::Word(spec::Recreate::WORDS),
        "delete and create again when an immutable field must change",
    ),
    key(
        "prune",
        Shape::Word(spec::Prune::WORDS),
        "objects that left a service's folder",
    ),
    key(
        "foreign",
        Shape::Word(spec::Foreign::WORDS),
        "fields that others added to our objects",
    ),
]);

const PROBE: Shape = Shape::Struct(&[
    key(
        "interval",
        Shape::Duration(100),
        "time between probes; the global interval when absent",
    ),
    key(
        "timeout",
        Shape::Duration(10),
        "how long an answer may take",
    ),
    key(
        "failures",
        Shape::Int(1),
        "failures in a row that make a service Degraded, or Failed where its target never answered",
    ),
]);

const IGNORE: Shape = Shape::List(&Shape::Struct(&[
    needed("kind", Shape::Text, "the kind it is about"),
    key(
        "name",
        Shape::Text,
        "the object; every one of the kind when absent",
    ),
    needed("path", Shape::Text, "the field, such as spec.replicas"),
]));

const PATCHES: Shape = Shape::List(&Shape::Struct(&[
    needed(
        "target",
        Shape::Text,
        "KIND/NAME of an object of the service",
    ),
    needed(
        "merge",
        Shape::Any,
        "what to merge into it; list items by their merge key, null removes",
    ),
]));

const SERVICE: Shape = Shape::Struct(&[
    key("enabled", Shape::Bool, "whether the service is run at all"),
    key(
        "namespace",
        Shape::Label,
        "where its objects live; the global namespace when absent",
    ),
    key("config", Shape::Settings, "the driver's settings"),
    key(
        "parameters",
        Shape::Parameters,
        "what service.yaml lets users change in the manifests",
    ),
    key("patches", PATCHES, "changes to its manifests"),
    key(
        "probe",
        PROBE,
        "how often and how patiently the service is asked",
    ),
    key("policy", POLICY, "overrides of the global policy"),
    key("ignore", IGNORE, "fields left to others"),
    key(
        "restart",
        Shape::Word(&["auto", "never"]),
        "roll workloads when a ConfigMap or Secret that they read changes",
    ),
]);

/// The whole configuration.
pub const ROOT: Shape = Shape::Struct(&[
    key(
        "enabled",
        Shape::Bool,
        "false: run and serve, write nothing",
    ),
    key("quiet", Shape::Bool, "per-object lines at debug level"),
    key(
        "interval",
        Shape::Duration(1000),
        "how often every service is looked at",
    ),
    key(
        "namespace",
        Shape::Label,
        "where objects live that name no namespace",
    ),
    key(
        "keep_alive",
        Shape::List(&Shape::Text),
        "the services that are kept alive",
    ),
    key(
        "instance",
        Shape::Struct(&[
            key("name", Shape::Label, "this installation's name"),
            key(
                "namespace",
                Shape::Label,
                "where its inventories live; the pod's own namespace, or `namespace`",
            ),
        ]),
        "one installation of jsorc",
    ),
    key("policy", POLICY, "what jsorc may do"),
    key(
        "images",
        Shape::Struct(&[
            key(
                "rewrite",
                Shape::Map(&Shape::Text),
                "registry, or registry and path → what stands in its place",
            ),
            key(
                "pullSecrets",
                Shape::List(&Shape::Text),
                "imagePullSecrets of every pod",
            ),
        ]),
        "images of all workloads",
    ),
    key(
        "create_namespace",
        Shape::Bool,
        "create a missing namespace",
    ),
    key(
        "kubernetes",
        Shape::Struct(&[
            key(
                "mode",
                Shape::Word(&["auto", "in-cluster", "kubeconfig", "off"]),
                "how the cluster is found",
            ),
            key("kubeconfig", Shape::Text, "the kubeconfig file"),
            key("context", Shape::Text, "the context in it"),
        ]),
        "the cluster",
    ),
    key(
        "api",
        Shape::Struct(&[key(
            "listen",
            Shape::Listen,
            "address of the REST interface",
        )]),
        "the REST interface",
    ),
    key(
        "health",
        Shape::Struct(&[key(
            "listen",
            Shape::Listen,
            "address of /livez, /readyz and /metrics",
        )]),
        "liveness, readiness and metrics",
    ),
    key(
        "log",
        Shape::Struct(&[
            key(
                "level",
                Shape::Level,
                "error, warn, info, debug, trace, or a filter such as jsorc=debug",
            ),
            key(
                "format",
                Shape::Word(&["auto", "text", "json"]),
                "auto: text on a terminal, else JSON in a pod",
            ),
        ]),
        "the log",
    ),
    key(
        "services",
        Shape::Services(&SERVICE),
        "settings of each service",
    ),
]);

impl Shape {
    /// What the shape takes, in words.
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Self::Bool => "true or false".into(),
            Self::Int(least) => format!("a whole number of at least {least}"),
            Self::Text => "text".into(),
            Self::Label => "a name of lower-case letters, digits and `-`".into(),
            Self::Listen => "HOST:PORT".into(),
            Self::Duration(_) => "a duration such as 10s or 5m".into(),
            Self::Level => {
                "one of error, warn, info, debug, trace, or a filter such as jsorc=debug".into()
            }
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::List(item) => format!("a list of {}", item.expected()),
            Self::Any => "a value".into(),
            _ => "a mapping".into(),
        }
    }

    /// How a value of this shape is written, where its name does not tell.
    #[must_use]
    pub fn written(&self) -> Option<String> {
        match self {
            Self::List(Self::Text) => Some("a list is written as [a, b]".into()),
            Self::Listen => Some("write it as 127.0.0.1:8585, with any address and port".into()),
            _ => None,
        }
    }
}

/// The JSON Schema of a configuration file.
#[must_use]
pub fn schema() -> Value {
    let mut schema = ROOT.schema();
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "jsorc configuration".into();
    schema
}

impl Shape {
    fn schema(&self) -> Value {
        match self {
            Self::Bool => json!({"type": "boolean"}),
            Self::Int(least) => json!({"type": "integer", "minimum": least}),
            Self::Text | Self::Listen | Self::Level => json!({"type": "string"}),
            Self::Label => {
                json!({"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63})
            }
            Self::Duration(_) => {
                json!({"type": ["string", "number"], "description": "a duration such as 10s or 5m, or seconds"})
            }
            Self::Word(words) => json!({"enum": words}),
            Self::List(item) => json!({"type": "array", "items": item.schema()}),
            Self::Map(value) | Self::Services(value) => {
                json!({"type": "object", "additionalProperties": value.schema()})
            }
            Self::Settings | Self::Parameters => json!({"type": "object"}),
            Self::Any => json!({}),
            Self::Struct(keys) => {
                let properties: Map<String, Value> = keys
                    .iter()
                    .map(|key| (key.name.to_owned(), key.schema()))
                    .collect();
                let needed: Vec<&str> = keys
                    .iter()
                    .filter(|key| key.needed)
                    .map(|key| key.name)
                    .collect();
                let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
                if !needed.is_empty() {
                    schema["required"] = needed.into();
                }
                schema
            }
        }
    }
}

impl Key {
    fn schema(&self) -> Value {
        let mut schema = self.shape.schema();
        schema["description"] = self.about.into();
        schema
    }
}
