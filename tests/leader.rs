//! One process leads, the others watch; a plan made elsewhere is the leader's.

use std::time::Duration;

use crate::support::{Cluster, Jsorc, eventually};

const LONG: Duration = Duration::from_secs(60);

const MAP: &[(&str, &str)] = &[
    (
        "one/service.yaml",
        "driver: none
parameters:
  greeting: {type: string, default: hello}
  token: {type: secret, generate: 12}
",
    ),
    (
        "one/kube/one.yaml",
        "apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {greeting: \"$g{greeting}\"}
---
apiVersion: v1
kind: Secret
metadata: {name: one}
stringData: {token: \"$g{token}\"}
",
    ),
];

#[test]
fn a_second_process_waits_and_takes_over_when_the_first_ends() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "leader")
        .services(MAP)
        .set("JSORC_INTERVAL", "2s");
    let first = jsorc.daemon();
    first.wait_for("one", "Running", LONG);
    let second = jsorc.daemon();
    second.wait_for("one", "Waiting", LONG);
    let holder = || {
        cluster.kubectl([
            "get",
            "lease",
            "it",
            "-n",
            &jsorc.namespace,
            "-o",
            "jsonpath={.spec.holderIdentity}",
        ])
    };
    assert!(
        holder().ends_with(&format!("_{}", first.pid())),
        "{}",
        holder()
    );
    assert_eq!(first.stop(), 0);
    second.wait_for("one", "Running", LONG);
    assert!(
        holder().ends_with(&format!("_{}", second.pid())),
        "{}",
        holder()
    );
    cluster.kubectl(["delete", "configmap", "one", "-n", &jsorc.namespace]);
    eventually("the heal by the new leader", LONG, || {
        cluster
            .kubectl(["get", "configmaps", "-n", &jsorc.namespace, "-o", "name"])
            .contains("configmap/one")
            .then_some(())
    });
}

#[test]
fn a_plan_uses_the_configuration_of_the_leader_and_an_apply_refuses_beside_it() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "theirs")
        .services(MAP)
        .set("JSORC_SERVICES__ONE__PARAMETERS__GREETING", "bonjour")
        .set("JSORC_SERVICES__ONE__PARAMETERS__TOKEN", "hunter2-canary");
    let daemon = jsorc.daemon();
    daemon.wait_for("one", "Running", LONG);
    let stored = eventually("the stored configuration", LONG, || {
        let output = cluster.as_admin().output(&[
            "get",
            "configmap",
            "it-configuration",
            "-n",
            &jsorc.namespace,
            "-o",
            "yaml",
        ]);
        output
            .status
            .success()
            .then(|| String::from_utf8(output.stdout).unwrap())
    });
    assert!(
        stored.contains("bonjour") && !stored.contains("hunter2-canary"),
        "{stored}"
    );

    let laptop = jsorc
        .set("JSORC_SERVICES__ONE__PARAMETERS__GREETING", "hola")
        .set("JSORC_SERVICES__ONE__PARAMETERS__TOKEN", "other-canary");
    let plan = laptop.run(&["plan", "--exit-code"]).expect(0);
    assert!(
        plan.stderr.contains("services.one.parameters.greeting"),
        "{}",
        plan.stderr
    );
    let own = laptop
        .run(&["plan", "--local-config", "--exit-code"])
        .expect(1);
    assert!(own.stdout.contains("bonjour → hola"), "{}", own.stdout);
    let refused = laptop.run(&["apply"]).expect(2);
    assert!(refused.stderr.contains("--takeover"), "{}", refused.stderr);
    for text in [&plan.stdout, &plan.stderr, &own.stdout, &refused.stderr] {
        assert!(!text.contains("canary"), "{text}");
    }
}
