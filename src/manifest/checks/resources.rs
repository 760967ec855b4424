//! Resources: quantities that are some, requests that fit their limits.

use super::super::document::Document;
use super::super::problem::Problem;
use super::super::quantity;
use super::super::stand_in;
use super::super::yaml::{Node, Tree};
use super::pods::{self, container_name};

/// Checks the resources of containers and claims.
pub(super) fn check(document: &Document, problems: &mut Vec<Problem>) {
    let mut check = Check { document, problems };
    if let Some(pod) = pods::pod_of(document) {
        for container in pod.containers() {
            let of = format!("container `{}`", container_name(container));
            check.resources(container.get("resources"), &of);
        }
    }
    let spec = document.body.get("spec");
    if document.is("PersistentVolumeClaim") {
        check.resources(spec.and_then(|spec| spec.get("resources")), "the claim");
    }
    for claim in spec.map_or(&[][..], |spec| spec.list("volumeClaimTemplates")) {
        check.resources(claim.at(&["spec", "resources"]), "the claim");
    }
}

struct Check<'a> {
    document: &'a Document,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn resources(&mut self, resources: Option<&Node>, of: &str) {
        let Some(resources) = resources else { return };
        for list in ["requests", "limits"] {
            for entry in resources.get(list).map_or(&[][..], Node::entries) {
                if let Err(why) = amount(&entry.value) {
                    let message = format!("`{list}.{}` of {of}: {why}", entry.key);
                    self.problems
                        .push(self.document.source.error(entry.value.spot, message));
                }
            }
        }
        for entry in resources.get("requests").map_or(&[][..], Node::entries) {
            let limit = resources.at(&["limits", &entry.key]);
            let Some(Ok(Some(limit_amount))) = limit.map(amount) else {
                continue;
            };
            let Ok(Some(request)) = amount(&entry.value) else {
                continue;
            };
            if request > limit_amount {
                let limit = limit.map(written).unwrap_or_default();
                let message = format!(
                    "{of} requests {} {}, more than its limit {limit}",
                    written(&entry.value),
                    entry.key
                );
                self.problems
                    .push(self.document.source.error(entry.value.spot, message));
            }
        }
    }
}

/// The amount of a quantity, if it is known before anything runs.
fn amount(node: &Node) -> Result<Option<i128>, String> {
    match &node.tree {
        Tree::Text(text) if stand_in::within(text) => Ok(None),
        Tree::Text(text) => quantity::parse(text).map(Some),
        Tree::Number(number) => quantity::parse(&number.to_string()).map(Some),
        _ => Err(format!("expected a quantity, found {}", node.shape())),
    }
}

fn written(node: &Node) -> String {
    node.text()
        .map_or_else(|| node.to_json().to_string(), str::to_owned)
}
