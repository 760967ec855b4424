//! How an object of others becomes ours without a value of it changing, as two JSON patches: it gets
//! our labels, and what the tools of its former owner own of it becomes part of our Apply entry.
//!
//! Fields that stay with a former owner would never go when they leave the manifest: two owners of
//! one value, and only one gives it up. So they are taken over whole; the plan then shows which of
//! them the manifest does not want.
//!
//! Source of the rules: Kubernetes, "Server-Side Apply", on upgrading from client-side apply.

use super::looking::owner;
use super::ownership::{apply_position, owned_fields};
use crate::desired::at::At as _;
use crate::desired::instance::{INSTANCE_LABEL, PART_OF_LABEL};
use serde_json::{Map, Value, json};

/// What client-side apply keeps on an object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The managers of tools that keep whole objects. Who changes single fields (`kubectl edit`, an
/// autoscaler, a controller) keeps them.
const KEEPERS: &[&str] = &[
    "kubectl-client-side-apply",
    "kubectl-create",
    "kubectl-replace",
    "kubectl",
    "before-first-apply",
    "helm",
    "Helm",
    "helm-controller",
    "argocd-controller",
    "argocd-application-controller",
    "kustomize-controller",
    "Terraform",
];

/// The labels by which an object is ours.
const OURS: [&str; 2] = [INSTANCE_LABEL, PART_OF_LABEL];

/// What there is to take over of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who owns it by the marks of the common tools, in words.
    pub owner: Option<String>,
    /// The managers whose fields become ours.
    pub from: Vec<String>,
    /// Whether it is ours already.
    pub ours: bool,
}

/// Looks at whose an object is.
#[must_use]
pub fn claim(live: &Value, manager: &str, label: &str) -> Claim {
    let labelled = label_of(live, INSTANCE_LABEL) == Some(label);
    let mut from: Vec<String> = entries(live)
        .iter()
        .filter(|entry| is_keeper(entry))
        .filter_map(|entry| Some(text(entry, "manager")?.to_owned()))
        .collect();
    from.sort_unstable();
    from.dedup();
    Claim {
        owner: owner(live, labelled.then_some(label)),
        ours: labelled && owned_fields(live, manager).is_some(),
        from,
    }
}

/// The patch that puts our labels of `wanted` on an object and takes the note of client-side apply
/// off it; `None` where nothing of that is left to do.
#[must_use]
pub fn marking(live: &Value, wanted: &Value) -> Option<Value> {
    let mut steps = Vec::new();
    if live.at("/metadata/labels").is_none() {
        steps.push(json!({"op": "add", "path": "/metadata/labels", "value": {}}));
    }
    for label in OURS {
        let value = label_of(wanted, label).filter(|value| label_of(live, label) != Some(value));
        if let Some(value) = value {
            let path = format!("/metadata/labels/{}", label.replace('/', "~1"));
            steps.push(json!({"op": "add", "path": path, "value": value}));
        }
    }
    let annotations = live.at("/metadata/annotations");
    if annotations.is_some_and(|annotations| annotations.get(LAST_APPLIED).is_some()) {
        let path = format!("/metadata/annotations/{}", LAST_APPLIED.replace('/', "~1"));
        steps.push(json!({"op": "remove", "path": path}));
    }
    patched(live, steps)
}

/// The patch that makes the fields of the former keepers, and what we ourselves set otherwise than
/// by an apply, fields of our Apply entry.
#[must_use]
pub fn inheriting(live: &Value, manager: &str) -> Option<Value> {
    let all = entries(live);
    let ours = apply_position(live, manager).map(|at| &all[at]);
    let taken = |entry: &Value| {
        let own = text(entry, "manager") == Some(manager) && text(entry, "subresource").is_none();
        own || is_keeper(entry)
    };
    let newest = all
        .iter()
        .filter(|entry| taken(entry))
        .max_by_key(|entry| text(entry, "time"));
    let model = ours.or(newest);
    let version = model.map_or(text(live, "apiVersion"), |model| text(model, "apiVersion"));
    let mut fields = Map::new();
    // Field sets of another version may be spelled otherwise; they are given up.
    let same = |entry: &&Value| taken(entry) && text(entry, "apiVersion") == version;
    for entry in all.iter().filter(same) {
        if let Some(more) = entry.get("fieldsV1").and_then(Value::as_object) {
            unite(&mut fields, more);
        }
    }
    if fields.is_empty() {
        // Nobody is known to have set anything; the labels by which it is found are ours.
        let labels = live.at("/metadata/labels").and_then(Value::as_object)?;
        let ours = labels.keys().filter(|name| OURS.contains(&name.as_str()));
        let ours: Map<String, Value> = ours.map(|name| (format!("f:{name}"), json!({}))).collect();
        fields.insert("f:metadata".into(), json!({"f:labels": ours}));
    }
    let mut entry = json!({"manager": manager, "operation": "Apply", "apiVersion": version,
        "fieldsType": "FieldsV1", "fieldsV1": fields});
    if let Some(time) = model.and_then(|model| text(model, "time")) {
        entry["time"] = time.into();
    }
    let mut left: Vec<Value> = all.iter().filter(|entry| !taken(entry)).cloned().collect();
    left.push(entry);
    let replace = json!({"op": "replace", "path": "/metadata/managedFields", "value": left});
    patched(live, vec![replace])
}

/// The union of two field sets.
pub(super) fn unite(fields: &mut Map<String, Value>, more: &Map<String, Value>) {
    for (name, below) in more {
        match (fields.get_mut(name).and_then(Value::as_object_mut), below) {
            (Some(known), Value::Object(below)) => unite(known, below),
            (Some(_), _) => {}
            (None, below) => drop(fields.insert(name.clone(), below.clone())),
        }
    }
}

fn patched(live: &Value, operations: Vec<Value>) -> Option<Value> {
    let version = live.at("/metadata/resourceVersion");
    let same = json!({"op": "test", "path": "/metadata/resourceVersion", "value": version});
    let any = !operations.is_empty();
    any.then(|| std::iter::once(same).chain(operations).collect())
}

fn is_keeper(entry: &Value) -> bool {
    text(entry, "subresource").is_none()
        && text(entry, "manager").is_some_and(|manager| KEEPERS.contains(&manager))
}

fn entries(live: &Value) -> &[Value] {
    let entries = live.at("/metadata/managedFields");
    entries.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn label_of<'a>(object: &'a Value, label: &str) -> Option<&'a str> {
    object.at("/metadata/labels")?.get(label)?.as_str()
}

fn text<'a>(entry: &'a Value, key: &str) -> Option<&'a str> {
    let text = entry.get(key).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, version: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": version, "fieldsV1": fields})
    }

    fn dated(mut entry: Value, time: &str) -> Value {
        entry["time"] = time.into();
        entry
    }

    fn live(entries: &[Value]) -> Value {
        json!({"metadata": {"resourceVersion": "7", "managedFields": entries}})
    }

    #[test]
    fn the_fields_of_former_keepers_become_ours_and_those_of_others_do_not() {
        let fields = |name: &str| json!({"f:data": {name: {}}});
        let object = live(&[
            dated(
                entry("kubectl-client-side-apply", "Update", "v1", &fields("f:a")),
                "2026-01-02T00:00:00Z",
            ),
            entry("kubectl-edit", "Update", "v1", &fields("f:b")),
            entry(
                "us",
                "Update",
                "v1",
                &json!({"f:metadata": {"f:labels": {"f:x": {}}}}),
            ),
            dated(
                entry("helm", "Update", "v1beta1", &fields("f:old")),
                "2020-01-01T00:00:00Z",
            ),
        ]);
        let patch = inheriting(&object, "us").unwrap();
        assert_eq!(patch[0]["value"], "7");
        let left = patch[1]["value"].as_array().unwrap();
        assert_eq!(left.len(), 2);
        assert_eq!(left[0]["manager"], "kubectl-edit");
        assert_eq!(left[1]["operation"], "Apply");
        assert_eq!(left[1]["time"], "2026-01-02T00:00:00Z");
        let theirs = json!({"f:data": {"f:a": {}}, "f:metadata": {"f:labels": {"f:x": {}}}});
        assert_eq!(left[1]["fieldsV1"], theirs);
        let claimed = claim(&object, "us", "prod.jsorc");
        assert_eq!(claimed.from, ["helm", "kubectl-client-side-apply"]);
        assert!(!claimed.ours);
    }

    #[test]
    fn a_status_writer_keeps_what_it_has_whatever_it_is_called() {
        let mut status = entry("kubectl", "Update", "v1", &json!({"f:status": {}}));
        status["subresource"] = "status".into();
        let mut object = live(&[status.clone()]);
        assert_eq!(
            inheriting(&object, "us"),
            None,
            "there is not even our label"
        );
        object["apiVersion"] = "v1".into();
        object["metadata"]["labels"] = json!({INSTANCE_LABEL: "prod.jsorc", "app": "x"});
        let left = inheriting(&object, "us").unwrap()[1]["value"].clone();
        assert_eq!(left[0], status);
        let labels = json!({"f:metadata": {"f:labels": {"f:jsorc.dev/instance": {}}}});
        assert_eq!(
            (&left[1]["fieldsV1"], &left[1]["apiVersion"]),
            (&labels, &json!("v1"))
        );
    }

    #[test]
    fn the_marks_are_added_and_the_note_of_client_side_apply_goes() {
        let wanted =
            json!({"metadata": {"labels": {"jsorc.dev/instance": "prod.jsorc", "app": "x"}}});
        let mut object = live(&[]);
        object["metadata"]["annotations"] = json!({LAST_APPLIED: "{}"});
        assert_eq!(
            marking(&object, &wanted).unwrap(),
            json!([
                {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
                {"op": "add", "path": "/metadata/labels", "value": {}},
                {"op": "add", "path": "/metadata/labels/jsorc.dev~1instance", "value": "prod.jsorc"},
                {"op": "remove", "path": "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"},
            ])
        );
        object["metadata"] = wanted["metadata"].clone();
        assert_eq!(marking(&object, &wanted), None);
    }

    #[test]
    fn our_own_label_does_not_hide_whose_it_is_besides() {
        let object = json!({"metadata": {"labels": {"jsorc.dev/instance": "prod.jsorc"},
            "annotations": {"meta.helm.sh/release-name": "shop"}}});
        let owner = claim(&object, "us", "prod.jsorc").owner;
        assert_eq!(owner.as_deref(), Some("the Helm release shop"));
        let owner = claim(&object, "us", "other").owner;
        assert_eq!(owner.as_deref(), Some("the jsorc instance prod.jsorc"));
    }
}
