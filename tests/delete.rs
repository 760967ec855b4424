//! Services are taken out of the cluster when a person says so, and do not come back.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Cluster, Jsorc, eventually};

const SOON: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(60);
/// Longer than any test: whatever happens was not brought by the interval.
const NEVER: &str = "10m";

const SERVICE: &str = "driver: none\n";
const WEB: &str = "apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {a: \"1\"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      containers:
      - {name: web, image: \"web:1\", envFrom: [{configMapRef: {name: web}}]}
";
const CLAIM: &str = "apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: beside}
data: {a: \"1\"}
";
const MORE: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: more}
data: {a: \"1\"}
";

struct Site {
    cluster: &'static Cluster,
    jsorc: Jsorc,
}

impl Site {
    fn new(prefix: &str, files: &[(&str, &str)]) -> Self {
        let cluster = Cluster::shared();
        let jsorc = Jsorc::on(cluster, prefix)
            .services(files)
            .set("JSORC_INTERVAL", NEVER);
        Self { cluster, jsorc }
    }

    fn kubectl(&self, args: &[&str]) -> String {
        self.cluster
            .as_admin()
            .run(&[args, &["-n", &self.jsorc.namespace]].concat())
    }

    /// What is there of a kind, but for what every namespace has.
    fn names(&self, kinds: &str) -> Vec<String> {
        let names = self.kubectl(&["get", kinds, "-o", "name"]);
        let own = |name: &&str| !name.contains("kube-root-ca") && !name.ends_with("/default");
        names.lines().filter(own).map(str::to_owned).collect()
    }

    fn has(&self, object: &str) -> bool {
        let args = ["get", object, "-n", &self.jsorc.namespace];
        self.cluster.as_admin().output(&args).status.success()
    }
}

/// `Kind/name` of listed objects in a result.
fn listed(result: &Value) -> Vec<String> {
    let objects = result.as_array().unwrap().iter();
    objects
        .map(|one| {
            let object = one.get("object").unwrap_or(one);
            let text = |key: &str| object[key].as_str().unwrap();
            format!("{}/{}", text("kind"), text("name"))
        })
        .collect()
}

#[test]
fn a_deleted_service_stays_away_from_a_daemon_and_its_successor_until_it_is_resumed() {
    let site = Site::new(
        "delete",
        &[
            ("web/service.yaml", SERVICE),
            ("web/kube/web.yaml", WEB),
            ("more/service.yaml", SERVICE),
            ("more/kube/more.yaml", MORE),
        ],
    );
    let daemon = site.jsorc.daemon();
    daemon.wait_for("web", "Running", LONG);
    let refused = site.jsorc.run(&["delete", "web"]).expect(1);
    assert!(
        refused.stderr.contains("3 objects would be deleted") && refused.stderr.contains("--yes"),
        "{}",
        refused.stderr
    );
    assert!(site.has("deployment/web"));

    let deleted = site.jsorc.run(&["delete", "web", "--yes", "-o", "json"]);
    let deleted = deleted.expect(0).json();
    assert_eq!(
        listed(&deleted["deleted"]),
        ["ConfigMap/web", "ServiceAccount/web", "Deployment/web"]
    );
    let away = |site: &Site| {
        let all = site.names("deployments,serviceaccounts,configmaps");
        assert!(!all.iter().any(|name| name.ends_with("/web")), "{all:?}");
        assert!(!all.contains(&"configmap/it.web".to_owned()), "{all:?}");
    };
    away(&site);
    let status = daemon.wait_for("web", "Disabled", SOON);
    assert!(
        status["reason"]
            .as_str()
            .unwrap()
            .contains("deleted by admin"),
        "{status}"
    );
    assert_eq!(status["hint"], "jsorc resume web");
    // The other service is kept alive all the while, by this daemon and by the next.
    let others_live = || {
        site.kubectl(&["delete", "configmap", "more"]);
        eventually("the other service", LONG, || {
            site.has("configmap/more").then_some(())
        });
        away(&site);
    };
    others_live();
    drop(daemon);
    let daemon = site.jsorc.daemon();
    daemon.wait_for("more", "Running", LONG);
    daemon.wait_for("web", "Disabled", SOON);
    others_live();
    let applied = site.jsorc.run(&["apply", "web", "--takeover"]).expect(1);
    assert!(
        applied
            .stderr
            .contains("web is not applied: deleted by admin"),
        "{}",
        applied.stderr
    );
    away(&site);

    site.jsorc.run(&["resume", "web"]).expect(0);
    daemon.wait_for("web", "Running", LONG);
    assert!(site.has("deployment/web") && site.has("configmap/it.web"));
}

#[test]
fn what_needs_others_goes_first_and_the_inventory_last() {
    let cluster = Cluster::start(1);
    let jsorc = Jsorc::on(&cluster, "backwards").services(&[
        ("web/service.yaml", "driver: none\ndepends_on: [base]\n"),
        ("web/kube/web.yaml", WEB),
        ("base/service.yaml", SERVICE),
        ("base/kube/base.yaml", MORE),
    ]);
    jsorc.run(&["apply"]).expect(0);
    let audit = cluster.audit();
    let before = audit.mark();
    let deleted = jsorc.run(&["delete", "base", "web", "--yes"]).expect(0);
    assert!(
        deleted.stdout.contains("deleted 4 objects"),
        "{}",
        deleted.stdout
    );
    let entries = audit.since(before);
    let place = |verb: &str, end: &str| {
        entries
            .iter()
            .position(|entry| {
                entry.agent.starts_with("jsorc/")
                    && entry.verb == verb
                    && entry.uri.split('?').next().unwrap().ends_with(end)
            })
            .unwrap_or_else(|| panic!("no {verb} of {end}"))
    };
    let order = [
        place("create", "/configmaps"),
        place("delete", "/deployments/web"),
        place("delete", "/configmaps/web"),
        place("delete", "/configmaps/more"),
        place("delete", "/configmaps/it.web"),
    ];
    assert!(order.is_sorted(), "{order:?}");
    assert!(place("delete", "/deployments/web") < place("delete", "/serviceaccounts/web"));
}

#[test]
fn what_holds_data_or_is_somebody_elses_is_kept_and_listed() {
    let site = Site::new(
        "kept",
        &[("one/service.yaml", SERVICE), ("one/kube/one.yaml", CLAIM)],
    );
    site.jsorc.run(&["apply"]).expect(0);
    site.kubectl(&["delete", "configmap", "beside"]);
    site.kubectl(&["create", "configmap", "beside", "--from-literal=theirs=1"]);
    let deleted = site.jsorc.run(&["delete", "one", "--yes"]).expect(0).stdout;
    assert!(
        deleted.contains("--allow-delete PersistentVolumeClaim/data")
            && deleted.contains("another object has its name now"),
        "{deleted}"
    );
    assert!(site.has("persistentvolumeclaim/data") && site.has("configmap/beside"));
    assert!(site.has("configmap/it.one"), "the claim is still recorded");

    let allowed = ["--allow-delete", "PersistentVolumeClaim/data"];
    let again = [&["delete", "one", "--yes", "-o", "json"], &allowed[..]].concat();
    let again = site.jsorc.run(&again).expect(0).json();
    assert_eq!(listed(&again["deleted"]), ["PersistentVolumeClaim/data"]);
    assert!(!site.has("persistentvolumeclaim/data") && !site.has("configmap/it.one"));
    assert!(site.has("configmap/beside"));
}

#[test]
fn a_service_that_is_no_longer_in_the_folder_is_deleted_too() {
    let site = Site::new(
        "orphan",
        &[
            ("web/service.yaml", SERVICE),
            ("web/kube/web.yaml", WEB),
            ("more/service.yaml", SERVICE),
            ("more/kube/more.yaml", MORE),
        ],
    );
    site.jsorc.run(&["apply"]).expect(0);
    std::fs::remove_dir_all(site.jsorc.folder().join("services/web")).unwrap();
    let status = site.jsorc.run(&["status"]).expect(0).stdout;
    assert!(status.contains("jsorc delete web"), "{status}");
    site.jsorc.run(&["delete", "web", "--yes"]).expect(0);
    assert!(!site.has("deployment/web") && !site.has("configmap/it.web"));
    assert!(site.has("configmap/more") && site.has("configmap/it.more"));
    let status = site.jsorc.run(&["status"]).expect(0).stdout;
    assert!(!status.contains("web"), "{status}");
    let unknown = site.jsorc.run(&["delete", "mor", "--yes"]).expect(2);
    assert!(unknown.stderr.contains("`more`"), "{}", unknown.stderr);
}

#[test]
fn what_a_finalizer_holds_is_said_and_stays_recorded() {
    let site = Site::new(
        "held",
        &[("one/service.yaml", SERVICE), ("one/kube/one.yaml", MORE)],
    );
    site.jsorc.run(&["apply"]).expect(0);
    let finalizer = r#"{"metadata":{"finalizers":["example.com/hold"]}}"#;
    site.kubectl(&["patch", "configmap/more", "--type=merge", "-p", finalizer]);
    let held = site
        .jsorc
        .run(&["delete", "one", "--yes", "--timeout", "3s"])
        .expect(1);
    assert!(
        held.stdout.contains("ConfigMap/more in namespace")
            && held.stdout.contains("a finalizer holds it"),
        "{}",
        held.stdout
    );
    assert!(site.has("configmap/it.one"));
    let free = r#"{"metadata":{"finalizers":null}}"#;
    site.kubectl(&["patch", "configmap/more", "--type=merge", "-p", free]);
    site.jsorc.run(&["delete", "one", "--yes"]).expect(0);
    assert!(!site.has("configmap/it.one"));
}

#[test]
fn a_service_without_manifests_is_not_kept_alive_any_more() {
    let site = Site::new(
        "bare",
        &[
            ("web/service.yaml", SERVICE),
            ("more/service.yaml", SERVICE),
            ("more/kube/more.yaml", MORE),
        ],
    );
    let daemon = site.jsorc.daemon();
    daemon.wait_for("more", "Running", LONG);
    daemon.wait_for("web", "Running", LONG);
    let told = site.jsorc.run(&["delete", "web"]).expect(0).stdout;
    assert!(told.contains("nothing to delete"), "{told}");
    daemon.wait_for("web", "Disabled", SOON);
    site.jsorc.run(&["resume", "web"]).expect(0);
    daemon.wait_for("web", "Running", SOON);
}

#[test]
fn an_inventory_that_somebody_deletes_is_stored_anew() {
    let site = Site::new(
        "lostbook",
        &[("one/service.yaml", SERVICE), ("one/kube/one.yaml", MORE)],
    );
    let daemon = site.jsorc.daemon();
    daemon.wait_for("one", "Running", LONG);
    eventually("the inventory", SOON, || {
        site.has("configmap/it.one").then_some(())
    });
    site.kubectl(&["delete", "configmap", "it.one"]);
    // The heal is recorded, and the record has no place any more.
    site.kubectl(&["delete", "configmap", "more"]);
    eventually("the inventory anew", SOON, || {
        let args = [
            "get",
            "configmap",
            "it.one",
            "-o",
            "jsonpath={.data.objects}",
        ];
        let stored = site.has("configmap/it.one").then(|| site.kubectl(&args))?;
        stored.contains("\n more ").then_some(())
    });
    daemon.wait_for("one", "Running", SOON);
    drop(daemon);
    site.jsorc.run(&["plan", "--exit-code"]).expect(0);
}
