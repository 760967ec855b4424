//! Reads the metadata of a collection in one request, object by object as it comes, and keeps none.
//!
//! A list holds thousands of objects in one document; it is never there as a whole.

use super::hands::Reader;
use super::request::METADATA_LIST;
use crate::desired::instance::INSTANCE_LABEL;
use crate::engine::WatchKey;
use http::{Request, header};
use http_body_util::BodyExt;
use kube::client::Body;
use std::time::Duration;

/// How long a part of the list may be in coming.
const SILENCE: Duration = Duration::from_secs(10);

impl Reader {
    /// Shows each object of ours in a collection, by its metadata, until `recognise` says no. How
    /// many there were; `None` when it said no, or the list was not to be had as a whole.
    pub async fn skim(
        &self,
        collection: &WatchKey,
        label: &str,
        mut recognise: impl FnMut(&str) -> bool,
    ) -> Option<usize> {
        let path = collection
            .resource
            .collection_path(collection.namespace.as_deref());
        let by_name = collection.name.as_ref();
        let by_name = by_name.map(|name| format!("&fieldSelector=metadata.name%3D{name}"));
        let uri = format!(
            "{path}?labelSelector={INSTANCE_LABEL}%3D{label}{}",
            by_name.unwrap_or_default()
        );
        let request = Request::get(uri)
            .header(header::ACCEPT, METADATA_LIST)
            .body(Body::empty())
            .ok()?;
        let response = self.client().send(request).await.ok()?;
        if !response.status().is_success() {
            return None;
        }
        let mut body = response.into_body();
        let mut items = Items::default();
        while let Some(frame) = tokio::time::timeout(SILENCE, body.frame()).await.ok()? {
            if let Ok(data) = frame.ok()?.into_data() {
                items.take(&data, &mut recognise)?;
            }
        }
        items.is_whole().then_some(items.count)
    }
}

/// Finds the objects in the text of a list: whatever is an object in an array of the outermost one.
#[derive(Debug, Default)]
struct Items {
    depth: usize,
    text: Text,
    in_list: bool,
    begun: bool,
    count: usize,
    /// The beginning of an object whose end has not come yet.
    part: Vec<u8>,
}

/// Where in a string the scan is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Text {
    #[default]
    Outside,
    Inside,
    /// After a backslash.
    Escaped,
}

/// Where an object of the list begins: within the list, within the outermost object.
const ITEM: usize = 3;

impl Items {
    /// Takes the next bytes in; `None` when an object was not recognised, or is none.
    fn take(&mut self, bytes: &[u8], recognise: &mut impl FnMut(&str) -> bool) -> Option<()> {
        let mut from = 0;
        for (at, byte) in bytes.iter().enumerate() {
            match (self.text, byte) {
                (Text::Inside, b'"') => self.text = Text::Outside,
                (Text::Inside, b'\\') => self.text = Text::Escaped,
                (Text::Outside, b'"') | (Text::Inside | Text::Escaped, _) => {
                    self.text = Text::Inside;
                }
                (Text::Outside, b'{' | b'[') => {
                    self.depth += 1;
                    self.begun = true;
                    match self.depth {
                        2 => self.in_list = *byte == b'[',
                        ITEM => from = at,
                        _ => {}
                    }
                }
                (Text::Outside, b'}' | b']') => {
                    if self.depth == ITEM && self.in_list {
                        self.show(&bytes[from..=at], recognise)?;
                    }
                    self.depth = self.depth.checked_sub(1)?;
                }
                (Text::Outside, _) => {}
            }
        }
        if self.depth >= ITEM && self.in_list {
            self.part.extend_from_slice(&bytes[from..]);
        }
        Some(())
    }

    fn show(&mut self, end: &[u8], recognise: &mut impl FnMut(&str) -> bool) -> Option<()> {
        let known = if self.part.is_empty() {
            recognise(std::str::from_utf8(end).ok()?)
        } else {
            self.part.extend_from_slice(end);
            let known = recognise(std::str::from_utf8(&self.part).ok()?);
            self.part.clear();
            known
        };
        self.count += 1;
        known.then_some(())
    }

    fn is_whole(&self) -> bool {
        self.begun && self.depth == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"{"kind":"List","metadata":{"resourceVersion":"7","odd":{"a":[{"b":1}]}},
        "items":[ {"metadata":{"name":"a","labels":{"x":"}]\"{"}}},{"metadata":{"name":"ü","f":[{},{}]}} ],"last":[]}"#;

    fn shown(parts: &[&[u8]]) -> Option<(Vec<String>, bool)> {
        let mut items = Items::default();
        let mut seen = Vec::new();
        for part in parts {
            items.take(part, &mut |text: &str| {
                seen.push(text.to_owned());
                true
            })?;
        }
        assert_eq!(seen.len(), items.count);
        Some((seen, items.is_whole()))
    }

    #[test]
    fn each_object_of_a_list_is_shown_wherever_the_text_is_cut() {
        let whole: serde_json::Value = serde_json::from_str(LIST).unwrap();
        let wanted = whole["items"].as_array().unwrap().clone();
        for cut in 0..LIST.len() {
            for second in [cut, (cut + 7).min(LIST.len()), LIST.len()] {
                let bytes = LIST.as_bytes();
                let (seen, complete) =
                    shown(&[&bytes[..cut], &bytes[cut..second], &bytes[second..]]).unwrap();
                let seen: Vec<serde_json::Value> = seen
                    .iter()
                    .map(|text| serde_json::from_str(text).unwrap())
                    .collect();
                assert_eq!(seen, wanted, "cut at {cut} and {second}");
                assert!(complete);
            }
        }
    }

    #[test]
    fn a_list_that_breaks_off_is_not_whole() {
        for cut in 0..LIST.len() {
            let (_, complete) = shown(&[&LIST.as_bytes()[..cut]]).unwrap();
            assert!(!complete, "cut at {cut}");
        }
        assert!(shown(&[b"]"]).is_none());
        let empty = br#"{"items":null,"metadata":{}}"#;
        assert_eq!(shown(&[empty]), Some((Vec::new(), true)));
    }

    #[test]
    fn nothing_is_shown_after_one_that_is_not_recognised() {
        let mut items = Items::default();
        let mut shown = 0;
        let verdict = items.take(LIST.as_bytes(), &mut |_: &str| {
            shown += 1;
            false
        });
        assert_eq!((verdict, shown), (None, 1));
    }
}
