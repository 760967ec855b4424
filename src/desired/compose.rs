//! Configuration and tables to the desired set: placeholders filled, patches merged, namespaces
//! set, labels and hashes on, stages fixed.
//!
//! Nothing here asks a cluster. Problems of all services come together, and a set is whole or it
//! is not there at all.

use super::body::ObjectBody;
use super::drafting::{Drafting, Sealed};
use super::edges::{Graph, Node};
use super::fingerprint::FingerprintKey;
use super::fronts::Backs;
use super::instance::Instance;
use super::key::{ObjectKey, Resource};
use super::kinds::Kinds;
use super::links::Links;
use super::metadata::ServiceMetadata;
use super::order;
use super::set::{DesiredObject, DesiredService, DesiredSet, Prerequisite, WriteMode};
use crate::config::{Config, Problem};
use crate::manifest::Catalog;
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};
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
            let drafting = Drafting {
                service,
                settings,
                config,
                context,
                metadata: ServiceMetadata::of(context.instance, &service.name, &settings.namespace),
                problems: &mut problems,
            };
            drafting.seal(&mut drafts);
        }
    }
    add_namespaces(&mut drafts, config, context);
    refuse_duplicates(&drafts, &mut problems);
    if !problems.is_empty() {
        return Err(Problems(problems));
    }
    let turns = turns(&drafts)?;
    let objects = finish(drafts, turns);
    Ok(assemble(catalog, config, context, objects))
}

/// Adds the namespaces that the objects, and the inventories, live in.
fn add_namespaces(drafts: &mut Vec<Sealed>, config: &Config, context: Context<'_>) {
    if !config.create_namespace {
        return;
    }
    let Some(first) = drafts.first() else { return };
    let mut wanted: BTreeMap<String, Arc<str>> =
        BTreeMap::from([(context.instance.namespace.clone(), first.service.clone())]);
    for draft in drafts.iter() {
        if let Some(namespace) = &draft.key.namespace
            && !wanted.contains_key(&**namespace)
        {
            wanted.insert(namespace.to_string(), draft.service.clone());
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
    // Making room for one more would double a list of thousands.
    drafts.reserve_exact(missing.len());
    for (name, service) in missing {
        let value = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let resource = Kinds::new(&[], &[]).of(&value);
        drafts.push(Sealed {
            service,
            key: ObjectKey::new("", "Namespace", None, &name),
            resource,
            mode: WriteMode::Ensure,
            ignored: Box::default(),
            place: None,
            body: ObjectBody::of(&value),
            digest: context.key.of(&value),
            links: Links::of(&value),
        });
    }
}

fn refuse_duplicates(drafts: &[Sealed], problems: &mut Vec<Problem>) {
    let place = |draft: &Sealed| {
        let place = draft.place.as_ref();
        place.map_or_else(|| "create_namespace".to_owned(), ToString::to_string)
    };
    let mut seen: HashMap<&ObjectKey, &Sealed> = HashMap::new();
    for draft in drafts {
        if let Some(other) = seen.insert(&draft.key, draft)
            && draft.mode != WriteMode::Ensure
        {
            problems.push(Problem {
                place: place(draft),
                message: format!(
                    "{} is also in {} ({})",
                    draft.key,
                    place(other),
                    other.service
                ),
                hint: Some(
                    "give one of them another name; `$g{service}` in a name tells services apart"
                        .into(),
                ),
            });
        }
    }
}

/// When an object has its turn, and what shows that it is in order.
struct Turn {
    after: Arc<[Prerequisite]>,
    stage: u32,
    wants_endpoint: bool,
}

/// The turn of each draft. What it takes to find them is gone before the set itself is made: both
/// together are the most that composing thousands of objects holds.
fn turns(drafts: &[Sealed]) -> Result<Vec<Turn>, Problems> {
    let nodes: Vec<Node<'_>> = drafts
        .iter()
        .map(|draft| Node {
            key: &draft.key,
            service: &draft.service,
            links: &draft.links,
        })
        .collect();
    let graph = Graph::new(&nodes);
    let mut shared: HashSet<Arc<[Prerequisite]>> = HashSet::new();
    let after = nodes.iter().map(|node| graph.prerequisites(node));
    let after: Vec<Arc<[Prerequisite]>> = after.map(|list| share(list, &mut shared)).collect();
    drop(graph);
    let ordered: Vec<_> = drafts
        .iter()
        .map(|draft| &draft.key)
        .zip(after.iter().map(|list| &**list))
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
    let backs = Backs::new(&nodes);
    let fronts = nodes.iter().map(|node| backs.has_front(node));
    let turns = after.into_iter().zip(stages).zip(fronts);
    Ok(turns
        .map(|((after, stage), wants_endpoint)| Turn {
            after,
            stage,
            wants_endpoint,
        })
        .collect())
}

/// The objects of each service, in the order in which they are written.
fn finish(drafts: Vec<Sealed>, turns: Vec<Turn>) -> HashMap<Arc<str>, Vec<DesiredObject>> {
    let mut counts: HashMap<&Arc<str>, usize> = HashMap::new();
    for draft in &drafts {
        *counts.entry(&draft.service).or_default() += 1;
    }
    // A list of thousands that grows is there twice each time it does.
    let room = counts
        .into_iter()
        .map(|(service, count)| (service.clone(), Vec::with_capacity(count)));
    let mut found: HashMap<Arc<str>, Vec<DesiredObject>> = room.collect();
    for (draft, turn) in drafts.into_iter().zip(turns) {
        found.entry(draft.service).or_default().push(DesiredObject {
            wants_endpoint: turn.wants_endpoint,
            digest: draft.digest,
            body: draft.body,
            key: draft.key,
            resource: draft.resource,
            mode: draft.mode,
            after: turn.after,
            stage: turn.stage,
            ignored: draft.ignored,
            implied: draft.place.is_none(),
        });
    }
    for objects in found.values_mut() {
        objects.sort_unstable_by(|a, b| (a.stage, &a.key).cmp(&(b.stage, &b.key)));
    }
    found
}

/// One list for all that wait for the same: most wait for nothing but their namespace.
fn share(list: Vec<Prerequisite>, known: &mut HashSet<Arc<[Prerequisite]>>) -> Arc<[Prerequisite]> {
    if let Some(same) = known.get(&*list) {
        return same.clone();
    }
    let list: Arc<[Prerequisite]> = list.into();
    known.insert(list.clone());
    list
}

fn assemble(
    catalog: &Catalog,
    config: &Config,
    context: Context<'_>,
    mut objects: HashMap<Arc<str>, Vec<DesiredObject>>,
) -> DesiredSet {
    let services = catalog.services.iter().filter_map(|service| {
        let settings = config.services.get(service.name.as_ref())?;
        let objects = objects.remove(service.name.as_ref()).unwrap_or_default();
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
            source: None,
            objects,
        })
    });
    DesiredSet {
        instance: context.instance.clone(),
        services: services.collect(),
        enabled: config.enabled,
    }
}
