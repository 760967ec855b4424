//! What goes on the wire for one object, kept as small as it can be.
//!
//! A document that is part of the binary is there anyhow: where only its metadata differs from what
//! is wanted, nothing of it is kept. Thousands of copies would be most of what a process at rest
//! holds.

use super::dress::Dress;
use crate::manifest::packed::Slot;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The JSON text of an object as it ought to be.
#[derive(Clone, PartialEq, Eq)]
pub struct Wanted(Kept);

#[derive(Clone, PartialEq, Eq)]
enum Kept {
    Whole(Arc<str>),
    Dressed(Slot, Arc<Dress>),
}

impl Wanted {
    /// A document with what its service puts on it.
    pub(super) fn dressed(document: Slot, dress: &Arc<Dress>) -> Self {
        Self(Kept::Dressed(document, dress.clone()))
    }

    /// The text of an object, which may be that of a document with what its service puts on it.
    pub(super) fn of(text: String, document: Option<Slot>, dress: &Arc<Dress>) -> Self {
        let put_on = |document: Slot| document.peek(|text| dress.put_on(text));
        let made = document.and_then(|document| Some((document, put_on(document)?)));
        match made {
            Some((document, made)) if made == text => Self::dressed(document, dress),
            _ => text.into(),
        }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match &self.0 {
            Kept::Whole(text) => Cow::Borrowed(text),
            Kept::Dressed(document, dress) => {
                // It had metadata when it was composed.
                Cow::Owned(document.peek(|text| dress.put_on(text)).unwrap_or_default())
            }
        }
    }

    /// The text, to be shared.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        match &self.0 {
            Kept::Whole(text) => text.clone(),
            Kept::Dressed(..) => self.text().into(),
        }
    }

    /// The object as a tree; nothing when the text is none.
    #[must_use]
    pub fn value(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&self.text()).ok()
    }
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
    use super::super::instance::Instance;
    use super::*;
    use crate::manifest::packed::Text;

    const DOCUMENT: &str = r#"{"kind":"Service","metadata":{"name":"a"},"spec":{"x":1}}"#;

    /// There are as many of them as there are objects.
    #[test]
    fn it_is_three_words() {
        assert_eq!(size_of::<Wanted>(), 3 * size_of::<usize>());
    }

    #[test]
    fn a_document_that_is_only_dressed_is_not_kept() {
        let instance = Instance {
            name: "jsorc".into(),
            namespace: "prod".into(),
        };
        let dress = Arc::new(Dress::of(&instance, "cache", "prod"));
        let text = dress.put_on(DOCUMENT).unwrap();
        let document = Text::embedded(&[DOCUMENT]).remove(0).slot();
        let wanted = Wanted::of(text.clone(), document, &dress);
        assert!(matches!(wanted.0, Kept::Dressed(..)));
        assert_eq!(wanted.text(), text);
        assert_eq!(*wanted.shared(), *text);

        let changed = text.replace("\"x\":1", "\"x\":2");
        for document in [document, None] {
            let wanted = Wanted::of(changed.clone(), document, &dress);
            assert!(matches!(wanted.0, Kept::Whole(_)));
            assert_eq!(wanted.value().unwrap()["spec"]["x"], 2);
        }
    }
}
