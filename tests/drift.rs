//! What others change in the cluster: a plan names exactly that, and the daemon puts it right
//! without waiting for its interval.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Cluster, Jsorc, eventually};

const SOON: Duration = Duration::from_secs(20);
/// Longer than any test: whatever is repaired was not repaired by the interval.
const NEVER: &str = "10m";

const SHOP: &[(&str, &str)] = &[
    ("shop/service.yaml", "driver: none\n"),
    (
        "shop/kube/shop.yaml",
        "apiVersion: v1
kind: ServiceAccount
metadata: {name: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: shop, labels: {tier: front}}
data: {greeting: hello, \"a.b\": dotted}
---
apiVersion: v1
kind: Secret
metadata: {name: shop}
stringData: {token: hunter2-canary}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: shop}
spec: {minAvailable: 50%, selector: {matchLabels: {app: shop}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  rules:
  - host: shop.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: shop}
spec:
  schedule: \"*/5 * * * *\"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: \"c:1\"}]}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      serviceAccountName: shop
      volumes: [{name: scratch, emptyDir: {}}]
      containers:
      - name: shop
        image: shop:1
        resources: {requests: {cpu: 1000m, memory: 64Mi}, limits: {memory: 0.5Gi}}
        env: [{name: A, value: \"1\"}, {name: B, value: \"2\"}]
        volumeMounts: [{name: scratch, mountPath: /tmp/x}]
      - name: side
        image: side:1
",
    ),
];

fn applied(prefix: &str) -> (&'static Cluster, Jsorc) {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, prefix)
        .services(SHOP)
        .set("JSORC_INTERVAL", NEVER);
    jsorc.run(&["apply"]).expect(0);
    (cluster, jsorc)
}

/// The fields that a plan would change, as `KIND/NAME path from → to`, without prose.
fn planned(jsorc: &Jsorc) -> Vec<String> {
    let plan = jsorc.run(&["plan", "-o", "json"]).expect(0).json();
    let value = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let mut said = Vec::new();
    for step in plan["steps"].as_array().unwrap() {
        let object = format!(
            "{} {}/{}",
            step["action"].as_str().unwrap(),
            step["object"]["kind"].as_str().unwrap(),
            step["object"]["name"].as_str().unwrap()
        );
        let fields = step["fields"].as_array().unwrap();
        if fields.is_empty() {
            said.push(object.clone());
        }
        for field in fields {
            said.push(format!(
                "{object} {}: {} → {}",
                field["path"].as_str().unwrap(),
                value(&field["from"]),
                value(&field["to"])
            ));
        }
    }
    said
}

#[test]
fn an_applied_set_has_no_ghost_difference() {
    let (_, jsorc) = applied("ghost");
    let plan = jsorc.run(&["plan", "--exit-code"]).expect(0);
    assert!(plan.stdout.contains("Nothing to do"), "{}", plan.stdout);
    assert_eq!(planned(&jsorc), Vec::<String>::new());
    let again = jsorc.run(&["apply"]).expect(0);
    assert!(again.stdout.contains("Nothing to do"), "{}", again.stdout);
}

#[test]
fn a_plan_names_exactly_what_others_changed() {
    let (cluster, jsorc) = applied("exact");
    let kubectl = |args: &[&str]| {
        cluster
            .as_admin()
            .run(&[args, &["-n", &jsorc.namespace]].concat())
    };
    let patch = |object: &str, patch: &str| kubectl(&["patch", object, "--type=json", "-p", patch]);
    let heal = || jsorc.run(&["apply"]).expect(0);

    kubectl(&["scale", "deployment/shop", "--replicas=5"]);
    assert_eq!(
        planned(&jsorc),
        ["update Deployment/shop spec.replicas: 5 → 2"]
    );
    let text = jsorc.run(&["plan"]).expect(0).stdout;
    assert!(text.contains("5 → 2") && text.contains("kubectl"), "{text}");
    jsorc.run(&["plan", "--exit-code"]).expect(1);
    heal();

    patch(
        "configmap/shop",
        r#"[{"op":"replace","path":"/data/greeting","value":"bye"},{"op":"remove","path":"/data/a.b"},{"op":"add","path":"/data/theirs","value":"x"}]"#,
    );
    assert_eq!(
        planned(&jsorc),
        [
            "update ConfigMap/shop data[\"a.b\"]: null → dotted",
            "update ConfigMap/shop data.greeting: bye → hello",
        ]
    );
    heal();

    kubectl(&["label", "configmap/shop", "tier-"]);
    assert_eq!(
        planned(&jsorc),
        ["update ConfigMap/shop metadata.labels.tier: null → front"]
    );
    heal();

    kubectl(&["set", "image", "deployment/shop", "side=side:2"]);
    assert_eq!(
        planned(&jsorc),
        ["update Deployment/shop spec.template.spec.containers[side].image: side:2 → side:1"]
    );
    heal();

    patch(
        "deployment/shop",
        r#"[{"op":"remove","path":"/spec/template/spec/containers/0/env/1"}]"#,
    );
    assert_eq!(
        planned(&jsorc),
        [
            "update Deployment/shop spec.template.spec.containers[shop].env[B]: null → {\"name\":\"B\",\"value\":\"2\"}"
        ]
    );
    heal();

    patch(
        "secret/shop",
        r#"[{"op":"replace","path":"/data/token","value":"b3RoZXI="}]"#,
    );
    let secret = planned(&jsorc);
    assert_eq!(secret.len(), 1, "{secret:?}");
    assert!(
        secret[0].starts_with("update Secret/shop data.token: •••• #"),
        "{secret:?}"
    );
    assert!(
        !secret[0].contains("hunter2") && !secret[0].contains("b3RoZXI"),
        "{secret:?}"
    );
    heal();

    kubectl(&["delete", "service/shop"]);
    assert_eq!(planned(&jsorc), ["create Service/shop"]);
    heal();

    kubectl(&["label", "ingress/shop", "jsorc.dev/instance-"]);
    assert_eq!(planned(&jsorc).len(), 1, "{:?}", planned(&jsorc));
    heal();
    assert_eq!(planned(&jsorc), Vec::<String>::new());
}

#[test]
fn what_is_not_ours_is_no_difference() {
    let (cluster, jsorc) = applied("foreign");
    let kubectl = |args: &[&str]| {
        cluster
            .as_admin()
            .run(&[args, &["-n", &jsorc.namespace]].concat())
    };
    kubectl(&["annotate", "deployment/shop", "theirs=1"]);
    kubectl(&["label", "configmap/shop", "theirs=1"]);
    kubectl(&["set", "env", "deployment/shop", "-c", "side", "THEIRS=1"]);
    kubectl(&["rollout", "restart", "deployment/shop"]);
    assert_eq!(planned(&jsorc), Vec::<String>::new());
    jsorc.run(&["plan", "--exit-code"]).expect(0);
}

#[test]
fn the_daemon_repairs_from_the_event_and_says_who_it_was() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "heal")
        .services(SHOP)
        .set("JSORC_INTERVAL", NEVER);
    let daemon = jsorc.daemon();
    daemon.wait_for("shop", "Running", Duration::from_secs(60));
    let kubectl = |args: &[&str]| {
        cluster
            .as_admin()
            .run(&[args, &["-n", &jsorc.namespace]].concat())
    };
    let get =
        |object: &str, path: &str| kubectl(&["get", object, "-o", &format!("jsonpath={path}")]);
    let until = |what: &str, object: &str, path: &str, value: &str| {
        eventually(what, SOON, || (get(object, path) == value).then_some(()));
    };

    kubectl(&["scale", "deployment/shop", "--replicas=5"]);
    until("replicas", "deployment/shop", "{.spec.replicas}", "2");
    daemon.wait_for_log("spec.replicas 5 → 2", SOON);
    daemon.wait_for_log("kubectl", SOON);

    kubectl(&["label", "configmap/shop", "tier-"]);
    until(
        "the label",
        "configmap/shop",
        "{.metadata.labels.tier}",
        "front",
    );

    kubectl(&["delete", "pdb/shop", "ingress/shop", "--wait=false"]);
    eventually("the budget", SOON, || {
        kubectl(&["get", "pdb", "-o", "name"])
            .contains("shop")
            .then_some(())
    });
    eventually("the ingress", SOON, || {
        kubectl(&["get", "ingress", "-o", "name"])
            .contains("shop")
            .then_some(())
    });

    kubectl(&["label", "service/shop", "jsorc.dev/instance-"]);
    eventually("our label", SOON, || {
        get("service/shop", "{.metadata.labels}")
            .contains("jsorc.dev/instance")
            .then_some(())
    });

    kubectl(&["delete", "deployment/shop"]);
    eventually("the deployment", SOON, || {
        kubectl(&["get", "deployment", "-o", "name"])
            .contains("shop")
            .then_some(())
    });
    daemon.wait_for_log("was deleted", SOON);
    daemon.wait_for("shop", "Running", SOON);
    assert!(!daemon.log().contains("hunter2"), "a secret in the log");
}

#[test]
fn two_writers_who_do_not_give_in_are_named_and_slowed_down() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "fight")
        .services(SHOP)
        .set("JSORC_INTERVAL", NEVER);
    let daemon = jsorc.daemon();
    daemon.wait_for("shop", "Running", Duration::from_secs(60));
    for round in 0..12 {
        let data = format!("{{\"data\":{{\"greeting\":\"theirs {round}\"}}}}");
        cluster.kubectl([
            "patch",
            "configmap",
            "shop",
            "-n",
            &jsorc.namespace,
            "--type=merge",
            "-p",
            &data,
        ]);
    }
    daemon.wait_for_log("ignore", SOON);
    let log = daemon.log();
    assert!(
        log.contains("ConfigMap/shop") && log.contains("kubectl-patch"),
        "{log}"
    );
}

#[test]
fn a_service_that_is_ready_and_does_not_answer_is_restarted_once_if_it_says_so() {
    let cluster = Cluster::shared();
    let mut files = SHOP.to_vec();
    files[0] = (
        "shop/service.yaml",
        "driver: tcp\nconfig: {host: 127.0.0.1, port: 1}\nprobe: {failures: 2}\nremedy: restart\n",
    );
    let jsorc = Jsorc::on(cluster, "remedy")
        .services(&files)
        .set("JSORC_INTERVAL", "1s");
    let daemon = jsorc.daemon();
    daemon.wait_for_log("restarts Deployment/shop", Duration::from_secs(60));
    let annotation = || {
        cluster.kubectl([
            "get",
            "deployment",
            "shop",
            "-n",
            &jsorc.namespace,
            "-o",
            "jsonpath={.spec.template.metadata.annotations.jsorc\\.dev/restarted-at}",
        ])
    };
    let first = eventually("the restart", SOON, || {
        Some(annotation()).filter(|at| !at.is_empty())
    });
    std::thread::sleep(Duration::from_secs(8));
    assert_eq!(annotation(), first, "at most once in ten minutes");
    drop(daemon);
    assert_eq!(planned(&jsorc), Vec::<String>::new(), "it is no difference");
}

/// While hundreds of writes wait for their turn, the watch is given up, and taken up again.
#[test]
fn what_changes_while_writes_pile_up_is_put_right_too() {
    let cluster = Cluster::shared();
    let names: Vec<String> = (0..300).map(|number| format!("heap-{number:03}")).collect();
    let map = |name: &String| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: \"1\"}}\n")
    };
    let heap = names.iter().map(map).collect::<Vec<_>>().join("---\n");
    let jsorc = Jsorc::on(cluster, "heap")
        .services(&[
            ("heap/service.yaml", "driver: none\n"),
            ("heap/kube/heap.yaml", &heap),
        ])
        .set("JSORC_INTERVAL", NEVER);
    let daemon = jsorc.daemon();
    daemon.wait_for("heap", "Running", SOON * 3);
    let namespace = &*jsorc.namespace;
    daemon.freeze();
    let theirs = heap.replace("a: \"1\"", "a: \"2\"");
    let force = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "-n",
        namespace,
        "-f",
        "-",
    ];
    cluster.as_admin().run_with(&force, &theirs);
    daemon.thaw();
    let patch = "{\"data\":{\"a\":\"3\"}}";
    cluster.kubectl([
        "patch",
        "configmap",
        "heap-299",
        "-n",
        namespace,
        "--type=merge",
        "-p",
        patch,
    ]);
    let read = [
        "get",
        "configmaps",
        "-n",
        namespace,
        "-o",
        "jsonpath={.items[*].data.a}",
    ];
    eventually("all are put right", SOON * 3, || {
        let values = cluster.kubectl(read);
        let right = values.split(' ').filter(|value| *value == "1").count();
        (right == names.len()).then_some(())
    });
    cluster.kubectl([
        "patch",
        "configmap",
        "heap-000",
        "-n",
        namespace,
        "--type=merge",
        "-p",
        patch,
    ]);
    eventually("one more is", SOON, || {
        let value = cluster.kubectl([
            "get",
            "configmap",
            "heap-000",
            "-n",
            namespace,
            "-o",
            "jsonpath={.data.a}",
        ]);
        (value == "1").then_some(())
    });
}
