//! What `jsorc history` tells, and what it costs: nothing.

use std::time::Duration;

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
data: {a: \"1\", b: \"1\"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two}
data: {a: \"1\"}
";
const SECRET: &str = "apiVersion: v1
kind: Secret
metadata: {name: hidden}
stringData: {password: \"$g{password}\"}
";
const CANARY: &str = "canary-7361";

struct Site {
    cluster: &'static Cluster,
    jsorc: Jsorc,
}

impl Site {
    fn new(prefix: &str, files: &[(&str, &str)]) -> Self {
        let cluster = Cluster::shared();
        let jsorc = Jsorc::on(cluster, prefix)
            .services(files)
            .set("JSORC_INTERVAL", NEVER)
            .set("USER", "ann");
        Self { cluster, jsorc }
    }

    fn maps(prefix: &str) -> Self {
        Self::new(
            prefix,
            &[("web/service.yaml", SERVICE), ("web/kube/web.yaml", MAPS)],
        )
    }

    fn daemon(&self) -> Daemon {
        let daemon = self.jsorc.daemon();
        daemon.wait_for("web", "Running", LONG);
        daemon
    }

    fn kubectl(&self, args: &[&str]) -> String {
        self.cluster
            .as_admin()
            .run(&[args, &["-n", &self.jsorc.namespace]].concat())
    }

    fn patch(&self, object: &str, patch: &str) {
        self.kubectl(&["patch", object, "--type=merge", "-p", patch]);
    }

    /// What is stored, from the newest.
    fn entries(&self) -> Vec<Value> {
        let history = self.jsorc.run(&["history", "web", "-o", "json"]);
        let document = history.expect(0).json();
        assert_eq!(document["kind"], "History");
        assert_eq!(document["apiVersion"], "jsorc.dev/v1alpha1");
        let services = document["services"].as_array().unwrap();
        let web = services.iter().find(|chapter| chapter["service"] == "web");
        web.map_or_else(Vec::new, |web| web["entries"].as_array().unwrap().clone())
    }

    /// Waits until an entry of this sort is stored.
    fn until(&self, what: &str, test: impl Fn(&Value) -> bool) -> Value {
        let found = || {
            let entries = self.entries();
            entries
                .into_iter()
                .find(|entry| entry["what"] == what && test(entry))
        };
        eventually(&format!("{what} in the history"), SOON, found)
    }

    /// The text of the stored inventory.
    fn inventory(&self) -> String {
        self.kubectl(&[
            "get",
            "configmaps",
            "-l",
            "jsorc.dev/inventory",
            "-o",
            "yaml",
        ])
    }
}

#[test]
fn an_apply_tells_who_when_with_what_and_how_many() {
    let site = Site::maps("hist-apply");
    site.jsorc.run(&["apply"]).expect(0);
    let before = jiff::Timestamp::now();
    site.jsorc.file(
        "services/web/kube/web.yaml",
        &MAPS.replace("b: \"1\"", "b: \"2\"").replace("two", "three"),
    );
    site.jsorc.run(&["apply", "--yes"]).expect(0);
    let entries = site.entries();
    let applied: Vec<&Value> = entries.iter().filter(|e| e["what"] == "applied").collect();
    let deleted: Vec<&Value> = entries.iter().filter(|e| e["what"] == "pruned").collect();
    let created: u64 = applied.iter().map(|e| e["created"].as_u64().unwrap()).sum();
    let changed: u64 = applied.iter().map(|e| e["changed"].as_u64().unwrap()).sum();
    assert_eq!((created, changed), (3, 1), "{entries:?}");
    assert_eq!(deleted.len(), 1, "{entries:?}");
    assert_eq!(deleted[0]["objects"][0]["name"], "two");
    for entry in &entries {
        assert!(entry["by"].as_str().unwrap().starts_with("ann@"), "{entry}");
        let time: jiff::Timestamp = entry["time"].as_str().unwrap().parse().unwrap();
        assert!(before.as_second() - time.as_second() < 60, "{entry}");
    }
    let digest = site.jsorc.run(&["services", "-o", "json"]).expect(0).json();
    let digest = digest["digest"].as_str().unwrap();
    let newest = applied[0]["digest"].as_str().unwrap();
    assert!(newest.len() == 12 && digest.starts_with(newest), "{newest}");
    assert_eq!(applied[0]["version"], env!("CARGO_PKG_VERSION"));
    let text = site.jsorc.run(&["history"]).expect(0).stdout;
    assert!(
        text.contains("applied") && text.contains("ConfigMap/two"),
        "{text}"
    );
}

#[test]
fn a_heal_tells_what_from_what_to_what_by_whom_and_how_fast() {
    let site = Site::maps("hist-heal");
    let daemon = site.daemon();
    site.patch("configmap/one", "{\"data\":{\"a\":\"theirs\"}}");
    let healed = site.until("healed", |_| true);
    assert_eq!(healed["object"]["name"], "one", "{healed}");
    let field = &healed["fields"][0];
    assert_eq!(
        (&field["path"], &field["from"], &field["to"]),
        (&"data.a".into(), &"theirs".into(), &"1".into())
    );
    assert_eq!(healed["changed_by"], "kubectl-patch");
    assert!(healed["took_ms"].as_f64().unwrap() > 0.0, "{healed}");
    site.kubectl(&["delete", "configmap", "two"]);
    let deleted = site.until("healed", |entry| entry["fault"] == "deleted");
    assert_eq!(deleted["object"]["name"], "two", "{deleted}");

    // A restart loses nothing that was stored.
    drop(daemon);
    let kept = site.entries();
    assert!(
        kept.iter().any(|entry| entry["what"] == "applied"),
        "{kept:?}"
    );
    let _daemon = site.daemon();
    assert!(site.entries().len() >= kept.len());
    let text = site.jsorc.run(&["history", "web"]).expect(0).stdout;
    assert!(
        text.contains("ConfigMap/one data.a theirs → 1, changed by kubectl-patch, after"),
        "{text}"
    );
}

#[test]
fn a_fight_is_counted_and_washes_nothing_out() {
    let site = Site::maps("hist-fight");
    let _daemon = site.daemon();
    for round in 0..30 {
        let patch = format!("{{\"data\":{{\"a\":\"theirs-{round}\"}}}}");
        site.patch("configmap/one", &patch);
        std::thread::sleep(Duration::from_millis(60));
    }
    let fought = site.until("healed", |entry| entry["times"].as_u64() > Some(1));
    let times = fought["times"].as_u64().unwrap();
    let entries = site.entries();
    let heals = entries.iter().filter(|entry| entry["what"] == "healed");
    assert_eq!(heals.count(), 1, "{times} {entries:?}");
    assert_ne!(fought["since"], fought["time"], "{fought}");
    let applied = entries.iter().any(|entry| entry["what"] == "applied");
    assert!(applied, "{entries:?}");
}

#[test]
fn a_rerun_is_told_with_the_next_inventory_and_writes_none_by_itself() {
    let site = Site::maps("hist-rerun");
    let daemon = site.daemon();
    // What came with the beginning is stored.
    site.until("applied", |_| true);
    std::thread::sleep(Duration::from_secs(2));
    let audit = site.cluster.audit();
    let mark = audit.mark();
    site.jsorc.run(&["refresh", "web"]).expect(0);
    daemon.wait_for("web", "Running", SOON);
    std::thread::sleep(Duration::from_secs(3));
    let writes: Vec<_> = audit
        .since(mark)
        .into_iter()
        .filter(|entry| entry.agent.starts_with("jsorc") && entry.namespace == site.jsorc.namespace)
        .filter(|entry| entry.is_write() && entry.resource != "leases")
        .collect();
    assert!(writes.is_empty(), "{writes:?}");
    let mark = audit.mark();
    site.patch("configmap/one", "{\"data\":{\"a\":\"theirs\"}}");
    let rerun = site.until("rerun", |entry| entry["reason"] == "asked for");
    assert!(rerun["time"].is_string(), "{rerun}");
    let saves = audit.since(mark).into_iter().filter(|entry| {
        entry.is_write()
            && entry.resource == "configmaps"
            && entry.verb == "update"
            && entry.namespace == site.jsorc.namespace
    });
    assert_eq!(
        saves.count(),
        1,
        "one heal is one save, with all news in it"
    );
}

#[test]
fn orders_and_their_end_are_told_with_who_gave_them() {
    let site = Site::maps("hist-orders");
    site.jsorc.run(&["apply"]).expect(0);
    site.jsorc
        .run(&["suspend", "web", "--reason", "a migration"])
        .expect(0);
    site.jsorc.run(&["resume", "web"]).expect(0);
    site.jsorc.run(&["suspend", "--all"]).expect(0);
    site.jsorc.run(&["resume", "--all"]).expect(0);
    site.jsorc.run(&["delete", "web", "--yes"]).expect(0);
    let entries = site.entries();
    let told: Vec<&str> = entries
        .iter()
        .map(|e| e["what"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["deleted", "resumed", "suspended"], "{entries:?}");
    assert_eq!(entries[2]["reason"], "a migration");
    assert_eq!(entries[2]["by"], "admin");
    let text = site.jsorc.run(&["history"]).expect(0).stdout;
    assert!(text.contains("every service\n"), "{text}");
}

#[test]
fn a_secrets_value_is_in_no_history() {
    let site = Site::new(
        "hist-secret",
        &[
            (
                "web/service.yaml",
                "driver: none\nparameters: {password: {type: secret}}\n",
            ),
            ("web/kube/web.yaml", SECRET),
        ],
    );
    let jsorc = site
        .jsorc
        .set("JSORC_SERVICES__WEB__PARAMETERS__PASSWORD", CANARY);
    let site = Site { jsorc, ..site };
    let _daemon = site.daemon();
    let theirs = "{\"stringData\":{\"password\":\"canary-theirs\"},\"metadata\":{\"annotations\":{\"note\":\"canary-note\"}}}";
    site.patch("secret/hidden", theirs);
    let healed = site.until("healed", |_| true);
    let from = healed["fields"][0]["from"].as_str().unwrap();
    assert!(from.starts_with("•••• #"), "{healed}");
    let shown = site.jsorc.run(&["history", "-v"]).expect(0).stdout;
    for text in [healed.to_string(), shown, site.inventory()] {
        for secret in [CANARY, "canary-theirs", "Y2FuYXJ5"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[test]
fn an_unreadable_history_costs_nothing_else() {
    let site = Site::maps("hist-odd");
    site.jsorc.run(&["apply"]).expect(0);
    let name = site.kubectl(&[
        "get",
        "configmaps",
        "-l",
        "jsorc.dev/inventory,applyset.kubernetes.io/id",
        "-o",
        "jsonpath={.items[0].metadata.name}",
    ]);
    let odd = "{\"data\":{\"history\":\"{\\\"at\\\":7}\\nnonsense\\n\"}}";
    site.patch(&format!("configmap/{name}"), odd);
    assert_eq!(site.entries(), Vec::<Value>::new());
    let plan = site.jsorc.run(&["plan", "--exit-code"]).expect(0);
    assert!(
        plan.stdout.contains("as they ought to be"),
        "{}",
        plan.stdout
    );
    let _daemon = site.daemon();
    site.patch("configmap/one", "{\"data\":{\"a\":\"theirs\"}}");
    site.until("healed", |_| true);
}

#[test]
fn who_may_read_inventories_may_read_the_history() {
    let site = Site::maps("hist-rights");
    site.jsorc.run(&["apply"]).expect(0);
    let user = site.cluster.user("hist-reader");
    let namespace = &site.jsorc.namespace;
    site.kubectl(&[
        "create",
        "role",
        "reader",
        "--verb=list",
        "--resource=configmaps",
    ]);
    let binding = format!("--user={}", user.subject());
    site.kubectl(&["create", "rolebinding", "reader", "--role=reader", &binding]);
    let services = site.jsorc.folder().join("services");
    let reader = Jsorc::on(site.cluster, "hist-reader")
        .set("KUBECONFIG", &user.kubeconfig)
        .set("JSORC_NAMESPACE", namespace)
        .with("--services")
        .with(&services.display().to_string());
    let shown = reader.run(&["history"]).expect(0).stdout;
    assert!(shown.contains("2 created"), "{shown}");
    let unknown = reader.run(&["history", "wep"]).expect(2);
    assert!(unknown.stderr.contains("`web`"), "{}", unknown.stderr);
}
