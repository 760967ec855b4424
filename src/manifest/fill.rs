//! Putting values where placeholders are.
//!
//! Everything is filled in one pass, so that a value that happens to look like a placeholder is
//! never read as one. No message quotes a value: it may be a secret's.

use std::borrow::Cow;
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
    mut documents: Vec<Value>,
    parameter: &dyn Fn(&str) -> Result<Value, FillError>,
) -> Result<Vec<Value>, Vec<(usize, FillError)>> {
    let templates: Vec<(usize, Value)> = documents
        .iter()
        .enumerate()
        .filter(|(_, document)| has_template(document))
        .map(|(index, document)| (index, document.clone()))
        .collect();
    let table = Table::new(&documents, parameter);
    let mut filled = Vec::with_capacity(templates.len());
    let mut errors = Vec::new();
    for (index, mut value) in templates {
        match fill(&mut value, &|reference| table.resolve(reference)) {
            Ok(()) => filled.push((index, value)),
            Err(error) => errors.push((index, error)),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    for (index, value) in filled {
        documents[index] = value;
    }
    Ok(documents)
}

/// Whether anything in a document has to be filled.
fn has_template(value: &Value) -> bool {
    match value {
        Value::String(text) => placeholder::is_template(text),
        Value::Array(items) => items.iter().any(has_template),
        Value::Object(map) => map
            .iter()
            .any(|(key, value)| placeholder::is_template(key) || has_template(value)),
        _ => false,
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
        let mut here = Cow::Borrowed(self.document(field)?);
        for step in &field.path {
            here = self.filled_scalar(here)?;
            let next = match &here {
                Cow::Borrowed(value) => child(value, step).map(Cow::Borrowed),
                Cow::Owned(value) => child(value, step).cloned().map(Cow::Owned),
            };
            here = match next {
                Some(value) => value,
                None if is_namespace(field) => return (self.parameter)("namespace"),
                None => return Err(FillError::new(format!("`{field}` has no such field"))),
            };
        }
        let mut value = here.into_owned();
        fill(&mut value, &|reference| self.resolve(reference))?;
        Ok(value)
    }

    /// A value on the way to a field; filled when it is a placeholder itself.
    fn filled_scalar<'v>(&self, value: Cow<'v, Value>) -> Result<Cow<'v, Value>, FillError> {
        if !value.as_str().is_some_and(placeholder::is_template) {
            return Ok(value);
        }
        let mut value = value.into_owned();
        fill(&mut value, &|reference| self.resolve(reference))?;
        Ok(Cow::Owned(value))
    }

    fn document(&self, field: &FieldReference) -> Result<&'a Value, FillError> {
        for document in self.documents {
            if document.get("kind").and_then(Value::as_str) != Some(&field.kind) {
                continue;
            }
            let Some(name) = document.pointer("/metadata/name") else {
                continue;
            };
            if self.filled_scalar(Cow::Borrowed(name))?.as_str() == Some(&field.name) {
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
mod tests;
