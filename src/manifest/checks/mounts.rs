//! Volumes and the mounts that name them.

use std::collections::BTreeSet;

use super::super::document::Document;
use super::super::nearest;
use super::super::problem::Problem;
use super::super::stand_in;
use super::pods::{self, container_name};

/// Checks that every mount has its volume.
pub(super) fn check(document: &Document, problems: &mut Vec<Problem>) {
    let Some(pod) = pods::pod_of(document) else {
        return;
    };
    let claims = document
        .body
        .get("spec")
        .map_or(&[][..], |s| s.list("volumeClaimTemplates"));
    let claimed = claims
        .iter()
        .filter_map(|claim| claim.get("metadata")?.text_at("name"));
    let volumes = pod
        .spec
        .list("volumes")
        .iter()
        .filter_map(|volume| volume.text_at("name"));
    let known: BTreeSet<&str> = volumes.chain(claimed).collect();
    for container in pod.containers() {
        for list in ["volumeMounts", "volumeDevices"] {
            for mount in container.list(list) {
                let Some(node) = mount.get("name") else {
                    continue;
                };
                let Some(name) = node.text().filter(|name| !known.contains(name)) else {
                    continue;
                };
                let message = format!(
                    "container `{}` mounts the volume `{}`, which is not there",
                    container_name(container),
                    stand_in::shown(name)
                );
                let known: Vec<&str> = known.iter().copied().collect();
                let problem = document.source.error(node.spot, message);
                problems.push(problem.maybe_hint(nearest::hint(name, &known)));
            }
        }
    }
}
