//! What becomes of recorded objects when people delete or release a service: which are ours to
//! remove, in which order, and how ownership is given up without a value changing.

use super::adopting::unite;
use super::health::{Health, health};
use super::ordered::left_alone;
use super::ownership::{apply_position, owned_fields};
use super::record::Record;
use crate::desired::at::At as _;
use crate::desired::edges::{Graph, Node};
use crate::desired::instance::{INSTANCE_LABEL, PART_OF_LABEL, SUSPEND_ANNOTATION};
use crate::desired::order::stages;
use crate::desired::{ObjectKey, PROTECTED_KINDS};
use serde_json::{Map, Value, json};

/// What becomes of one recorded object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is not there.
    Gone,
    /// It is being deleted already.
    Going,
    /// It is not ours, and is forgotten; why.
    Forgotten(String),
    /// It is ours to remove: uid and version.
    Ours(String, String),
}

/// By what an object is known as ours.
#[derive(Clone, Copy, Debug)]
pub struct Mark<'a> {
    /// Our field manager.
    pub manager: &'a str,
    /// The value of our label.
    pub label: &'a str,
}

/// Whether a live object is the recorded one, or one that we made in its place since.
#[must_use]
pub fn fate(record: &Record, live: Option<&Value>, mark: Mark<'_>) -> Fate {
    let Some(live) = live else { return Fate::Gone };
    let text = |pointer: &str| live.at(pointer).and_then(Value::as_str);
    let uid = text("/metadata/uid").unwrap_or("");
    let label = live.at("/metadata/labels");
    let label = label.and_then(|labels| labels.get(INSTANCE_LABEL)?.as_str());
    let applied = label == Some(mark.label) && owned_fields(live, mark.manager).is_some();
    let known = record.applied.as_ref().map(|applied| &*applied.uid);
    if known != Some(uid) && !applied {
        return Fate::Forgotten(match known {
            None => "it was never confirmed to be ours".into(),
            Some(_) => "another object has its name now".into(),
        });
    }
    if health(live) == Health::Terminating {
        return Fate::Going;
    }
    let version = text("/metadata/resourceVersion").unwrap_or("");
    Fate::Ours(uid.to_owned(), version.to_owned())
}

/// Why an object that is ours stays when its service is deleted.
#[must_use]
pub fn kept(
    key: &ObjectKey,
    record: &Record,
    live: &Value,
    protect: &[String],
    allowed: &[String],
) -> Option<String> {
    let metadata = |name: &str| live.at(&format!("/metadata/{name}"));
    if metadata("ownerReferences")
        .and_then(Value::as_array)
        .is_some_and(|all| !all.is_empty())
    {
        return Some("something else owns it".into());
    }
    let alone = metadata("annotations").and_then(|all| all.get(SUSPEND_ANNOTATION)?.as_str());
    if let Some(reason) = alone {
        return Some(left_alone(reason));
    }
    let made_up = key.is_secret()
        && record
            .applied
            .as_ref()
            .is_some_and(|applied| applied.evidence.is_none());
    let protected = made_up
        || PROTECTED_KINDS.contains(&&*key.kind)
        || protect.iter().any(|kind| **kind == *key.kind);
    let short = key.short();
    let named = allowed.iter().any(|name| name.eq_ignore_ascii_case(&short));
    (protected && !named).then(|| format!("protected kind (--allow-delete {short})"))
}

/// The order in which live objects go, as the positions of those that may go at once: first what
/// needs others, last what is needed.
#[must_use]
pub fn backwards(nodes: &[Node<'_>]) -> Vec<Vec<usize>> {
    let graph = Graph::new(nodes);
    let after: Vec<_> = nodes.iter().map(|node| graph.prerequisites(node)).collect();
    let edges: Vec<_> = nodes
        .iter()
        .zip(&after)
        .map(|(n, a)| (n.key, a.as_slice()))
        .collect();
    // Live objects can point at each other in a circle; then they go all at once.
    let stages = stages(&edges).unwrap_or_else(|_| vec![0; nodes.len()]);
    let most = stages.iter().max().map_or(0, |most| most + 1);
    let mut found = vec![Vec::new(); usize::try_from(most).unwrap_or(0)];
    for (position, stage) in stages.into_iter().enumerate() {
        if let Some(at) = found.get_mut(usize::try_from(stage).unwrap_or(0)) {
            at.push(position);
        }
    }
    found
        .into_iter()
        .rev()
        .filter(|stage| !stage.is_empty())
        .collect()
}

/// The patch that takes our labels and our name off an object and changes nothing else; what we
/// own goes to another manager, if one is named.
#[must_use]
pub fn parting(live: &Value, manager: &str, to: Option<&str>) -> Option<Value> {
    let mut steps = vec![json!({"op": "test", "path": "/metadata/resourceVersion",
        "value": live.at("/metadata/resourceVersion")})];
    let labels = live.at("/metadata/labels").and_then(Value::as_object);
    let ours = [INSTANCE_LABEL, PART_OF_LABEL];
    for label in ours
        .iter()
        .filter(|name| labels.is_some_and(|all| all.contains_key(**name)))
    {
        let path = format!("/metadata/labels/{}", label.replace('/', "~1"));
        steps.push(json!({"op": "remove", "path": path}));
    }
    if let Some(left) = without_us(live, manager, to) {
        steps.push(json!({"op": "replace", "path": "/metadata/managedFields", "value": left}));
    }
    (steps.len() > 1).then(|| steps.into())
}

/// The managers of an object without us; `None` where we are not among them.
fn without_us(live: &Value, manager: &str, to: Option<&str>) -> Option<Vec<Value>> {
    let all = live.at("/metadata/managedFields")?.as_array()?;
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let is_ours = |entry: &&Value| text(entry, "manager").as_deref() == Some(manager);
    if !all.iter().any(|entry| is_ours(&entry)) {
        return None;
    }
    let mut left: Vec<Value> = all.iter().filter(|e| !is_ours(e)).cloned().collect();
    if let Some((to, ours)) = to.zip(apply_position(live, manager).map(|at| &all[at])) {
        let version = text(ours, "apiVersion");
        let theirs = apply_position(&json!({"metadata": {"managedFields": left}}), to);
        let mut entry = ours.clone();
        entry["manager"] = to.into();
        // Field sets of another version may be spelled otherwise; then ours replaces theirs.
        let known = theirs.map(|at| left.remove(at));
        if let Some(known) = known.filter(|known| text(known, "apiVersion") == version)
            && let (Some(fields), Some(more)) = (
                entry["fieldsV1"].as_object_mut(),
                known.get("fieldsV1").and_then(Value::as_object),
            )
        {
            unite(fields, more);
        }
        left.push(entry);
    }
    // An empty list would mean that nothing is said about managers: an empty entry says "none".
    if left.is_empty() {
        left.push(Value::Object(Map::new()));
    }
    Some(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::links::Links;
    use crate::desired::{Fingerprint, Resource};
    use crate::engine::Applied;

    const MARK: Mark<'_> = Mark {
        manager: "us",
        label: "prod.jsorc",
    };

    fn record(uid: Option<&str>) -> Record {
        let resource = Resource {
            group: "".into(),
            version: "v1".into(),
            kind: "ConfigMap".into(),
            plural: "configmaps".into(),
            namespaced: true,
        };
        let applied = uid.map(|uid| Applied {
            uid: uid.into(),
            digest: Fingerprint(1),
            evidence: None,
            version: None,
            surface: None,
            conflicts: Vec::new(),
        });
        Record {
            resource: resource.into(),
            applied,
            done: false,
        }
    }

    fn live(uid: &str, label: Option<&str>, managers: &[&str]) -> Value {
        let entry = |manager: &&str| {
            json!({"manager": manager, "operation": "Apply",
            "apiVersion": "v1", "fieldsV1": {"f:data": {format!("f:{manager}"): {}}}})
        };
        let entries: Vec<Value> = managers.iter().map(entry).collect();
        let mut object = json!({"metadata": {"uid": uid, "resourceVersion": "7",
            "managedFields": entries, "labels": {"app": "x"}}});
        if let Some(label) = label {
            object["metadata"]["labels"][INSTANCE_LABEL] = label.into();
        }
        object
    }

    #[test]
    fn only_the_recorded_object_or_one_that_we_made_since_is_ours() {
        let ours = |uid: &str| Fate::Ours(uid.into(), "7".into());
        let seen = |record: &Record, live: &Value| fate(record, Some(live), MARK);
        assert_eq!(fate(&record(Some("a")), None, MARK), Fate::Gone);
        assert_eq!(seen(&record(Some("a")), &live("a", None, &[])), ours("a"));
        let again = live("b", Some("prod.jsorc"), &["us"]);
        assert_eq!(seen(&record(Some("a")), &again), ours("b"));
        assert_eq!(seen(&record(None), &again), ours("b"));
        for other in [
            live("b", None, &["us"]),
            live("b", Some("prod.jsorc"), &["them"]),
            live("b", Some("other"), &["us"]),
        ] {
            assert!(matches!(
                seen(&record(Some("a")), &other),
                Fate::Forgotten(_)
            ));
            assert!(matches!(seen(&record(None), &other), Fate::Forgotten(_)));
        }
    }

    #[test]
    fn what_holds_data_stays_unless_it_is_named() {
        let claim = ObjectKey::new("", "PersistentVolumeClaim", Some("prod"), "data");
        let secret = ObjectKey::new("", "Secret", Some("prod"), "made");
        let object = live("a", None, &[]);
        let stays = |key: &ObjectKey, protect: &[String], allowed: &[String]| {
            kept(key, &record(Some("a")), &object, protect, allowed).is_some()
        };
        let map = ObjectKey::new("", "ConfigMap", Some("prod"), "x");
        assert!(stays(&claim, &[], &[]) && stays(&secret, &[], &[]) && !stays(&map, &[], &[]));
        assert!(stays(&map, &["ConfigMap".into()], &[]));
        assert!(!stays(&claim, &[], &["PersistentVolumeClaim/data".into()]));
        let mut owned = object.clone();
        owned["metadata"]["ownerReferences"] = json!([{"kind": "X", "name": "y"}]);
        assert!(kept(&map, &record(Some("a")), &owned, &[], &[]).is_some());
    }

    #[test]
    fn what_needs_others_goes_first() {
        let key = |kind: &str, group: &str| ObjectKey::new(group, kind, Some("prod"), "web");
        let (map, account) = (key("ConfigMap", ""), key("ServiceAccount", ""));
        let workload = key("Deployment", "apps");
        let plain = Links::default();
        let pods = json!({"kind": "Deployment", "spec": {"template": {"spec": {"serviceAccountName": "web",
            "containers": [{"envFrom": [{"configMapRef": {"name": "web"}}]}]}}}});
        let pods = Links::of(&pods);
        let node = |key, links| Node {
            key,
            service: "web",
            links,
        };
        let nodes = [
            node(&map, &plain),
            node(&workload, &pods),
            node(&account, &plain),
        ];
        assert_eq!(backwards(&nodes), [vec![1], vec![0, 2]]);
        assert_eq!(backwards(&[]), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn our_name_goes_and_what_it_owned_goes_to_whom_it_is_given() {
        let object = live("a", Some("prod.jsorc"), &["us", "them"]);
        let fields = |patch: &Value| patch[2]["value"].clone();
        let patch = parting(&object, "us", None).unwrap();
        assert_eq!(patch[1]["path"], "/metadata/labels/jsorc.dev~1instance");
        assert_eq!(fields(&patch).as_array().unwrap().len(), 1);
        let given = fields(&parting(&object, "us", Some("them")).unwrap());
        let both = json!({"f:data": {"f:us": {}, "f:them": {}}});
        assert_eq!(given[0]["manager"], "them");
        assert_eq!(given[0]["fieldsV1"], both);
        assert_eq!(given.as_array().unwrap().len(), 1);
        let alone = parting(&live("a", None, &["us"]), "us", None).unwrap();
        assert_eq!(alone[1]["value"], json!([{}]));
        assert_eq!(parting(&live("a", None, &["them"]), "us", None), None);
    }
}
