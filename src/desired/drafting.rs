//! One service's manifests become drafts: filled, patched, placed, labelled.

use super::at::At as _;
use super::compose::Context;
use super::fingerprint::{Fingerprint, FingerprintKey};
use super::instance::{INSTANCE_LABEL, Instance, PART_OF_LABEL, RUN_ANNOTATION, SERVICE_LABEL};
use super::key::{ObjectKey, Resource};
use super::kinds::Kinds;
use super::path::Path;
use super::plain::Plain;
use super::portions::{PORTION, Portions};
use super::rolling::{Contents, mark_readers, note_contents, object_at, read_by, reads_any};
use super::set::{Generated, RunPolicy, WriteMode};
use super::shape::shape;
use super::wanted::Wanted;
use super::{image, namespace, parallel, patch, secret};
use crate::config::{Config, Problem, ServiceConfig};
use crate::manifest::fill::{FillError, fill_all};
use crate::manifest::spec::Ignore;
use crate::manifest::{Manifest, Service, names};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// An object on its way into the set.
pub(super) struct Draft {
    pub(super) service: Arc<str>,
    pub(super) key: ObjectKey,
    pub(super) resource: Arc<Resource>,
    pub(super) value: Value,
    pub(super) mode: WriteMode,
    pub(super) ignored: Vec<Path>,
    pub(super) place: String,
}

/// A draft in its final form: the text that goes on the wire, and of the value only what edges
/// between objects look at.
pub(super) struct Sealed {
    pub(super) service: Arc<str>,
    pub(super) key: ObjectKey,
    pub(super) resource: Arc<Resource>,
    pub(super) mode: WriteMode,
    pub(super) ignored: Vec<Path>,
    pub(super) place: String,
    pub(super) body: Wanted,
    pub(super) digest: Fingerprint,
    pub(super) shape: Value,
}

impl Draft {
    /// Serialises the value, once, and keeps its shape.
    pub(super) fn seal(self, key: &FingerprintKey) -> Sealed {
        Sealed {
            body: self.value.to_string().into(),
            digest: key.of(&self.value),
            shape: shape(&self.value),
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
    pub(super) labels: Labels,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl<'a> Drafting<'a> {
    /// The service's objects in their final form. What only holds data, and what nothing else needs
    /// for its own form, is read and sealed in portions: thousands of such objects are never there
    /// as JSON values together.
    pub(super) fn sealed(mut self) -> Vec<Sealed> {
        let key = self.context.key;
        let Portions {
            data,
            loose,
            workloads,
            linked,
        } = Portions::of(self.service, self.settings);
        let mut drafts = self.drafts(&linked);
        let mut alone = Vec::new();
        for portion in workloads.chunks(PORTION) {
            let (reading, rest) = self.drafts(portion).into_iter().partition(reads_any);
            alone.extend(parallel::map(rest, |draft: Draft| draft.seal(key)));
            drafts.extend::<Vec<Draft>>(reading);
        }
        let read = read_by(&drafts);
        let (mut sealed, data) = self.plain(data, &read);
        sealed.extend(alone);
        for portion in loose.chunks(PORTION) {
            let drafts = self.drafts(portion);
            sealed.extend(parallel::map(drafts, |draft| draft.seal(key)));
        }
        let mut contents = Contents::new();
        note_contents(&drafts, &read, &mut contents);
        for portion in data.chunks(PORTION) {
            let drafts = self.drafts(portion);
            note_contents(&drafts, &read, &mut contents);
            sealed.extend(parallel::map(drafts, |draft| draft.seal(key)));
        }
        if self.settings.roll_on_change {
            mark_readers(&mut drafts, &contents, key);
        }
        sealed.extend(parallel::map(drafts, |draft| draft.seal(key)));
        sealed
    }

    /// The documents that only hold data in their final form, and those that have more to them.
    fn plain(
        &mut self,
        data: Vec<&'a Manifest>,
        read: &BTreeSet<ObjectKey>,
    ) -> (Vec<Sealed>, Vec<&'a Manifest>) {
        let named = json!({"apiVersion": "v1", "kind": "ConfigMap"});
        let plain = Plain {
            service: self.service.name.as_ref().into(),
            resource: Kinds::new(&[], &[]).of(&named),
            namespace: &self.settings.namespace,
            labels: &self.labels,
            key: self.context.key,
        };
        let ignores = |rule: &Ignore| *rule.kind == *"ConfigMap";
        if self.settings.ignore.iter().any(ignores) {
            return (Vec::new(), data);
        }
        let (whole, rest): (Vec<_>, Vec<_>) = data.into_iter().partition(|m| plain.takes(m, read));
        let mut sealed = Vec::with_capacity(whole.len());
        for object in parallel::map(whole, |manifest| plain.seal(manifest)) {
            match object {
                Ok(object) => sealed.push(object),
                Err(problem) => self.problems.push(problem),
            }
        }
        (sealed, rest)
    }

    fn drafts(&mut self, manifests: &[&'a Manifest]) -> Vec<Draft> {
        let raw: Vec<Value> = parallel::map(manifests.to_vec(), |manifest| manifest.value().ok())
            .into_iter()
            .flatten()
            .collect();
        let mut values = match fill_all(raw, &|name| self.parameter(name)) {
            Ok(values) => values,
            Err(errors) => {
                for (index, error) in errors {
                    let place = manifests
                        .get(index)
                        .map(|m| place_of(m))
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
            namespace::settle(&mut value, &self.settings.namespace);
        }
        namespace::settle_references(&mut value, &self.settings.namespace);
        image::adjust(
            &mut value,
            &self.config.image_rewrite,
            &self.config.pull_secrets,
        );
        let key = key_of(&value, &resource);
        if let Err(why) = check_name(&key) {
            let message = format!("{}: {why}", key.short());
            self.problems.push(Problem {
                place: place_of(manifest),
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
            self.labels.put_on(&mut value);
        }
        let place = place_of(manifest);
        Some(Draft {
            service: service.clone(),
            key,
            resource,
            value,
            mode,
            ignored,
            place,
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

/// The labels of the objects of one service.
pub(super) struct Labels([(&'static str, String); 3]);

impl Labels {
    pub(super) fn of(instance: &Instance, service: &str) -> Self {
        Self([
            (INSTANCE_LABEL, instance.label()),
            (SERVICE_LABEL, service.to_owned()),
            (PART_OF_LABEL, instance.apply_set_id(service)),
        ])
    }

    pub(super) fn put_on(&self, value: &mut Value) {
        let labels = object_at(value, &["metadata", "labels"]);
        for (name, value) in &self.0 {
            labels.insert((*name).into(), value.as_str().into());
        }
    }
}

pub(super) fn place_of(manifest: &Manifest) -> String {
    format!("{}:{}", manifest.file, manifest.line)
}

pub(super) fn short_name(value: &Value) -> String {
    format!("{}/{}", text(value, "/kind"), text(value, "/metadata/name"))
}

pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.at(pointer).and_then(Value::as_str).unwrap_or("")
}

pub(super) fn key_of(value: &Value, resource: &Resource) -> ObjectKey {
    let namespace = resource
        .namespaced
        .then(|| text(value, "/metadata/namespace").into());
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
