//! Values in the place of placeholders.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn parameter(name: &str) -> Result<Value, FillError> {
    match name {
        "memory" => Ok(json!("256Mi")),
        "replicas" => Ok(json!(3)),
        "nothing" => Ok(Value::Null),
        "limits" => Ok(json!({"cpu": "1"})),
        "tricky" => Ok(json!("$g{memory} $$g{x}")),
        "namespace" => Ok(json!("prod")),
        _ => Err(FillError::new(format!("unknown parameter `{name}`"))),
    }
}

fn filled(value: Value) -> Result<Value, String> {
    let all = fill_all(vec![value], &parameter).map_err(|errors| errors[0].1.message.clone())?;
    Ok(all[0].clone())
}

#[test]
fn a_whole_scalar_keeps_its_type_and_null_leaves_its_place() {
    let rows = [
        (json!({"a": "$g{replicas}"}), json!({"a": 3})),
        (json!({"a": "n=$g{replicas}"}), json!({"a": "n=3"})),
        (json!({"a": "$g{nothing}", "b": 1}), json!({"b": 1})),
        (json!({"a": null}), json!({"a": null})),
        (json!(["x", "$g{nothing}", "y"]), json!(["x", "y"])),
        (json!({"a": "$g{limits}"}), json!({"a": {"cpu": "1"}})),
        (json!({"$g{memory}-x": 1}), json!({"256Mi-x": 1})),
        (json!({"a": "$$g{memory}"}), json!({"a": "$g{memory}"})),
        (
            json!({"a": "$g{tricky}"}),
            json!({"a": "$g{memory} $$g{x}"}),
        ),
    ];
    for (before, after) in rows {
        assert_eq!(filled(before.clone()), Ok(after), "{before}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let rows = [
        (
            json!("x$g{nothing}"),
            "`$g{nothing}` is null, which cannot stand inside a text",
        ),
        (
            json!("x$g{limits}"),
            "`$g{limits}` is a mapping, which cannot stand inside a text",
        ),
        (
            json!({"$g{limits}": 1}),
            "`$g{limits}` is no text, which a key has to be",
        ),
        (
            json!({"$g{memory}": 1, "256Mi": 2}),
            "two keys of one mapping become the same",
        ),
        (json!("$g{other}"), "unknown parameter `other`"),
    ];
    for (before, message) in rows {
        assert_eq!(filled(before.clone()), Err(message.to_owned()), "{before}");
    }
}

#[test]
fn fields_of_other_objects_are_taken_and_circles_seen() {
    let documents = [
        json!({"kind": "A", "metadata": {"name": "a-$g{namespace}"},
               "x": "$j{B['b'].list[1].k}", "ns": "$j{B['b'].metadata.namespace}"}),
        json!({"kind": "B", "metadata": {"name": "b"},
               "list": [0, {"k": "$g{replicas}"}], "up": "$j{A['a-$g{namespace}'].x}"}),
    ];
    let all = fill_all(documents.to_vec(), &parameter).unwrap();
    assert_eq!(
        (&all[0]["x"], &all[0]["ns"], &all[1]["up"]),
        (&json!(3), &json!("prod"), &json!(3))
    );

    let circle =
        [json!({"kind": "A", "metadata": {"name": "a"}, "x": "$j{A['a'].y}", "y": "$j{A['a'].x}"})];
    let errors = fill_all(circle.to_vec(), &parameter).unwrap_err();
    assert_eq!(
        errors[0].1.message,
        r#"a circle of references: A["a"].y → A["a"].x → A["a"].y"#
    );
    let missing = [json!({"kind": "A", "metadata": {"name": "a"}, "x": "$j{A['a'].z}"})];
    let errors = fill_all(missing.to_vec(), &parameter).unwrap_err();
    assert_eq!(errors[0].1.message, r#"`A["a"].z` has no such field"#);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z$ {}]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-z$]{0,4}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn json_without_placeholders_is_left_alone(before in any_json()) {
        if !placeholder::is_template(&before.to_string()) {
            prop_assert_eq!(filled(before.clone()), Ok(before));
        }
    }
}
