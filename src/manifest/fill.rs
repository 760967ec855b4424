//! Putting values where placeholders are.
//!
//! Everything is filled in one pass, so that a value that happens to look like a placeholder is
//! never read as one. No message quotes a value: it may be a secret's.

use std::cell::RefCell;

use serde_json::{Map, Value};

use super::placeholder::{self, FieldReference, Piece, Reference, Step};

/// What gives a reference its value.
pub type Resolve<'a> = dyn Fn(&Reference) -> Result<Value, FillError> + 'a;

/// A placeholder that has no value, or one that does not fit where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FillError {
    /// What is wrong, as a lowercase fragment; never quotes a value.
    pub message: String,
    /// What a person can do.
    pub hint: Option<String>,
}

/// Fills every placeholder of a value in place.
///
/// A whole scalar takes the value as it is; null leaves the field or item out. The names within
/// field references are filled before `resolve` sees them.
///
/// # Errors
/// The first placeholder that could not be filled; the value is then partly filled.
pub fn fill(value: &mut Value, resolve: &Resolve<'_>) -> Result<(), FillError> {
    match value {
        Value::String(text) if placeholder::is_template(text) => {
            *value = fill_text(text, resolve)?;
        }
        Value::Array(items) => fill_items(items, resolve)?,
        Value::Object(map) => *map = fill_map(std::mem::take(map), resolve)?,
        _ => {}
    }
    Ok(())
}

/// Fills all documents of one service, field references included.
///
/// A reference to a `metadata.namespace` that no document gives is the parameter `namespace`.
///
/// # Errors
/// Every document that could not be filled, by its index, with the first reason each.
pub fn fill_all(
    documents: &[Value],
    parameter: &dyn Fn(&str) -> Result<Value, FillError>,
) -> Result<Vec<Value>, Vec<(usize, FillError)>> {
    let table = Table {
        documents,
        parameter,
        path: RefCell::new(Vec::new()),
    };
    let mut filled = Vec::with_capacity(documents.len());
    let mut errors = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let mut value = document.clone();
        match fill(&mut value, &|reference| table.resolve(reference)) {
            Ok(()) => filled.push(value),
            Err(error) => errors.push((index, error)),
        }
    }
    if errors.is_empty() {
        Ok(filled)
    } else {
        Err(errors)
    }
}

/// The documents of a service while they are being filled.
pub(super) struct Table<'a> {
    documents: &'a [Value],
    parameter: &'a dyn Fn(&str) -> Result<Value, FillError>,
    /// The field references that are being resolved, to see a circle.
    path: RefCell<Vec<String>>,
}

impl FillError {
    /// An error without a hint.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }
}

impl<'a> Table<'a> {
    pub(super) fn new(
        documents: &'a [Value],
        parameter: &'a dyn Fn(&str) -> Result<Value, FillError>,
    ) -> Self {
        Self {
            documents,
            parameter,
            path: RefCell::new(Vec::new()),
        }
    }

    pub(super) fn resolve(&self, reference: &Reference) -> Result<Value, FillError> {
        match reference {
            Reference::Parameter(name) => (self.parameter)(name),
            Reference::Field(field) => self.guarded(field),
        }
    }

    fn guarded(&self, field: &FieldReference) -> Result<Value, FillError> {
        let name = field.to_string();
        if self.path.borrow().contains(&name) {
            let mut circle = self.path.borrow().clone();
            circle.push(name);
            return Err(FillError::new(format!(
                "a circle of references: {}",
                circle.join(" → ")
            )));
        }
        self.path.borrow_mut().push(name);
        let value = self.field(field);
        self.path.borrow_mut().pop();
        value
    }

    fn field(&self, field: &FieldReference) -> Result<Value, FillError> {
        let document = self.document(field)?;
        let mut here = document.clone();
        for step in &field.path {
            self.fill_scalar(&mut here)?;
            here = match child(&here, step) {
                Some(value) => value.clone(),
                None if is_namespace(field) => return (self.parameter)("namespace"),
                None => return Err(FillError::new(format!("`{field}` has no such field"))),
            };
        }
        fill(&mut here, &|reference| self.resolve(reference))?;
        Ok(here)
    }

    /// Fills a value on the way to a field, when it is one placeholder itself.
    fn fill_scalar(&self, value: &mut Value) -> Result<(), FillError> {
        if value.is_string() {
            fill(value, &|reference| self.resolve(reference))
        } else {
            Ok(())
        }
    }

    fn document(&self, field: &FieldReference) -> Result<&Value, FillError> {
        for document in self.documents {
            if document.get("kind").and_then(Value::as_str) != Some(&field.kind) {
                continue;
            }
            let mut name = document
                .pointer("/metadata/name")
                .cloned()
                .unwrap_or_default();
            self.fill_scalar(&mut name)?;
            if name.as_str() == Some(&field.name) {
                return Ok(document);
            }
        }
        Err(FillError::new(format!(
            "no {} `{}` in this service",
            field.kind, field.name
        )))
    }
}

/// Whether a reference is to the namespace of an object.
pub(super) fn is_namespace(field: &FieldReference) -> bool {
    matches!(field.path.as_slice(), [Step::Key(a), Step::Key(b)] if a == "metadata" && b == "namespace")
}

fn child<'a>(value: &'a Value, step: &Step) -> Option<&'a Value> {
    match step {
        Step::Key(key) => value.get(key.as_str()),
        Step::Index(index) => value.get(*index),
    }
}

/// Whether a text is nothing but one placeholder.
#[must_use]
pub fn is_whole(text: &str) -> bool {
    matches!(
        placeholder::parse(text).as_deref(),
        Ok([Piece::Reference(_)])
    )
}

fn fill_text(text: &str, resolve: &Resolve<'_>) -> Result<Value, FillError> {
    let pieces = placeholder::parse(text).map_err(|error| FillError::new(error.message))?;
    if let [Piece::Reference(reference)] = pieces.as_slice() {
        return value_of(reference, resolve);
    }
    let mut filled = String::new();
    for piece in &pieces {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Reference(reference) => filled.push_str(&inside_text(reference, resolve)?),
        }
    }
    Ok(Value::String(filled))
}

fn value_of(reference: &Reference, resolve: &Resolve<'_>) -> Result<Value, FillError> {
    let Reference::Field(field) = reference else {
        return resolve(reference);
    };
    let Value::String(name) = fill_text(&field.name, resolve)? else {
        return Err(FillError::new(format!(
            "the name in `{reference}` is no text"
        )));
    };
    resolve(&Reference::Field(FieldReference {
        name,
        ..field.clone()
    }))
}

fn inside_text(reference: &Reference, resolve: &Resolve<'_>) -> Result<String, FillError> {
    let refuse = |what: &str| FillError {
        message: format!("`{reference}` is {what}, which cannot stand inside a text"),
        hint: Some("let the placeholder be the whole value".to_owned()),
    };
    match value_of(reference, resolve)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Null => Err(refuse("null")),
        Value::Array(_) => Err(refuse("a list")),
        Value::Object(_) => Err(refuse("a mapping")),
    }
}

fn fill_items(items: &mut Vec<Value>, resolve: &Resolve<'_>) -> Result<(), FillError> {
    let mut kept = Vec::with_capacity(items.len());
    for mut item in std::mem::take(items) {
        let may_vanish = item.as_str().is_some_and(is_whole);
        fill(&mut item, resolve)?;
        if !(may_vanish && item.is_null()) {
            kept.push(item);
        }
    }
    *items = kept;
    Ok(())
}

fn fill_map(
    map: Map<String, Value>,
    resolve: &Resolve<'_>,
) -> Result<Map<String, Value>, FillError> {
    let mut filled = Map::with_capacity(map.len());
    for (key, mut value) in map {
        let key = fill_key(key, resolve)?;
        let may_vanish = value.as_str().is_some_and(is_whole);
        fill(&mut value, resolve)?;
        if may_vanish && value.is_null() {
            continue;
        }
        if filled.contains_key(&key) {
            return Err(FillError::new("two keys of one mapping become the same"));
        }
        filled.insert(key, value);
    }
    Ok(filled)
}

fn fill_key(key: String, resolve: &Resolve<'_>) -> Result<String, FillError> {
    if !placeholder::is_template(&key) {
        return Ok(key);
    }
    match fill_text(&key, resolve)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(FillError::new(format!(
            "`{key}` is no text, which a key has to be"
        ))),
    }
}

#[cfg(test)]
mod tests {
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
        let all = fill_all(&[value], &parameter).map_err(|errors| errors[0].1.message.clone())?;
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
        let all = fill_all(&documents, &parameter).unwrap();
        assert_eq!(
            (&all[0]["x"], &all[0]["ns"], &all[1]["up"]),
            (&json!(3), &json!("prod"), &json!(3))
        );

        let circle = [
            json!({"kind": "A", "metadata": {"name": "a"}, "x": "$j{A['a'].y}", "y": "$j{A['a'].x}"}),
        ];
        let errors = fill_all(&circle, &parameter).unwrap_err();
        assert_eq!(
            errors[0].1.message,
            r#"a circle of references: A["a"].y → A["a"].x → A["a"].y"#
        );
        let missing = [json!({"kind": "A", "metadata": {"name": "a"}, "x": "$j{A['a'].z}"})];
        let errors = fill_all(&missing, &parameter).unwrap_err();
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
}
