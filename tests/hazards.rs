//! What must not lead to a deletion, whatever left the folder: each hazard by name.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Cluster, Fault, FaultProxy, Jsorc, User, eventually};

const SOON: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(60);
/// Longer than the interval of these daemons, and than the quiet before a pruning.
const A_WHILE: Duration = Duration::from_secs(8);

const SERVICE: (&str, &str) = ("web/service.yaml", "driver: none\n");
const STAYS: (&str, &str) = (
    "web/kube/stays.yaml",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: stays}\ndata: {a: \"1\"}\n",
);
const LEAVES: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: leaves}\ndata: {a: \"1\"}\n";

struct Site {
    cluster: &'static Cluster,
    jsorc: Jsorc,
}

impl Site {
    /// A service with one map that stays and a file that will leave, applied.
    fn new(prefix: &str, leaves: &str) -> Self {
        let cluster = Cluster::shared();
        let jsorc = Jsorc::on(cluster, prefix)
            .services(&[SERVICE, STAYS, ("web/kube/leaves.yaml", leaves)])
            .set("JSORC_INTERVAL", "1s");
        jsorc.run(&["apply"]).expect(0);
        Self { cluster, jsorc }
    }

    fn seen_by(self, user: &User) -> Self {
        Self {
            jsorc: self.jsorc.set("KUBECONFIG", &user.kubeconfig),
            ..self
        }
    }

    fn kubectl(&self, args: &[&str]) -> String {
        self.cluster
            .as_admin()
            .run(&[args, &["-n", &self.jsorc.namespace]].concat())
    }

    fn has(&self, object: &str) -> bool {
        let arguments = ["get", object, "-n", &self.jsorc.namespace];
        self.cluster.as_admin().output(&arguments).status.success()
    }

    fn live(&self, object: &str) -> Value {
        serde_json::from_str(&self.kubectl(&["get", object, "-o", "json"])).unwrap()
    }

    /// Takes the file away.
    fn leave(&self) {
        let file = self.jsorc.folder().join("services/web/kube/leaves.yaml");
        std::fs::remove_file(file).unwrap();
    }

    /// Applies, and lets a daemon run for a while; what they said.
    fn tried(&self, code: i32) -> String {
        let applied = self.jsorc.run(&["apply", "--yes"]).expect(code);
        let daemon = self.jsorc.daemon();
        eventually("the daemon", LONG, || daemon.service("web"));
        std::thread::sleep(A_WHILE);
        format!("{}{}{}", applied.stdout, applied.stderr, daemon.log())
    }
}

#[test]
fn a_services_folder_without_a_service_is_refused() {
    let site = Site::new("hollow", LEAVES);
    let services = site.jsorc.folder().join("services");
    std::fs::remove_dir_all(services.join("web")).unwrap();
    let refused = site.jsorc.run(&["apply", "--yes"]).expect(2);
    assert!(
        refused.stderr.contains("holds no service"),
        "{}",
        refused.stderr
    );
    let daemon = site.jsorc.run(&["run"]).expect(2);
    assert!(
        daemon.stderr.contains("holds no service"),
        "{}",
        daemon.stderr
    );
    assert!(site.has("configmap/leaves") && site.has("configmap/stays"));
}

/// All rights in the namespace and on namespaces, but to see this resource only those of `verbs`.
fn grant(site: &Site, user: &User, resource: &str, verbs: &[&str]) {
    let others = ["configmaps", "secrets", "services"];
    let others: Vec<&str> = others.into_iter().filter(|r| *r != resource).collect();
    let all = json!({"apiGroups": [""], "resources": others, "verbs": ["*"]});
    let some = json!({"apiGroups": [""], "resources": [resource], "verbs": verbs});
    let leases =
        json!({"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["*"]});
    let slices =
        json!({"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["*"]});
    let account =
        json!([{"kind": "ServiceAccount", "name": user.name, "namespace": user.namespace}]);
    let name = json!({"name": "hazard", "namespace": site.jsorc.namespace});
    let api = "rbac.authorization.k8s.io";
    for object in [
        json!({"apiVersion": format!("{api}/v1"), "kind": "Role", "metadata": name,
            "rules": [all, some, leases, slices]}),
        json!({"apiVersion": format!("{api}/v1"), "kind": "RoleBinding", "metadata": name,
            "subjects": account, "roleRef": {"apiGroup": api, "kind": "Role", "name": "hazard"}}),
        json!({"apiVersion": format!("{api}/v1"), "kind": "ClusterRole",
            "metadata": {"name": site.jsorc.namespace},
            "rules": [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "create"]}]}),
        json!({"apiVersion": format!("{api}/v1"), "kind": "ClusterRoleBinding",
            "metadata": {"name": site.jsorc.namespace}, "subjects": account,
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": site.jsorc.namespace}}),
    ] {
        site.cluster.apply(&object.to_string());
    }
}

const FRONT: &str = "apiVersion: v1
kind: Service
metadata: {name: leaves}
spec: {clusterIP: None, ports: [{port: 80}]}
";

#[test]
fn a_kind_that_we_may_not_see_keeps_its_objects_although_they_left_the_folder() {
    let site = Site::new("unseen", FRONT);
    let user = site.cluster.user("short-sighted");
    grant(&site, &user, "services", &["get", "patch", "delete"]);
    let site = site.seen_by(&user);
    site.leave();
    let daemon = site.jsorc.daemon();
    eventually("the daemon", LONG, || daemon.service("web"));
    std::thread::sleep(A_WHILE);
    let log = daemon.log();
    assert!(site.has("service/leaves"), "{log}");
    assert!(!log.contains("deleted Service/leaves"), "{log}");
    drop(daemon);
    let applied = site.jsorc.run(&["apply", "--yes", "--takeover"]);
    assert!(site.has("service/leaves"), "{applied:?}");
    let plan = site.jsorc.run(&["plan"]).expect(0).stdout;
    for said in [&log, &plan] {
        assert!(said.contains("stays: it cannot be seen"), "{said}");
        assert!(said.contains("services"), "{said}");
    }
    // It is still on record: with the right it goes.
    grant(&site, &user, "services", &["*"]);
    eventually("the right", SOON, || {
        site.jsorc.run(&["apply", "--yes", "--takeover"]);
        (!site.has("service/leaves")).then_some(())
    });
}

#[test]
fn while_one_kind_is_not_seen_nothing_of_its_service_is_deleted() {
    let site = Site::new("dim", LEAVES);
    site.jsorc.file("services/web/kube/front.yaml", FRONT);
    site.jsorc.run(&["apply"]).expect(0);
    let user = site.cluster.user("dim-sighted");
    grant(&site, &user, "services", &["get", "patch", "delete"]);
    let site = site.seen_by(&user);
    site.leave();
    let daemon = site.jsorc.daemon();
    eventually("the daemon", LONG, || daemon.service("web"));
    std::thread::sleep(A_WHILE);
    assert!(site.has("configmap/leaves"), "{}", daemon.log());
    drop(daemon);
    let applied = site.jsorc.run(&["apply", "--yes", "--takeover"]);
    assert_ne!(applied.code, 0, "{applied:?}");
    assert!(site.has("configmap/leaves"), "{applied:?}");
}

#[test]
fn an_object_that_something_else_owns_is_kept() {
    let site = Site::new("owned", LEAVES);
    let uid = site.live("configmap/stays")["metadata"]["uid"].clone();
    let owner = json!({"metadata": {"ownerReferences": [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "stays", "uid": uid}]}});
    site.kubectl(&[
        "patch",
        "cm",
        "leaves",
        "--type=merge",
        "-p",
        &owner.to_string(),
    ]);
    site.leave();
    let said = site.tried(0);
    assert!(said.contains("something else owns it"), "{said}");
    assert!(site.has("configmap/leaves"));
}

#[test]
fn an_object_that_another_made_under_the_same_name_is_not_deleted() {
    // With nothing of ours on it, and as a copy with our labels.
    for copies in [false, true] {
        let site = Site::new("renewed", LEAVES);
        let mut copy = site.live("configmap/leaves");
        let metadata = copy["metadata"].as_object_mut().unwrap();
        metadata.retain(|field, _| ["name", "labels"].contains(&&**field));
        if !copies {
            metadata.remove("labels");
        }
        site.kubectl(&["delete", "configmap/leaves"]);
        let create = ["create", "-f", "-", "-n", &site.jsorc.namespace];
        site.cluster.as_admin().run_with(&create, &copy.to_string());
        let uid = site.live("configmap/leaves")["metadata"]["uid"].clone();
        site.leave();
        let said = site.tried(0);
        assert_eq!(
            said.contains("another object has its name now"),
            copies,
            "{said}"
        );
        assert_eq!(site.live("configmap/leaves")["metadata"]["uid"], uid);
    }
}

#[test]
fn what_took_the_name_of_an_object_that_is_made_anew_is_not_deleted() {
    let fixed = LEAVES.replace("\ndata:", "\nimmutable: true\ndata:");
    let site = Site::new("between", &fixed);
    let proxy = FaultProxy::to(site.cluster.kubeconfig());
    let site = Site {
        jsorc: site
            .jsorc
            .set("KUBECONFIG", proxy.kubeconfig())
            .set("JSORC_SERVICES__WEB__POLICY__RECREATE", "immutable"),
        ..site
    };
    // The deletion is on its way when somebody else deletes the object and makes another one.
    let (admin, namespace) = (site.cluster.as_admin(), site.jsorc.namespace.clone());
    let theirs = LEAVES.replace("\"1\"", "theirs");
    proxy.plan(move |call| {
        if call.method == "DELETE" && call.uri.contains("/configmaps/leaves") {
            let there = ["-n", &namespace];
            admin.run(&[&["delete", "configmap", "leaves"], &there[..]].concat());
            admin.run_with(&[&["create", "-f", "-"], &there[..]].concat(), &theirs);
        }
        Fault::Pass
    });
    let changed = fixed.replace("\"1\"", "\"2\"");
    site.jsorc.file("services/web/kube/leaves.yaml", &changed);
    let applied = site.jsorc.run(&["apply", "--yes"]);
    assert_ne!(applied.code, 0, "{applied:?}");
    let calls = proxy.calls().into_iter();
    let deleted = calls.filter(|call| call.method == "DELETE");
    let answers: Vec<u16> = deleted.map(|call| call.status).collect();
    assert_eq!(answers, [409], "{applied:?}");
    assert_eq!(site.live("configmap/leaves")["data"]["a"], "theirs");
}

#[test]
fn a_definition_stays_with_the_objects_that_others_made_of_it() {
    let group = format!("{}.example.com", Cluster::shared().namespace("hazard"));
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("gems.{group}")},
        "spec": {"group": group, "scope": "Namespaced",
            "names": {"kind": "Gem", "plural": "gems", "singular": "gem"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema":
                {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}});
    let gem = |name: &str| json!({"apiVersion": format!("{group}/v1"), "kind": "Gem", "metadata": {"name": name}});
    let site = Site::new("defined", &format!("{definition}\n---\n{}\n", gem("ours")));
    let theirs = ["apply", "-f", "-", "-n", &site.jsorc.namespace];
    site.cluster
        .as_admin()
        .run_with(&theirs, &gem("theirs").to_string());
    site.leave();
    let named = format!("CustomResourceDefinition/gems.{group}");
    let plan = site.jsorc.run(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains(&format!("stays: protected kind (--allow-delete {named})")),
        "{plan}"
    );
    let said = site.tried(0);
    assert!(
        said.contains(&format!("{named} stays: protected kind")),
        "{said}"
    );
    let (ours, theirs) = (format!("gems.{group}/ours"), format!("gems.{group}/theirs"));
    assert!(site.has(&theirs) && !site.has(&ours), "{said}");
    site.cluster
        .kubectl(["delete", "crd", &format!("gems.{group}")]);
}

#[test]
fn every_protected_kind_stays_and_is_named() {
    let volume = Cluster::shared().namespace("volume");
    let kinds = [
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {"name": "data", "annotations": {"jsorc.dev/external": "Service/data"}},
            "spec": {"replicas": 0, "serviceName": "data", "selector": {"matchLabels": {"app": "data"}},
                "template": {"metadata": {"labels": {"app": "data"}},
                    "spec": {"containers": [{"name": "main", "image": "main:1"}]}}}}),
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
        json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": volume},
            "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"},
                "storageClassName": "none", "hostPath": {"path": "/nowhere"}}}),
    ];
    let table: Vec<String> = kinds.iter().map(Value::to_string).collect();
    let site = Site::new("guarded", &table.join("\n---\n"));
    site.leave();
    let said = site.tried(0);
    for named in [
        "StatefulSet/data",
        "PersistentVolumeClaim/data",
        &format!("PersistentVolume/{volume}"),
    ] {
        assert!(
            said.contains(&format!("{named} stays: protected kind")),
            "{named}: {said}"
        );
        assert!(site.has(named), "{named}");
    }
    site.cluster.kubectl(["delete", "pv", &volume]);
}

#[test]
fn an_apply_that_fails_in_part_deletes_nothing() {
    let site = Site::new("partly", LEAVES);
    site.leave();
    let refused = "apiVersion: v1
kind: Service
metadata: {name: front}
spec: {sessionAffinity: Sometimes, ports: [{port: 80}]}
";
    site.jsorc.file("services/web/kube/front.yaml", refused);
    let said = site.tried(3);
    assert!(said.contains("sessionAffinity"), "{said}");
    assert!(site.has("configmap/leaves"), "{said}");
    // What was refused is mended, and what left goes.
    site.jsorc.file(
        "services/web/kube/front.yaml",
        &refused.replace("Sometimes", "None"),
    );
    site.jsorc.run(&["apply", "--yes", "--takeover"]).expect(0);
    assert!(site.has("service/front") && !site.has("configmap/leaves"));
}
