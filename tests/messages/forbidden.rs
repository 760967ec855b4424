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
        "error: no daemon answers at http://127.0.0.1:1, and 5 rights are missing:
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
