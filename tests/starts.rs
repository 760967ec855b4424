//! What the log of a start says: no phase of moments, nothing that is started in vain, and no error
//! about what is only not there yet.

use std::time::Duration;

use crate::support::{
    Cluster, Daemon, Fault, FaultProxy, Jsorc, ONE_MAP, Prometheus, Redis, RedisOptions, Smtp,
    SmtpOptions, eventually,
};

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
fn a_start_of_everything_reports_no_error_and_what_waits_for_what() {
    let cluster = Cluster::shared();
    let redis = Redis::with(&RedisOptions {
        password: Some("hunter2"),
        ..RedisOptions::default()
    });
    let prometheus = Prometheus::start();
    let mail = Smtp::with(&SmtpOptions::default());
    let jsorc = Jsorc::on(cluster, "starts")
        .set("JSORC_SERVICES__REDIS__PARAMETERS__PASSWORD", "hunter2")
        .set(
            "JSORC_SERVICES__PROMON__PARAMETERS__NODE_EXPORTER_PORT",
            "9345",
        )
        .set("JSORC_SERVICES__MAIL__CONFIG__HOST", "127.0.0.1")
        .set("JSORC_SERVICES__MAIL__CONFIG__PORT", mail.port.to_string())
        .set("JSORC_SERVICES__MAIL__CONFIG__TLS", "none");
    let configuration = jsorc.file(
        "jsorc.yaml",
        "services:
  redis:
    patches:
    - target: Deployment/redis
      merge: {spec: {template: {metadata: {annotations: {rig.jsorc.dev/ready-after: 3s}}}}}
",
    );
    let jsorc = jsorc.set("JSORC_CONFIG", configuration.as_os_str());
    cluster.forward(&jsorc.namespace, 6379, redis.port);
    cluster.forward(&jsorc.namespace, 9090, prometheus.port);
    let daemon = jsorc.daemon();
    let services = ["mail", "promon", "redis", "task"];
    running(&daemon, &services);
    let log = daemon.log();
    assert!(!log.contains("ERROR"), "{log}");
    for service in services {
        assert_chain(&log, service);
    }
    let connected = log.find("connected to").unwrap();
    assert!(!log[..connected].contains(": Waiting"), "{log}");
    // The broker has no manifests of its own, and waits for those of redis.
    let waits = phases(&log, "task");
    assert!(
        waits[0].0 == "Waiting → Waiting" && waits[0].1.starts_with("Service/redis "),
        "{log}"
    );
}

#[test]
fn without_a_cluster_a_server_that_is_not_there_is_waited_for_before_it_is_an_error() {
    let jsorc = Jsorc::alone("starts").services(&[
        NOTES,
        (
            "late/service.yaml",
            "driver: tcp\nconfig: {host: 127.0.0.1, port: 1}\nprobe: {failures: 2}\n",
        ),
    ]);
    let daemon = jsorc.daemon();
    daemon.wait_for("notes", "Running", LONG);
    daemon.wait_for("late", "Failed", LONG);
    daemon.wait_for_log("late: Waiting → Failed", LONG);
    let log = daemon.log();
    assert_order(
        &log,
        &[
            "without a cluster: kubernetes.mode is off",
            "INFO late: Waiting: tcp://127.0.0.1:1: connection refused (attempt 1 of 2)",
            "ERROR late: Waiting → Failed: tcp://127.0.0.1:1: connection refused",
        ],
    );
    let known = log.find("without a cluster").unwrap();
    assert!(!log[..known].contains("notes:"), "{log}");
    assert_chain(&log, "notes");
    assert_eq!(starts(&jsorc), 1);
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
