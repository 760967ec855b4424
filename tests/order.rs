//! What has to come first comes first, and what waits for it goes on by the event, not by a tick:
//! the interval is longer than any test.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::support::{AuditEntry, Cluster, Jsorc, eventually};

const SOON: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(60);
const NEVER: &str = "10m";

/// A Deployment whose pods take some seconds to be ready.
fn slow(name: &str, replicas: u32) -> String {
    format!(
        "---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}, annotations: {{rig.jsorc.dev/ready-after: 3s}}}}
    spec: {{containers: [{{name: main, image: \"main:1\"}}]}}
"
    )
}

const HOOK: &str = "---
apiVersion: v1
kind: Service
metadata: {name: gate}
spec: {selector: {app: gate}, ports: [{port: 443}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: \"gate-$g{namespace}\"}
webhooks:
- name: gate.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  timeoutSeconds: 1
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: \"$g{namespace}\"}}
  rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods], operations: [CREATE]}]
  clientConfig: {service: {name: gate, namespace: \"$g{namespace}\", path: /}}
";

fn jsorc(cluster: &Cluster, prefix: &str, files: &[(&str, &str)]) -> Jsorc {
    Jsorc::on(cluster, prefix)
        .services(files)
        .set("JSORC_INTERVAL", NEVER)
}

fn live(cluster: &Cluster, jsorc: &Jsorc, objects: &str) -> Option<Value> {
    let arguments = ["get", objects, "-n", &jsorc.namespace, "-o", "json"];
    let output = cluster.as_admin().output(&arguments);
    output
        .status
        .success()
        .then(|| serde_json::from_slice(&output.stdout).unwrap())
}

/// When a write of an object was asked for the last time.
fn asked(entries: &[AuditEntry], is_it: impl Fn(&AuditEntry) -> bool) -> Timestamp {
    last(entries, is_it).time.parse().unwrap()
}

/// When the last write of this sort was answered.
fn answered(entries: &[AuditEntry], is_it: impl Fn(&AuditEntry) -> bool) -> Timestamp {
    last(entries, is_it).answered.parse().unwrap()
}

fn last(entries: &[AuditEntry], is_it: impl Fn(&AuditEntry) -> bool) -> &AuditEntry {
    let done = |entry: &&AuditEntry| entry.is_write() && matches!(entry.code, 200 | 201);
    let mut done = entries.iter().filter(done);
    done.rfind(|entry| is_it(entry)).unwrap()
}

#[test]
fn a_webhook_comes_after_those_who_answer_it_and_blocks_no_pod_of_ours() {
    let cluster = Cluster::shared();
    let table = format!("{HOOK}{}{}", slow("gate", 2), slow("worker", 1));
    let files = [
        // In the file it stands before everything.
        ("gate/service.yaml", "driver: none\n"),
        ("gate/kube/gate.yaml", &table),
    ];
    let jsorc = jsorc(cluster, "webhook", &files);
    let mark = cluster.audit().mark();
    let daemon = jsorc.daemon();
    let hook = format!("validatingwebhookconfiguration/gate-{}", jsorc.namespace);
    eventually("the webhook", LONG, || live(cluster, &jsorc, &hook));
    // Nothing answers it here, so whatever came later than it would be refused.
    for (name, replicas) in [("gate", 2), ("worker", 1)] {
        let found = live(cluster, &jsorc, &format!("deployment/{name}")).unwrap();
        assert_eq!(found["status"]["readyReplicas"], replicas, "{found}");
    }
    daemon.wait_for("gate", "Running", SOON);
    let entries = cluster.audit().since(mark);
    let applied = asked(&entries, |entry| {
        entry.name == format!("gate-{}", jsorc.namespace) && entry.verb == "patch"
    });
    let reachable = answered(&entries, |entry| {
        entry.resource == "endpointslices" && entry.namespace == jsorc.namespace
    });
    assert!(reachable <= applied, "{reachable} and {applied}");
    let late = ["run", "late", "--image=x", "--dry-run=server", "-n"];
    let late = [&late[..], &[&jsorc.namespace]].concat();
    eventually("the webhook in force", SOON, || {
        let output = cluster.as_admin().output(&late);
        String::from_utf8_lossy(&output.stderr)
            .contains("gate.example.com")
            .then_some(())
    });
    assert_eq!(daemon.stop(), 0);
    cluster.kubectl(["delete", &hook]);
}

#[test]
fn a_webhook_that_pods_of_another_service_answer_waits_for_them() {
    let cluster = Cluster::shared();
    let files = [
        ("gate/service.yaml", "driver: none\n"),
        ("gate/kube/gate.yaml", HOOK),
        ("pods/service.yaml", "driver: none\n"),
        ("pods/kube/pods.yaml", &*slow("gate", 1)),
    ];
    let jsorc = jsorc(cluster, "afar", &files);
    let daemon = jsorc.daemon();
    let hook = format!("validatingwebhookconfiguration/gate-{}", jsorc.namespace);
    eventually("the webhook", LONG, || live(cluster, &jsorc, &hook));
    let found = live(cluster, &jsorc, "deployment/gate").unwrap();
    assert_eq!(found["status"]["readyReplicas"], 1, "{found}");
    daemon.wait_for("gate", "Running", SOON);
    assert_eq!(daemon.stop(), 0);
    cluster.kubectl(["delete", &hook]);
}

#[test]
fn a_custom_resource_follows_its_definition_at_once() {
    let cluster = Cluster::shared();
    let group = format!("{}.example.com", cluster.namespace("order"));
    let table = format!(
        "apiVersion: {group}/v1
kind: Thing
metadata: {{name: thing}}
spec: {{size: 1}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: things.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Thing, plural: things, singular: thing}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
"
    );
    let files = [
        ("things/service.yaml", "driver: none\n"),
        ("things/kube/things.yaml", table.as_str()),
    ];
    let jsorc = jsorc(cluster, "crd", &files);
    let mark = cluster.audit().mark();
    let daemon = jsorc.daemon();
    daemon.wait_for("things", "Running", LONG);
    let entries = cluster.audit().since(mark);
    let definition = format!("things.{group}");
    let established = answered(&entries, |entry| {
        entry.name == definition && entry.uri.ends_with("/status")
    });
    let is_thing = |entry: &AuditEntry| entry.resource == "things" && entry.name == "thing";
    let (sent, there) = (asked(&entries, is_thing), answered(&entries, is_thing));
    assert!(established <= sent, "{established} and {sent}");
    let millis = |from: Timestamp, to: Timestamp| (to - from).total(jiff::Unit::Millisecond);
    println!(
        "custom resource: asked for {:.1} ms after its definition was established, there after {:.1} ms",
        millis(established, sent).unwrap(),
        millis(established, there).unwrap(),
    );
    assert_eq!(daemon.stop(), 0);
    cluster.kubectl(["delete", "crd", &definition]);
}

#[test]
fn an_object_that_waits_for_a_workload_is_woken_by_it() {
    let cluster = Cluster::shared();
    let table = format!(
        "apiVersion: v1
kind: ConfigMap
metadata: {{name: after, annotations: {{jsorc.dev/after: Deployment/slow}}}}
data: {{a: \"1\"}}
{}",
        slow("slow", 1)
    );
    let files = [
        ("web/service.yaml", "driver: none\n"),
        ("web/kube/web.yaml", table.as_str()),
    ];
    let jsorc = jsorc(cluster, "woken", &files);
    let daemon = jsorc.daemon();
    let waiting = daemon.wait_for("web", "Applying", LONG);
    eventually("its reason", SOON, || {
        let status = daemon.service("web")?;
        let reason = status["reason"].as_str()?;
        reason
            .contains("ConfigMap/after waits for Deployment/slow")
            .then_some(())
    });
    assert!(
        live(cluster, &jsorc, "configmap/after").is_none(),
        "{waiting}"
    );
    eventually("what waits", SOON, || {
        live(cluster, &jsorc, "configmap/after")
    });
    let first = live(cluster, &jsorc, "deployment/slow").unwrap();
    assert_eq!(first["status"]["readyReplicas"], 1);
    daemon.wait_for("web", "Running", SOON);
}

#[test]
fn a_service_waits_until_the_one_that_it_depends_on_runs() {
    let cluster = Cluster::shared();
    let files = [
        ("base/service.yaml", "driver: none\n"),
        ("base/kube/base.yaml", &*slow("base", 1)),
        ("web/service.yaml", "driver: none\ndepends_on: [base]\n"),
        (
            "web/kube/web.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: \"1\"}\n",
        ),
    ];
    let jsorc = jsorc(cluster, "depends", &files);
    let daemon = jsorc.daemon();
    daemon.wait_for("base", "Settling", LONG);
    let waiting = daemon.wait_for("web", "Waiting", SOON);
    assert!(
        waiting["reason"]
            .as_str()
            .unwrap()
            .contains("service base is"),
        "{waiting}"
    );
    assert!(live(cluster, &jsorc, "configmap/web").is_none());
    eventually("what depends on it", SOON, || {
        live(cluster, &jsorc, "configmap/web")
    });
    let status = daemon.service("base").unwrap();
    assert_eq!(status["phase"], "Running", "{status}");
    daemon.wait_for("web", "Running", SOON);
}
