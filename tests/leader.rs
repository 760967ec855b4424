//! One process leads, the others watch; a plan made elsewhere is the leader's.

use std::time::Duration;

use crate::support::{Call, Cluster, Fault, FaultProxy, Jsorc, eventually};

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

fn greeting(cluster: &Cluster, jsorc: &Jsorc) -> String {
    cluster.kubectl([
        "get",
        "configmap",
        "one",
        "-n",
        &jsorc.namespace,
        "-o",
        "jsonpath={.data.greeting}",
    ])
}

/// Whether a call is a write to the cluster's objects, the Lease aside.
fn writes(call: &Call) -> bool {
    call.is_write() && !call.uri.contains("/leases")
}

#[test]
fn a_leader_that_was_paused_past_its_lease_writes_nothing_when_it_wakes_up() {
    let cluster = Cluster::shared();
    let proxy = FaultProxy::to(cluster.kubeconfig());
    let jsorc = Jsorc::on(cluster, "paused")
        .services(MAP)
        .set("JSORC_INTERVAL", "2s");
    let way = jsorc.set("KUBECONFIG", proxy.kubeconfig());
    let first = way.daemon();
    first.wait_for("one", "Running", LONG);
    let jsorc = way.set("KUBECONFIG", cluster.kubeconfig());
    let second = jsorc.daemon();
    second.wait_for("one", "Waiting", LONG);
    first.freeze();
    // Drift that the first would heal when it wakes up, and the second heals meanwhile.
    cluster.kubectl(["delete", "configmap", "one", "-n", &jsorc.namespace]);
    second.wait_for("one", "Running", LONG);
    eventually("the heal by the new leader", LONG, || {
        cluster
            .kubectl(["get", "configmaps", "-n", &jsorc.namespace, "-o", "name"])
            .contains("configmap/one")
            .then_some(())
    });
    proxy.plan(|_| Fault::Pass);
    first.thaw();
    first.wait_for_log("the Lease was lost", LONG);
    first.wait_for("one", "Waiting", LONG);
    let written: Vec<_> = proxy.calls().into_iter().filter(writes).collect();
    assert!(written.is_empty(), "{written:?}");
    assert_eq!(greeting(cluster, &jsorc), "hello");
    // It stands for the Lease again, and leads when the other ends.
    assert_eq!(second.stop(), 0);
    first.wait_for("one", "Running", LONG);
    cluster.kubectl(["delete", "configmap", "one", "-n", &jsorc.namespace]);
    eventually("the heal by the first leader", LONG, || {
        cluster
            .kubectl(["get", "configmaps", "-n", &jsorc.namespace, "-o", "name"])
            .contains("configmap/one")
            .then_some(())
    });
}

/// Under which number of a leader the inventory was stored last.
fn epoch(cluster: &Cluster, jsorc: &Jsorc) -> u64 {
    let epoch = "jsonpath={.metadata.annotations.jsorc\\.dev/epoch}";
    let stored = [
        "get",
        "configmap",
        "it.one",
        "-n",
        &jsorc.namespace,
        "-o",
        epoch,
    ];
    cluster.as_admin().run(&stored).parse().unwrap()
}

fn has_map(cluster: &Cluster, jsorc: &Jsorc) -> bool {
    let all = ["get", "configmaps", "-n", &jsorc.namespace, "-o", "name"];
    cluster.as_admin().run(&all).contains("configmap/one\n")
}

#[test]
fn a_lease_that_is_lost_to_nobody_is_won_again_under_the_next_number() {
    let cluster = Cluster::shared();
    let proxy = FaultProxy::to(cluster.kubeconfig());
    let jsorc = Jsorc::on(cluster, "again")
        .services(MAP)
        .set("JSORC_INTERVAL", "2s")
        .set("KUBECONFIG", proxy.kubeconfig());
    let daemon = jsorc.daemon();
    daemon.wait_for("one", "Running", LONG);
    let first = epoch(cluster, &jsorc);
    // It cannot renew, and stops; what differs meanwhile is left.
    proxy.plan(|call| {
        if call.uri.contains("/leases") {
            Fault::Drop
        } else {
            Fault::Pass
        }
    });
    daemon.wait_for_log("the Lease was lost", LONG);
    daemon.wait_for("one", "Waiting", LONG);
    cluster.kubectl(["delete", "configmap", "one", "-n", &jsorc.namespace]);
    let written: Vec<_> = proxy.calls().into_iter().filter(writes).collect();
    assert!(written.is_empty(), "{written:?}");
    assert!(!has_map(cluster, &jsorc));
    proxy.plan(|_| Fault::Pass);
    daemon.wait_for("one", "Running", LONG);
    assert!(has_map(cluster, &jsorc));
    let second = epoch(cluster, &jsorc);
    assert!(second > first, "{first}, then {second}");

    // It sleeps past its deadline, and has won the Lease again before it knows that it lost it:
    // another one may have led in between.
    proxy.plan(|_| Fault::Pass);
    daemon.freeze();
    std::thread::sleep(Duration::from_secs(12));
    cluster.kubectl(["delete", "configmap", "one", "-n", &jsorc.namespace]);
    daemon.thaw();
    eventually("the next number", LONG, || {
        (epoch(cluster, &jsorc) > second).then_some(())
    });
    eventually("the heal", LONG, || has_map(cluster, &jsorc).then_some(()));
    // The heal came after the inventory was read anew.
    let calls = proxy.calls();
    let place = |text: &str, method: &str| {
        let found = |call: &Call| call.method == method && call.uri.contains(text);
        calls.iter().position(found).expect(text)
    };
    let (read, healed) = (
        place("labelSelector=jsorc.dev/inventory", "GET"),
        place("/configmaps/one", "PATCH"),
    );
    assert!(read < healed, "{calls:?}");
}

#[test]
fn a_write_of_a_deposed_leader_that_lands_late_is_put_right_by_its_successor() {
    let cluster = Cluster::shared();
    let proxy = FaultProxy::to(cluster.kubeconfig());
    let jsorc = Jsorc::on(cluster, "late")
        .services(MAP)
        .set("JSORC_INTERVAL", "2s")
        .set("KUBECONFIG", proxy.kubeconfig());
    let first = jsorc.daemon();
    first.wait_for("one", "Running", LONG);
    // The next heal of the first leader is held back for longer than its Lease stands.
    proxy.plan(|call| match call.method.as_str() {
        "PATCH" if call.uri.contains("/configmaps/one") => Fault::Hold(Duration::from_secs(20)),
        _ => Fault::Pass,
    });
    let change = r#"{"data":{"greeting":"theirs"}}"#;
    let namespace = jsorc.namespace.clone();
    cluster.kubectl([
        "patch",
        "configmap",
        "one",
        "-n",
        &namespace,
        "--type=merge",
        "-p",
        change,
    ]);
    eventually("the held heal", LONG, || {
        let held = |call: &Call| call.method == "PATCH" && call.uri.contains("/configmaps/one");
        proxy.calls().iter().any(held).then_some(())
    });
    // A newer roll-out takes over with another greeting.
    let jsorc = jsorc
        .set("KUBECONFIG", cluster.kubeconfig())
        .set("JSORC_SERVICES__ONE__PARAMETERS__GREETING", "newer");
    let second = jsorc.daemon();
    second.wait_for("one", "Waiting", LONG);
    drop(first);
    second.wait_for("one", "Running", LONG);
    assert_eq!(greeting(cluster, &jsorc), "newer");
    eventually("the late write to land", LONG, || {
        let landed = |call: &Call| {
            call.method == "PATCH" && call.uri.contains("/configmaps/one") && call.status == 200
        };
        proxy.calls().iter().any(landed).then_some(())
    });
    eventually("the newer greeting", LONG, || {
        (greeting(cluster, &jsorc) == "newer").then_some(())
    });
    second.wait_for_log("healed ConfigMap/one", LONG);
}
