//! The documents of all services, found by name, and their pods by label, so that no document is
//! compared with every other one.

use std::collections::HashMap;

use super::super::document::{Document, ServiceTable};
use super::super::yaml::Node;
use super::pods::{self, Pod};

/// All documents.
pub(super) struct Index<'a> {
    named: HashMap<(&'a str, &'a str), &'a Document>,
    pods: Vec<Pod<'a>>,
    labelled: HashMap<(&'a str, &'a str), Vec<usize>>,
}

impl<'a> Index<'a> {
    pub(super) fn new(tables: &'a [ServiceTable]) -> Self {
        let mut index = Self {
            named: HashMap::new(),
            pods: Vec::new(),
            labelled: HashMap::new(),
        };
        for document in tables.iter().flat_map(|table| &table.documents) {
            let name = (document.kind.as_str(), document.filled_name());
            index.named.entry(name).or_insert(document);
            index.pods.extend(pods::pod_of(document));
        }
        for (at, pod) in index.pods.iter().enumerate() {
            for label in pod.labels().map_or(&[][..], Node::entries) {
                if let Some(value) = label.value.text() {
                    let places = index.labelled.entry((&label.key, value));
                    places.or_default().push(at);
                }
            }
        }
        index
    }

    /// The first object of that kind and name.
    pub(super) fn target(&self, kind: &str, name: &str) -> Option<&'a Document> {
        self.named.get(&(kind, name)).copied()
    }

    /// The pods that could have all labels of a mapping: all of them when it has none.
    pub(super) fn pods_like<'s>(
        &'s self,
        labels: Option<&'s Node>,
    ) -> Box<dyn Iterator<Item = &'s Pod<'a>> + 's> {
        let first = labels
            .and_then(|labels| labels.entries().first())
            .and_then(|label| Some((label.key.as_str(), label.value.text()?)));
        match first {
            None => Box::new(self.pods.iter()),
            Some(label) => {
                let places = self.labelled.get(&label).into_iter().flatten();
                Box::new(places.map(|at| &self.pods[*at]))
            }
        }
    }
}
