//! Services are left running as they are, and forgotten.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Cluster, Jsorc};

const SOON: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(60);

const SERVICE: &str = "driver: none\n";
const WEB: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: web, labels: {app: web}}
data: {a: \"1\"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: \"web:1\", envFrom: [{configMapRef: {name: web}}]}
";

struct Site {
    cluster: &'static Cluster,
    jsorc: Jsorc,
}

impl Site {
    fn applied(prefix: &str) -> Self {
        let cluster = Cluster::shared();
        let jsorc = Jsorc::on(cluster, prefix)
            .services(&[("web/service.yaml", SERVICE), ("web/kube/web.yaml", WEB)])
            .set("JSORC_INTERVAL", "10m");
        jsorc.run(&["apply"]).expect(0);
        Self { cluster, jsorc }
    }

    fn kubectl(&self, args: &[&str]) -> String {
        self.cluster
            .as_admin()
            .run(&[args, &["-n", &self.jsorc.namespace]].concat())
    }

    fn object(&self, object: &str) -> Value {
        let args = ["get", object, "-o", "json", "--show-managed-fields"];
        serde_json::from_str(&self.kubectl(&args)).unwrap()
    }

    /// Whether anything on the object says that it is ours.
    #[track_caller]
    fn assert_not_ours(object: &Value) {
        let managers = object["metadata"]["managedFields"].to_string();
        assert!(!managers.contains("\"jsorc."), "{managers}");
        let labels = object["metadata"]["labels"].to_string();
        assert!(
            !labels.contains("jsorc") && !labels.contains("applyset"),
            "{labels}"
        );
    }
}

#[test]
fn a_released_service_runs_on_and_nobody_puts_it_right_any_more() {
    let site = Site::applied("release");
    let daemon = site.jsorc.daemon();
    daemon.wait_for("web", "Running", LONG);
    let before = [site.object("deployment/web"), site.object("configmap/web")];
    let released = site.jsorc.run(&["release", "web"]).expect(0).stdout;
    assert!(released.contains("released 2 objects"), "{released}");
    for (before, name) in before.iter().zip(["deployment/web", "configmap/web"]) {
        let after = site.object(name);
        Site::assert_not_ours(&after);
        assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
        for part in ["spec", "data"] {
            assert_eq!(after[part], before[part]);
        }
    }
    assert_eq!(
        site.object("configmap/web")["metadata"]["labels"],
        json!({"app": "web"})
    );
    let generation = |object: &Value| object["metadata"]["generation"].clone();
    assert_eq!(
        generation(&site.object("deployment/web")),
        generation(&before[0])
    );
    let inventories = site.kubectl(&["get", "configmaps", "-o", "name"]);
    assert!(!inventories.contains("it.web"), "{inventories}");

    let status = daemon.wait_for("web", "Disabled", SOON);
    assert!(
        status["reason"]
            .as_str()
            .unwrap()
            .contains("released by admin"),
        "{status}"
    );
    site.kubectl(&["scale", "deployment/web", "--replicas=5"]);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(site.object("deployment/web")["spec"]["replicas"], 5);
    drop(daemon);

    // It can be taken back, object by object.
    site.jsorc.run(&["resume", "web"]).expect(0);
    let plan = site.jsorc.run(&["plan", "web"]).expect(0).stdout;
    assert!(plan.contains("jsorc adopt Deployment/web"), "{plan}");
    site.jsorc
        .run(&["adopt", "Deployment/web", "ConfigMap/web"])
        .expect(0);
    site.jsorc.run(&["apply", "web", "--takeover"]).expect(0);
    assert_eq!(site.object("deployment/web")["spec"]["replicas"], 2);
    site.jsorc.run(&["plan", "--exit-code"]).expect(0);
}

#[test]
fn what_was_ours_becomes_anothers_who_can_then_take_fields_away() {
    let site = Site::applied("to");
    let released = site
        .jsorc
        .run(&["release", "--to", "kubectl", "-o", "json"])
        .expect(0)
        .json();
    assert_eq!(released["to"], "kubectl");
    assert_eq!(released["released"].as_array().unwrap().len(), 2);
    let map = site.object("configmap/web");
    Site::assert_not_ours(&map);
    assert_eq!(map["metadata"]["managedFields"][0]["manager"], "kubectl");
    // Its apply without a field takes that field away: it owns it.
    let less = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {b: \"2\"}\n";
    let apply = [
        "apply",
        "--server-side",
        "-n",
        &site.jsorc.namespace,
        "-f",
        "-",
    ];
    site.cluster.as_admin().run_with(&apply, less);
    let map = site.object("configmap/web");
    assert_eq!(map["data"], json!({"b": "2"}));
    assert_eq!(map["metadata"]["labels"], Value::Null);
}

#[test]
fn what_is_not_ours_is_not_touched() {
    let site = Site::applied("strange");
    site.kubectl(&["delete", "configmap", "web"]);
    site.kubectl(&["create", "configmap", "web", "--from-literal=theirs=1"]);
    let before = site.object("configmap/web");
    site.jsorc.run(&["release", "web"]).expect(0);
    assert_eq!(site.object("configmap/web"), before);
    let itself = format!("jsorc.{}.it", site.jsorc.namespace);
    let refused = site
        .jsorc
        .run(&["release", "web", "--to", &itself])
        .expect(2);
    assert!(
        refused.stderr.contains("this instance itself"),
        "{}",
        refused.stderr
    );
}
