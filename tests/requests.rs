//! What is asked of the API server, told by its own audit log.

use std::time::Duration;

use crate::support::{AuditEntry, Cluster, Jsorc};

const SERVICES: &[(&str, &str)] = &[
    ("one/service.yaml", "driver: none\n"),
    (
        "one/kube/one.yaml",
        "apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {a: \"1\"}
---
apiVersion: v1
kind: Secret
metadata: {name: one}
stringData: {token: x}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: one}
spec:
  selector: {matchLabels: {app: one}}
  template:
    metadata: {labels: {app: one}}
    spec: {containers: [{name: one, image: \"one:1\"}]}
",
    ),
];

/// Every request that a jsorc sent since a mark.
fn of_jsorc(entries: &[AuditEntry]) -> Vec<&AuditEntry> {
    entries
        .iter()
        .filter(|entry| entry.agent.starts_with("jsorc/") && entry.stage == "ResponseComplete")
        .collect()
}

#[test]
fn plans_and_dry_runs_change_nothing() {
    let cluster = Cluster::start(2);
    let jsorc = Jsorc::on(&cluster, "dry")
        .services(SERVICES)
        .set("JSORC_INTERVAL", "1s");
    let audit = cluster.audit();
    let before = audit.mark();
    jsorc.run(&["plan"]).expect(0);
    jsorc.run(&["apply", "--dry-run"]).expect(0);
    let daemon = jsorc.daemon_with(&["--dry-run"]);
    std::thread::sleep(Duration::from_secs(3));
    drop(daemon);
    jsorc.run(&["apply"]).expect(0);
    let applied = audit.mark();
    cluster.kubectl([
        "patch",
        "configmap",
        "one",
        "-n",
        &jsorc.namespace,
        "--type=merge",
        "-p",
        "{\"data\":{\"a\":\"2\"}}",
    ]);
    let plan = jsorc.run(&["plan"]).expect(0);
    assert!(plan.stdout.contains("\"2\" → \"1\""), "{}", plan.stdout);
    jsorc.run(&["apply", "--dry-run"]).expect(0);
    let daemon = jsorc.daemon_with(&["--dry-run"]);
    std::thread::sleep(Duration::from_secs(3));
    drop(daemon);

    let all = audit.since(before);
    let writes = |entries: &[AuditEntry]| {
        let found: Vec<String> = of_jsorc(entries)
            .into_iter()
            .filter(|entry| entry.is_write() && !entry.is_dry_run())
            .map(|entry| format!("{} {}", entry.verb, entry.uri))
            .collect();
        found
    };
    let dry_runs = of_jsorc(&all)
        .iter()
        .filter(|entry| entry.is_dry_run())
        .count();
    assert!(dry_runs > 0, "the server was asked what would come out");
    assert!(!writes(&all).is_empty(), "the apply in between wrote");
    assert_eq!(writes(&audit.since(applied)), Vec::<String>::new());
}

#[test]
fn a_daemon_with_everything_running_asks_nothing_about_objects() {
    let cluster = Cluster::start(2);
    let jsorc = Jsorc::on(&cluster, "idle")
        .services(SERVICES)
        .set("JSORC_INTERVAL", "1s");
    let daemon = jsorc.daemon();
    daemon.wait_for("one", "Running", Duration::from_secs(60));
    std::thread::sleep(Duration::from_secs(3));
    let audit = cluster.audit();
    let quiet = audit.mark();
    std::thread::sleep(Duration::from_secs(60));
    let entries = audit.since(quiet);
    let asked: Vec<String> = of_jsorc(&entries)
        .into_iter()
        .filter(|entry| entry.verb != "watch" && entry.resource != "leases")
        .map(|entry| format!("{} {}", entry.verb, entry.uri))
        .collect();
    assert_eq!(asked, Vec::<String>::new());
}
