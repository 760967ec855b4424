//! What goes on the wire for one object, kept as small as it can be.
//!
//! Of a document that is part of the binary only the metadata is kept: the rest is there anyhow, and
//! thousands of copies of it would be most of what a process at rest holds.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The JSON text of an object as it ought to be.
#[derive(Clone, PartialEq, Eq)]
pub struct Wanted(Kept);

#[derive(Clone, PartialEq, Eq)]
enum Kept {
    Whole(Arc<str>),
    Spliced(Arc<Splice>),
}

/// A document with something else in one place of it.
#[derive(PartialEq, Eq)]
struct Splice {
    document: &'static str,
    place: Range<usize>,
    instead: Box<str>,
}

impl Wanted {
    /// A document that stays where it is, with `instead` in a place of it.
    #[must_use]
    pub fn spliced(document: &'static str, place: Range<usize>, instead: &str) -> Self {
        Self(Kept::Spliced(Arc::new(Splice {
            document,
            place,
            instead: instead.into(),
        })))
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match &self.0 {
            Kept::Whole(text) => Cow::Borrowed(text),
            Kept::Spliced(splice) => Cow::Owned(splice.text()),
        }
    }

    /// The text, to be shared.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        match &self.0 {
            Kept::Whole(text) => text.clone(),
            Kept::Spliced(splice) => splice.text().into(),
        }
    }

    /// The object as a tree; nothing when the text is none.
    #[must_use]
    pub fn value(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&self.text()).ok()
    }
}

impl Splice {
    fn text(&self) -> String {
        splice(self.document, &self.place, &self.instead)
    }
}

/// A text with something else in a place of it.
pub(super) fn splice(text: &str, place: &Range<usize>, instead: &str) -> String {
    let (before, after) = (text.get(..place.start), text.get(place.end..));
    [before.unwrap_or(""), instead, after.unwrap_or("")].concat()
}

impl From<String> for Wanted {
    fn from(text: String) -> Self {
        Self(Kept::Whole(text.into()))
    }
}

/// It can be a Secret's.
impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wanted(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spliced_text_is_the_document_with_one_part_exchanged() {
        let wanted = Wanted::spliced("{\"a\":{},\"b\":1}", 5..7, "[2]");
        assert_eq!(wanted.text(), "{\"a\":[2],\"b\":1}");
        assert_eq!(*wanted.shared(), *wanted.text());
        assert_eq!(wanted.value().unwrap()["a"][0], 2);
        assert_ne!(wanted, Wanted::from("{}".to_owned()));
    }
}
