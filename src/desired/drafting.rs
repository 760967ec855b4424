//! One service's manifests become drafts: filled, patched, placed, labelled.

use super::at::At as _;
use super::body::ObjectBody;
use super::compose::Context;
use super::fingerprint::{Fingerprint, FingerprintKey};
use super::instance::RUN_ANNOTATION;
use super::key::{ObjectKey, Resource};
use super::kinds::Kinds;
use super::links::Links;
use super::metadata::ServiceMetadata;
use super::path::Path;
use super::rolling::{Contents, mark_readers, reads_any};
use super::set::{Generated, RunPolicy, WriteMode};
use super::workload::template_pointer;
use super::{image, namespace, patch, secret};
use crate::config::{Config, Problem, ServiceConfig};
use crate::manifest::fill::{FillError, fill_all};
use crate::manifest::kinds::builtin;
use crate::manifest::{Manifest, Service, names, placeholder};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// So many documents are there as JSON trees at once where none affects another: a tree takes several
/// times the memory of its text, and a service may have thousands of documents.
const PORTION: usize = 256;

/// An object on its way into the set.
pub(super) struct Draft {
    pub(super) service: Arc<str>,
    pub(super) key: ObjectKey,
    pub(super) resource: Arc<Resource>,
    pub(super) value: Value,
    pub(super) mode: WriteMode,
    pub(super) ignored: Box<[Path]>,
    pub(super) place: Option<Place>,
}

/// Where the manifest of an object is.
#[derive(Clone)]
pub(super) struct Place {
    file: Cow<'static, str>,
    line: u32,
}

/// A draft in its final form: the text that goes on the wire, and of the value only what leads to
/// other objects.
pub(super) struct Sealed {
    pub(super) service: Arc<str>,
    pub(super) key: ObjectKey,
    pub(super) resource: Arc<Resource>,
    pub(super) mode: WriteMode,
    pub(super) ignored: Box<[Path]>,
    /// None where no manifest gives the object.
    pub(super) place: Option<Place>,
    pub(super) body: ObjectBody,
    pub(super) digest: Fingerprint,
    pub(super) links: Links,
}

impl Draft {
    /// Serialises the value, once, and keeps what leads to others.
    pub(super) fn seal(self, key: &FingerprintKey) -> Sealed {
        Sealed {
            body: ObjectBody::of(&self.value),
            digest: key.of(&self.value),
            links: Links::of(&self.value),
            service: self.service,
            key: self.key,
            resource: self.resource,
            mode: self.mode,
            ignored: self.ignored,
            place: self.place,
        }
    }
}

pub(super) struct Drafting<'a> {
    pub(super) service: &'a Service,
    pub(super) settings: &'a ServiceConfig,
    pub(super) config: &'a Config,
    pub(super) context: Context<'a>,
    pub(super) metadata: ServiceMetadata,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl<'a> Drafting<'a> {
    /// Adds the service's objects in their final form.
    pub(super) fn seal(mut self, sealed: &mut Vec<Sealed>) {
        let key = self.context.key;
        // Growing a list of thousands holds it twice for a moment.
        sealed.reserve_exact(self.service.manifests().count());
        let (together, apart) = self.portions();
        let (workloads, alone): (Vec<_>, Vec<_>) = apart
            .into_iter()
            .partition(|manifest| template_pointer(&manifest.kind).is_some());
        let mut drafts = self.drafts(&together);
        for portion in workloads.chunks(PORTION) {
            let (reading, rest) = self.drafts(portion).into_iter().partition(reads_any);
            drafts.extend::<Vec<Draft>>(reading);
            sealed.extend(rest.into_iter().map(|draft| draft.seal(key)));
        }
        let mut contents = Contents::read_by(&drafts);
        contents.note(&drafts);
        for portion in alone.chunks(PORTION) {
            let drafts = self.drafts(portion);
            contents.note(&drafts);
            sealed.extend(drafts.into_iter().map(|draft| draft.seal(key)));
        }
        if self.settings.roll_on_change {
            mark_readers(&mut drafts, &contents, key);
        }
        sealed.extend(drafts.into_iter().map(|draft| draft.seal(key)));
    }

    /// Parts the documents into those that are composed together, because one may change the form of
    /// another, and those of which at most the data that their pods read does.
    fn portions(&self) -> (Vec<&'a Manifest>, Vec<&'a Manifest>) {
        let manifests = || self.service.manifests();
        // A patch or a reference may lead to any document.
        let linked = !self.settings.patches.is_empty()
            || manifests().any(|manifest| placeholder::refers(&manifest.json));
        let scales = manifests().any(|manifest| manifest.kind == "HorizontalPodAutoscaler");
        let is_scaled = |manifest: &Manifest| scales && template_pointer(&manifest.kind).is_some();
        manifests().partition(|manifest| linked || reaches_others(manifest) || is_scaled(manifest))
    }

    fn drafts(&mut self, manifests: &[&Manifest]) -> Vec<Draft> {
        let raw = manifests
            .iter()
            .filter_map(|manifest| manifest.value().ok());
        let mut values = match fill_all(raw.collect(), &|name| self.parameter(name)) {
            Ok(values) => values,
            Err(errors) => {
                for (index, error) in errors {
                    let place = manifests
                        .get(index)
                        .map(|m| Place::of(m).to_string())
                        .unwrap_or_default();
                    self.problems.push(Problem {
                        place,
                        message: error.message,
                        hint: error.hint,
                    });
                }
                return Vec::new();
            }
        };
        self.patch(&mut values);
        let kinds = Kinds::new(self.context.served, &values);
        let scaled = scaled_by_others(&values);
        let service: Arc<str> = self.service.name.as_ref().into();
        values
            .into_iter()
            .zip(manifests)
            .filter_map(|(value, manifest)| self.draft(&service, value, manifest, &kinds, &scaled))
            .collect()
    }

    /// The value of a parameter: built in, configured, or a marker for one that is generated.
    fn parameter(&self, name: &str) -> Result<Value, FillError> {
        match name {
            "namespace" => return Ok(self.settings.namespace.clone().into()),
            "instance" => return Ok(self.context.instance.name.clone().into()),
            "service" => return Ok(self.service.name.as_ref().into()),
            _ => {}
        }
        if let Some(value) = self.settings.parameters.get(name) {
            return Ok(value.clone());
        }
        match self.service.spec.parameters.get(name) {
            Some(parameter) if parameter.generate.is_some() => Ok(secret::marker(name).into()),
            _ => Err(FillError::new(format!("parameter `{name}` has no value"))),
        }
    }

    fn patch(&mut self, values: &mut [Value]) {
        for (index, patch) in self.settings.patches.iter().enumerate() {
            let mut found = false;
            for value in values
                .iter_mut()
                .filter(|value| short_name(value) == patch.target)
            {
                patch::merge(value, &patch.merge);
                found = true;
            }
            if !found {
                let known: Vec<String> = values.iter().map(short_name).collect();
                let near = crate::config::nearest(&patch.target, known.iter().map(String::as_str));
                let service = &self.service.name;
                self.problems.push(Problem {
                    place: format!("services.{service}.patches[{index}]"),
                    message: format!("no object of {service} is `{}`", patch.target),
                    hint: Some(match near {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("`jsorc services {service}` lists its objects"),
                    }),
                });
            }
        }
    }

    fn draft(
        &mut self,
        service: &Arc<str>,
        mut value: Value,
        manifest: &Manifest,
        kinds: &Kinds,
        scaled: &BTreeSet<String>,
    ) -> Option<Draft> {
        let resource = kinds.of(&value);
        if resource.namespaced {
            namespace::settle(&mut value, &self.metadata.namespace);
        }
        namespace::settle_references(&mut value, &self.metadata.namespace);
        image::adjust(
            &mut value,
            &self.config.image_rewrite,
            &self.config.pull_secrets,
        );
        let key = key_of(&value, &resource, &self.metadata.namespace);
        if let Err(why) = check_name(&key) {
            let message = format!("{}: {why}", key.short());
            self.problems.push(Problem {
                place: Place::of(manifest).to_string(),
                message,
                hint: None,
            });
            return None;
        }
        let ignored = self.ignored(&key, scaled);
        for path in &ignored {
            path.remove(&mut value);
        }
        let mode = self.mode(&key, &value, manifest);
        if key.is_secret() && mode == WriteMode::Apply {
            secret::encode_string_data(&mut value);
        }
        if mode != WriteMode::Ensure {
            self.metadata.label(&mut value);
        }
        Some(Draft {
            service: service.clone(),
            key,
            resource,
            value,
            mode,
            ignored: ignored.into(),
            place: Some(Place::of(manifest)),
        })
    }

    fn ignored(&self, key: &ObjectKey, scaled: &BTreeSet<String>) -> Vec<Path> {
        let mut paths: Vec<Path> = self
            .settings
            .ignore
            .iter()
            .filter(|rule| {
                *rule.kind == *key.kind && rule.name.as_ref().is_none_or(|name| **name == *key.name)
            })
            .filter_map(|rule| Path::parse(&rule.path))
            .collect();
        if scaled.contains(&key.short()) {
            paths.extend(Path::parse("spec.replicas"));
        }
        paths
    }

    fn mode(&self, key: &ObjectKey, value: &Value, manifest: &Manifest) -> WriteMode {
        if key.is("", "Namespace") {
            return WriteMode::Ensure;
        }
        if key.is("batch", "Job") {
            return WriteMode::Job(run_policy(value));
        }
        let generated: Vec<Generated> = manifest
            .secret_parameters(&self.service.spec)
            .into_iter()
            .filter_map(|name| self.generated(&name))
            .collect();
        if generated.is_empty() {
            WriteMode::Apply
        } else {
            WriteMode::Generate(generated)
        }
    }

    /// How a secret parameter without a known value is made up.
    fn generated(&self, name: &str) -> Option<Generated> {
        match self.settings.parameters.get(name) {
            Some(value) if value == secret::UNKNOWN => Some(Generated {
                marker: secret::UNKNOWN.into(),
                length: 0,
            }),
            Some(_) => None,
            None => {
                let length =
                    usize::try_from(self.service.spec.parameters.get(name)?.generate?).ok()?;
                Some(Generated {
                    marker: secret::marker(name),
                    length,
                })
            }
        }
    }
}

/// Whether a document scales a workload, defines a kind, or is of a kind that another may define.
fn reaches_others(manifest: &Manifest) -> bool {
    builtin(&manifest.api_version, &manifest.kind).is_none()
        || matches!(
            &*manifest.kind,
            "HorizontalPodAutoscaler" | "CustomResourceDefinition"
        )
}

impl Place {
    pub(super) fn of(manifest: &Manifest) -> Self {
        Self {
            file: manifest.file.clone(),
            line: manifest.line,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

pub(super) fn short_name(value: &Value) -> String {
    format!("{}/{}", text(value, "/kind"), text(value, "/metadata/name"))
}

pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.at(pointer).and_then(Value::as_str).unwrap_or("")
}

/// The key of an object; where it is in the namespace of its service, it shares that name.
pub(super) fn key_of(value: &Value, resource: &Resource, home: &Arc<str>) -> ObjectKey {
    let namespace = resource
        .namespaced
        .then(|| match text(value, "/metadata/namespace") {
            same if *same == **home => home.clone(),
            other => other.into(),
        });
    ObjectKey {
        group: resource.group.clone(),
        kind: resource.kind.clone(),
        namespace,
        name: text(value, "/metadata/name").into(),
    }
}

/// Names go into URLs, so what a placeholder or a patch made of one is checked once more.
pub(super) fn check_name(key: &ObjectKey) -> Result<(), String> {
    let (rule, most) = names::rule_for(&key.group, &key.kind);
    names::check(&key.name, rule, most)?;
    key.namespace.as_deref().map_or(Ok(()), names::label)
}

pub(super) fn run_policy(job: &Value) -> RunPolicy {
    let annotation = job
        .at("/metadata/annotations")
        .and_then(|a| a.get(RUN_ANNOTATION));
    match annotation.and_then(Value::as_str) {
        Some("once") => RunPolicy::Once,
        Some("always") => RunPolicy::Always,
        _ => RunPolicy::OnChange,
    }
}

/// Workloads (`KIND/NAME`) whose replicas belong to an autoscaler of the same table.
pub(super) fn scaled_by_others(values: &[Value]) -> BTreeSet<String> {
    values
        .iter()
        .filter(|value| text(value, "/kind") == "HorizontalPodAutoscaler")
        .map(|value| {
            format!(
                "{}/{}",
                text(value, "/spec/scaleTargetRef/kind"),
                text(value, "/spec/scaleTargetRef/name")
            )
        })
        .collect()
}
