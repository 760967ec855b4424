//! The configuration as types, after every check.

use crate::manifest::spec::{Adopt, Conflicts, Foreign, Ignore, Mode, Probe, Prune, Recreate};
use crate::manifest::{Catalog, duration};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// The whole configuration of one process.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// False: run and serve, write nothing.
    pub enabled: bool,
    /// Per-object lines at debug level.
    pub quiet: bool,
    /// How often every service is looked at.
    pub interval: Duration,
    /// Where objects live that name no namespace.
    pub namespace: String,
    /// The services that are kept alive.
    pub keep_alive: Vec<String>,
    /// This installation's name.
    pub instance_name: String,
    /// Where this installation keeps its inventories, when it is said.
    pub instance_namespace: Option<String>,
    /// Registry → what stands in its place.
    pub image_rewrite: BTreeMap<String, String>,
    /// `imagePullSecrets` of every pod.
    pub pull_secrets: Vec<String>,
    /// Create a missing namespace.
    pub create_namespace: bool,
    /// The cluster.
    pub kubernetes: Kubernetes,
    /// Address of the REST interface.
    pub api_listen: String,
    /// Address of `/livez`, `/readyz` and `/metrics`.
    pub health_listen: String,
    /// Level or filter of the log.
    pub log_level: String,
    /// Form of the log.
    pub log_format: LogFormat,
    /// Settings of each service in the catalog.
    pub services: BTreeMap<String, ServiceConfig>,
}

/// How the cluster is found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Kubernetes {
    /// Where to look.
    pub mode: KubernetesMode,
    /// The kubeconfig file, when one is named.
    pub kubeconfig: Option<String>,
    /// The context in it, when one is named.
    pub context: Option<String>,
}

/// Where to look for the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KubernetesMode {
    /// The pod's own cluster inside one, else the kubeconfig.
    Auto,
    /// The pod's service account.
    InCluster,
    /// A kubeconfig file.
    Kubeconfig,
    /// No cluster: services are only rerun and probed.
    Off,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, else JSON in a pod.
    Auto,
    /// One readable line per event.
    Text,
    /// One JSON document per event.
    Json,
}

/// What jsorc may do; complete, with nothing left to inherit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Policy {
    /// Put drift right, or only show it.
    pub mode: Mode,
    /// Fields that another manager owns.
    pub conflicts: Conflicts,
    /// Objects that jsorc did not create.
    pub adopt: Adopt,
    /// Delete and create again when an immutable field must change.
    pub recreate: Recreate,
    /// Objects that left a service's folder.
    pub prune: Prune,
    /// Fields that others added.
    pub foreign: Foreign,
}

/// Settings of one service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceConfig {
    /// Whether it is run at all.
    pub enabled: bool,
    /// Where its objects live.
    pub namespace: String,
    /// The driver's settings.
    pub config: Map<String, Value>,
    /// Values of its parameters; a generated secret without a value is absent.
    pub parameters: Map<String, Value>,
    /// Changes to its manifests, in the order in which they are made.
    pub patches: Vec<Patch>,
    /// How it is probed; the interval is always set.
    pub probe: Probe,
    /// What jsorc may do to its objects.
    pub policy: Policy,
    /// Fields left to others.
    pub ignore: Vec<Ignore>,
    /// Whether workloads roll when a `ConfigMap` or Secret that they read changes.
    pub roll_on_change: bool,
}

/// A change to one manifest.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Patch {
    /// `KIND/NAME` of an object of the service.
    pub target: String,
    /// What to merge into it.
    pub merge: Value,
}

impl Config {
    /// Reads merged values that have passed every check.
    pub(super) fn from_values(values: &Value, catalog: &Catalog) -> Self {
        let namespace = text(values, "/namespace").unwrap_or_else(|| "default".into());
        let interval = span(values.get("interval")).unwrap_or(Duration::from_secs(10));
        let service = |name: &str| service(values, name, &namespace, interval);
        Self {
            enabled: flag(values, "/enabled"),
            quiet: flag(values, "/quiet"),
            interval,
            keep_alive: typed(values, "/keep_alive"),
            instance_name: text(values, "/instance/name").unwrap_or_else(|| "jsorc".into()),
            instance_namespace: text(values, "/instance/namespace"),
            image_rewrite: typed(values, "/images/rewrite"),
            pull_secrets: typed(values, "/images/pullSecrets"),
            create_namespace: flag(values, "/create_namespace"),
            kubernetes: read(values, "/kubernetes").unwrap_or(Kubernetes {
                mode: KubernetesMode::Auto,
                kubeconfig: None,
                context: None,
            }),
            api_listen: text(values, "/api/listen").unwrap_or_default(),
            health_listen: text(values, "/health/listen").unwrap_or_default(),
            log_level: text(values, "/log/level").unwrap_or_else(|| "info".into()),
            log_format: read(values, "/log/format").unwrap_or(LogFormat::Auto),
            services: catalog
                .names()
                .map(|name| (name.to_owned(), service(name)))
                .collect(),
            namespace,
        }
    }

    /// Whether a service is enabled and kept alive.
    #[must_use]
    pub fn keeps(&self, service: &str) -> bool {
        self.keep_alive.iter().any(|name| name == service)
            && self
                .services
                .get(service)
                .is_some_and(|settings| settings.enabled)
    }
}

fn service(values: &Value, name: &str, namespace: &str, interval: Duration) -> ServiceConfig {
    let empty = Value::Null;
    let given = values
        .pointer(&format!("/services/{name}"))
        .unwrap_or(&empty);
    let probe_at = |key: &str| given.pointer(&format!("/probe/{key}"));
    ServiceConfig {
        enabled: given
            .get("enabled")
            .and_then(Value::as_bool)
            .unwrap_or(true),
        namespace: text(given, "/namespace").unwrap_or_else(|| namespace.to_owned()),
        config: given
            .get("config")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default(),
        parameters: given
            .get("parameters")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default(),
        patches: typed(given, "/patches"),
        probe: Probe {
            interval: Some(span(probe_at("interval")).unwrap_or(interval)),
            timeout: span(probe_at("timeout")).unwrap_or(Duration::from_secs(2)),
            failures: probe_at("failures")
                .and_then(Value::as_u64)
                .and_then(|n| n.try_into().ok())
                .unwrap_or(3),
        },
        policy: policy(values.get("policy"), given.get("policy")),
        ignore: typed(given, "/ignore"),
        roll_on_change: text(given, "/restart").as_deref() != Some("never"),
    }
}

/// A service's policy on top of the global one, which the defaults make complete.
fn policy(global: Option<&Value>, own: Option<&Value>) -> Policy {
    let mut merged = global
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    merged.extend(own.and_then(Value::as_object).cloned().unwrap_or_default());
    serde_json::from_value(Value::Object(merged)).unwrap_or(Policy {
        mode: Mode::Report,
        conflicts: Conflicts::Report,
        adopt: Adopt::Never,
        recreate: Recreate::Never,
        prune: Prune::Off,
        foreign: Foreign::Report,
    })
}

fn text(values: &Value, pointer: &str) -> Option<String> {
    values
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
}

fn flag(values: &Value, pointer: &str) -> bool {
    values
        .pointer(pointer)
        .and_then(Value::as_bool)
        .unwrap_or(false)
}

fn span(value: Option<&Value>) -> Option<Duration> {
    duration::read(value?).ok()
}

fn read<T: for<'de> Deserialize<'de>>(values: &Value, pointer: &str) -> Option<T> {
    serde_json::from_value(values.pointer(pointer)?.clone()).ok()
}

fn typed<T: for<'de> Deserialize<'de> + Default>(values: &Value, pointer: &str) -> T {
    read(values, pointer).unwrap_or_default()
}
