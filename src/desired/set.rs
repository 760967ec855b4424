//! The set of objects that ought to be, and the services they belong to.

use super::body::ObjectBody;
use super::fingerprint::Fingerprint;
use super::instance::Instance;
use super::key::{ObjectKey, Resource};
use super::path::Path;
use crate::config::Policy;
use crate::manifest::{Probe, Remedy};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Everything that ought to be, computed from configuration and tables.
#[derive(Clone, Debug)]
pub struct DesiredSet {
    /// Whose it is.
    pub instance: Instance,
    /// Every service of the catalog, kept alive or not, in name order.
    pub services: Vec<DesiredService>,
    /// False: write nothing.
    pub enabled: bool,
}

/// One service.
#[derive(Clone, Debug)]
pub struct DesiredService {
    /// Its name.
    pub name: Arc<str>,
    /// Whether it is enabled and kept alive.
    pub kept: bool,
    /// Where its objects live.
    pub namespace: String,
    /// The driver's name.
    pub driver: String,
    /// The driver's settings.
    pub settings: Map<String, Value>,
    /// How it is probed; the interval is always set.
    pub probe: Probe,
    /// What is done when it is ready but does not answer.
    pub remedy: Remedy,
    /// What may be done to its objects.
    pub policy: Policy,
    /// Services that must be Running first.
    pub depends_on: Vec<Arc<str>>,
    /// Kinds protected from deletion beside the ones that always are.
    pub protect: Vec<String>,
    /// What its objects were composed from, where that is known.
    pub source: Option<Fingerprint>,
    /// Its objects; empty for a service without manifests.
    pub objects: Vec<DesiredObject>,
}

/// One object.
#[derive(Clone, Debug)]
pub struct DesiredObject {
    /// Which object.
    pub key: ObjectKey,
    /// Where its kind is served.
    pub resource: Arc<Resource>,
    /// What goes on the wire.
    pub body: ObjectBody,
    /// A keyed hash of the body.
    pub digest: Fingerprint,
    /// How it is written.
    pub mode: WriteMode,
    /// What has to be there first; shared by those for which it is the same.
    pub after: Arc<[Prerequisite]>,
    /// Its place in the order: one more than the highest of what comes first.
    pub stage: u32,
    /// Fields left to others; they are not in the body.
    pub ignored: Box<[Path]>,
    /// A Service in front of pods of its own table: it is in order once one of them is ready.
    pub wants_endpoint: bool,
    /// Whether no manifest gives it: a namespace that is made for the others.
    pub implied: bool,
}

/// How an object is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// Server-side apply.
    Apply,
    /// Created if it is missing, and never touched again: a namespace.
    Ensure,
    /// Created once with values made up at that moment: a Secret with generated parameters.
    Generate(Vec<Generated>),
    /// A Job, which runs to its end and may then be gone.
    Job(RunPolicy),
}

/// A value that is made up when its Secret is created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// What stands in the body in its place.
    pub marker: String,
    /// How many characters it has.
    pub length: usize,
}

/// When a Job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunPolicy {
    /// Once in its life, whatever changes.
    Once,
    /// Again when its manifest changes.
    OnChange,
    /// Again whenever it is not there.
    Always,
}

/// Something that has to be there before an object is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prerequisite {
    /// Which object.
    pub key: ObjectKey,
    /// In which condition.
    pub need: Need,
}

/// The condition that a prerequisite must be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Need {
    /// It exists as applied.
    Applied,
    /// It is healthy: a definition established, a database ready, a Job complete.
    Current,
}

impl DesiredSet {
    /// The service of that name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&DesiredService> {
        self.services.iter().find(|service| &*service.name == name)
    }

    /// Keeps of the objects everything but their bodies: without a cluster nothing is compared or
    /// written, and with one the set is given anew.
    pub fn forget_bodies(&mut self) {
        let objects = self.services.iter_mut().flat_map(|s| &mut s.objects);
        let nothing = ObjectBody::empty();
        objects.for_each(|object| object.body.clone_from(&nothing));
    }

    /// All objects of the services that are kept alive, with their services.
    pub fn objects(&self) -> impl Iterator<Item = (&DesiredService, &DesiredObject)> {
        self.services
            .iter()
            .filter(|service| service.kept)
            .flat_map(|service| service.objects.iter().map(move |object| (service, object)))
    }
}

impl DesiredService {
    /// Whether it can only be run through the cluster: no setting says where else it is.
    #[must_use]
    pub fn needs_cluster(&self) -> bool {
        let given = |name: &str| {
            self.settings
                .get(name)
                .and_then(Value::as_str)
                .is_some_and(|text| !text.is_empty())
        };
        !given("host") && !given("url") && !self.settings.contains_key("command")
    }
}

/// Kinds that are never deleted unless one run is told to.
pub const PROTECTED_KINDS: &[&str] = &[
    "Namespace",
    "CustomResourceDefinition",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "StatefulSet",
];
