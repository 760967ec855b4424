//! Watches on bad days: lines that are cut or go dead, versions that are too old, a store that
//! stops, and more watches than one connection carries.

use std::{
    fmt::Write as _,
    process::Command,
    time::{Duration, Instant},
};

use crate::support::{
    Audit, AuditEntry, Cluster, Fault, FaultProxy, Jsorc, Line, Mark, eventually,
};

const LONG: Duration = Duration::from_secs(90);

const MAPS: &[(&str, &str)] = &[
    ("one/service.yaml", "driver: none\n"),
    (
        "one/kube/one.yaml",
        "apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {a: \"1\"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two}
data: {a: \"1\"}
",
    ),
];

/// A daemon without a tick of its own within a test: what is healed was seen.
fn watcher(cluster: &Cluster, prefix: &str, kubeconfig: impl AsRef<std::ffi::OsStr>) -> Jsorc {
    Jsorc::on(cluster, prefix)
        .services(MAPS)
        .set("KUBECONFIG", kubeconfig)
        .set("JSORC_INTERVAL", "10m")
}

fn value(cluster: &Cluster, jsorc: &Jsorc, name: &str) -> String {
    cluster.kubectl([
        "get",
        "configmap",
        name,
        "-n",
        &jsorc.namespace,
        "-o",
        "jsonpath={.data.a}",
    ])
}

fn change(cluster: &Cluster, jsorc: &Jsorc, name: &str) {
    cluster.kubectl([
        "patch",
        "configmap",
        name,
        "-n",
        &jsorc.namespace,
        "--type=merge",
        "-p",
        "{\"data\":{\"a\":\"theirs\"}}",
    ]);
}

fn healed(cluster: &Cluster, jsorc: &Jsorc, name: &str) {
    eventually("the change is taken back", LONG, || {
        (value(cluster, jsorc, name) == "1").then_some(())
    });
}

/// What a jsorc wrote since a mark, its Lease aside.
fn writes(audit: &Audit, mark: Mark, jsorc: &Jsorc) -> Vec<AuditEntry> {
    let mut entries = audit.since(mark);
    entries.retain(|entry| {
        entry.agent.starts_with("jsorc/")
            && entry.namespace == jsorc.namespace
            && entry.is_write()
            && entry.resource != "leases"
            && entry.stage == "ResponseComplete"
    });
    entries
}

#[test]
fn a_line_that_is_cut_is_taken_up_where_it_broke() {
    let cluster = Cluster::shared();
    let line = Line::to(cluster.kubeconfig());
    let jsorc = watcher(cluster, "cut", line.kubeconfig());
    let daemon = jsorc.daemon();
    daemon.wait_for("one", "Running", LONG);
    let (audit, dialled) = (cluster.audit(), line.dialled());
    let mark = audit.mark();
    line.cut();
    change(cluster, &jsorc, "one");
    healed(cluster, &jsorc, "one");
    assert!(line.dialled() > dialled);
    // From the version it had come to: nothing was read anew.
    let watches = audit.since(mark).into_iter().filter(|entry| {
        entry.agent.starts_with("jsorc/")
            && entry.verb == "watch"
            && entry.stage == "ResponseStarted"
            && entry.namespace == jsorc.namespace
    });
    let anew: Vec<String> = watches
        .filter(|entry| entry.uri.contains("sendInitialEvents"))
        .map(|entry| entry.uri)
        .collect();
    assert_eq!(anew, Vec::<String>::new());
}

#[test]
fn a_dead_line_is_noticed_and_left_though_the_next_ones_are_dead_as_well() {
    let cluster = Cluster::shared();
    let line = Line::to(cluster.kubeconfig());
    let jsorc = watcher(cluster, "dead", line.kubeconfig());
    let daemon = jsorc.daemon();
    daemon.wait_for("one", "Running", LONG);
    line.go_dead(2);
    change(cluster, &jsorc, "two");
    healed(cluster, &jsorc, "two");
    assert_eq!(line.swallowed(), 2);
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
}

#[test]
fn a_version_that_is_too_old_has_everything_read_anew_and_nothing_written() {
    let cluster = Cluster::shared();
    let proxy = FaultProxy::to(cluster.kubeconfig());
    let jsorc = watcher(cluster, "gone", proxy.kubeconfig());
    let audit = cluster.audit();
    let daemon = jsorc.daemon();
    daemon.wait_for("one", "Running", LONG);
    let mark = audit.mark();
    proxy.plan(|call| {
        if call.uri.contains("watch=true") && call.uri.contains("resourceVersion=") {
            Fault::Refuse(410, 0)
        } else {
            Fault::Pass
        }
    });
    proxy.end_streams();
    let anew = |calls: &[crate::support::Call]| {
        let watches = calls.iter().filter(|call| call.uri.contains("configmaps"));
        watches
            .filter(|call| call.uri.contains("sendInitialEvents") && call.status == 200)
            .count()
    };
    eventually("the watch starts over", LONG, || {
        (anew(&proxy.calls()) > 0).then_some(())
    });
    std::thread::sleep(Duration::from_secs(1));
    assert!(writes(&audit, mark, &jsorc).is_empty());
    change(cluster, &jsorc, "one");
    healed(cluster, &jsorc, "one");
}

#[test]
fn a_store_that_stops_is_waited_for_and_nothing_is_made_of_its_silence() {
    let cluster = Cluster::start(0);
    let jsorc = Jsorc::on(&cluster, "store")
        .services(MAPS)
        .set("JSORC_INTERVAL", "1s");
    let daemon = jsorc.daemon();
    daemon.wait_for("one", "Running", LONG);
    let audit = cluster.audit();
    let mark = audit.mark();
    let etcd = cluster.etcd();
    signal(etcd, "STOP");
    std::thread::sleep(Duration::from_secs(25));
    signal(etcd, "CONT");
    change_when_it_answers(&cluster, &jsorc);
    healed(&cluster, &jsorc, "one");
    let written: Vec<String> = writes(&audit, mark, &jsorc)
        .into_iter()
        .filter(|entry| !(entry.verb == "patch" && entry.name == "one"))
        // The inventory is stored under the next epoch when the Lease is won again.
        .filter(|entry| !entry.name.starts_with("it-") && !entry.name.starts_with("it."))
        .map(|entry| format!("{} {}", entry.verb, entry.uri))
        .collect();
    assert_eq!(written, Vec::<String>::new());
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

fn change_when_it_answers(cluster: &Cluster, jsorc: &Jsorc) {
    let kubectl = cluster.as_admin();
    let begun = Instant::now();
    let patch = [
        "patch",
        "configmap",
        "one",
        "-n",
        &jsorc.namespace,
        "--type=merge",
        "-p",
        "{\"data\":{\"a\":\"theirs\"}}",
    ];
    while !kubectl.output(&patch).status.success() {
        assert!(begun.elapsed() < LONG, "the server answers again");
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn more_watches_than_one_connection_carries_leave_writes_free() {
    let cluster = Cluster::shared();
    let prefix = cluster.namespace("many");
    let mut manifests = String::new();
    for number in 0..150 {
        // A namespace of its own for each: a watch of its own for each.
        let _ = write!(
            manifests,
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: one, namespace: {prefix}-{number}}}\ndata: {{a: \"1\"}}\n---\n"
        );
    }
    let jsorc = Jsorc::on(cluster, "many")
        .services(&[
            ("one/service.yaml", "driver: none\n"),
            ("one/kube/one.yaml", &manifests),
        ])
        .set("JSORC_INTERVAL", "10m");
    let daemon = jsorc.daemon();
    daemon.wait_for("one", "Running", LONG);
    for number in [0, 75, 149] {
        let namespace = format!("{prefix}-{number}");
        let at = ["configmap", "one", "-n", &namespace];
        cluster.as_admin().run(&[&["delete"], &at[..]].concat());
        eventually("it is made again", LONG, || {
            let get = [
                &["get"],
                &at[..],
                &["-o", "jsonpath={.data.a}", "--ignore-not-found"],
            ]
            .concat();
            (cluster.as_admin().run(&get) == "1").then_some(())
        });
    }
    drop(daemon);
    for number in 0..150 {
        let namespace = format!("{prefix}-{number}");
        cluster
            .as_admin()
            .run(&["delete", "namespace", &namespace, "--wait=false"]);
    }
}
