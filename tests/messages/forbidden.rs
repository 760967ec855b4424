//! Users who may not.

use super::{refused_with, said};
use crate::support::{Cluster, Jsorc, User};

const SHOP: &[(&str, &str)] = &[
    ("shop/service.yaml", "driver: none\n"),
    (
        "shop/kube/shop.yaml",
        "apiVersion: v1
kind: ConfigMap
metadata: {name: shop}
data: {a: \"1\"}
---
apiVersion: v1
kind: Secret
metadata: {name: shop}
stringData: {token: hunter2-canary}
",
    ),
];

/// A jsorc of a user of the cluster, in a namespace that exists.
fn jsorc_of(cluster: &Cluster, user: &User) -> Jsorc {
    let jsorc = Jsorc::on(cluster, "forbidden")
        .services(SHOP)
        .set("KUBECONFIG", &user.kubeconfig)
        .set("JSORC_API__LISTEN", "127.0.0.1:1");
    cluster.kubectl(["create", "namespace", &jsorc.namespace]);
    jsorc
}

#[test]
fn a_user_without_any_right_learns_of_all_that_are_missing() {
    let cluster = Cluster::shared();
    let jsorc = jsorc_of(cluster, &cluster.user("nobody"));
    let names = [(&*jsorc.namespace, "NAMESPACE")];
    refused_with(
        "`plan` without any right",
        &jsorc,
        &["plan"],
        3,
        "error: 5 rights are missing:
  get namespaces (NAMESPACE) in the whole cluster
  get,list,watch configmaps in namespace NAMESPACE
  get secrets (it-key) in namespace NAMESPACE
  get,list,watch secrets (shop) in namespace NAMESPACE
  get leases.coordination.k8s.io (it) in namespace NAMESPACE
hint: `jsorc rbac --for plan --services DIR/services` prints roles that have them",
        &names,
    );
    refused_with(
        "`apply` without any right",
        &jsorc,
        &["apply"],
        3,
        "error: 7 rights are missing:
  create namespaces in the whole cluster
  get namespaces (NAMESPACE) in the whole cluster
  create,delete,get,list,patch,update,watch configmaps in namespace NAMESPACE
  create secrets in namespace NAMESPACE
  delete,get,list,patch,watch secrets (shop) in namespace NAMESPACE
  get secrets (it-key) in namespace NAMESPACE
  get leases.coordination.k8s.io (it) in namespace NAMESPACE
hint: `jsorc rbac --for cli --services DIR/services` prints roles that have them",
        &names,
    );
    refused_with(
        "`apply --dry-run` without any right",
        &jsorc,
        &["apply", "--dry-run"],
        3,
        "error: 5 rights are missing:
  get namespaces (NAMESPACE) in the whole cluster
  get,list,watch configmaps in namespace NAMESPACE
  get secrets (it-key) in namespace NAMESPACE
  get,list,watch secrets (shop) in namespace NAMESPACE
  get leases.coordination.k8s.io (it) in namespace NAMESPACE
hint: `jsorc rbac --for plan --services DIR/services` prints roles that have them",
        &names,
    );
    refused_with(
        "`status` without a daemon and without any right",
        &jsorc,
        &["status"],
        3,
        "error: no daemon answers (tried DIR/jsorc/jsorc.NAMESPACE.it.sock, http://127.0.0.1:1 and the Lease, which nobody holds), and 5 rights are missing:
  get namespaces (NAMESPACE) in the whole cluster
  get,list,watch configmaps in namespace NAMESPACE
  get secrets (it-key) in namespace NAMESPACE
  get,list,watch secrets (shop) in namespace NAMESPACE
  get leases.coordination.k8s.io (it) in namespace NAMESPACE
hint: `jsorc rbac --for plan --services DIR/services` prints roles that have them",
        &names,
    );
}

#[test]
fn who_may_only_read_plans_and_learns_what_an_apply_lacks() {
    let cluster = Cluster::shared();
    let user = cluster.user("reader");
    let jsorc = jsorc_of(cluster, &user);
    bind(cluster, &jsorc, &user);
    let plan = jsorc.run(&["plan"]).expect(0);
    assert!(
        plan.stdout.contains("2 create")
            && plan
                .stdout
                .contains("2 compared by schema, without the server"),
        "{}",
        plan.stdout
    );
    assert_eq!(said(&jsorc, &plan, &[]), "");
    let names = [(&*jsorc.namespace, "NAMESPACE")];
    refused_with(
        "`apply` with read rights only",
        &jsorc,
        &["apply"],
        3,
        "error: 4 rights are missing:
  create namespaces in the whole cluster
  create,delete,patch,update configmaps in namespace NAMESPACE
  create secrets in namespace NAMESPACE
  delete,patch secrets (shop) in namespace NAMESPACE
hint: `jsorc rbac --for cli --services DIR/services` prints roles that have them",
        &names,
    );
    let nothing = cluster.kubectl([
        "get",
        "configmaps,secrets",
        "-n",
        &jsorc.namespace,
        "-o",
        "name",
    ]);
    assert_eq!(
        nothing.trim(),
        "configmap/kube-root-ca.crt",
        "nothing was written"
    );
}

/// Gives a user exactly what `jsorc rbac --for plan` prints.
fn bind(cluster: &Cluster, jsorc: &Jsorc, user: &User) {
    let roles = jsorc.run(&["rbac", "--for", "plan"]).expect(0).stdout;
    cluster.apply(&roles);
    let role = roles
        .lines()
        .find_map(|line| line.strip_prefix("  name: "))
        .unwrap();
    let account = format!("--serviceaccount={}:{}", user.namespace, user.name);
    let kubectl = |arguments: &[&str]| cluster.as_admin().run(arguments);
    let (namespaced, everywhere) = (format!("--role={role}"), format!("--clusterrole={role}"));
    kubectl(&[
        "create",
        "rolebinding",
        "reader",
        &namespaced,
        &account,
        "-n",
        &jsorc.namespace,
    ]);
    kubectl(&[
        "create",
        "clusterrolebinding",
        &jsorc.namespace,
        &everywhere,
        &account,
    ]);
}

const WEB: &[(&str, &str)] = &[
    (
        "web/service.yaml",
        "driver: tcp\nconfig: {service: \"web:80\"}\nprobe: {timeout: 5s}\n",
    ),
    (
        "web/kube/web.yaml",
        "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: \"web:1\"}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
",
    ),
];

#[test]
fn who_may_not_forward_ports_learns_which_right_is_missing() {
    let cluster = Cluster::shared();
    let user = cluster.user("stay-at-home");
    let jsorc = Jsorc::on(cluster, "unreached")
        .services(WEB)
        .set("KUBECONFIG", &user.kubeconfig);
    cluster.kubectl(["create", "namespace", &jsorc.namespace]);
    let roles = jsorc.run(&["rbac", "--for", "run"]).expect(0).stdout;
    assert!(!roles.contains("pods/portforward"), "{roles}");
    grant(cluster, &jsorc, &user, &roles);
    let daemon = jsorc.daemon();
    let web = daemon.wait_for("web", "Failed", std::time::Duration::from_secs(60));
    assert_eq!(
        web["reason"],
        format!(
            "web:80: the right to reach it is missing: create,get pods/portforward in namespace {}",
            jsorc.namespace
        )
    );
    assert_eq!(
        web["hint"],
        "`jsorc rbac --for cli` prints the roles that grant it"
    );
}

#[test]
fn a_daemon_names_missing_rights_once() {
    let cluster = Cluster::shared();
    let user = cluster.user("watcher");
    let jsorc = jsorc_of(cluster, &user);
    bind(cluster, &jsorc, &user);
    // What a daemon needs before it can begin: its Lease, its key and its inventories.
    let role = format!(
        "apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: home, namespace: {namespace}}}
rules:
- {{apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, update]}}
- {{apiGroups: [\"\"], resources: [secrets], verbs: [create]}}
- {{apiGroups: [\"\"], resources: [configmaps], verbs: [create, update]}}
",
        namespace = jsorc.namespace
    );
    grant(cluster, &jsorc, &user, &role);
    let daemon = jsorc.daemon_with(&["-v"]);
    daemon.wait_for_log("rights are missing: ", std::time::Duration::from_secs(60));
    daemon.wait_for("shop", "Failed", std::time::Duration::from_secs(60));
    let log = daemon.log();
    let loud: Vec<&str> = log
        .lines()
        .filter(|line| !line.contains("DEBUG"))
        .filter(|line| line.contains("cannot patch") || line.contains("rights are missing"))
        .collect();
    // The list, and the reason in the service's change of state.
    assert_eq!(loud.len(), 2, "{log}");
    assert!(loud[0].contains("patch configmaps in namespace"), "{log}");
    assert!(loud[1].contains("→ Failed"), "{log}");
}

/// Makes roles and binds them to a user.
fn grant(cluster: &Cluster, jsorc: &Jsorc, user: &User, roles: &str) {
    cluster.apply(roles);
    let account = format!("--serviceaccount={}:{}", user.namespace, user.name);
    let kubectl = |arguments: &[&str]| cluster.as_admin().run(arguments);
    for document in roles.split("---\n").filter(|text| text.contains("rules:")) {
        let value: serde_json::Value = serde_saphyr::from_str(document).unwrap();
        let name = value["metadata"]["name"].as_str().unwrap();
        let bound = format!("{name}-{}", user.name);
        match value["metadata"]["namespace"].as_str() {
            Some(namespace) => kubectl(&[
                "create",
                "rolebinding",
                &bound,
                &format!("--role={name}"),
                &account,
                "-n",
                namespace,
            ]),
            None => kubectl(&[
                "create",
                "clusterrolebinding",
                &format!("{}-{bound}", jsorc.namespace),
                &format!("--clusterrole={name}"),
                &account,
            ]),
        };
    }
}
