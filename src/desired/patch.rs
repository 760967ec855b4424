//! Patches: strategic merges by the merge keys of Kubernetes' lists.
//!
//! Mappings merge key by key and null removes one. A list whose items have merge keys merges item
//! by item, `$patch: delete` removes one and `$patch: replace` replaces it; any other list is
//! replaced.

use super::path::{item_keys, list_keys};
use serde_json::{Map, Value};

/// Merges `patch` into `target`.
pub fn merge(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => merge_maps(target, patch),
        (Value::Array(target), Value::Array(patch)) => merge_lists(target, patch),
        (target, patch) => *target = patch.clone(),
    }
}

fn merge_maps(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    if patch.get("$patch").and_then(Value::as_str) == Some("replace") {
        *target = without_directive(patch);
        return;
    }
    for (name, value) in patch {
        if value.is_null() {
            target.shift_remove(name);
        } else if let Some(existing) = target.get_mut(name) {
            merge(existing, value);
        } else {
            target.insert(name.clone(), added(value));
        }
    }
}

fn merge_lists(target: &mut Vec<Value>, patch: &[Value]) {
    let keys = list_keys(patch).filter(|keys| {
        target.is_empty() || target.iter().all(|item| item_keys(item, keys).is_some())
    });
    let Some(keys) = keys else {
        *target = patch.to_vec();
        return;
    };
    for item in patch {
        let same = |other: &Value| {
            let (theirs, ours) = (item_keys(other, keys), item_keys(item, keys));
            theirs == ours
                || (theirs.as_ref().and_then(|k| k.first())
                    == ours.as_ref().and_then(|k| k.first())
                    && ours.as_ref().is_some_and(|k| k.len() == 1))
        };
        let directive = item.get("$patch").and_then(Value::as_str);
        match (target.iter().position(same), directive) {
            (Some(index), Some("delete")) => drop(target.remove(index)),
            (None, Some("delete")) => {}
            (Some(index), _) => merge(&mut target[index], item),
            (None, _) => target.push(added(item)),
        }
    }
}

/// A value that comes in new: nulls and directives mean nothing there.
fn added(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = without_directive(map)
                .into_iter()
                .filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, added(&value))).collect())
        }
        Value::Array(items) => items.iter().map(added).collect(),
        other => other.clone(),
    }
}

fn without_directive(map: &Map<String, Value>) -> Map<String, Value> {
    map.iter()
        .filter(|(name, _)| *name != "$patch")
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(mut target: Value, patch: &Value) -> Value {
        merge(&mut target, patch);
        target
    }

    #[test]
    fn containers_merge_by_name_and_other_lists_are_replaced() {
        let target =
            json!({"containers": [{"name": "a", "image": "1", "args": ["x"]}, {"name": "b"}]});
        let patch =
            json!({"containers": [{"name": "a", "args": ["y", "z"]}, {"name": "c", "image": "3"}]});
        assert_eq!(
            patched(target, &patch),
            json!({"containers": [{"name": "a", "image": "1", "args": ["y", "z"]}, {"name": "b"}, {"name": "c", "image": "3"}]})
        );
    }

    #[test]
    fn null_and_delete_remove() {
        let target = json!({"spec": {"replicas": 1, "env": [{"name": "A"}, {"name": "B"}]}});
        let patch = json!({"spec": {"replicas": null, "env": [{"name": "A", "$patch": "delete"}]}});
        assert_eq!(
            patched(target, &patch),
            json!({"spec": {"env": [{"name": "B"}]}})
        );
    }

    #[test]
    fn replace_replaces_a_whole_mapping() {
        let target =
            json!({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}});
        let patch = json!({"strategy": {"$patch": "replace", "type": "Recreate"}});
        assert_eq!(
            patched(target, &patch),
            json!({"strategy": {"type": "Recreate"}})
        );
    }

    #[test]
    fn what_comes_in_new_carries_neither_nulls_nor_directives() {
        let patch = json!({"a": {"b": null, "c": 1, "$patch": "replace"}});
        assert_eq!(patched(json!({}), &patch), json!({"a": {"c": 1}}));
    }
}
