//! Placeholders in manifests: `$g{NAME}` takes a parameter, `$j{Kind["name"].path}` a field.
//!
//! - A scalar that is one placeholder keeps the type of what it takes; inside text the value is
//!   written into the text. Keys and names may hold placeholders too.
//! - A whole scalar that takes null leaves its field (or list item) out. A parameter whose default
//!   is null, such as a storage class, thus stands for "not given". Inside text null is an error.
//! - `$$g{` and `$$j{` stand for the literal `$g{` and `$j{`.
//! - A list item that takes null goes too. A key of a mapping cannot be null.
//! - A path goes down by `.key`, `["key.with.dots"]` and `[0]`. A field reference may hold `$g{…}`
//!   in its object's name.

use std::fmt;

use serde_json::Value;

use super::placeholder_parser::Parser;

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

/// Splits a text into its pieces. Neighbouring text is one piece; an empty text has none.
///
/// # Errors
/// The first placeholder that is not written as one.
pub fn parse(text: &str) -> Result<Vec<Piece>, ParseError> {
    Parser::new(text).pieces()
}

/// Whether a text holds anything that [`parse`] would look at.
#[must_use]
pub fn is_template(text: &str) -> bool {
    text.contains("$g{") || refers(text)
}

/// Whether a text holds anything that [`parse`] would take for a reference to a field.
#[must_use]
pub fn refers(text: &str) -> bool {
    text.contains("$j{")
}

/// Writes pieces as [`parse`] reads them.
#[must_use]
pub fn print(pieces: &[Piece]) -> String {
    pieces.iter().map(Piece::to_string).collect()
}

/// Calls `visit` for every well-formed placeholder in a document, keys included, and for the
/// parameters within the names of field references.
pub fn each_reference(value: &Value, visit: &mut dyn FnMut(&Reference)) {
    match value {
        Value::String(text) => each_in_text(text, visit),
        Value::Array(items) => items.iter().for_each(|item| each_reference(item, visit)),
        Value::Object(map) => {
            for (key, value) in map {
                each_in_text(key, visit);
                each_reference(value, visit);
            }
        }
        _ => {}
    }
}

/// Calls `visit` for every well-formed placeholder in a text.
pub fn each_in_text(text: &str, visit: &mut dyn FnMut(&Reference)) {
    for piece in parse(text).unwrap_or_default() {
        let Piece::Reference(reference) = piece else {
            continue;
        };
        visit(&reference);
        if let Reference::Field(field) = &reference {
            each_in_text(&field.name, visit);
        }
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&text.replace("$g{", "$$g{").replace("$j{", "$$j{")),
            Self::Reference(reference) => reference.fmt(f),
        }
    }
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
        write!(f, "{}[{}]", self.kind, quoted(&self.name))?;
        self.path.iter().try_for_each(|step| write!(f, "{step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) if is_plain(key) => write!(f, ".{key}"),
            Self::Key(key) => write!(f, "[{}]", quoted(key)),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// A name in the quotes that it does not hold itself.
fn quoted(text: &str) -> String {
    let quote = if text.contains('"') { '\'' } else { '"' };
    format!("{quote}{text}{quote}")
}

/// Whether a key can be written without brackets.
pub(super) fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(is_plain_char)
}

/// The characters of keys that need no brackets.
pub(super) fn is_plain_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parameter(name: &str) -> Piece {
        Piece::Reference(Reference::Parameter(name.to_owned()))
    }

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    #[test]
    fn texts_are_split_at_their_placeholders() {
        let rows = [
            ("", vec![]),
            (
                "plain $ text $$ ${x} $(y) {{z}}",
                vec![text("plain $ text $$ ${x} $(y) {{z}}")],
            ),
            ("$g{memory}", vec![parameter("memory")]),
            (
                "a-$g{x}-$g{y}",
                vec![text("a-"), parameter("x"), text("-"), parameter("y")],
            ),
            ("$$g{x} $$j{y}", vec![text("$g{x} $j{y}")]),
            ("$$$g{x}", vec![text("$$g{x}")]),
        ];
        for (source, pieces) in rows {
            assert_eq!(parse(source), Ok(pieces), "{source}");
        }
    }

    #[test]
    fn field_references_name_an_object_and_a_path() {
        let source = r#"$j{ConfigMap["a-$g{x}"].data["redis.conf"].list[0].k}"#;
        let key = |k: &str| Step::Key(k.to_owned());
        let field = FieldReference {
            kind: "ConfigMap".to_owned(),
            name: "a-$g{x}".to_owned(),
            path: vec![
                key("data"),
                key("redis.conf"),
                key("list"),
                Step::Index(0),
                key("k"),
            ],
        };
        let pieces = vec![Piece::Reference(Reference::Field(field))];
        assert_eq!(parse(source), Ok(pieces.clone()));
        assert_eq!(print(&pieces), source);
        assert_eq!(parse("$j{Service['x'].a}"), parse(r#"$j{Service["x"].a}"#));
    }

    #[test]
    fn what_is_no_placeholder_is_refused_at_its_place() {
        let rows = [
            ("ab $g{", 3, "`$g{` is not closed by `}`"),
            ("$g{}", 0, "`$g{}` names no parameter"),
            ("$g{a b}", 0, "`a b` is no parameter name"),
            ("$g{memory:256Mi}", 0, "`memory:256Mi` is no parameter name"),
            ("$j{Service}", 0, "expected `[\"NAME\"]` after the kind"),
            ("$j{[\"x\"].a}", 0, "expected a kind"),
            (
                "$j{Service[\"x\"]}",
                0,
                "expected a path, such as `.metadata.name`",
            ),
            ("$j{Service[\"x\"].}", 0, "expected a key after `.`"),
            (
                "$j{Service[\"x\"].a[z]}",
                0,
                "expected a number or a quoted key in `[…]`",
            ),
            (
                "$j{Service[\"x].a}",
                0,
                "expected `[\"NAME\"]` after the kind",
            ),
            ("$j{Service[\"x\"].a", 0, "`$j{` is not closed by `}`"),
            ("$j{Service[\"x\"].a b}", 0, "unexpected ` b`"),
        ];
        for (source, at, message) in rows {
            let error = parse(source).unwrap_err();
            assert_eq!(
                (error.at, error.message.as_str()),
                (at, message),
                "{source}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_was_parsed_is_printed_and_parsed_again(source in r#"(\$|\$\$|g|j|\{|\}|\$g\{a\}|\$j\{K\["n"\]\.p\[0\]\}|x|\[|"|é){0,12}"#) {
            if let Ok(pieces) = parse(&source) {
                prop_assert_eq!(parse(&print(&pieces)), Ok(pieces));
            }
        }

        #[test]
        fn text_without_placeholders_stays_one_piece(source in "[a-z ${}()]{1,20}") {
            if !is_template(&source) {
                prop_assert_eq!(parse(&source), Ok(vec![Piece::Text(source)]));
            }
        }
    }
}
