//! Configuration and tables to the desired set: placeholders filled, patches merged, namespaces
//! set, labels and hashes on, stages fixed.
//!
//! Nothing here asks a cluster. Problems of all services come together, and a set is whole or it
//! is not there at all.

use super::edges::{Graph, Node};
use super::fingerprint::FingerprintKey;
use super::instance::{
    CONFIG_ANNOTATION, INSTANCE_LABEL, Instance, PART_OF_LABEL, RUN_ANNOTATION, SERVICE_LABEL,
};
use super::key::{ObjectKey, Resource};
use super::kinds::Kinds;
use super::order;
use super::path::Path;
use super::set::{
    DesiredObject, DesiredService, DesiredSet, Generated, Prerequisite, RunPolicy, WriteMode,
};
use super::{image, namespace, patch, secret, workload};
use crate::config::{Config, Problem, ServiceConfig};
use crate::manifest::fill::{FillError, fill_all};
use crate::manifest::{Catalog, Manifest, Service, names};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What composing needs beside configuration and tables.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Whose set it is.
    pub instance: &'a Instance,
    /// Keys the hashes.
    pub key: &'a FingerprintKey,
    /// Kinds that are not built in, as a cluster serves them.
    pub served: &'a [Resource],
}

/// Every reason why there is no desired set, never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Problems(pub Vec<Problem>);

/// Computes what ought to be.
///
/// # Errors
/// Every patch without a target, parameter without a value, name that is none, object that is
/// there twice, and circle of references.
pub fn compose(
    catalog: &Catalog,
    config: &Config,
    context: Context<'_>,
) -> Result<DesiredSet, Problems> {
    let mut problems = Vec::new();
    let mut drafts = Vec::new();
    for service in &catalog.services {
        let Some(settings) = config.services.get(service.name.as_ref()) else {
            continue;
        };
        if config.keeps(&service.name) {
            drafts.extend(
                Drafting {
                    service,
                    settings,
                    config,
                    context,
                    problems: &mut problems,
                }
                .drafts(),
            );
        }
    }
    add_namespaces(&mut drafts, config, context);
    refuse_duplicates(&drafts, &mut problems);
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    let objects = finish(drafts, context)?;
    Ok(assemble(catalog, config, context, objects))
}

/// An object on its way into the set.
struct Draft {
    service: Arc<str>,
    key: ObjectKey,
    resource: Arc<Resource>,
    value: Value,
    mode: WriteMode,
    ignored: Vec<Path>,
    place: String,
}

struct Drafting<'a> {
    service: &'a Service,
    settings: &'a ServiceConfig,
    config: &'a Config,
    context: Context<'a>,
    problems: &'a mut Vec<Problem>,
}

impl Drafting<'_> {
    fn drafts(mut self) -> Vec<Draft> {
        let manifests: Vec<&Manifest> = self.service.manifests().collect();
        let raw: Vec<Value> = manifests
            .iter()
            .filter_map(|manifest| manifest.value().ok())
            .collect();
        let mut values = match fill_all(&raw, &|name| self.parameter(name)) {
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
        let mut drafts: Vec<Draft> = values
            .into_iter()
            .zip(&manifests)
            .filter_map(|(value, manifest)| self.draft(value, manifest, &kinds, &scaled))
            .collect();
        if self.settings.roll_on_change {
            mark_readers(&mut drafts, self.context.key);
        }
        drafts
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
            self.label(&mut value);
        }
        let place = place_of(manifest);
        Some(Draft {
            service: self.service.name.as_ref().into(),
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

    fn label(&self, value: &mut Value) {
        let instance = self.context.instance;
        let labels = object_at(value, &["metadata", "labels"]);
        labels.insert(INSTANCE_LABEL.into(), instance.label().into());
        labels.insert(SERVICE_LABEL.into(), self.service.name.as_ref().into());
        labels.insert(
            PART_OF_LABEL.into(),
            instance.apply_set_id(&self.service.name).into(),
        );
    }
}

fn place_of(manifest: &Manifest) -> String {
    format!("{}:{}", manifest.file, manifest.line)
}

fn short_name(value: &Value) -> String {
    format!("{}/{}", text(value, "/kind"), text(value, "/metadata/name"))
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

fn key_of(value: &Value, resource: &Resource) -> ObjectKey {
    let namespace = resource
        .namespaced
        .then(|| text(value, "/metadata/namespace"));
    ObjectKey::new(
        &resource.group,
        &resource.kind,
        namespace,
        text(value, "/metadata/name"),
    )
}

/// Names go into URLs, so what a placeholder or a patch made of one is checked once more.
fn check_name(key: &ObjectKey) -> Result<(), String> {
    let (rule, most) = names::rule_for(&key.group, &key.kind);
    names::check(&key.name, rule, most)?;
    key.namespace.as_deref().map_or(Ok(()), names::label)
}

fn run_policy(job: &Value) -> RunPolicy {
    let annotation = job
        .pointer("/metadata/annotations")
        .and_then(|a| a.get(RUN_ANNOTATION));
    match annotation.and_then(Value::as_str) {
        Some("once") => RunPolicy::Once,
        Some("always") => RunPolicy::Always,
        _ => RunPolicy::OnChange,
    }
}

/// Workloads (`KIND/NAME`) whose replicas belong to an autoscaler of the same table.
fn scaled_by_others(values: &[Value]) -> BTreeSet<String> {
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

/// Puts a hash of what its pods read on each workload, so that a change rolls it.
///
/// Generated Secrets do not count, since their values never change, and Jobs are left alone,
/// since their template cannot change.
fn mark_readers(drafts: &mut [Draft], key: &FingerprintKey) {
    let readable = |draft: &Draft| {
        matches!(&*draft.key.kind, "ConfigMap" | "Secret") && draft.mode == WriteMode::Apply
    };
    let unkeyed = FingerprintKey::new([0; 32]);
    let contents: BTreeMap<ObjectKey, Value> = drafts
        .iter()
        .filter(|draft| readable(draft))
        .map(|draft| {
            (
                draft.key.clone(),
                json!([draft.value.get("data"), draft.value.get("binaryData")]),
            )
        })
        .collect();
    for draft in drafts
        .iter_mut()
        .filter(|draft| !matches!(draft.mode, WriteMode::Job(_)))
    {
        let read: Vec<_> = workload::reads(&draft.value, draft.key.namespace.as_deref())
            .into_iter()
            .filter_map(|read| contents.get_key_value(&read))
            .collect();
        if read.is_empty() || matches!(&*draft.key.kind, "CronJob" | "Pod") {
            continue;
        }
        let secret = read.iter().any(|(read, _)| read.is_secret());
        let hash = (if secret { key } else { &unkeyed }).of(&read
            .iter()
            .map(|(_, value)| *value)
            .cloned()
            .collect());
        if let Some(template) = workload::template_mut(&mut draft.value) {
            let annotations = object_at(template, &["metadata", "annotations"]);
            annotations.insert(CONFIG_ANNOTATION.into(), hash.to_string().into());
        }
    }
}

/// The mapping at a path, made if it is not there.
fn object_at<'a>(value: &'a mut Value, path: &[&str]) -> &'a mut Map<String, Value> {
    let mut at = value;
    for name in path {
        if !at.is_object() {
            *at = json!({});
        }
        at = &mut at[*name];
    }
    if !at.is_object() {
        *at = json!({});
    }
    match at {
        Value::Object(map) => map,
        _ => unreachable!("it was made a mapping just above"),
    }
}

/// Adds the namespaces that the objects, and the inventories, live in.
fn add_namespaces(drafts: &mut Vec<Draft>, config: &Config, context: Context<'_>) {
    if !config.create_namespace {
        return;
    }
    let Some(first) = drafts.first() else { return };
    let mut wanted: BTreeMap<String, Arc<str>> =
        BTreeMap::from([(context.instance.namespace.clone(), first.service.clone())]);
    for draft in drafts.iter() {
        if let Some(namespace) = &draft.key.namespace {
            wanted
                .entry(namespace.to_string())
                .or_insert_with(|| draft.service.clone());
        }
    }
    let given = |name: &str| {
        drafts
            .iter()
            .any(|d| d.key.is("", "Namespace") && &*d.key.name == name)
    };
    let missing: Vec<_> = wanted
        .into_iter()
        .filter(|(name, _)| !given(name))
        .collect();
    for (name, service) in missing {
        let value = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let resource = Kinds::new(&[], &[]).of(&value);
        drafts.push(Draft {
            service,
            key: key_of(&value, &resource),
            resource,
            value,
            mode: WriteMode::Ensure,
            ignored: Vec::new(),
            place: "create_namespace".into(),
        });
    }
}

fn refuse_duplicates(drafts: &[Draft], problems: &mut Vec<Problem>) {
    let mut seen: HashMap<&ObjectKey, &Draft> = HashMap::new();
    for draft in drafts {
        if let Some(other) = seen.insert(&draft.key, draft)
            && draft.mode != WriteMode::Ensure
        {
            problems.push(Problem {
                place: draft.place.clone(),
                message: format!(
                    "{} is also in {} ({})",
                    draft.key, other.place, other.service
                ),
                hint: Some(
                    "give one of them another name; `$g{service}` in a name tells services apart"
                        .into(),
                ),
            });
        }
    }
}

fn finish(
    drafts: Vec<Draft>,
    context: Context<'_>,
) -> Result<Vec<(Arc<str>, DesiredObject)>, Problems> {
    let nodes: Vec<Node<'_>> = drafts
        .iter()
        .map(|draft| Node {
            key: &draft.key,
            service: &draft.service,
            value: &draft.value,
        })
        .collect();
    let graph = Graph::new(&nodes);
    let after: Vec<Vec<Prerequisite>> =
        nodes.iter().map(|node| graph.prerequisites(node)).collect();
    let ordered: Vec<_> = drafts
        .iter()
        .map(|draft| &draft.key)
        .zip(after.iter().map(Vec::as_slice))
        .collect();
    let stages = order::stages(&ordered).map_err(|circle| {
        let names: Vec<String> = circle.iter().map(ObjectKey::short).collect();
        Problems(vec![Problem {
            place: "services".into(),
            message: format!(
                "objects wait for each other in a circle: {}",
                names.join(" → ")
            ),
            hint: Some("remove one of the references, or a `jsorc.dev/after` annotation".into()),
        }])
    })?;
    let fronts: Vec<bool> = drafts
        .iter()
        .map(|draft| fronts_pods(draft, &drafts))
        .collect();
    let objects = drafts
        .into_iter()
        .zip(after)
        .zip(stages.into_iter().zip(fronts))
        .map(|((draft, after), (stage, wants_endpoint))| {
            let object = DesiredObject {
                wants_endpoint,
                digest: context.key.of(&draft.value),
                body: draft.value.to_string().into(),
                key: draft.key,
                resource: draft.resource,
                mode: draft.mode,
                after,
                stage,
                ignored: draft.ignored,
                place: draft.place,
            };
            (draft.service, object)
        });
    Ok(objects.collect())
}

/// Whether a draft is a Service that selects pods which are meant to run.
fn fronts_pods(draft: &Draft, all: &[Draft]) -> bool {
    let Some(selector) = draft
        .value
        .pointer("/spec/selector")
        .filter(|_| draft.key.is("", "Service"))
    else {
        return false;
    };
    all.iter().any(|other| {
        matches!(
            &*other.key.kind,
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Pod"
        ) && other.key.namespace == draft.key.namespace
            && other
                .value
                .pointer("/spec/replicas")
                .and_then(Value::as_i64)
                != Some(0)
            && workload::template(&other.value)
                .and_then(|template| template.pointer("/metadata/labels"))
                .is_some_and(|labels| workload::selects(selector, labels))
    })
}

fn assemble(
    catalog: &Catalog,
    config: &Config,
    context: Context<'_>,
    objects: Vec<(Arc<str>, DesiredObject)>,
) -> DesiredSet {
    let mut by_service: HashMap<Arc<str>, Vec<DesiredObject>> = HashMap::new();
    for (service, object) in objects {
        by_service.entry(service).or_default().push(object);
    }
    let services = catalog.services.iter().filter_map(|service| {
        let settings = config.services.get(service.name.as_ref())?;
        let mut objects = by_service.remove(service.name.as_ref()).unwrap_or_default();
        objects.sort_by(|a, b| (a.stage, &a.key).cmp(&(b.stage, &b.key)));
        Some(DesiredService {
            name: service.name.as_ref().into(),
            kept: config.keeps(&service.name),
            namespace: settings.namespace.clone(),
            driver: service.spec.driver.clone(),
            settings: settings.config.clone(),
            probe: settings.probe.clone(),
            remedy: service.spec.remedy,
            policy: settings.policy,
            depends_on: service
                .spec
                .depends_on
                .iter()
                .map(|name| name.as_str().into())
                .collect(),
            protect: service.spec.protect.clone(),
            objects,
        })
    });
    DesiredSet {
        instance: context.instance.clone(),
        services: services.collect(),
        enabled: config.enabled,
    }
}
