//! Services that are in front of pods of their own set: they are in order once one of those is
//! ready.

use super::edges::Node;
use super::links::{Label, Pods};
use std::collections::HashMap;

/// The workloads that are meant to run, found by the labels of their pods.
pub struct Backs<'a> {
    labelled: HashMap<&'a Label, Vec<(&'a Node<'a>, &'a Pods)>>,
}

impl<'a> Backs<'a> {
    /// The workloads of a set.
    #[must_use]
    pub fn new(all: &'a [Node<'a>]) -> Self {
        let mut labelled: HashMap<&Label, Vec<_>> = HashMap::new();
        for node in all {
            let pods = node.links.pods().filter(|pods| pods.meant_to_run);
            for (label, pods) in pods
                .into_iter()
                .flat_map(|pods| pods.labels.iter().map(move |label| (label, pods)))
            {
                labelled.entry(label).or_default().push((node, pods));
            }
        }
        Self { labelled }
    }

    /// Whether an object is a Service that selects pods which are meant to run.
    #[must_use]
    pub fn has_front(&self, node: &Node<'_>) -> bool {
        let selector = node.links.selector();
        let Some(label) = selector.first().filter(|_| node.key.is("", "Service")) else {
            return false;
        };
        let mut backs = self.labelled.get(label).into_iter().flatten();
        backs.any(|(other, pods)| {
            other.key.namespace == node.key.namespace && pods.are_selected(selector)
        })
    }
}
