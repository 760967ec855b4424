//! References to other objects: each is there, or said to come from others.

use super::super::document::Document;
use super::super::names;
use super::super::nearest;
use super::super::problem::Problem;
use super::super::source::Spot;
use super::super::spec::External;
use super::super::stand_in;
use super::super::yaml::Node;
use super::Here;
use super::pods;

/// The annotation that names objects which others provide.
const EXTERNAL: &str = "jsorc.dev/external";
/// The annotation that orders objects within a service.
const AFTER: &str = "jsorc.dev/after";

/// Checks everything that a document refers to.
pub(super) fn check(document: &Document, here: &Here<'_>, problems: &mut Vec<Problem>) {
    let mut check = Check {
        document,
        here,
        external: Vec::new(),
        problems,
    };
    check.read_external();
    check.annotations();
    check.pod();
    check.by_kind();
}

struct Check<'a, 'b> {
    document: &'a Document,
    here: &'a Here<'b>,
    external: Vec<External>,
    problems: &'a mut Vec<Problem>,
}

impl<'b> Check<'_, 'b> {
    fn error(&mut self, spot: Spot, message: String, hint: Option<String>) {
        self.problems
            .push(self.document.source.error(spot, message).maybe_hint(hint));
    }

    fn read_external(&mut self) {
        self.external.clone_from(&self.here.table.spec.external);
        let Some(node) = self.document.annotation(EXTERNAL) else {
            return;
        };
        for part in node.text().unwrap_or_default().split(',') {
            if let Some(external) = External::parse(part) {
                self.external.push(external);
            } else {
                let message = format!("`{}` names no object", part.trim());
                let hint = "write KIND/NAME, KIND/NAME …".to_owned();
                self.error(node.spot, message, Some(hint));
            }
        }
    }

    fn annotations(&mut self) {
        let Some(node) = self.document.annotation(AFTER) else {
            return;
        };
        for part in node.text().unwrap_or_default().split(',') {
            if let Some(after) = External::parse(part) {
                self.wants(&after.kind, &after.name, node.spot);
            } else {
                let message = format!("`{}` names no object", part.trim());
                self.error(node.spot, message, Some("write KIND/NAME".to_owned()));
            }
        }
    }

    /// Notes that an object must be there.
    fn wants(&mut self, kind: &str, name: &str, spot: Spot) {
        if self.target(kind, name).is_some() || is_everywhere(kind, name) {
            return;
        }
        let said = |external: &External| external.kind == kind && external.name == name;
        if self.external.iter().any(said) {
            return;
        }
        let shown = stand_in::shown(name);
        let known = self
            .here
            .documents()
            .filter(|doc| doc.kind == kind)
            .map(Document::filled_name);
        let hint = match nearest::nearest(name, known) {
            Some(known) => format!("did you mean `{}`?", stand_in::shown(known)),
            None => format!("if others provide it, say so: `{EXTERNAL}: {kind}/{shown}`"),
        };
        self.error(
            spot,
            format!("no {kind} `{shown}` in any service here"),
            Some(hint),
        );
    }

    fn target(&self, kind: &str, name: &str) -> Option<&'b Document> {
        self.here.index.target(kind, name)
    }

    fn wants_node(&mut self, kind: &str, node: Option<&Node>) {
        if let Some(node) = node
            && let Some(name) = node.text().filter(|name| !name.is_empty())
        {
            self.wants(kind, name, node.spot);
        }
    }

    /// Notes that a ConfigMap or Secret, and a key in it, must be there unless it is optional.
    fn wants_data(&mut self, kind: &str, holder: Option<&Node>, name_key: &str) {
        let Some(holder) = holder else { return };
        let optional = holder
            .get("optional")
            .is_some_and(|o| o.to_json() == serde_json::json!(true));
        if optional {
            return;
        }
        self.wants_node(kind, holder.get(name_key));
        let name = holder.text_at(name_key).unwrap_or_default();
        let mut keys: Vec<&Node> = holder.get("key").into_iter().collect();
        keys.extend(
            holder
                .list("items")
                .iter()
                .filter_map(|item| item.get("key")),
        );
        for key in keys {
            self.wants_key(kind, name, key);
        }
    }

    fn wants_key(&mut self, kind: &str, name: &str, node: &Node) {
        let Some(key) = node.text() else { return };
        let Some(target) = self.target(kind, name) else {
            return;
        };
        let maps = ["data", "stringData", "binaryData"];
        let known: Vec<&str> = maps
            .iter()
            .filter_map(|map| target.body.get(map))
            .flat_map(|map| map.entries().iter().map(|entry| entry.key.as_str()))
            .collect();
        if !known.contains(&key) {
            let message = format!("{kind} `{}` has no key `{key}`", stand_in::shown(name));
            let hint = nearest::hint(key, &known);
            self.error(node.spot, message, hint);
        }
    }

    fn pod(&mut self) {
        let Some(pod) = pods::pod_of(self.document) else {
            return;
        };
        for key in ["serviceAccountName", "serviceAccount"] {
            self.wants_node("ServiceAccount", pod.spec.get(key));
        }
        for pull in pod.spec.list("imagePullSecrets") {
            self.wants_node("Secret", pull.get("name"));
        }
        for volume in pod.spec.list("volumes") {
            self.volume(volume);
        }
        for container in pod.containers() {
            self.container(container);
        }
    }

    fn volume(&mut self, volume: &Node) {
        self.wants_data("ConfigMap", volume.get("configMap"), "name");
        self.wants_data("Secret", volume.get("secret"), "secretName");
        self.wants_node(
            "PersistentVolumeClaim",
            volume.at(&["persistentVolumeClaim", "claimName"]),
        );
        for source in volume
            .get("projected")
            .map_or(&[][..], |p| p.list("sources"))
        {
            self.wants_data("ConfigMap", source.get("configMap"), "name");
            self.wants_data("Secret", source.get("secret"), "name");
        }
    }

    fn container(&mut self, container: &Node) {
        for variable in container.list("env") {
            let from = variable.get("valueFrom");
            self.wants_data(
                "ConfigMap",
                from.and_then(|f| f.get("configMapKeyRef")),
                "name",
            );
            self.wants_data("Secret", from.and_then(|f| f.get("secretKeyRef")), "name");
        }
        for from in container.list("envFrom") {
            self.wants_data("ConfigMap", from.get("configMapRef"), "name");
            self.wants_data("Secret", from.get("secretRef"), "name");
        }
    }

    fn by_kind(&mut self) {
        let body = &self.document.body;
        match self.document.kind.as_str() {
            "StatefulSet" => self.wants_node("Service", body.at(&["spec", "serviceName"])),
            "RoleBinding" | "ClusterRoleBinding" => self.binding(body),
            "Ingress" => self.ingress(body),
            "HorizontalPodAutoscaler" => self.scaled(body),
            "ServiceAccount" => self.account(body),
            "Secret" => {
                let account = self
                    .document
                    .annotation("kubernetes.io/service-account.name");
                self.wants_node("ServiceAccount", account);
            }
            "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => {
                for webhook in body.list("webhooks") {
                    self.wants_node("Service", webhook.at(&["clientConfig", "service", "name"]));
                }
            }
            "APIService" => self.wants_node("Service", body.at(&["spec", "service", "name"])),
            _ => {}
        }
    }

    fn account(&mut self, body: &Node) {
        for list in ["secrets", "imagePullSecrets"] {
            for item in body.list(list) {
                self.wants_node("Secret", item.get("name"));
            }
        }
    }

    fn binding(&mut self, body: &Node) {
        let role = body.get("roleRef");
        match role.and_then(|role| role.text_at("kind")) {
            Some(kind @ ("Role" | "ClusterRole")) => {
                self.wants_node(kind, role.and_then(|role| role.get("name")));
            }
            other => {
                let spot = role.map_or(self.document.spot, |role| role.spot);
                let found = other.unwrap_or("nothing");
                let message = format!("`roleRef.kind` must be Role or ClusterRole, found {found}");
                self.error(spot, message, None);
            }
        }
        for subject in body.list("subjects") {
            let ours = subject.text_at("namespace").is_none_or(stand_in::within);
            if subject.text_at("kind") == Some("ServiceAccount") && ours {
                self.wants_node("ServiceAccount", subject.get("name"));
            }
        }
    }

    fn scaled(&mut self, body: &Node) {
        let Some(target) = body.at(&["spec", "scaleTargetRef"]) else {
            return;
        };
        let kind = target.text_at("kind").unwrap_or_default().to_owned();
        self.wants_node(&kind, target.get("name"));
    }

    fn ingress(&mut self, body: &Node) {
        let Some(spec) = body.get("spec") else { return };
        let mut backends: Vec<&Node> = spec.get("defaultBackend").into_iter().collect();
        for rule in spec.list("rules") {
            let paths = rule.get("http").map_or(&[][..], |http| http.list("paths"));
            backends.extend(paths.iter().filter_map(|path| path.get("backend")));
        }
        for backend in backends {
            self.wants_node("Service", backend.at(&["service", "name"]));
            self.backend_port(backend);
        }
        // Certificate managers write these Secrets themselves.
        let annotations = body
            .at(&["metadata", "annotations"])
            .map_or(&[][..], Node::entries);
        if annotations
            .iter()
            .any(|entry| entry.key.starts_with("cert-manager.io/"))
        {
            return;
        }
        for tls in spec.list("tls") {
            self.wants_node("Secret", tls.get("secretName"));
        }
    }

    fn backend_port(&mut self, backend: &Node) {
        let Some(name) = backend.at(&["service", "name"]).and_then(Node::text) else {
            return;
        };
        let Some(port) = backend.at(&["service", "port"]) else {
            return;
        };
        let Some(target) = self.target("Service", name) else {
            return;
        };
        let ports = target
            .body
            .get("spec")
            .map_or(&[][..], |spec| spec.list("ports"));
        for (key, theirs) in [("name", "name"), ("number", "port")] {
            let Some(node) = port.get(key) else { continue };
            let wanted = node.to_json();
            let found = ports
                .iter()
                .any(|p| p.get(theirs).is_some_and(|n| n.to_json() == wanted));
            if !found {
                let message = format!("Service `{}` has no port {wanted}", stand_in::shown(name));
                self.error(node.spot, message, None);
            }
        }
    }
}

/// Whether every cluster has the object of its own accord.
fn is_everywhere(kind: &str, name: &str) -> bool {
    match kind {
        "ServiceAccount" => name == "default",
        "ConfigMap" => name == "kube-root-ca.crt",
        "ClusterRole" => {
            matches!(name, "cluster-admin" | "admin" | "edit" | "view")
                || (name.starts_with("system:") && names::path_segment(name).is_ok())
        }
        _ => false,
    }
}
