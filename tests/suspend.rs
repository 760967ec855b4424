//! Services and objects that are left alone because somebody said so.

use std::{
    io::ErrorKind,
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::Value;

use crate::support::{Cluster, Daemon, Jsorc, eventually};

const SOON: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(60);
/// Longer than any test: whatever happens was not brought by the interval.
const NEVER: &str = "10m";

const SERVICE: &str = "driver: none\n";
const MAPS: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {a: \"1\"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two}
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

    /// Two services with maps, kept alive.
    fn kept(prefix: &str) -> (Self, Daemon) {
        let site = Self::new(
            prefix,
            &[
                ("web/service.yaml", SERVICE),
                ("web/kube/web.yaml", MAPS),
                ("more/service.yaml", SERVICE),
                ("more/kube/more.yaml", MORE),
            ],
        );
        let daemon = site.jsorc.daemon();
        daemon.wait_for("web", "Running", LONG);
        daemon.wait_for("more", "Running", LONG);
        (site, daemon)
    }

    fn kubectl(&self, args: &[&str]) -> String {
        self.cluster
            .as_admin()
            .run(&[args, &["-n", &self.jsorc.namespace]].concat())
    }

    fn value(&self, map: &str) -> String {
        self.kubectl(&["get", "configmap", map, "-o", "jsonpath={.data.a}"])
    }

    fn set(&self, map: &str, value: &str) {
        let patch = format!("{{\"data\":{{\"a\":\"{value}\"}}}}");
        self.kubectl(&["patch", "configmap", map, "--type=merge", "-p", &patch]);
    }

    fn until(&self, map: &str, value: &str) {
        eventually(&format!("{map} = {value}"), SOON, || {
            (self.value(map) == value).then_some(())
        });
    }

    /// What somebody does to the other service is put right, so whatever came before was seen.
    fn pass(&self) {
        self.set("more", "theirs");
        self.until("more", "1");
    }
}

fn reason(service: &Value) -> &str {
    service["reason"].as_str().unwrap_or("")
}

#[test]
fn a_suspended_service_is_not_written_until_it_is_resumed_whoever_restarts() {
    let (site, daemon) = Site::kept("suspend");
    let told = site
        .jsorc
        .run(&["suspend", "web", "--reason", "a migration"])
        .expect(0);
    assert!(told.stdout.contains("jsorc resume web"), "{}", told.stdout);
    let suspended = daemon.wait_for("web", "Suspended", Duration::from_secs(5));
    assert!(
        reason(&suspended).contains("a migration") && reason(&suspended).contains("by admin"),
        "{suspended}"
    );
    assert_eq!(suspended["state"], "NOT_STARTED");
    site.set("one", "theirs");
    site.kubectl(&["delete", "configmap", "two"]);
    daemon.wait_for_log("ConfigMap/one is not as applied", SOON);
    site.pass();
    assert_eq!(site.value("one"), "theirs");
    assert!(
        !site
            .kubectl(&["get", "configmaps", "-o", "name"])
            .contains("configmap/two")
    );

    // A left object is not deleted, and a new one is not made.
    site.jsorc
        .file("services/web/kube/web.yaml", &MAPS.replace("two", "three"));
    daemon.wait_for_log("files changed", SOON);
    site.pass();
    drop(daemon);
    let daemon = site.jsorc.daemon();
    daemon.wait_for("web", "Suspended", LONG);
    daemon.wait_for("more", "Running", LONG);
    site.pass();
    assert_eq!(site.value("one"), "theirs");

    let status = site.jsorc.run(&["status"]).expect(0).stdout;
    assert!(
        status.contains("Suspended") && status.contains("a migration"),
        "{status}"
    );
    let resumed = site.jsorc.run(&["resume", "web"]).expect(0);
    assert!(resumed.stdout.contains("web"), "{}", resumed.stdout);
    daemon.wait_for("web", "Running", SOON);
    site.until("one", "1");
    assert_eq!(site.value("three"), "1");
}

#[test]
fn a_suspension_ends_by_itself() {
    let (site, daemon) = Site::kept("for");
    site.jsorc.run(&["suspend", "web", "--for", "6s"]).expect(0);
    daemon.wait_for("web", "Suspended", Duration::from_secs(5));
    site.set("one", "theirs");
    site.pass();
    assert_eq!(site.value("one"), "theirs");
    site.until("one", "1");
    daemon.wait_for("web", "Running", SOON);
    // The next order sweeps the one that ended away.
    let orders = site
        .jsorc
        .run(&["suspend", "more", "-o", "json"])
        .expect(0)
        .json();
    assert_eq!(orders["orders"].as_array().unwrap().len(), 1, "{orders}");
}

#[test]
fn all_services_are_suspended_at_once_and_a_plan_and_an_apply_say_so() {
    let (site, daemon) = Site::kept("all");
    site.jsorc.run(&["suspend", "--all"]).expect(0);
    daemon.wait_for("web", "Suspended", Duration::from_secs(5));
    daemon.wait_for("more", "Suspended", Duration::from_secs(5));
    drop(daemon);
    site.set("more", "theirs");
    let plan = site.jsorc.run(&["plan", "more"]).expect(0).stdout;
    assert!(
        plan.contains("suspended by admin") && plan.contains("data.a"),
        "{plan}"
    );
    let applied = site.jsorc.run(&["apply", "--takeover"]).expect(1);
    assert!(
        applied.stderr.contains("more is not applied: suspended")
            && applied.stderr.contains("jsorc resume"),
        "{}",
        applied.stderr
    );
    assert_eq!(site.value("more"), "theirs");
    let refused = site.jsorc.run(&["resume", "more"]).expect(2);
    assert!(
        refused.stderr.contains("jsorc resume --all"),
        "{}",
        refused.stderr
    );
    site.jsorc.run(&["resume", "--all"]).expect(0);
    site.jsorc.run(&["apply", "--takeover"]).expect(0);
    assert_eq!(site.value("more"), "1");
}

#[test]
fn a_suspended_service_is_probed_all_the_same() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let probes = Arc::new(AtomicUsize::new(0));
    let counted = probes.clone();
    std::thread::spawn(move || {
        while !matches!(listener.accept(), Err(error) if error.kind() != ErrorKind::Interrupted) {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let service = format!(
        "driver: tcp\nconfig: {{host: 127.0.0.1, port: {port}}}\nprobe: {{interval: 1s}}\n"
    );
    let site = Site::new(
        "probed",
        &[("web/service.yaml", &service), ("web/kube/web.yaml", MAPS)],
    );
    let daemon = site.jsorc.daemon();
    // It answers before there is a Lease; its objects come after that.
    eventually("the objects", LONG, || {
        (daemon.service("web")?["objects"]["current"] == 2).then_some(())
    });
    daemon.wait_for("web", "Running", LONG);
    site.jsorc.run(&["suspend", "web"]).expect(0);
    let suspended = daemon.wait_for("web", "Suspended", Duration::from_secs(5));
    assert!(reason(&suspended).contains("Running"), "{suspended}");
    let before = probes.load(Ordering::Relaxed);
    eventually("two more probes", SOON, || {
        (probes.load(Ordering::Relaxed) >= before + 2).then_some(())
    });
}

#[test]
fn an_object_that_says_so_itself_is_left_alone_and_shown() {
    let (site, daemon) = Site::kept("annotated");
    site.kubectl(&[
        "annotate",
        "configmap/one",
        "jsorc.dev/suspend=tried out by ann",
    ]);
    site.set("one", "theirs");
    site.set("two", "theirs");
    site.until("two", "1");
    site.pass();
    assert_eq!(site.value("one"), "theirs");
    let status = daemon.wait_for("web", "Running", SOON);
    let alone = &status["suspended"][0];
    assert_eq!(alone["object"]["name"], "one", "{status}");
    assert!(
        alone["reason"]
            .as_str()
            .unwrap()
            .contains("tried out by ann"),
        "{status}"
    );
    let shown = site.jsorc.run(&["status", "-v"]).expect(0).stdout;
    assert!(
        shown.contains("1 left alone") && shown.contains("tried out by ann"),
        "{shown}"
    );
    let plan = site.jsorc.run(&["plan", "--exit-code"]).expect(0).stdout;
    assert!(plan.contains("tried out by ann"), "{plan}");
    let applied = site.jsorc.run(&["apply", "--takeover"]).expect(0);
    assert_eq!(site.value("one"), "theirs", "{}", applied.stdout);

    // It left the folder: it is not deleted either.
    let (_, second) = MAPS.split_once("---\n").unwrap();
    site.jsorc.file("services/web/kube/web.yaml", second);
    daemon.wait_for_log("ConfigMap/one stays: left alone", SOON);
    site.jsorc.file("services/web/kube/web.yaml", MAPS);
    site.pass();
    assert_eq!(site.value("one"), "theirs");

    site.kubectl(&["annotate", "configmap/one", "jsorc.dev/suspend-"]);
    site.until("one", "1");
}

#[test]
fn who_suspends_names_a_service_that_there_is() {
    let site = Site::new(
        "names",
        &[("web/service.yaml", SERVICE), ("web/kube/web.yaml", MAPS)],
    );
    let unknown = site.jsorc.run(&["suspend", "wep"]).expect(2);
    assert!(unknown.stderr.contains("`web`"), "{}", unknown.stderr);
    let none = site.jsorc.run(&["suspend"]).expect(2);
    assert!(none.stderr.contains("SERVICE"), "{}", none.stderr);
    let nowhere = site.jsorc.run(&["suspend", "web"]).expect(3);
    assert!(
        nowhere.stderr.contains("was never applied there"),
        "{}",
        nowhere.stderr
    );
}
