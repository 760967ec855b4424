//! Reads `managedFields`: which fields of a live object are ours, whether they still hold what
//! we applied, and who took the ones that do not.
//!
//! The API server removes a field from our Apply entry when another actor changes its value, so
//! the entry is a drift detector that costs no request. Three things it does not show (a child
//! added inside an owned empty struct, a second writer under our own name, a reordered list)
//! change the *projection*: the hash of the live values at the fields of our entry
//! (`projection`).
//!
//! Source of the rules: Kubernetes, "Server-Side Apply", and the field set encoding of
//! structured-merge-diff (`f:` field, `k:` list item by key, `v:` set value, `i:` index,
//! `.` the item itself).

use crate::desired::at::At as _;
use crate::desired::fingerprint::Fingerprint;
use serde_json::{Map, Value};

/// What our Apply entry says about one live object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Hash of the entry's field set.
    pub entry: Fingerprint,
    /// Hash of the live values at those fields.
    pub projection: Fingerprint,
}

/// Who wrote a field, as far as the object can tell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Writer {
    /// When the manager last wrote, RFC 3339.
    pub time: Option<String>,
    /// Field manager.
    pub manager: String,
}

/// The field set that `manager` owns by server-side apply.
#[must_use]
pub fn owned_fields<'a>(live: &'a Value, manager: &str) -> Option<&'a Value> {
    apply_entry(live, manager)?.get("fieldsV1")
}

/// Whether `manager` wrote the object otherwise than by an apply: it made it.
#[must_use]
pub fn made_by(live: &Value, manager: &str) -> bool {
    entries(live).any(|entry| {
        text(entry, "manager") == Some(manager)
            && text(entry, "operation") == Some("Update")
            && text(entry, "subresource").is_none_or(str::is_empty)
    })
}

/// The managers of an object's own fields, without `manager` and without status writers.
#[must_use]
pub fn other_managers(live: &Value, manager: &str) -> Vec<String> {
    let mut names: Vec<String> = entries(live)
        .filter(|entry| !is_ours(entry, manager) && text(entry, "subresource").is_none())
        .filter_map(|entry| text(entry, "manager").map(str::to_owned))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

pub(super) fn entries(live: &Value) -> impl Iterator<Item = &Map<String, Value>> {
    live.at("/metadata/managedFields")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
}

/// The place of `manager`'s Apply entry in `managedFields`.
#[must_use]
pub fn apply_position(live: &Value, manager: &str) -> Option<usize> {
    live.at("/metadata/managedFields")?
        .as_array()?
        .iter()
        .position(|entry| {
            entry
                .as_object()
                .is_some_and(|entry| is_ours(entry, manager))
        })
}

fn apply_entry<'a>(live: &'a Value, manager: &str) -> Option<&'a Map<String, Value>> {
    entries(live).find(|entry| is_ours(entry, manager))
}

pub(super) fn is_ours(entry: &Map<String, Value>, manager: &str) -> bool {
    text(entry, "manager") == Some(manager)
        && text(entry, "operation") == Some("Apply")
        && text(entry, "subresource").is_none_or(str::is_empty)
}

pub(super) fn text<'a>(entry: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    entry.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::super::sight::Sight;
    use super::*;
    use crate::desired::FingerprintKey;
    use crate::desired::path::Path;
    use serde_json::json;

    fn key() -> FingerprintKey {
        FingerprintKey::new([3; 32])
    }

    fn deployment(image: &str, fields: &Value) -> Value {
        json!({
            "metadata": {"managedFields": [
                {"manager": "jsorc", "operation": "Apply", "time": "2026-01-01T00:00:00Z", "fieldsV1": fields},
                {"manager": "kubectl-edit", "operation": "Update", "time": "2026-01-02T00:00:00Z",
                 "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            ]},
            "spec": {"replicas": 3, "volumes": [{"name": "v", "emptyDir": {}}],
                     "containers": [{"name": "a", "image": image}, {"name": "b", "image": "y"}]},
        })
    }

    fn containers() -> Value {
        json!({"f:spec": {"f:containers": {"k:{\"name\":\"a\"}": {".": {}, "f:name": {}, "f:image": {}}},
               "f:volumes": {"k:{\"name\":\"v\"}": {".": {}, "f:name": {}, "f:emptyDir": {}}}}})
    }

    fn evidence(object: &Value) -> Option<Evidence> {
        let text = object.to_string();
        Sight::read(&text).unwrap().evidence("jsorc", &key())
    }

    fn see(object: &Value) -> Evidence {
        evidence(object).unwrap()
    }

    #[test]
    fn a_foreign_change_beside_our_fields_leaves_the_evidence_alone() {
        let mut after = deployment("x", &containers());
        let before = see(&after);
        after["spec"]["replicas"] = json!(7);
        after["spec"]["containers"][1]["image"] = json!("z");
        after["status"] = json!({"replicas": 1});
        assert_eq!(see(&after), before);
    }

    #[test]
    fn an_owned_value_a_lost_field_and_a_child_of_an_empty_struct_show() {
        let base = deployment("x", &containers());
        let before = see(&base);
        assert_ne!(
            see(&deployment("other", &containers())).projection,
            before.projection
        );
        let mut lost = containers();
        lost["f:spec"]["f:containers"]["k:{\"name\":\"a\"}"]
            .as_object_mut()
            .unwrap()
            .remove("f:image");
        assert_ne!(see(&deployment("x", &lost)).entry, before.entry);
        let mut filled = base.clone();
        filled["spec"]["volumes"][0]["emptyDir"] = json!({"medium": "Memory"});
        assert_eq!(see(&filled).entry, before.entry);
        assert_ne!(see(&filled).projection, before.projection);
    }

    #[test]
    fn a_pure_reorder_of_owned_items_shows_in_the_projection() {
        let fields = json!({"f:spec": {"f:containers": {"k:{\"name\":\"a\"}": {".": {}}, "k:{\"name\":\"b\"}": {".": {}}}}});
        let mut object = deployment("x", &fields);
        let before = see(&object);
        object["spec"]["containers"]
            .as_array_mut()
            .unwrap()
            .reverse();
        assert_ne!(see(&object).projection, before.projection);
    }

    #[test]
    fn the_writer_is_named_only_where_an_entry_covers_the_field() {
        let object = deployment("x", &containers()).to_string();
        let sight = Sight::read(&object).unwrap();
        let (claims, ours) = (sight.claims("jsorc"), sight.owned("jsorc").unwrap());
        let replicas = Path::parse("spec.replicas").unwrap();
        assert_eq!(claims.writer_of(&replicas).unwrap().manager, "kubectl-edit");
        let image = Path::parse("spec.containers[name=a].image").unwrap();
        assert_eq!(claims.writer_of(&image), None);
        let other = Path::parse("spec.containers[b].image").unwrap();
        for (path, owned) in [(&image, true), (&other, false), (&replicas, false)] {
            assert_eq!(ours.covers(path), owned);
        }
    }

    #[test]
    fn another_operation_under_our_name_is_not_our_entry() {
        let object = json!({"metadata": {"managedFields": [
            {"manager": "jsorc", "operation": "Update", "fieldsV1": {"f:data": {}}}]}});
        assert_eq!(evidence(&object), None);
        assert_eq!(other_managers(&object, "jsorc"), ["jsorc"]);
    }
}
