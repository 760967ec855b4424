//! Ports that are named: each name is declared by the pods it is looked for in.

use std::collections::BTreeSet;

use super::super::document::Document;
use super::super::nearest;
use super::super::problem::Problem;
use super::super::yaml::Node;
use super::Here;
use super::pods::{self, Pod, container_name};

/// Checks the target ports of a Service and the ports of probes.
pub(super) fn check(document: &Document, here: &Here<'_>, problems: &mut Vec<Problem>) {
    if document.is("Service") {
        check_targets(document, here, problems);
    }
    if let Some(pod) = pods::pod_of(document) {
        for container in pod.containers() {
            check_probes(document, container, problems);
        }
    }
}

fn check_targets(document: &Document, here: &Here<'_>, problems: &mut Vec<Problem>) {
    let Some(spec) = document.body.get("spec") else {
        return;
    };
    let selector = spec.get("selector").map_or(&[][..], Node::entries);
    if selector.is_empty() {
        return;
    }
    let selected = |pod: &Pod<'_>| {
        selector.iter().all(|entry| {
            let value = pod.labels().and_then(|labels| labels.text_at(&entry.key));
            value.is_some() && value == entry.value.text()
        })
    };
    let pods: Vec<&Pod<'_>> = here
        .index
        .pods_like(spec.get("selector"))
        .filter(|pod| selected(pod))
        .collect();
    // A selector without pods is reported by its own check.
    if pods.is_empty() {
        return;
    }
    let known: BTreeSet<&str> = pods
        .iter()
        .flat_map(|pod| pod.containers())
        .flat_map(port_names)
        .collect();
    for port in spec.list("ports") {
        let Some(node) = port.get("targetPort") else {
            continue;
        };
        let Some(name) = node.text().filter(|name| !known.contains(name)) else {
            continue;
        };
        let message = format!("no container of its pods declares the port `{name}`");
        problems.push(
            document
                .source
                .error(node.spot, message)
                .maybe_hint(hint(name, &known)),
        );
    }
}

fn check_probes(document: &Document, container: &Node, problems: &mut Vec<Problem>) {
    let known: BTreeSet<&str> = port_names(container).collect();
    let lifecycle = ["postStart", "preStop"];
    let hooks = lifecycle
        .iter()
        .filter_map(|key| container.at(&["lifecycle", key]));
    let probes = ["livenessProbe", "readinessProbe", "startupProbe"];
    let probes = probes.iter().filter_map(|key| container.get(key));
    for handler in probes.chain(hooks) {
        for action in ["httpGet", "tcpSocket"] {
            let Some(node) = handler.at(&[action, "port"]) else {
                continue;
            };
            let Some(name) = node.text().filter(|name| !known.contains(name)) else {
                continue;
            };
            let message = format!(
                "container `{}` declares no port `{name}`",
                container_name(container)
            );
            let problem = document.source.error(node.spot, message);
            problems.push(problem.maybe_hint(hint(name, &known)));
        }
    }
}

fn port_names(container: &Node) -> impl Iterator<Item = &str> {
    container
        .list("ports")
        .iter()
        .filter_map(|port| port.text_at("name"))
}

fn hint(name: &str, known: &BTreeSet<&str>) -> Option<String> {
    nearest::hint(name, &known.iter().copied().collect::<Vec<_>>())
}
