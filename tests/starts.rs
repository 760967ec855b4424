//! What the log of a start says: no phase of moments, nothing that is started in vain, and no error
//! about what is only not there yet.

use std::time::Duration;

use crate::support::{Cluster, Daemon, Fault, FaultProxy, Jsorc, ONE_MAP, eventually};

const LONG: Duration = Duration::from_secs(90);

/// A service that notes each time it is started, and has no manifests.
const NOTES: (&str, &str) = (
    "notes/service.yaml",
    "driver: command\nconfig: {command: [sh, -c, \"echo started >> notes; exec sleep 1000\"]}\n",
);

/// The phases that the log reports of a service, as `FROM → TO`, and what follows on the line.
fn phases(log: &str, service: &str) -> Vec<(String, String)> {
    let mut phases = Vec::new();
    for line in log.lines() {
        let Some((_, said)) = line.split_once(&format!(" {service}: ")) else {
            continue;
        };
        let (moved, reason) = said.split_once(": ").unwrap_or((said, ""));
        let words: Vec<&str> = moved.split(' ').collect();
        let is_phase = |word: &str| {
            [
                "Waiting", "Applying", "Settling", "Starting", "Running", "Degraded", "Failed",
            ]
            .contains(&word)
        };
        match words.as_slice() {
            [from, "→", to] if is_phase(from) && is_phase(to) => {
                phases.push((moved.to_owned(), reason.to_owned()));
            }
            ["Waiting"] => phases.push(("Waiting → Waiting".to_owned(), reason.to_owned())),
            _ => {}
        }
    }
    phases
}

/// The reports of a service go from one to the next, and end where it runs.
#[track_caller]
fn assert_chain(log: &str, service: &str) {
    let mut last = "Waiting".to_owned();
    for (moved, _) in phases(log, service) {
        let (from, to) = moved.split_once(" → ").unwrap();
        assert_eq!(from, last, "{service}:\n{log}");
        to.clone_into(&mut last);
    }
    assert_eq!(last, "Running", "{service}:\n{log}");
}

/// Asserts that all of these are in the log, in this order.
#[track_caller]
fn assert_order(log: &str, texts: &[&str]) {
    let mut rest = log;
    for text in texts {
        let Some(at) = rest.find(text) else {
            panic!("`{text}` is not where it belongs:\n{log}");
        };
        rest = &rest[at + text.len()..];
    }
}

fn starts(jsorc: &Jsorc) -> usize {
    let notes = std::fs::read_to_string(jsorc.folder().join("notes"));
    notes.unwrap_or_default().lines().count()
}

fn running(daemon: &Daemon, services: &[&str]) {
    for service in services {
        daemon.wait_for(service, "Running", LONG);
    }
}

#[test]
fn a_cluster_that_is_slow_to_answer_is_waited_for_and_nothing_is_started_twice() {
    let cluster = Cluster::shared();
    let proxy = FaultProxy::to(cluster.kubeconfig());
    proxy.plan(|call| match call.number {
        0 => Fault::Hold(Duration::from_secs(4)),
        _ => Fault::Pass,
    });
    let jsorc = Jsorc::on(cluster, "slow")
        .services(&[ONE_MAP, &[NOTES]].concat())
        .set("KUBECONFIG", proxy.kubeconfig());
    let daemon = jsorc.daemon();
    daemon.wait_for_log("waits for the cluster: ", LONG);
    let notes = daemon.service("notes").unwrap();
    assert_eq!(notes["phase"], "Waiting", "{notes}");
    assert_eq!(notes["reason"], "cluster: not connected yet");
    running(&daemon, &["notes", "one"]);
    let log = daemon.log();
    assert_order(
        &log,
        &[
            "waits for the cluster: http://127.0.0.1:",
            "connected to",
            "notes: Waiting → Running",
        ],
    );
    assert_eq!(phases(&log, "notes").len(), 1, "{log}");
    assert!(!log.contains("ERROR"), "{log}");
    assert_eq!(starts(&jsorc), 1);
}

#[test]
fn a_cluster_that_cannot_be_reached_keeps_nothing_from_running() {
    let jsorc = Jsorc::alone("nowhere").services(&[NOTES]);
    let kubeconfig = jsorc.file(
        "kubeconfig",
        "apiVersion: v1
kind: Config
current-context: nowhere
clusters: [{name: nowhere, cluster: {server: \"http://127.0.0.1:1\"}}]
users: [{name: nowhere, user: {}}]
contexts: [{name: nowhere, context: {cluster: nowhere, user: nowhere}}]
",
    );
    let jsorc = jsorc
        .set("JSORC_KUBERNETES__MODE", "auto")
        .set("KUBECONFIG", kubeconfig.as_os_str());
    let daemon = jsorc.daemon();
    daemon.wait_for("notes", "Running", LONG);
    assert_order(
        &daemon.log(),
        &[
            "WARN http://127.0.0.1:1: connection refused; tried again; until it answers, services are only rerun and probed",
            "notes: Waiting → Running",
        ],
    );
}

#[test]
fn a_follower_starts_nothing_before_it_leads() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "follower").services(&[ONE_MAP, &[NOTES]].concat());
    let first = jsorc.daemon();
    running(&first, &["notes", "one"]);
    assert_eq!(starts(&jsorc), 1);
    let second = jsorc.daemon();
    eventually("it waits for the Lease", LONG, || {
        let notes = second.service("notes")?;
        (notes["reason"] == "waits for the Lease").then_some(())
    });
    assert_eq!(starts(&jsorc), 1);
    assert_eq!(phases(&second.log(), "notes"), [], "{}", second.log());
    assert_eq!(first.stop(), 0);
    running(&second, &["notes", "one"]);
    assert_eq!(starts(&jsorc), 2);
    assert_chain(&second.log(), "notes");
}
