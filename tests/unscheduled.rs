//! Pods that no node takes: the reason goes down to the scheduler's own words, and to the parameter
//! that can help.

use std::time::Duration;

use crate::support::{Cluster, Jsorc, eventually};

const LONG: Duration = Duration::from_secs(60);

const EXPORTER: &[(&str, &str)] = &[
    (
        "exporter/service.yaml",
        "driver: none\nparameters:\n  node_port: {type: int, default: 19300}\n  other: {type: int, default: 19301}\n",
    ),
    (
        "exporter/kube/exporter.yaml",
        "apiVersion: v1
kind: Service
metadata: {name: exporter}
spec: {clusterIP: None, selector: {app: exporter}, ports: [{port: 9100}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: exporter}
spec:
  selector: {matchLabels: {app: exporter}}
  template:
    metadata: {labels: {app: exporter}}
    spec:
      containers:
      - name: exporter
        image: \"exporter:1\"
        ports: [{name: metrics, containerPort: \"$g{other}\", hostPort: \"$g{node_port}\"}]
",
    ),
];

#[test]
fn a_port_of_the_node_that_is_taken_is_named_with_its_parameter() {
    let cluster = Cluster::shared();
    let first = Jsorc::on(cluster, "ports").services(EXPORTER);
    first.run(&["apply", "--wait", "--yes"]).expect(0);
    let second = Jsorc::on(cluster, "ports").services(EXPORTER);
    let daemon = second.daemon();
    let why = "free ports for the requested pod ports";
    let stuck = eventually("the scheduler's words", LONG, || {
        let service = daemon.service("exporter")?;
        service["reason"].as_str()?.contains(why).then_some(service)
    });
    assert_eq!(stuck["phase"], "Settling", "{stuck}");
    let reason = stuck["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("DaemonSet/exporter 0/2 nodes available: pod exporter-"),
        "{reason}"
    );
    assert!(reason.contains("nodes are available: "), "{reason}");
    assert_eq!(
        stuck["hint"],
        "the pod's port of the node, 19300, is services.exporter.parameters.node_port: give each installation its own"
    );
    let shown = second.run(&["status"]).expect(0).stdout;
    assert!(
        shown.contains("services.exporter.parameters.node_port"),
        "{shown}"
    );

    let moved = second.set("JSORC_SERVICES__EXPORTER__PARAMETERS__NODE_PORT", "19302");
    drop(daemon);
    let daemon = moved.daemon();
    daemon.wait_for("exporter", "Running", LONG);
}

#[test]
fn a_pod_that_asks_for_more_than_any_node_has_is_told_in_the_schedulers_words() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "greedy").services(&[
        ("greedy/service.yaml", "driver: none\n"),
        (
            "greedy/kube/greedy.yaml",
            "apiVersion: apps/v1
kind: Deployment
metadata: {name: greedy}
spec:
  replicas: 1
  selector: {matchLabels: {app: greedy}}
  template:
    metadata: {labels: {app: greedy}}
    spec:
      containers:
      - {name: greedy, image: \"greedy:1\", resources: {requests: {cpu: \"100000\"}}}
",
        ),
    ]);
    let ended = jsorc
        .run(&["apply", "--wait", "--yes", "--timeout", "8s"])
        .expect(1);
    assert!(ended.stderr.contains("Insufficient cpu"), "{ended:?}");
    let told = ended.stdout;
    assert!(
        told.contains("\nNot ready after 8 s:\n  greedy  "),
        "{told}"
    );
    assert!(told.contains("--timeout gives them longer"), "{told}");
}
