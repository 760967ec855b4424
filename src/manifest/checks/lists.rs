//! Lists whose items are told apart by a key: no key twice.

use std::collections::BTreeMap;

use super::super::document::Document;
use super::super::names;
use super::super::problem::Problem;
use super::super::source::Spot;
use super::super::stand_in;
use super::super::yaml::Node;
use super::pods::{self, container_name};

/// Checks the keyed lists of a document.
pub(super) fn check(document: &Document, problems: &mut Vec<Problem>) {
    let mut check = Check { document, problems };
    if document.is("Service")
        && let Some(spec) = document.body.get("spec")
    {
        check.ports(spec, "port");
    }
    let Some(pod) = pods::pod_of(document) else {
        return;
    };
    check.unique(pod.containers(), "name", "container");
    check.unique(pod.spec.list("volumes").iter(), "name", "volume");
    check.unique(pod.spec.list("hostAliases").iter(), "ip", "host alias");
    check.unique(
        pod.spec.list("imagePullSecrets").iter(),
        "name",
        "pull secret",
    );
    check.named(pod.containers(), "container");
    check.named(pod.spec.list("volumes").iter(), "volume");
    for container in pod.containers() {
        let of = format!(" of container `{}`", container_name(container));
        check.unique_of(container.list("env").iter(), "name", "variable", &of);
        check.unique_of(
            container.list("volumeMounts").iter(),
            "mountPath",
            "mount",
            &of,
        );
        check.unique_of(
            container.list("volumeDevices").iter(),
            "devicePath",
            "device",
            &of,
        );
        check.ports(container, "containerPort");
    }
    if pod.spec.list("containers").is_empty() {
        let spot = pod
            .spec
            .entry("containers")
            .map_or(document.spot, |entry| entry.spot);
        let message = format!("{} has no containers", document.title());
        check.problems.push(document.source.error(spot, message));
    }
}

struct Check<'a> {
    document: &'a Document,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Check<'a> {
    fn unique(&mut self, items: impl Iterator<Item = &'a Node>, key: &str, what: &str) {
        self.unique_of(items, key, what, "");
    }

    fn unique_of(
        &mut self,
        items: impl Iterator<Item = &'a Node>,
        key: &str,
        what: &str,
        of: &str,
    ) {
        let mut first: BTreeMap<&str, u32> = BTreeMap::new();
        for item in items {
            let Some(node) = item.get(key) else {
                let message = format!("a {what}{of} has no `{key}`");
                self.problems
                    .push(self.document.source.error(item.spot, message));
                continue;
            };
            let Some(text) = node.text() else { continue };
            if let Some(line) = first.insert(text, node.spot.line) {
                let text = stand_in::shown(text);
                self.twice(node.spot, &format!("{what} `{text}`{of}"), line);
            }
        }
    }

    fn twice(&mut self, spot: Spot, what: &str, line: u32) {
        let problem = self
            .document
            .source
            .error(spot, format!("{what} is there twice"));
        self.problems
            .push(problem.label(format!("first on line {line}")));
    }

    fn named(&mut self, items: impl Iterator<Item = &'a Node>, what: &str) {
        for node in items.filter_map(|item| item.get("name")) {
            let Some(name) = node.text() else { continue };
            if let Err(why) = names::label(&stand_in::as_letter(name)) {
                let message = format!("the name of {what} `{}` {why}", stand_in::shown(name));
                self.problems
                    .push(self.document.source.error(node.spot, message));
            }
        }
    }

    /// Ports are told apart by name, and by number and protocol.
    fn ports(&mut self, holder: &'a Node, number: &str) {
        let mut numbers: BTreeMap<(String, &str), u32> = BTreeMap::new();
        let ports = holder.list("ports");
        let named = ports.iter().filter(|port| port.get("name").is_some());
        self.unique(named, "name", "port");
        for port in ports {
            let protocol = port.text_at("protocol").unwrap_or("TCP");
            let Some(node) = port.get(number) else {
                let message = format!("a port has no `{number}`");
                self.problems
                    .push(self.document.source.error(port.spot, message));
                continue;
            };
            let value = node.to_json().to_string();
            if let Some(line) = numbers.insert((value.clone(), protocol), node.spot.line) {
                self.twice(node.spot, &format!("port {value}/{protocol}"), line);
            }
            self.port_name(port);
        }
    }

    fn port_name(&mut self, port: &Node) {
        let Some(node) = port.get("name") else { return };
        let Some(name) = node.text() else { return };
        let rule = if self.document.kind == "Service" {
            names::label
        } else {
            names::port_name
        };
        if let Err(why) = rule(&stand_in::as_letter(name)) {
            let message = format!("the name of port `{}` {why}", stand_in::shown(name));
            self.problems
                .push(self.document.source.error(node.spot, message));
        }
    }
}
