//! `deploy/`: how jsorc itself is deployed, in namespaces of this test.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};

use crate::support::{Cluster, Jsorc, eventually};

const LONG: Duration = Duration::from_secs(60);
const FILES: [&str; 3] = ["jsorc.yaml", "rbac.yaml", "bindings.yaml"];

/// The manifests with their two namespaces renamed, which renames what is cluster-wide too.
struct Deployed {
    home: String,
    services: String,
}

impl Deployed {
    fn new(cluster: &Cluster) -> Self {
        let (home, services) = (cluster.namespace("home"), cluster.namespace("backing"));
        Self { home, services }
    }

    fn text(&self, file: &str) -> String {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy"));
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        text.replace("jsorc-system", &self.home)
            .replace("backing-services", &self.services)
    }

    /// Applies everything and gives what kubectl said beside its results.
    fn apply(&self, cluster: &Cluster) -> String {
        let folder = Jsorc::alone("deploy");
        let mut said = String::new();
        for file in FILES {
            let path = folder.file(file, &self.text(file)).display().to_string();
            let output = cluster.as_admin().output(&["apply", "-f", &path]);
            let warnings = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "{file}: {warnings}");
            said.push_str(&warnings);
        }
        said
    }

    /// The configuration that the pod finds in its ConfigMap.
    fn configuration(&self, cluster: &Cluster) -> String {
        let path = "jsonpath={.data.jsorc\\.yaml}";
        cluster.kubectl(["-n", &self.home, "get", "configmap", "jsorc", "-o", path])
    }

    /// A kubeconfig with the rights that the pod has.
    fn kubeconfig(&self, cluster: &Cluster) -> String {
        let token = cluster.kubectl(["-n", &self.home, "create", "token", "jsorc"]);
        let view = ["config", "view", "--raw", "--flatten", "-o", "json"];
        let mut config: Value = serde_json::from_str(&cluster.kubectl(view)).unwrap();
        config["users"] = json!([{"name": "pod", "user": {"token": token.trim()}}]);
        config["contexts"][0]["context"]["user"] = json!("pod");
        config.to_string()
    }
}

#[test]
fn the_pod_is_admitted_under_the_restricted_standard_without_a_warning() {
    let cluster = Cluster::shared();
    let deployed = Deployed::new(cluster);
    let warnings = deployed.apply(cluster);
    assert_eq!(warnings, "");
    let label = "jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}";
    let enforced = cluster.kubectl(["get", "namespace", &deployed.home, "-o", label]);
    assert_eq!(enforced, "restricted");
    eventually("a ready pod", LONG, || {
        let path = "jsonpath={.status.readyReplicas}";
        let args = [
            "-n",
            &deployed.home,
            "get",
            "deployment",
            "jsorc",
            "-o",
            path,
        ];
        (cluster.kubectl(args) == "1").then_some(())
    });
    // The standard is enforced here, so that being admitted means something.
    let open = ["-n", &deployed.home, "run", "open", "--image=open:1"];
    assert!(!cluster.as_admin().output(&open).status.success());
}

#[test]
fn the_rights_are_those_that_the_program_prints_for_the_configuration() {
    let cluster = Cluster::shared();
    let deployed = Deployed::new(cluster);
    deployed.apply(cluster);
    let jsorc = Jsorc::on(cluster, "rights")
        .without("JSORC_NAMESPACE")
        .without("JSORC_INSTANCE__NAME");
    let file = jsorc.file("jsorc.yaml", &deployed.configuration(cluster));
    let file = file.display().to_string();
    let printed = jsorc.run(&["rbac", "--config", &file]).expect(0).stdout;
    // YAML that wraps lines does so by their length, which the namespaces' names change.
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(words(&printed), words(&deployed.text("rbac.yaml")));
}

#[test]
fn the_rights_are_enough_to_apply_every_object() {
    let cluster = Cluster::shared();
    let deployed = Deployed::new(cluster);
    deployed.apply(cluster);
    let jsorc = Jsorc::on(cluster, "pod")
        .without("JSORC_NAMESPACE")
        .without("JSORC_INSTANCE__NAME")
        // Another test's node exporter has the port of the nodes.
        .set(
            "JSORC_SERVICES__PROMON__PARAMETERS__NODE_EXPORTER_PORT",
            "19100",
        );
    let file = jsorc.file("jsorc.yaml", &deployed.configuration(cluster));
    let access = jsorc.file("kubeconfig", &deployed.kubeconfig(cluster));
    let jsorc = jsorc
        .set("JSORC_CONFIG", file.display().to_string())
        .set("KUBECONFIG", access.display().to_string());
    let daemon = jsorc.daemon();
    for service in ["promon", "redis"] {
        eventually(&format!("all objects of {service}"), LONG, || {
            let status = daemon.service(service)?;
            let objects = &status["objects"];
            (objects["total"].as_u64()? > 0 && objects["current"] == objects["total"]).then_some(())
        });
    }
    let log = daemon.log();
    assert!(
        log.contains(&format!("system:serviceaccount:{}:jsorc", deployed.home)),
        "{log}"
    );
    let inventories = ["-n", &deployed.home, "get", "configmaps", "-o", "name"];
    let named = cluster.kubectl(inventories);
    assert!(named.contains("configmap/jsorc.redis"), "{named}");
}
