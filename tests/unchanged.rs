//! The fast path for unchanged services reads inventories and the metadata of each collection; it misses no
//! change.

use serde_json::Value;

use crate::support::{Audit, AuditEntry, Cluster, Jsorc, Mark};

const SERVICES: &[(&str, &str)] = &[
    (
        "shop/service.yaml",
        "driver: none
parameters:
  greeting: {type: string, default: hello}
",
    ),
    (
        "shop/kube/shop.yaml",
        "apiVersion: v1
kind: ConfigMap
metadata: {name: shop, labels: {tier: front}}
data: {greeting: \"$g{greeting}\", b: \"1\"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: more}
data: {a: \"1\"}
---
apiVersion: v1
kind: Secret
metadata: {name: shop}
stringData: {token: x}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers: [{name: shop, image: \"shop:1\"}]
      volumes: [{name: room, emptyDir: {}}]
",
    ),
    ("idle/service.yaml", "driver: none\n"),
];

struct Shop {
    cluster: Cluster,
    jsorc: Jsorc,
    audit: Audit,
}

impl Shop {
    /// A cluster without controllers, so that nothing changes but what a test changes.
    fn open() -> Self {
        let cluster = Cluster::bare(true);
        let jsorc = Jsorc::on(&cluster, "shop").services(SERVICES);
        let audit = cluster.audit();
        jsorc.run(&["apply"]).expect(0);
        Self {
            cluster,
            jsorc,
            audit,
        }
    }

    fn kubectl<const N: usize>(&self, args: [&str; N]) {
        let kubectl = self.cluster.as_admin();
        let namespace = ["-n", &self.jsorc.namespace];
        kubectl.run(&[&args[..], &namespace].concat());
    }

    fn patch(&self, kind: &str, name: &str, patch: &str) {
        self.kubectl(["patch", kind, name, "--type=merge", "-p", patch]);
    }

    /// Runs a command. Gives what it printed, and whether the fast path sufficed.
    fn look(&self, arguments: &[&str]) -> (String, bool) {
        let mark = self.audit.mark();
        let ran = self.jsorc.run(arguments).expect(0);
        (ran.stdout, !self.asked(mark, "watch"))
    }

    fn asked(&self, mark: Mark, verb: &str) -> bool {
        let entries = self.audit.since(mark);
        entries.iter().any(|e| is_ours(e) && e.verb == verb)
    }
}

fn is_ours(entry: &AuditEntry) -> bool {
    entry.agent.starts_with("jsorc/")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn an_unchanged_set_costs_a_list_of_metadata_for_each_kind() {
    let shop = Shop::open();
    for command in ["plan", "apply"] {
        let mark = shop.audit.mark();
        let ran = shop.jsorc.run(&[command]).expect(0);
        assert!(
            ran.stdout
                .contains("Nothing to do: 6 objects are as they ought to be.")
        );
        let entries = shop.audit.since(mark);
        let mut asked: Vec<String> = entries
            .iter()
            .filter(|entry| is_ours(entry) && entry.stage == "ResponseComplete")
            .map(|entry| format!("{} {}", entry.verb, entry.resource))
            .collect();
        asked.sort();
        let wanted = [
            "create selfsubjectreviews",
            "get leases",
            "get secrets",
            "list configmaps",
            "list configmaps",
            "list deployments",
            "list networkpolicies",
            "list secrets",
        ];
        assert_eq!(asked, wanted, "{command}");
    }
}

#[test]
fn the_fast_path_and_the_full_comparison_print_the_same() {
    let shop = Shop::open();
    let commands: [&[&str]; 4] = [
        &["plan"],
        &["plan", "-o", "json"],
        &["apply"],
        &["apply", "-o", "json"],
    ];
    let brief: Vec<(String, bool)> = commands.iter().map(|c| shop.look(c)).collect();
    // A field of nobody's interest, but another version.
    shop.patch("configmap", "shop", "{\"data\":{\"theirs\":\"1\"}}");
    shop.patch("configmap", "shop", "{\"data\":{\"theirs\":null}}");
    for (command, (said, fast)) in commands.iter().zip(brief) {
        assert!(fast, "{command:?}");
        assert_eq!(shop.look(command), (said, false), "{command:?}");
    }
    // With -v everything is told of every object, so every object is looked at.
    let (_, fast) = shop.look(&["plan", "-v"]);
    assert!(!fast);
}

#[test]
fn a_status_is_no_reason_to_look_at_everything_for_a_plan() {
    let shop = Shop::open();
    shop.kubectl([
        "patch",
        "deployment",
        "shop",
        "--subresource=status",
        "--type=merge",
        "-p",
        "{\"status\":{\"observedGeneration\":1,\"replicas\":1}}",
    ]);
    let (plan, fast) = shop.look(&["plan"]);
    assert!(fast && plan.contains("Nothing to do"), "{plan}");
    // An apply says what is not ready yet, which is in the status.
    let (applied, fast) = shop.look(&["apply"]);
    assert!(!fast, "{applied}");
    assert!(applied.contains("Deployment/shop 0/1 updated"), "{applied}");
}

/// Its metadata has all that can be applied of it: the server shows it in another form here.
#[test]
fn so_it_is_with_a_custom_resource() {
    let cluster = Cluster::bare(true);
    let jsorc = Jsorc::on(&cluster, "widgets").services(&[
        ("shop/service.yaml", "driver: none\n"),
        (
            "shop/kube/shop.yaml",
            "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.glance.example.com}
spec:
  group: glance.example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}}
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: owner}
---
apiVersion: glance.example.com/v1
kind: Widget
metadata:
  name: shop
  labels: {tier: front}
  annotations: {note: \"a <b> & \\\"ü\\\"\"}
  finalizers: [example.com/last]
  ownerReferences:
    - {apiVersion: v1, kind: ConfigMap, name: owner, uid: 0b4d1c3e-0000-4000-8000-000000000000, controller: false}
spec: {size: 1}
",
        ),
    ]);
    let shop = Shop {
        audit: cluster.audit(),
        cluster,
        jsorc,
    };
    shop.jsorc.run(&["apply"]).expect(0);
    let (plan, fast) = shop.look(&["plan"]);
    assert!(fast, "its definition is served by now: {plan}");
    shop.kubectl([
        "patch",
        "widget",
        "shop",
        "--subresource=status",
        "--type=merge",
        "-p",
        "{\"status\":{\"ready\":true}}",
    ]);
    let (plan, fast) = shop.look(&["plan"]);
    assert!(fast && plan.contains("Nothing to do"), "{plan}");
    let other = "{\"metadata\":{\"annotations\":{\"note\":\"c\"}}}";
    shop.patch("widget", "shop", other);
    let (plan, fast) = shop.look(&["plan"]);
    assert!(!fast && plan.contains("Widget  shop"), "{plan}");
}

#[test]
fn whatever_changed_is_found() {
    let shop = Shop::open();
    let changed = "ConfigMap  shop";
    let finds: [(&str, &dyn Fn(), &str); 8] = [
        (
            "a value",
            &|| shop.patch("configmap", "shop", "{\"data\":{\"b\":\"2\"}}"),
            changed,
        ),
        (
            "a label",
            &|| {
                shop.patch(
                    "configmap",
                    "shop",
                    "{\"metadata\":{\"labels\":{\"tier\":\"back\"}}}",
                );
            },
            changed,
        ),
        (
            "our label",
            &|| {
                let none = "{\"metadata\":{\"labels\":{\"jsorc.dev/instance\":null}}}";
                shop.patch("configmap", "shop", none);
            },
            changed,
        ),
        (
            "its deletion",
            &|| shop.kubectl(["delete", "configmap", "shop"]),
            changed,
        ),
        (
            "its replacement",
            &|| {
                shop.kubectl(["delete", "configmap", "shop"]);
                shop.kubectl(["create", "configmap", "shop", "--from-literal=b=1"]);
            },
            changed,
        ),
        (
            "the image",
            &|| {
                shop.kubectl(["set", "image", "deployment/shop", "shop=shop:2"]);
            },
            "Deployment  shop",
        ),
        (
            "a struct that is wanted empty",
            &|| {
                let place = "/spec/template/spec/volumes/0/emptyDir/medium";
                let patch = format!(r#"[{{"op":"add","path":"{place}","value":"Memory"}}]"#);
                shop.kubectl(["patch", "deployment", "shop", "--type=json", "-p", &patch]);
            },
            "Deployment  shop",
        ),
        (
            "a label of an object with a generation",
            &|| {
                let other =
                    "{\"metadata\":{\"labels\":{\"applyset.kubernetes.io/part-of\":\"other\"}}}";
                shop.patch("deployment", "shop", other);
            },
            "Deployment  shop",
        ),
    ];
    for (what, change, found) in finds {
        change();
        let (plan, fast) = shop.look(&["plan"]);
        assert!(!fast && plan.contains(found), "{what}: {plan}");
        let (applied, _) = shop.look(&["apply", "--yes"]);
        assert!(applied.contains("Applied: "), "{what}: {applied}");
        let (plan, fast) = shop.look(&["plan"]);
        assert!(fast, "{what}: the apply stored receipts: {plan}");
        assert!(plan.contains("Nothing to do: 6 objects"), "{what}: {plan}");
    }
}

#[test]
fn what_would_be_composed_otherwise_is_composed() {
    let shop = Shop::open();
    let jsorc = shop
        .jsorc
        .set("JSORC_SERVICES__SHOP__PARAMETERS__GREETING", "hi");
    let plan = jsorc.run(&["plan"]).expect(0);
    assert!(plan.stdout.contains("hello → hi"), "{}", plan.stdout);
    let jsorc = jsorc.without("JSORC_SERVICES__SHOP__PARAMETERS__GREETING");
    let edited = SERVICES[1].1.replace("b: \"1\"", "b: \"3\"");
    jsorc.file("services/shop/kube/shop.yaml", &edited);
    let plan = jsorc.run(&["plan"]).expect(0);
    assert!(plan.stdout.contains("\"1\" → \"3\""), "{}", plan.stdout);
}

#[test]
fn what_others_added_and_what_is_left_to_them_is_said() {
    let shop = Shop::open();
    shop.patch("configmap", "shop", "{\"data\":{\"theirs\":\"1\"}}");
    // The next save sees the addition, and gives no receipt.
    shop.patch("configmap", "more", "{\"data\":{\"a\":\"2\"}}");
    shop.look(&["apply"]);
    let (plan, fast) = shop.look(&["plan"]);
    assert!(
        !fast && plan.contains("1 field that others added"),
        "{plan}"
    );
    shop.jsorc.run(&["suspend", "shop"]).expect(0);
    let (plan, fast) = shop.look(&["plan", "-o", "json"]);
    assert!(
        !fast && !json(&plan)["suspended"].as_array().unwrap().is_empty(),
        "{plan}"
    );
}

#[test]
fn what_was_deleted_or_suspended_is_not_said_to_be_in_order() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "kept").services(&[
        ("store/service.yaml", "driver: none\n"),
        (
            "store/kube/store.yaml",
            "apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: store}
data: {a: \"1\"}
",
        ),
    ]);
    jsorc.run(&["apply"]).expect(0);
    jsorc.run(&["suspend", "--all"]).expect(0);
    let plan = jsorc.run(&["plan", "-o", "json"]).expect(0).json();
    assert_eq!(plan["suspended"][0]["service"], "store", "{plan}");
    jsorc.run(&["resume", "--all"]).expect(0);
    // The claim stays, and so does an inventory that names it.
    jsorc.run(&["delete", "store", "--yes"]).expect(0);
    jsorc.run(&["resume", "store"]).expect(0);
    let plan = jsorc.run(&["plan"]).expect(0);
    assert!(plan.stdout.contains("1 create"), "{}", plan.stdout);
    let applied = jsorc.run(&["apply"]).expect(0);
    assert!(applied.stdout.contains("1 created"), "{}", applied.stdout);
}
