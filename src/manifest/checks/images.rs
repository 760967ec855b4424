//! Images: one for every container, at a fixed version.

use super::super::document::Document;
use super::super::problem::Problem;
use super::super::stand_in;
use super::pods::{self, container_name};

/// Checks the images of a document's pods.
pub(super) fn check(document: &Document, problems: &mut Vec<Problem>) {
    let Some(pod) = pods::pod_of(document) else {
        return;
    };
    for container in pod.containers() {
        let Some(node) = container.get("image").filter(|node| !node.is_null()) else {
            let message = format!("container `{}` has no image", container_name(container));
            problems.push(document.source.error(container.spot, message));
            continue;
        };
        let Some(image) = node.text() else {
            let message = format!("`image` must be a string, found {}", node.shape());
            problems.push(document.source.error(node.spot, message));
            continue;
        };
        if let Some(message) = moving(image) {
            let problem = document.source.error(node.spot, message);
            let name = image.strip_suffix(":latest").unwrap_or(image);
            problems.push(problem.hint(format!("name a version, such as `{name}:1.2.3`")));
        }
    }
}

/// Why an image is not the same one tomorrow.
fn moving(image: &str) -> Option<String> {
    if stand_in::within(image) || image.contains('@') {
        return None;
    }
    // A colon before the last slash belongs to the registry's port.
    let last = image.rsplit('/').next().unwrap_or(image);
    match last.split_once(':') {
        None => Some(format!("image `{image}` has no tag")),
        Some((_, "latest")) => Some(format!("image `{image}` changes under way")),
        Some((_, "")) => Some(format!("image `{image}` has an empty tag")),
        Some(_) => None,
    }
}
