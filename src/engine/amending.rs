//! What server-side apply cannot do, as JSON patches (RFC 6902): empty an owned struct that
//! somebody filled, clear what stands in the way of an owned list item, and give a field up without
//! resetting it.
//!
//! An apply leaves the children that others added to an owned `emptyDir: {}` alone; it adds port 80
//! beside the port 81 of the same name that somebody made of it, which the server refuses; and one
//! that omits an owned field resets it. All patches begin with a test of the object's version, or of
//! what they replace, so that they change what was looked at, or nothing.
//!
//! Source of the rules: Kubernetes, "Server-Side Apply", and the field set encoding of
//! structured-merge-diff.

use super::ownership::{apply_position, owned_fields};
use crate::desired::at::At as _;
use crate::desired::path::{Path, Segment, item_keys, list_keys, same_merge_keys};
use serde_json::{Map, Value, json};

/// A struct that is wanted empty, and is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Where, as people say it.
    pub path: Path,
    /// Where, as a JSON pointer.
    pointer: String,
}

/// The structs that we own as empty ones and that hold something. What the server itself fills in
/// is among them: to empty it is harmless, because the server fills it again.
#[must_use]
pub fn filled(live: &Value, wanted: &Value, manager: &str) -> Vec<Filled> {
    let mut found = Vec::new();
    if let Some(fields) = owned_fields(live, manager).and_then(Value::as_object) {
        let place = Filled {
            path: Path::default(),
            pointer: String::new(),
        };
        find_filled(fields, live, wanted, &place, &mut found);
    }
    found
}

/// The patch that empties these structs, if the object still has the version of `live`.
#[must_use]
pub fn emptying(live: &Value, filled: &[Filled]) -> Value {
    let replace = |filled: &Filled| json!({"op": "replace", "path": filled.pointer, "value": {}});
    std::iter::once(same_version(live))
        .chain(filled.iter().map(replace))
        .collect()
}

/// The patch that puts the lists back in which wanted items are missing, and the items in which
/// wanted fields are, if they are still as in `live`; `None` when there are none.
///
/// What others added there goes with it, so this is for an object that the server would not take
/// otherwise. A controller that writes to the rest of the object in the meantime does not matter.
#[must_use]
pub fn clearing(live: &Value, wanted: &Value) -> Option<Value> {
    let mut replaced = Vec::new();
    find_missing(live, wanted, "", &mut replaced);
    if replaced.is_empty() {
        return None;
    }
    let same = |place: &Replaced| json!({"op": "test", "path": place.pointer, "value": place.live});
    let replace =
        |place: &Replaced| json!({"op": "replace", "path": place.pointer, "value": place.wanted});
    Some(
        std::iter::once(test_of(live, "/metadata/uid"))
            .chain(replaced.iter().map(same))
            .chain(replaced.iter().map(replace))
            .collect(),
    )
}

/// The patch that takes `paths` out of `manager`'s Apply entry and leaves their values alone;
/// `None` when it owns none of them.
#[must_use]
pub fn releasing(live: &Value, manager: &str, paths: &[Path]) -> Option<Value> {
    let entry = apply_position(live, manager)?;
    let fields = owned_fields(live, manager)?;
    let mut owned: Vec<String> = paths
        .iter()
        .filter_map(|path| owned_at(fields, live, &path.0))
        .collect();
    // A path below another one is gone with it.
    owned.sort_unstable();
    owned.dedup_by(|later, first| later.starts_with(&format!("{first}/")) || later == first);
    if owned.is_empty() {
        return None;
    }
    let at = format!("/metadata/managedFields/{entry}");
    let remove =
        |pointer: String| json!({"op": "remove", "path": format!("{at}/fieldsV1{pointer}")});
    let ours = json!({"op": "test", "path": format!("{at}/manager"), "value": manager});
    Some(
        [same_version(live), ours]
            .into_iter()
            .chain(owned.into_iter().map(remove))
            .collect(),
    )
}

fn same_version(live: &Value) -> Value {
    test_of(live, "/metadata/resourceVersion")
}

fn test_of(live: &Value, pointer: &str) -> Value {
    json!({"op": "test", "path": pointer, "value": live.at(pointer)})
}

fn find_filled(
    fields: &Map<String, Value>,
    live: &Value,
    wanted: &Value,
    place: &Filled,
    found: &mut Vec<Filled>,
) {
    let leaf = fields.keys().all(|name| name == ".");
    if leaf {
        let empty = wanted.as_object().is_some_and(Map::is_empty);
        if empty && live.as_object().is_some_and(|map| !map.is_empty()) {
            found.push(place.clone());
        }
        return;
    }
    for (name, below) in fields {
        let Some(below) = below.as_object() else {
            continue;
        };
        if let Some((live, wanted, place)) = step(name, live, wanted, place) {
            find_filled(below, live, wanted, &place, found);
        }
    }
}

/// A list, or an item of one, that has to be put back.
struct Replaced<'a> {
    /// Where, as a JSON pointer.
    pointer: String,
    live: &'a Value,
    wanted: &'a Value,
}

/// Collects what has to be replaced below, and says whether a wanted field is missing here, outside
/// of lists with keys.
fn find_missing<'a>(
    live: &'a Value,
    wanted: &'a Value,
    pointer: &str,
    replaced: &mut Vec<Replaced<'a>>,
) -> bool {
    match (live, wanted) {
        (Value::Object(fields), Value::Object(wanted)) => {
            let mut missing = false;
            for (name, wanted) in wanted {
                let pointer = format!("{pointer}/{}", escaped(name));
                missing |= fields
                    .get(name)
                    .is_none_or(|live| find_missing(live, wanted, &pointer, replaced));
            }
            missing
        }
        (Value::Array(items), Value::Array(list)) => {
            let Some(keys) = list_keys(list) else {
                return false;
            };
            let here = |wanted: &Value| {
                let named = item_keys(wanted, keys);
                items.iter().position(|item| item_keys(item, keys) == named)
            };
            let places: Option<Vec<usize>> = list.iter().map(here).collect();
            let Some(places) = places else {
                replaced.push(Replaced {
                    pointer: pointer.to_owned(),
                    live,
                    wanted,
                });
                return false;
            };
            for (index, wanted) in places.into_iter().zip(list) {
                let pointer = format!("{pointer}/{index}");
                let before = replaced.len();
                let live = &items[index];
                let missing = find_missing(live, wanted, &pointer, replaced);
                if missing || !same_merge_keys(live, wanted) {
                    replaced.truncate(before);
                    replaced.push(Replaced {
                        pointer,
                        live,
                        wanted,
                    });
                }
            }
            false
        }
        _ => false,
    }
}

/// One step down the field set, the live object and the wanted one.
fn step<'a>(
    name: &str,
    live: &'a Value,
    wanted: &'a Value,
    place: &Filled,
) -> Option<(&'a Value, &'a Value, Filled)> {
    let deeper = |segment, part: &str| Filled {
        path: place.path.with(segment),
        pointer: format!("{}/{}", place.pointer, escaped(part)),
    };
    if let Some(field) = name.strip_prefix("f:") {
        let place = deeper(Segment::Field(field.to_owned()), field);
        return Some((live.get(field)?, wanted.get(field)?, place));
    }
    let keys: Map<String, Value> = serde_json::from_str(name.strip_prefix("k:")?).ok()?;
    let is_it = |item: &Value| keys.iter().all(|(key, value)| item.get(key) == Some(value));
    let items = live.as_array()?;
    let index = items.iter().position(is_it)?;
    let wanted = wanted.as_array()?.iter().find(|item| is_it(item))?;
    let place = deeper(Segment::naming(items, index), &index.to_string());
    Some((&items[index], wanted, place))
}

/// The pointer of `path` within a field set. An ancestor that holds nothing else goes with it: left
/// empty, it would mean the whole of its value.
fn owned_at(fields: &Value, live: &Value, path: &[Segment]) -> Option<String> {
    let mut node = fields.as_object()?;
    // A server leaves out what is empty, and its owner still owns it.
    let mut live = Some(live);
    let mut pointer = String::new();
    let mut highest = None;
    for segment in path {
        live = live.and_then(|live| segment.get(live));
        let name = name_of(node, live, segment)?;
        let alone = node.len() == 1;
        if !alone {
            highest = None;
        }
        if highest.is_none() {
            highest = Some(format!("{pointer}/{}", escaped(name)));
        }
        pointer = format!("{pointer}/{}", escaped(name));
        node = node[name].as_object()?;
    }
    highest
}

/// The name under which a field set holds one step of a path, which leads to a live value. People name
/// an item by one of its fields, a field set by all of its keys.
fn name_of<'a>(
    set: &'a Map<String, Value>,
    live: Option<&Value>,
    segment: &Segment,
) -> Option<&'a str> {
    let named = |name: String| set.get_key_value(&name).map(|(name, _)| name.as_str());
    match segment {
        Segment::Field(name) => named(format!("f:{name}")),
        Segment::Index(index) => named(format!("i:{index}")),
        Segment::Item(_) => {
            let item = live?;
            set.keys()
                .map(String::as_str)
                .find(|name| is_key_of(name, item))
        }
    }
}

/// Whether a field set's name of an item is that of this one.
fn is_key_of(name: &str, item: &Value) -> bool {
    let keys = name.strip_prefix("k:").map(serde_json::from_str);
    let keys: Option<Map<String, Value>> = keys.and_then(Result::ok);
    keys.is_some_and(|keys| keys.iter().all(|(key, value)| item.get(key) == Some(value)))
}

/// A name as a part of a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(fields: &Value, spec: &Value) -> Value {
        json!({"metadata": {"resourceVersion": "7", "managedFields": [
            {"manager": "kubelet", "operation": "Update", "fieldsV1": {}},
            {"manager": "us", "operation": "Apply", "fieldsV1": fields}]}, "spec": spec})
    }

    #[test]
    fn a_struct_that_is_wanted_empty_and_is_filled_is_found_by_its_key() {
        let fields = json!({"f:spec": {"f:volumes": {"k:{\"name\":\"b\"}": {".": {}, "f:name": {}, "f:emptyDir": {}}},
            "f:strategy": {}, "f:selector": {}}});
        let spec = json!({"strategy": {}, "selector": {"a": "b"},
            "volumes": [{"name": "a", "emptyDir": {"medium": "Memory"}}, {"name": "b", "emptyDir": {"medium": "Memory"}}]});
        let wanted = json!({"spec": {"strategy": {}, "selector": {"a": "b"},
            "volumes": [{"name": "b", "emptyDir": {}}]}});
        let found = filled(&live(&fields, &spec), &wanted, "us");
        let places: Vec<_> = found
            .iter()
            .map(|f| (f.path.to_string(), f.pointer.clone()))
            .collect();
        assert_eq!(
            places,
            [(
                "spec.volumes[b].emptyDir".to_owned(),
                "/spec/volumes/1/emptyDir".to_owned()
            )]
        );
        assert_eq!(
            emptying(&live(&fields, &spec), &found),
            json!([{"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
                {"op": "replace", "path": "/spec/volumes/1/emptyDir", "value": {}}])
        );
    }

    #[test]
    fn a_field_given_up_takes_along_the_parents_that_hold_nothing_else() {
        let fields = json!({"f:metadata": {"f:annotations": {"f:a/b~c": {}}, "f:labels": {}},
            "f:spec": {"f:replicas": {}}});
        let object = live(&fields, &json!({"replicas": 3}));
        let paths = [
            Path::parse("spec.replicas").unwrap(),
            Path::parse("metadata.annotations[\"a/b~c\"]").unwrap(),
            Path::parse("spec.paused").unwrap(),
        ];
        let patch = releasing(&object, "us", &paths).unwrap();
        assert_eq!(
            patch,
            json!([
                {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
                {"op": "test", "path": "/metadata/managedFields/1/manager", "value": "us"},
                {"op": "remove", "path": "/metadata/managedFields/1/fieldsV1/f:metadata/f:annotations"},
                {"op": "remove", "path": "/metadata/managedFields/1/fieldsV1/f:spec"},
            ])
        );
        assert_eq!(releasing(&object, "us", &paths[2..]), None);
        assert_eq!(releasing(&object, "them", &paths), None);
    }

    #[test]
    fn what_stands_in_the_way_of_a_list_item_is_replaced_and_nothing_else() {
        let wanted = json!({"spec": {"ports": [{"name": "http", "port": 80, "protocol": "TCP"}],
            "volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "emptyDir": {}}], "paused": false}});
        let mut object = json!({"metadata": {"uid": "u", "resourceVersion": "3"}, "spec": {
            "ports": [{"name": "http", "port": 81, "protocol": "TCP"}],
            "volumes": [{"name": "theirs", "emptyDir": {}}, {"name": "a", "emptyDir": {}},
                {"name": "b", "hostPath": {"path": "/"}}]}});
        assert_eq!(
            clearing(&object, &wanted).unwrap(),
            json!([
                {"op": "test", "path": "/metadata/uid", "value": "u"},
                {"op": "test", "path": "/spec/ports/0", "value": {"name": "http", "port": 81, "protocol": "TCP"}},
                {"op": "test", "path": "/spec/volumes/2", "value": {"name": "b", "hostPath": {"path": "/"}}},
                {"op": "replace", "path": "/spec/ports/0", "value": {"name": "http", "port": 80, "protocol": "TCP"}},
                {"op": "replace", "path": "/spec/volumes/2", "value": {"name": "b", "emptyDir": {}}},
            ])
        );
        object["spec"] = wanted["spec"].clone();
        object["spec"]["volumes"][0]["emptyDir"]["medium"] = "Memory".into();
        assert_eq!(clearing(&object, &wanted), None);
    }

    #[test]
    fn what_lies_below_another_given_up_field_goes_with_it() {
        let fields = json!({"f:spec": {"f:a": {"f:b": {}, "f:c": {}}, "f:d": {}}});
        let object = live(&fields, &json!({}));
        let paths: Vec<Path> = ["spec.a", "spec.a.b"]
            .iter()
            .filter_map(|path| Path::parse(path))
            .collect();
        let patch = releasing(&object, "us", &paths).unwrap();
        assert_eq!(patch.as_array().unwrap().len(), 3);
        assert_eq!(
            patch[2]["path"],
            "/metadata/managedFields/1/fieldsV1/f:spec/f:a"
        );
    }

    #[test]
    fn an_item_is_given_up_under_the_keys_that_the_server_knows_it_by() {
        let port = |number: u16, name: &str| json!({"name": name, "port": number, "protocol": "TCP", "nodePort": 30000 + number});
        let object = live(
            &json!({"f:spec": {"f:ports": {
                "k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:nodePort": {}},
                "k:{\"port\":443,\"protocol\":\"TCP\"}": {".": {}, "f:nodePort": {}}}}}),
            &json!({"ports": [port(80, "http"), port(443, "https")]}),
        );
        let path = Path::parse("spec.ports[name=https].nodePort").unwrap();
        let found = releasing(&object, "us", &[path]).unwrap();
        assert_eq!(
            found[2]["path"],
            "/metadata/managedFields/1/fieldsV1/f:spec/f:ports/k:{\"port\":443,\"protocol\":\"TCP\"}/f:nodePort"
        );
    }
}
