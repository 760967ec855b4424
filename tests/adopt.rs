//! Objects that somebody else made are taken over when a person says so.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Cluster, Jsorc};

const LONG: Duration = Duration::from_secs(60);

const SERVICE: &str = "driver: none\n";
const THEIRS: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {same: \"1\", other: theirs, extra: \"1\"}
";
const OURS: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {same: \"1\", other: ours, mine: \"1\"}
";

struct Site {
    cluster: &'static Cluster,
    jsorc: Jsorc,
}

impl Site {
    /// A service that wants a `ConfigMap`, in a namespace that is there.
    fn new(prefix: &str) -> Self {
        let cluster = Cluster::shared();
        let jsorc = Jsorc::on(cluster, prefix)
            .services(&[("one/service.yaml", SERVICE), ("one/kube/one.yaml", OURS)])
            .set("JSORC_INTERVAL", "10m");
        cluster.kubectl(["create", "namespace", &jsorc.namespace]);
        Self { cluster, jsorc }
    }

    fn kubectl(&self, args: &[&str]) -> String {
        self.cluster
            .as_admin()
            .run(&[args, &["-n", &self.jsorc.namespace]].concat())
    }

    fn apply_theirs(&self, args: &[&str]) {
        let all = [&["apply", "-n", &self.jsorc.namespace, "-f", "-"], args].concat();
        self.cluster.as_admin().run_with(&all, THEIRS);
    }

    fn object(&self) -> Value {
        let json = [
            "get",
            "configmap",
            "one",
            "-o",
            "json",
            "--show-managed-fields",
        ];
        serde_json::from_str(&self.kubectl(&json)).unwrap()
    }

    fn managers(&self) -> Vec<String> {
        let object = self.object();
        let entries = object["metadata"]["managedFields"].as_array().unwrap();
        entries
            .iter()
            .map(|entry| {
                let text = |key: &str| entry[key].as_str().unwrap().to_owned();
                format!("{} {}", text("manager"), text("operation"))
            })
            .collect()
    }

    fn ours(&self) -> String {
        format!("jsorc.{}.it Apply", self.jsorc.namespace)
    }
}

#[test]
fn what_client_side_apply_keeps_becomes_ours_and_later_goes_with_the_manifest() {
    let site = Site::new("inherit");
    site.apply_theirs(&[]);
    let before = site.object();
    let blocked = site.jsorc.run(&["plan"]).expect(0).stdout;
    assert!(blocked.contains("jsorc adopt ConfigMap/one"), "{blocked}");

    let adopted = site.jsorc.run(&["adopt", "ConfigMap/one"]).expect(0);
    assert!(
        adopted.stdout.contains("kubectl-client-side-apply")
            && adopted.stdout.contains("jsorc plan one"),
        "{}",
        adopted.stdout
    );
    let after = site.object();
    assert_eq!(after["data"], before["data"], "no value changes");
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(after["metadata"]["annotations"], Value::Null);
    assert_eq!(site.managers(), [site.ours()]);

    // The plan has the real differences, and nothing else.
    let plan = site.jsorc.run(&["plan", "-o", "json"]).expect(0).json();
    let fields = plan["steps"][0]["fields"].as_array().unwrap().iter();
    let mut paths: Vec<&str> = fields
        .map(|field| field["path"].as_str().unwrap())
        .collect();
    paths.sort_unstable();
    assert_eq!(paths, ["data.extra", "data.mine", "data.other"], "{plan}");
    assert_eq!(site.object()["data"], before["data"]);

    site.jsorc.run(&["apply"]).expect(0);
    let wanted = serde_json::json!({"same": "1", "other": "ours", "mine": "1"});
    assert_eq!(site.object()["data"], wanted);
    // What leaves the manifest now has no other owner that would hold it.
    let less = OURS.replace("same: \"1\", ", "");
    site.jsorc.file("services/one/kube/one.yaml", &less);
    site.jsorc.run(&["apply"]).expect(0);
    let wanted = serde_json::json!({"other": "ours", "mine": "1"});
    assert_eq!(site.object()["data"], wanted);
    site.jsorc.run(&["plan", "--exit-code"]).expect(0);

    let again = site.jsorc.run(&["adopt", "configmap/one"]).expect(0);
    assert!(
        again.stdout.contains("was adopted before"),
        "{}",
        again.stdout
    );
}

#[test]
fn what_is_wanted_already_needs_no_change_and_a_running_daemon_goes_on_with_it() {
    let site = Site::new("same");
    site.jsorc.file("services/one/kube/one.yaml", THEIRS);
    site.apply_theirs(&["--server-side", "--field-manager=kubectl"]);
    let daemon = site.jsorc.daemon();
    daemon.wait_for("one", "Failed", LONG);
    site.jsorc.run(&["adopt", "ConfigMap/one"]).expect(0);
    daemon.wait_for("one", "Running", LONG);
    assert_eq!(site.managers(), [site.ours()]);
    site.jsorc.run(&["plan", "--exit-code"]).expect(0);
    // It is healed like any other.
    site.kubectl(&["delete", "configmap", "one"]);
    daemon.wait_for_log("healed ConfigMap/one: was deleted", LONG);
}

#[test]
fn what_a_tool_owns_is_adopted_only_after_a_yes_and_the_fields_of_people_stay_theirs() {
    let site = Site::new("owned");
    site.apply_theirs(&["--server-side", "--field-manager=helm"]);
    site.kubectl(&[
        "annotate",
        "configmap/one",
        "meta.helm.sh/release-name=shop",
    ]);
    let patch = r#"{"data":{"beside":"1"}}"#;
    site.kubectl(&["patch", "configmap/one", "--type=merge", "-p", patch]);
    let before = site.object();
    let refused = site.jsorc.run(&["adopt", "ConfigMap/one"]).expect(1);
    assert!(
        refused.stderr.contains("the Helm release shop") && refused.stderr.contains("--yes"),
        "{}",
        refused.stderr
    );
    assert_eq!(site.object(), before);

    let adopted = site
        .jsorc
        .run(&["adopt", "ConfigMap/one", "--yes", "-o", "json"]);
    let adopted = adopted.expect(0).json();
    assert_eq!(adopted["objects"][0]["owner"], "the Helm release shop");
    assert_eq!(adopted["objects"][0]["from"][0], "helm");
    site.jsorc.run(&["apply"]).expect(0);
    let data = site.object()["data"].clone();
    let wanted = serde_json::json!({"same": "1", "other": "ours", "mine": "1", "beside": "1"});
    assert_eq!(data, wanted, "what kubectl-patch added is nobody else's");
}

#[test]
fn only_what_a_service_wants_and_what_is_there_can_be_adopted() {
    let site = Site::new("wanted");
    let unknown = site.jsorc.run(&["adopt", "ConfigMap/on"]).expect(2);
    assert!(
        unknown.stderr.contains("did you mean `ConfigMap/one`?"),
        "{}",
        unknown.stderr
    );
    let missing = site.jsorc.run(&["adopt", "ConfigMap/one"]).expect(2);
    assert!(
        missing.stderr.contains("`jsorc apply one` creates it"),
        "{}",
        missing.stderr
    );
    let home = format!("Namespace/{}", site.jsorc.namespace);
    let namespace = site.jsorc.run(&["adopt", &home]).expect(2);
    assert!(
        namespace.stderr.contains("used as it is"),
        "{}",
        namespace.stderr
    );
}
