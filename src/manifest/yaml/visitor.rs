//! Takes located values out of the parser.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_saphyr::{Location, Spanned};

use super::super::source::Spot;
use super::{Entry, KeyShape, Node, Tree};

/// Where a value stands, and where its text is when that is behind an alias.
pub(super) fn spot_of(referenced: Location, defined: Location) -> Spot {
    let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let offset = defined
        .span()
        .byte_offset()
        .and_then(|at| usize::try_from(at).ok());
    Spot {
        line: small(referenced.line()),
        column: small(referenced.column()),
        width: small(referenced.span().len()),
        offset: offset.unwrap_or(usize::MAX),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Tree>::deserialize(from)?;
        Ok(Self {
            tree: spanned.value,
            spot: spot_of(spanned.referenced, spanned.defined),
        })
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON can hold")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Tree, D::Error> {
        Tree::deserialize(from)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Tree, E> {
        let number = integral(value).or_else(|| Number::from_f64(value));
        number
            .map(Tree::Number)
            .ok_or_else(|| E::custom("JSON has no infinity and no nan"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Tree, E> {
        Ok(Tree::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element::<Node>()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = from.next_key::<Node>()? {
            let value = from.next_value::<Node>()?;
            entries.push(entry_of(&key, value));
        }
        Ok(Tree::Map(entries))
    }
}

fn entry_of(key: &Node, value: Node) -> Entry {
    let (text, shape) = match &key.tree {
        Tree::Text(text) => (text.clone(), KeyShape::Text),
        Tree::Number(number) => (number.to_string(), KeyShape::Number),
        Tree::Bool(b) => (b.to_string(), KeyShape::Bool),
        Tree::Null => ("null".to_owned(), KeyShape::Null),
        Tree::List(_) | Tree::Map(_) => (key.to_json().to_string(), KeyShape::Compound),
    };
    Entry {
        key: text,
        spot: key.spot,
        shape,
        value,
    }
}

/// An integral float as the integer that Go prints for it.
fn integral(value: f64) -> Option<Number> {
    let exact = value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "integral and below 2^53")]
    exact.then(|| Number::from(value as i64))
}
