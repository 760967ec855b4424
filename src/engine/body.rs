//! A live object as the server sent it: JSON text, taken apart only as far as somebody asks.
//!
//! Thousands of objects come by before a verdict, and of almost all of them only hashes are kept; a
//! tree of each would cost more than everything else together.

use super::sight::Sight;
use serde_json::Value;
use std::fmt;

/// The text of one JSON object.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(Box<str>);

impl Body {
    /// The text itself.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The whole object; nothing when the text is none, which no server sends.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

impl Body {
    /// The object's version, where it says one.
    #[must_use]
    pub fn resource_version(&self) -> Option<String> {
        let sight = Sight::read(&self.0).ok()?;
        Some(sight.resource_version().to_owned()).filter(|version| !version.is_empty())
    }
}

impl From<Box<str>> for Body {
    fn from(text: Box<str>) -> Self {
        Self(text)
    }
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self(value.to_string().into())
    }
}

/// An object can be a Secret: its text is no part of any message.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}
