//! Several instances in one cluster: they do not fight, none prunes what is another's, and where
//! both want one object, the second is told whose it is.

use std::time::Duration;

use crate::support::{AuditEntry, Cluster, Jsorc, Mark, eventually};

const SOON: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(60);
/// Longer than the interval of these daemons.
const A_WHILE: Duration = Duration::from_secs(3);

const SERVICE: (&str, &str) = ("web/service.yaml", "driver: none\n");

/// Two maps and a role for the whole cluster of this name.
fn table(role: &str) -> String {
    format!(
        "apiVersion: v1
kind: ConfigMap
metadata: {{name: web}}
data: {{greeting: hello}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: more}}
data: {{a: \"1\"}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: \"{role}\"}}
rules: []
"
    )
}

/// The table without its second map.
fn less(table: &str) -> String {
    let parts: Vec<&str> = table.split("---\n").collect();
    [parts[0], parts[2]].join("---\n")
}

fn jsorc(cluster: &Cluster, prefix: &str, table: &str) -> Jsorc {
    Jsorc::on(cluster, prefix)
        .services(&[SERVICE, ("web/kube/web.yaml", table)])
        .set("JSORC_INTERVAL", "1s")
}

/// A second instance in the namespace of the first.
fn beside(cluster: &Cluster, first: &Jsorc, name: &str, table: &str) -> Jsorc {
    let mut second = jsorc(cluster, "beside", table)
        .set("JSORC_NAMESPACE", &first.namespace)
        .set("JSORC_INSTANCE__NAME", name);
    second.namespace.clone_from(&first.namespace);
    name.clone_into(&mut second.instance);
    second
}

fn has(cluster: &Cluster, jsorc: &Jsorc, object: &str) -> bool {
    let arguments = ["get", object, "-n", &jsorc.namespace];
    cluster.as_admin().output(&arguments).status.success()
}

fn greeting(cluster: &Cluster, jsorc: &Jsorc) -> String {
    let path = "jsonpath={.data.greeting}";
    cluster.kubectl(["get", "cm", "web", "-n", &jsorc.namespace, "-o", path])
}

fn spoil(cluster: &Cluster, jsorc: &Jsorc) {
    let patch = r#"{"data":{"greeting":"theirs"}}"#;
    let namespace = &jsorc.namespace;
    cluster.kubectl([
        "patch",
        "cm",
        "web",
        "-n",
        namespace,
        "--type=merge",
        "-p",
        patch,
    ]);
}

/// The writes to the objects of the table since, by any instance.
fn written(cluster: &Cluster, mark: Mark, jsorc: &Jsorc) -> Vec<String> {
    let entries = cluster.audit().since(mark);
    let ours = |entry: &&AuditEntry| {
        entry.is_write()
            && entry.agent.contains("jsorc")
            && entry.namespace == jsorc.namespace
            && ["web", "more"].contains(&&*entry.name)
    };
    let written = entries.iter().filter(ours);
    written
        .map(|entry| format!("{} {}", entry.verb, entry.name))
        .collect()
}

#[test]
fn two_instances_of_one_name_in_two_namespaces_do_not_meet() {
    let cluster = Cluster::shared();
    let table = table("web-$g{namespace}");
    let (one, two) = (jsorc(cluster, "one", &table), jsorc(cluster, "two", &table));
    let (first, second) = (one.daemon(), two.daemon());
    first.wait_for("web", "Running", LONG);
    second.wait_for("web", "Running", LONG);

    let (log, mark) = (second.log(), cluster.audit().mark());
    spoil(cluster, &one);
    eventually("the heal", SOON, || {
        (greeting(cluster, &one) == "hello").then_some(())
    });
    first.wait_for_log("healed ConfigMap/web", SOON);
    one.file("services/web/kube/web.yaml", &less(&table));
    eventually("the pruning", SOON, || {
        (!has(cluster, &one, "configmap/more")).then_some(())
    });
    std::thread::sleep(A_WHILE);
    assert!(has(cluster, &two, "configmap/more"));
    assert_eq!(written(cluster, mark, &one), ["patch web", "delete more"]);
    assert_eq!(written(cluster, mark, &two), Vec::<String>::new());
    assert_eq!(second.log(), log, "the other has nothing to say");

    // One goes, the other stays.
    assert_eq!(first.stop(), 0);
    one.run(&["delete", "web", "--yes"]).expect(0);
    std::thread::sleep(A_WHILE);
    assert!(has(cluster, &two, "configmap/web") && has(cluster, &two, "configmap/more"));
    for (jsorc, there) in [(&one, false), (&two, true)] {
        let role = format!("clusterrole/web-{}", jsorc.namespace);
        assert_eq!(has(cluster, jsorc, &role), there, "{role}");
    }
    assert_eq!(second.stop(), 0);
    two.run(&["delete", "web", "--yes"]).expect(0);
}

#[test]
fn two_instances_in_one_namespace_with_the_same_manifests_do_not_fight() {
    let cluster = Cluster::shared();
    let table = table("same-$g{namespace}");
    let one = jsorc(cluster, "same", &table);
    let first = one.daemon();
    first.wait_for("web", "Running", LONG);
    let two = beside(cluster, &one, "other", &table);
    let mark = cluster.audit().mark();
    let second = two.daemon();
    let failed = second.wait_for("web", "Failed", LONG);
    let owner = format!("it belongs to the jsorc instance {}.it", one.namespace);
    assert!(
        failed["reason"].as_str().unwrap().contains(&owner),
        "{failed}"
    );
    let plan = two
        .run(&["plan", "--local-config", "--exit-code"])
        .expect(1);
    assert_eq!(plan.stdout.matches(&owner).count(), 3, "{}", plan.stdout);

    // What leaves the second folder was never its own.
    two.file("services/web/kube/web.yaml", &less(&table));
    second.wait_for_log("files changed", SOON);
    std::thread::sleep(Duration::from_secs(5) + A_WHILE);
    assert!(has(cluster, &one, "configmap/more"));
    assert_eq!(written(cluster, mark, &one), Vec::<String>::new());
    assert!(!first.log().contains("healed"), "{}", first.log());

    // The first goes on healing, and the end of the second takes nothing with it.
    spoil(cluster, &one);
    eventually("the heal", SOON, || {
        (greeting(cluster, &one) == "hello").then_some(())
    });
    assert_eq!(second.stop(), 0);
    two.run(&["delete", "web", "--yes"]);
    assert!(has(cluster, &one, "configmap/web") && has(cluster, &one, "configmap/more"));
    first.wait_for("web", "Running", SOON);
    assert_eq!(first.stop(), 0);
    one.run(&["delete", "web", "--yes"]).expect(0);
}

#[test]
fn an_object_of_the_whole_cluster_that_another_instance_has_is_blocked_with_its_name() {
    let cluster = Cluster::shared();
    let role = cluster.namespace("clash");
    let table = table(&role);
    let (one, two) = (
        jsorc(cluster, "mine", &table),
        jsorc(cluster, "his", &table),
    );
    let first = one.daemon();
    first.wait_for("web", "Running", LONG);
    let second = two.daemon();
    let failed = second.wait_for("web", "Failed", LONG);
    let said = format!(
        "ClusterRole/{role} exists already and it belongs to the jsorc instance {}.it",
        one.namespace
    );
    assert!(
        failed["reason"].as_str().unwrap().contains(&said),
        "{failed}"
    );
    // Its own objects it has, or is about to; the clash changes nothing at the other's.
    eventually("its own objects", LONG, || {
        let there = cluster.kubectl(["get", "cm", "-n", &two.namespace, "-o", "name"]);
        there.contains("configmap/web").then_some(())
    });
    assert_eq!(greeting(cluster, &two), "hello");
    let label = r"jsonpath={.metadata.labels.jsorc\.dev/instance}";
    let owner = || cluster.kubectl(["get", "clusterrole", &role, "-o", label]);
    std::thread::sleep(A_WHILE);
    assert_eq!(owner(), format!("{}.it", one.namespace));
    assert!(!first.log().contains("healed"), "{}", first.log());
    // Without the other it may have it.
    assert_eq!(first.stop(), 0);
    one.run(&["delete", "web", "--yes"]).expect(0);
    second.wait_for("web", "Running", LONG);
    assert_eq!(owner(), format!("{}.it", two.namespace));
    assert_eq!(second.stop(), 0);
    two.run(&["delete", "web", "--yes"]).expect(0);
}
