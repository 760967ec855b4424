//! What every object of a service gets: the namespace, where it gives none, and our labels.
//!
//! Of most documents nothing else changes, so that what goes on the wire can be put together from the
//! document at any time, and need not be kept beside it. Where the document allows it, its text is
//! added to; what comes out is what taking it apart and putting it together would give.

use super::instance::{INSTANCE_LABEL, Instance, PART_OF_LABEL};
use super::namespace;
use super::rolling::object_at;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::ops::Range;
use std::sync::Arc;

/// What the objects of one service get.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dress {
    /// The namespace of those that give none.
    pub(super) namespace: Arc<str>,
    labels: [(&'static str, String); 2],
    /// As entries of JSON objects: the namespace, the labels, and the labels with what they stand in.
    entries: [String; 3],
}

/// A document of which only the metadata is looked into.
#[derive(Deserialize)]
pub(super) struct Document<'a> {
    #[serde(borrow)]
    metadata: &'a RawValue,
}

/// Of metadata, what is added to.
#[derive(Deserialize)]
struct Given<'a> {
    #[serde(borrow, default, deserialize_with = "given")]
    namespace: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "given")]
    labels: Option<&'a RawValue>,
}

/// A null is given too.
fn given<'de: 'a, 'a, D: Deserializer<'de>>(reader: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(reader).map(Some)
}

impl Dress {
    /// That of a service which is put into `namespace`.
    pub(super) fn of(instance: &Instance, service: &str, namespace: &str) -> Self {
        let labels = [
            (INSTANCE_LABEL, instance.label()),
            (PART_OF_LABEL, instance.apply_set_id(service)),
        ];
        let entry = |name: &str, value: &str| format!("\"{name}\":{}", Value::from(value));
        let all = labels.each_ref().map(|(name, value)| entry(name, value));
        let all = all.join(",");
        let whole = format!("\"labels\":{{{all}}}");
        Self {
            namespace: namespace.into(),
            entries: [entry("namespace", namespace), all, whole],
            labels,
        }
    }

    /// Puts the labels on an object.
    pub(super) fn label(&self, object: &mut Value) {
        let labels = object_at(object, &["metadata", "labels"]);
        for (name, value) in &self.labels {
            labels.insert((*name).into(), value.as_str().into());
        }
    }

    /// An object of a namespaced kind with nothing but the metadata of the document, in its namespace.
    pub(super) fn placed(&self, document: &Document<'_>) -> Value {
        let metadata = ("metadata".to_owned(), document.value());
        let mut object = Value::Object(Map::from_iter([metadata]));
        namespace::settle(&mut object, &self.namespace);
        object
    }

    /// The text of a document of a namespaced kind with what it gets; nothing where it has no
    /// metadata.
    pub(super) fn put_on(&self, text: &str) -> Option<String> {
        let document: Document<'_> = serde_json::from_str(text).ok()?;
        Some(self.put_on_document(text, &document))
    }

    /// The same, where the text has been looked into.
    pub(super) fn put_on_document(&self, text: &str, document: &Document<'_>) -> String {
        let added = self.added_to(text, document);
        added.unwrap_or_else(|| self.put_together(text, document))
    }

    fn put_together(&self, text: &str, document: &Document<'_>) -> String {
        let mut object = self.placed(document);
        self.label(&mut object);
        document.with(text, &object["metadata"])
    }

    /// The text with what it gets; nothing where the document gives some of that itself.
    fn added_to(&self, text: &str, document: &Document<'_>) -> Option<String> {
        let metadata = document.metadata.get();
        let given: Given<'_> = serde_json::from_str(metadata).ok()?;
        let mut adding = Adding::to(text, self.entries.iter().map(String::len).sum());
        let [namespace, labels, whole] = &self.entries;
        let takes = |labels: &str| {
            let ours = self.labels.iter().any(|(name, _)| labels.contains(name));
            // An escape can spell one of ours.
            !ours && !labels.contains('\\')
        };
        if let Some(given) = given.labels {
            adding.add(given.get(), Some(labels).filter(|_| takes(given.get()))?)?;
        }
        match given.namespace.map(RawValue::get) {
            None => adding.add(metadata, namespace)?,
            Some("null") => return None,
            Some(_) => {}
        }
        if given.labels.is_none() {
            adding.add(metadata, whole)?;
        }
        Some(adding.done())
    }
}

/// Adds entries to objects of a JSON text, from its beginning to its end.
struct Adding<'a> {
    text: &'a str,
    made: String,
    copied: usize,
}

impl<'a> Adding<'a> {
    /// Nothing added yet, with room for so much.
    fn to(text: &'a str, room: usize) -> Self {
        // Each may need a comma.
        let made = String::with_capacity(text.len() + room + 3);
        let copied = 0;
        Self { text, made, copied }
    }

    /// Adds an entry to what has to be an object, and a part of the text.
    fn add(&mut self, object: &str, entry: &str) -> Option<()> {
        let inside = object.strip_prefix('{')?.strip_suffix('}')?;
        let end = place_in(self.text, inside).end;
        self.made.push_str(self.text.get(self.copied..end)?);
        self.copied = end;
        if !self.made.trim_end().ends_with('{') {
            self.made.push(',');
        }
        self.made.push_str(entry);
        Some(())
    }

    fn done(mut self) -> String {
        self.made.push_str(&self.text[self.copied..]);
        self.made
    }
}

/// Where a part of a text is in it.
fn place_in(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - text.as_ptr().addr();
    start..start + part.len()
}

impl Document<'_> {
    fn value(&self) -> Value {
        serde_json::from_str(self.metadata.get()).unwrap_or_default()
    }

    /// Its text with other metadata.
    fn with(&self, text: &str, metadata: &Value) -> String {
        let Range { start, end } = place_in(text, self.metadata.get());
        let (before, after) = (text.get(..start), text.get(end..));
        // A tree can always be written.
        let metadata = serde_json::to_string(metadata).unwrap_or_default();
        [before.unwrap_or(""), &metadata, after.unwrap_or("")].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn instance() -> Instance {
        Instance {
            name: "jsorc".into(),
            namespace: "prod".into(),
        }
    }

    fn dress() -> Dress {
        Dress::of(&instance(), "cache", "prod")
    }

    #[test]
    fn only_the_metadata_changes() {
        let text =
            r#"{"kind":"ConfigMap","metadata":{"name":"a"},"data":{"z":"1.0","a":"\u00e9"}}"#;
        let dressed = dress().put_on(text).unwrap();
        assert!(
            dressed.ends_with(r#","data":{"z":"1.0","a":"\u00e9"}}"#),
            "{dressed}"
        );
        let value: Value = serde_json::from_str(&dressed).unwrap();
        assert_eq!(value["metadata"]["namespace"], "prod");
        let labels = json!({INSTANCE_LABEL: "prod.jsorc",
            PART_OF_LABEL: instance().apply_set_id("cache")});
        assert_eq!(value["metadata"]["labels"], labels);
    }

    #[test]
    fn a_namespace_that_is_given_stays() {
        let text = r#"{"metadata":{"name":"a","namespace":"own","labels":{"x":"y"}}}"#;
        let value: Value = serde_json::from_str(&dress().put_on(text).unwrap()).unwrap();
        assert_eq!(value["metadata"]["namespace"], "own");
        assert_eq!(value["metadata"]["labels"]["x"], "y");
    }

    /// What adding to the text gives, and what taking it apart gives.
    fn both(text: &str) -> (Option<String>, String) {
        let document: Document<'_> = serde_json::from_str(text).unwrap();
        let dress = dress();
        let apart = dress.put_together(text, &document);
        (dress.added_to(text, &document), apart)
    }

    #[test]
    fn adding_to_a_text_gives_what_taking_it_apart_gives() {
        for metadata in [
            "{}",
            r#"{"name":"a"}"#,
            r#"{"name":"a","labels":{}}"#,
            r#"{"name":"a","labels":{"app":"x{"},"annotations":{"b":"}"}}"#,
            r#"{"labels":{"app":"x"},"name":"a","namespace":"own"}"#,
            r#"{"name":"a","namespace":"own"}"#,
        ] {
            let text =
                format!(r#"{{"kind":"ConfigMap","metadata":{metadata},"data":{{"a":"{{"}}}}"#);
            let (added, apart) = both(&text);
            assert_eq!(added, Some(apart), "{metadata}");
        }
    }

    #[test]
    fn what_gives_some_of_it_itself_is_taken_apart() {
        for metadata in [
            r#"{"name":"a","namespace":null}"#,
            r#"{"name":"a","labels":null}"#,
            r#"{"name":"a","labels":["x"]}"#,
            r#"["a"]"#,
            r#""a""#,
            r#"{"name":"a","labels":{"jsorc.dev/instance":"other"}}"#,
            r#"{"name":"a","labels":{"jsorc.dev\u002finstance":"other"}}"#,
            r#"{"name":"a","labels":{"x":"y"},"labels":{"x":"z"}}"#,
        ] {
            let (added, apart) = both(&format!(r#"{{"metadata":{metadata}}}"#));
            assert_eq!(added, None, "{metadata}");
            let value: Value = serde_json::from_str(&apart).unwrap();
            let instance = value["metadata"]["labels"][INSTANCE_LABEL].as_str();
            assert_eq!(
                instance,
                value["metadata"].is_object().then_some("prod.jsorc")
            );
        }
    }

    #[test]
    fn a_text_with_spaces_is_added_to() {
        let text = r#"{ "metadata": { "name": "a", "labels": { } } }"#;
        let (added, apart) = both(text);
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&added.unwrap()), read(&apart));
    }

    #[test]
    fn what_has_no_metadata_is_not_dressed() {
        assert_eq!(dress().put_on(r#"{"kind":"List"}"#), None);
    }
}
