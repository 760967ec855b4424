//! The difference between two states of one object, field by field, as people would say it.
//!
//! Lists are compared item by item when their items have merge keys, and whole otherwise. The
//! fields that the API server keeps for itself never count. Secret values are replaced by
//! fingerprints here, where the difference is made, so that nothing later can leak them.

use crate::desired::fingerprint::FingerprintKey;
use crate::desired::path::{Path, Segment, item_keys, list_keys};
use serde_json::Value;

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Where.
    pub path: Path,
    /// The value before; `None` when there was none.
    pub from: Option<Shown>,
    /// The value after; `None` when the field goes away.
    pub to: Option<Shown>,
}

/// A value that may be shown to anyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The value itself.
    Plain(Value),
    /// A secret's tag: the same value has the same tag.
    Masked(String),
}

/// How values are to be shown.
#[derive(Clone, Copy, Debug)]
pub enum Showing<'a> {
    /// As they are.
    Plain,
    /// As tags, under this key: the object is a Secret.
    Masked(&'a FingerprintKey),
}

/// The fields in which `after` differs from `before`, in the order of `after`.
#[must_use]
pub fn changes(before: &Value, after: &Value, showing: Showing<'_>) -> Vec<FieldChange> {
    let mut found = Vec::new();
    walk(
        &Path::default(),
        Some(before),
        Some(after),
        &mut |path, from, to| {
            let name = |at: usize| field(path, at);
            if !is_kept_by_server(name(0), name(1)) {
                found.push(FieldChange {
                    path: path.clone(),
                    from: from.map(|value| show(path, value, showing)),
                    to: to.map(|value| show(path, value, showing)),
                });
            }
        },
    );
    found
}

/// The fields of `wanted` that `live` holds otherwise: a comparison without the server, which
/// knows nothing of defaults and of other spellings of one value.
#[must_use]
pub fn lacking(live: &Value, wanted: &Value, showing: Showing<'_>) -> Vec<FieldChange> {
    let mut all = changes(live, wanted, showing);
    // What only the live object has is nobody's wish to remove.
    all.retain(|change| change.to.is_some());
    all
}

/// A field that goes away, as far as it is known what it held.
#[must_use]
pub fn removal(before: Option<&Value>, path: &Path, showing: Showing<'_>) -> FieldChange {
    let from = before.and_then(|before| path.get(before));
    FieldChange {
        path: path.clone(),
        from: from.map(|value| show(path, value, showing)),
        to: None,
    }
}

fn show(path: &Path, value: &Value, showing: Showing<'_>) -> Shown {
    // Tools keep copies of whole objects in annotations.
    let of_secret = matches!(
        (field(path, 0), field(path, 1)),
        ("data" | "stringData", _) | ("metadata", "annotations")
    );
    match showing {
        Showing::Masked(key) if of_secret || path.0.is_empty() => {
            Shown::Masked(key.of(value).tag())
        }
        _ => Shown::Plain(value.clone()),
    }
}

/// The name of the field at a step of a path; empty where there is none.
fn field(path: &Path, step: usize) -> &str {
    match path.0.get(step) {
        Some(Segment::Field(name)) => name,
        _ => "",
    }
}

/// Whether the server alone writes what begins with these two names: `metadata.managedFields`,
/// `resourceVersion` and the like, and `status` as a whole.
fn is_kept_by_server(outer: &str, inner: &str) -> bool {
    match outer {
        "status" | "apiVersion" | "kind" => true,
        "metadata" => matches!(
            inner,
            "managedFields"
                | "resourceVersion"
                | "generation"
                | "creationTimestamp"
                | "uid"
                | "selfLink"
                | "deletionTimestamp"
                | "deletionGracePeriodSeconds"
        ),
        _ => false,
    }
}

type Report<'r> = dyn FnMut(&Path, Option<&Value>, Option<&Value>) + 'r;

fn walk(path: &Path, before: Option<&Value>, after: Option<&Value>, report: &mut Report<'_>) {
    match (before, after) {
        (Some(a), Some(b)) if a == b => {}
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            for (name, value) in b.iter().filter(|(name, value)| a.get(*name) != Some(value)) {
                walk(&path.field(name), a.get(name), Some(value), report);
            }
            for (name, value) in a.iter().filter(|(name, _)| !b.contains_key(*name)) {
                walk(&path.field(name), Some(value), None, report);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => walk_lists(path, a, b, report),
        (None, Some(Value::Object(b))) if !b.is_empty() && path.0.len() < 2 => {
            for (name, value) in b {
                walk(&path.field(name), None, Some(value), report);
            }
        }
        (Some(Value::Object(a)), None) if !a.is_empty() && path.0.len() < 2 => {
            for (name, value) in a {
                walk(&path.field(name), Some(value), None, report);
            }
        }
        _ => report(path, before, after),
    }
}

fn walk_lists(path: &Path, before: &[Value], after: &[Value], report: &mut Report<'_>) {
    let keys = if after.is_empty() {
        list_keys(before)
    } else {
        list_keys(after)
    };
    let Some(keys) = keys.filter(|keys| before.is_empty() || list_keys(before) == Some(keys))
    else {
        return report(
            path,
            Some(&Value::Array(before.to_vec())),
            Some(&Value::Array(after.to_vec())),
        );
    };
    let same = |a: &Value, b: &Value| item_keys(a, keys) == item_keys(b, keys);
    let mut moved = false;
    let mut last = None;
    for item in after {
        let there = before.iter().position(|other| same(other, item));
        moved |= there.is_some() && there < last;
        last = there.or(last);
        let at = path.with(Segment::Item(item_keys(item, keys).unwrap_or_default()));
        walk(&at, there.map(|index| &before[index]), Some(item), report);
    }
    for item in before
        .iter()
        .filter(|item| !after.iter().any(|other| same(item, other)))
    {
        let at = path.with(Segment::Item(item_keys(item, keys).unwrap_or_default()));
        walk(&at, Some(item), None, report);
    }
    if moved {
        let order = |list: &[Value]| {
            list.iter()
                .map(|item| names(item, keys))
                .collect::<Vec<_>>()
        };
        report(
            path,
            Some(&order(before).into()),
            Some(&order(after).into()),
        );
    }
}

fn names(item: &Value, keys: &[&str]) -> Value {
    let named = item_keys(item, keys).unwrap_or_default();
    Value::String(
        named
            .into_iter()
            .map(|(_, value)| value)
            .collect::<Vec<_>>()
            .join("/"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn said(before: &Value, after: &Value) -> Vec<String> {
        let value = |shown: &Option<Shown>| match shown {
            None => "–".to_owned(),
            Some(Shown::Plain(value)) => value.to_string(),
            Some(Shown::Masked(tag)) => format!("#{tag}"),
        };
        changes(before, after, Showing::Plain)
            .iter()
            .map(|c| format!("{}: {} → {}", c.path, value(&c.from), value(&c.to)))
            .collect()
    }

    #[test]
    fn items_are_paired_by_key_whatever_their_place() {
        let before = json!({"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}]}});
        let after = json!({"spec": {"containers": [{"name": "a", "image": "1"}, {"name": "c", "image": "4"}, {"name": "b", "image": "3"}]}});
        assert_eq!(
            said(&before, &after),
            [
                "spec.containers[c]: – → {\"name\":\"c\",\"image\":\"4\"}",
                "spec.containers[b].image: \"2\" → \"3\"",
            ]
        );
    }

    #[test]
    fn of_a_secret_no_value_is_shown_and_no_annotation() {
        // Client-side apply keeps the whole Secret in an annotation.
        let secret = |value: &str| json!({"metadata": {"labels": {"a": value}, "annotations": {"last": value}}, "data": {"p": value}});
        let key = FingerprintKey::new([1; 32]);
        let found = changes(
            &secret("hunter2"),
            &secret("swordfish"),
            Showing::Masked(&key),
        );
        let shown: Vec<String> = found
            .iter()
            .map(|change| format!("{} {:?}", change.path, change.to))
            .collect();
        assert_eq!(shown.len(), 3);
        for line in shown {
            let plain = line.contains("swordfish");
            assert_eq!(plain, line.starts_with("metadata.labels"), "{line}");
        }
    }

    #[test]
    fn a_reorder_is_said_as_one_change() {
        let before = json!({"c": [{"name": "a"}, {"name": "b"}]});
        let after = json!({"c": [{"name": "b"}, {"name": "a"}]});
        assert_eq!(said(&before, &after), ["c: [\"a\",\"b\"] → [\"b\",\"a\"]"]);
    }

    #[test]
    fn lists_without_keys_change_as_a_whole() {
        let before = json!({"args": ["-a"]});
        assert_eq!(
            said(&before, &json!({"args": ["-a", "-b"]})),
            ["args: [\"-a\"] → [\"-a\",\"-b\"]"]
        );
    }

    #[test]
    fn what_the_server_keeps_for_itself_is_no_change() {
        let before =
            json!({"metadata": {"resourceVersion": "1", "generation": 1}, "status": {"a": 1}});
        let after = json!({"metadata": {"resourceVersion": "2", "generation": 2, "labels": {"x": "y"}}, "status": {}});
        assert_eq!(
            said(&before, &after),
            ["metadata.labels: – → {\"x\":\"y\"}"]
        );
    }

    #[test]
    fn without_the_server_only_what_is_wanted_is_compared() {
        let live = json!({"spec": {"replicas": 5, "defaulted": true, "containers": [{"name": "a", "image": "2", "policy": "x"}, {"name": "theirs"}]}});
        let wanted = json!({"spec": {"replicas": 1, "containers": [{"name": "a", "image": "1"}]}});
        let paths: Vec<String> = lacking(&live, &wanted, Showing::Plain)
            .iter()
            .map(|c| c.path.to_string())
            .collect();
        assert_eq!(paths, ["spec.replicas", "spec.containers[a].image"]);
    }

    #[test]
    fn secret_values_leave_as_tags_only() {
        let key = FingerprintKey::new([9; 32]);
        let before = json!({"kind": "Secret", "data": {"p": "aHVudGVyMg=="}});
        let after = json!({"kind": "Secret", "data": {"p": "b3RoZXI="}});
        let found = changes(&before, &after, Showing::Masked(&key));
        assert_eq!(found.len(), 1);
        assert!(!format!("{found:?}").contains("aHVudGVyMg"));
        assert!(matches!(found[0].from, Some(Shown::Masked(_))));
        assert_ne!(found[0].from, found[0].to);
    }

    fn object() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i32>().prop_map(Value::from),
            "[a-c]{1,3}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-d]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn nothing_differs_exactly_when_the_objects_are_equal(a in object(), b in object()) {
            prop_assert!(changes(&a, &a, Showing::Plain).is_empty());
            prop_assert_eq!(changes(&a, &b, Showing::Plain).is_empty(), a == b);
        }
    }
}
