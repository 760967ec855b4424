//! The rules that protect people: nothing that is not ours is touched, and nothing is deleted that
//! nobody asked to delete.

use std::time::Duration;

use crate::support::{Cluster, Jsorc};

const LONG: Duration = Duration::from_secs(60);

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: \"1\"}\n";
const SECOND: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: second}\ndata: {a: \"1\"}\n";
const CLAIM: &str = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n";
const SERVICE: (&str, &str) = ("one/service.yaml", "driver: none\n");

fn exists(cluster: &Cluster, jsorc: &Jsorc, object: &str) -> bool {
    cluster
        .as_admin()
        .output(&["get", object, "-n", &jsorc.namespace])
        .status
        .success()
}

#[test]
fn an_object_that_someone_else_made_is_blocked_and_stays_as_it_is() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "adopt").services(&[
        SERVICE,
        ("one/kube/one.yaml", MAP),
        ("one/kube/second.yaml", SECOND),
    ]);
    cluster.kubectl(["create", "namespace", &jsorc.namespace]);
    cluster.kubectl([
        "create",
        "configmap",
        "one",
        "-n",
        &jsorc.namespace,
        "--from-literal=theirs=1",
    ]);
    let plan = jsorc.run(&["plan", "--exit-code"]).expect(1);
    assert!(
        plan.stdout.contains("kubectl-create") && plan.stdout.contains("jsorc adopt ConfigMap/one"),
        "{}",
        plan.stdout
    );
    let applied = jsorc.run(&["apply"]).expect(1);
    assert!(
        applied.stdout.contains("1 created") && applied.stdout.contains("1 blocked"),
        "{}",
        applied.stdout
    );
    let data = cluster.kubectl([
        "get",
        "configmap",
        "one",
        "-n",
        &jsorc.namespace,
        "-o",
        "jsonpath={.data}",
    ]);
    assert_eq!(data, "{\"theirs\":\"1\"}");
    let daemon = jsorc.daemon();
    let failed = daemon.wait_for("one", "Failed", LONG);
    assert!(
        failed["reason"]
            .as_str()
            .unwrap()
            .contains("exists already"),
        "{failed}"
    );
}

#[test]
fn an_unowned_object_is_taken_over_when_the_policy_says_so_and_a_helm_release_never() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "unowned")
        .services(&[
            SERVICE,
            ("one/kube/one.yaml", MAP),
            ("one/kube/second.yaml", SECOND),
        ])
        .set("JSORC_POLICY__ADOPT", "unowned");
    cluster.kubectl(["create", "namespace", &jsorc.namespace]);
    for name in ["one", "second"] {
        cluster.kubectl([
            "create",
            "configmap",
            name,
            "-n",
            &jsorc.namespace,
            "--from-literal=theirs=1",
        ]);
    }
    cluster.kubectl([
        "annotate",
        "configmap",
        "second",
        "-n",
        &jsorc.namespace,
        "meta.helm.sh/release-name=shop",
    ]);
    let applied = jsorc.run(&["apply"]).expect(1);
    assert!(applied.stdout.contains("1 blocked"), "{}", applied.stdout);
    let plan = jsorc.run(&["plan"]).expect(0);
    assert!(
        plan.stdout.contains("the Helm release shop"),
        "{}",
        plan.stdout
    );
    let data = cluster.kubectl([
        "get",
        "configmap",
        "one",
        "-n",
        &jsorc.namespace,
        "-o",
        "jsonpath={.data}",
    ]);
    assert_eq!(data, "{\"a\":\"1\",\"theirs\":\"1\"}");
}

#[test]
fn leaving_keep_alive_removes_nothing() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "leaving").services(&[SERVICE, ("one/kube/one.yaml", MAP)]);
    jsorc.run(&["apply"]).expect(0);
    let jsorc = jsorc.set("JSORC_KEEP_ALIVE", "[]");
    jsorc.run(&["apply", "--yes"]).expect(0);
    assert!(exists(cluster, &jsorc, "configmap/one"));
    let jsorc = jsorc
        .set("JSORC_KEEP_ALIVE", "[one]")
        .set("JSORC_SERVICES__ONE__ENABLED", "false");
    jsorc.run(&["apply", "--yes"]).expect(0);
    assert!(exists(cluster, &jsorc, "configmap/one"));
}

#[test]
fn what_left_the_folder_is_pruned_but_protected_kinds_stay() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "prune").services(&[
        SERVICE,
        ("one/kube/one.yaml", MAP),
        ("one/kube/second.yaml", SECOND),
        ("one/kube/claim.yaml", CLAIM),
    ]);
    jsorc.run(&["apply"]).expect(0);
    for file in ["second", "claim"] {
        std::fs::remove_file(
            jsorc
                .folder()
                .join(format!("services/one/kube/{file}.yaml")),
        )
        .unwrap();
    }
    let plan = jsorc.run(&["plan"]).expect(0);
    assert!(
        plan.stdout.contains("no longer in services/one"),
        "{}",
        plan.stdout
    );
    assert!(
        plan.stdout
            .contains("--allow-delete PersistentVolumeClaim/data"),
        "{}",
        plan.stdout
    );
    let asked = jsorc.run(&["apply"]).expect(1);
    assert!(asked.stderr.contains("--yes"), "{}", asked.stderr);
    assert!(
        exists(cluster, &jsorc, "configmap/second"),
        "nothing happens without a yes"
    );
    let pruned = jsorc.run(&["apply", "--yes"]).expect(0);
    assert!(pruned.stdout.contains("1 deleted"), "{}", pruned.stdout);
    assert!(!exists(cluster, &jsorc, "configmap/second"));
    assert!(exists(cluster, &jsorc, "pvc/data"));
    jsorc
        .run(&[
            "apply",
            "--yes",
            "--allow-delete",
            "PersistentVolumeClaim/data",
        ])
        .expect(0);
    crate::support::eventually("the end of the claim", LONG, || {
        (!exists(cluster, &jsorc, "pvc/data")).then_some(())
    });
}

#[test]
fn a_service_without_any_manifest_left_prunes_nothing() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "empty").services(&[
        SERVICE,
        ("one/kube/one.yaml", MAP),
        ("two/service.yaml", "driver: none\n"),
    ]);
    jsorc.run(&["apply"]).expect(0);
    std::fs::remove_dir_all(jsorc.folder().join("services/one/kube")).unwrap();
    let plan = jsorc.run(&["plan"]).expect(0);
    assert!(
        plan.stdout.contains("no manifests at all"),
        "{}",
        plan.stdout
    );
    jsorc.run(&["apply", "--yes"]).expect(0);
    assert!(exists(cluster, &jsorc, "configmap/one"));
}

#[test]
fn a_service_that_vanished_is_orphaned_and_named() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "orphan").services(&[
        SERVICE,
        ("one/kube/one.yaml", MAP),
        ("two/service.yaml", "driver: none\n"),
    ]);
    jsorc.run(&["apply"]).expect(0);
    std::fs::remove_dir_all(jsorc.folder().join("services/one")).unwrap();
    jsorc.run(&["apply", "--yes"]).expect(0);
    assert!(exists(cluster, &jsorc, "configmap/one"));
    let status = jsorc.run(&["status"]).expect(0);
    assert!(status.stdout.contains("Orphaned"), "{}", status.stdout);
}

#[test]
fn a_changed_namespace_is_blocked_and_nothing_moves() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "moved").services(&[SERVICE, ("one/kube/one.yaml", MAP)]);
    let home = jsorc.namespace.clone();
    let jsorc = jsorc.set("JSORC_INSTANCE__NAMESPACE", &home);
    jsorc.run(&["apply"]).expect(0);
    let other = cluster.create_namespace("moved-to");
    let jsorc = jsorc.set("JSORC_NAMESPACE", &other);
    let plan = jsorc.run(&["plan", "--exit-code"]).expect(1);
    assert!(plan.stdout.contains("--move-namespace"), "{}", plan.stdout);
    jsorc.run(&["apply", "--yes"]).expect(1);
    assert!(exists(cluster, &jsorc, "configmap/one"));
    assert!(
        !cluster
            .as_admin()
            .output(&["get", "configmap", "one", "-n", &other])
            .status
            .success()
    );
}

#[test]
fn the_first_install_needs_a_named_target() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "target").services(&[SERVICE, ("one/kube/one.yaml", MAP)]);
    let home = jsorc.file(
        "home/.kube/config",
        &std::fs::read_to_string(cluster.kubeconfig()).unwrap(),
    );
    let unnamed = jsorc.set("KUBECONFIG", "").set(
        "HOME",
        home.parent()
            .unwrap()
            .parent()
            .unwrap()
            .display()
            .to_string(),
    );
    let refused = unnamed.run(&["apply"]).expect(2);
    assert!(
        refused.stderr.contains("name it: --context"),
        "{}",
        refused.stderr
    );
    assert!(!exists(cluster, &unnamed, "configmap/one"));
    unnamed.run(&["plan"]).expect(0);
    let context = cluster.kubectl(["config", "current-context"]);
    unnamed
        .run(&["apply", "--context", context.trim()])
        .expect(0);
    assert!(exists(cluster, &unnamed, "configmap/one"));
    unnamed.run(&["apply"]).expect(0);
}

#[test]
fn policy_report_shows_drift_and_heals_nothing() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "report")
        .services(&[SERVICE, ("one/kube/one.yaml", MAP)])
        .set("JSORC_INTERVAL", "1s");
    jsorc.run(&["apply"]).expect(0);
    let jsorc = jsorc.set("JSORC_POLICY__MODE", "report");
    let daemon = jsorc.daemon();
    daemon.wait_for("one", "Running", LONG);
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
    daemon.wait_for_log("ConfigMap/one", LONG);
    std::thread::sleep(Duration::from_secs(3));
    let data = cluster.kubectl([
        "get",
        "configmap",
        "one",
        "-n",
        &jsorc.namespace,
        "-o",
        "jsonpath={.data.a}",
    ]);
    assert_eq!(data, "2");
}

#[test]
fn a_field_of_another_manager_is_left_to_it_unless_the_policy_takes() {
    let cluster = Cluster::shared();
    let files = [SERVICE, ("one/kube/one.yaml", MAP)];
    let jsorc = Jsorc::on(cluster, "conflict")
        .services(&files)
        .set("JSORC_POLICY__ADOPT", "unowned");
    cluster.kubectl(["create", "namespace", &jsorc.namespace]);
    let theirs = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: theirs}\n";
    cluster.as_admin().run_with(
        &[
            "apply",
            "--server-side",
            "--field-manager=other",
            "-n",
            &jsorc.namespace,
            "-f",
            "-",
        ],
        theirs,
    );
    let namespace = jsorc.namespace.clone();
    let value = || {
        cluster.kubectl([
            "get",
            "configmap",
            "one",
            "-n",
            &namespace,
            "-o",
            "jsonpath={.data.a}",
        ])
    };
    let applied = jsorc.run(&["apply"]).expect(0);
    assert!(
        applied.stderr.contains("other") && applied.stderr.contains("data.a"),
        "{}",
        applied.stderr
    );
    assert_eq!(value(), "theirs");
    jsorc.run(&["plan", "--exit-code"]).expect(0);
    let jsorc = jsorc.set("JSORC_POLICY__CONFLICTS", "take");
    cluster.kubectl(["delete", "configmap", "one", "-n", &jsorc.namespace]);
    cluster.as_admin().run_with(
        &[
            "apply",
            "--server-side",
            "--field-manager=other",
            "-n",
            &jsorc.namespace,
            "-f",
            "-",
        ],
        theirs,
    );
    jsorc.run(&["apply"]).expect(0);
    assert_eq!(value(), "1");
}
