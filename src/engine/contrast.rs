//! Two states of one object, taken apart only where their texts differ.
//!
//! What was put right is told field by field, and nearly everything else of an object is the same
//! before and after. A tree of both would cost as much as everything else that is done for a heal.
//!
//! Invariant: [`changes`](super::diff::changes) finds between the two results what it finds between
//! the whole objects.

use super::diff::is_kept_by_server;
use super::pairs::Pairs;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// What differs between two texts of one object: of each map the entries that are not the same,
/// everything else whole.
#[must_use]
pub fn contrast(before: &str, after: &str) -> (Value, Value) {
    reduced(&[], before, after)
}

fn reduced(place: &[&str], before: &str, after: &str) -> (Value, Value) {
    let Some((before, after)) = Pairs::read(before).zip(Pairs::read(after)) else {
        return (value(before), value(after));
    };
    let counts = |name: &str| match place {
        [] => !is_kept_by_server(name, ""),
        [outer] => !is_kept_by_server(outer, name),
        _ => true,
    };
    let known = before.0.iter().map(|(name, text)| (&*name.0, *text));
    let mut known: HashMap<&str, &RawValue> = known.collect();
    let (mut was, mut is) = (Map::new(), Map::new());
    for (name, text) in &after.0 {
        let name = &*name.0;
        match known.remove(name) {
            Some(then) if then.get() == text.get() => {}
            _ if !counts(name) => {}
            Some(then) => {
                let (then, now) = reduced(&[place, &[name]].concat(), then.get(), text.get());
                was.insert(name.to_owned(), then);
                is.insert(name.to_owned(), now);
            }
            None => drop(is.insert(name.to_owned(), value(text.get()))),
        }
    }
    let gone = before.0.iter().filter(|(name, _)| {
        let name = &*name.0;
        known.contains_key(name) && counts(name)
    });
    was.extend(gone.map(|(name, text)| (name.0.clone().into_owned(), value(text.get()))));
    (was.into(), is.into())
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::diff::{Showing, changes};
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn only_what_differs_is_taken_apart() {
        let before = json!({
            "metadata": {"name": "a", "managedFields": [1], "labels": {"a": "1", "b": "1"}},
            "data": {"x": "1", "y": "1", "z": "1"},
            "status": {"ready": 1},
        });
        let after = json!({
            "metadata": {"name": "a", "managedFields": [2], "labels": {"a": "1", "b": "2"}},
            "data": {"x": "1", "w": "3", "z": "2"},
            "status": {"ready": 2},
        });
        let found = contrast(&before.to_string(), &after.to_string());
        let was = json!({"metadata": {"labels": {"b": "1"}}, "data": {"z": "1", "y": "1"}});
        let is = json!({"metadata": {"labels": {"b": "2"}}, "data": {"w": "3", "z": "2"}});
        assert_eq!(found, (was, is));
    }

    #[test]
    fn of_what_is_no_object_nothing_is_known() {
        assert_eq!(contrast("", "{"), (Value::Null, Value::Null));
    }

    fn object() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<u8>().prop_map(Value::from),
            "[ab\"]{0,2}".prop_map(Value::from),
            Just(Value::Null)
        ];
        let inner = leaf.prop_recursive(4, 32, 4, |inner| {
            let name = prop_oneof![Just("name".to_owned()), "[a-c\n]{1,2}"];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(name, inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        });
        let name = prop_oneof![
            Just("metadata".to_owned()),
            Just("status".to_owned()),
            Just("spec".to_owned())
        ];
        proptest::collection::btree_map(name, inner, 0..4)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn the_same_changes_are_found_as_between_the_whole_objects(
            before in object(), after in object()
        ) {
            let (was, is) = contrast(&before.to_string(), &after.to_string());
            prop_assert_eq!(
                changes(&was, &is, Showing::Plain),
                changes(&before, &after, Showing::Plain)
            );
        }
    }
}
