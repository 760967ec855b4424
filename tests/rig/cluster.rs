//! The cluster: its objects live, its log tells, and nothing is left of it.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use super::{SOON, ask, is_alive};
use crate::support::{Cluster, Redis, eventually};

fn deployment(name: &str, image: &str, annotations: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  \
         selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    \
         metadata: {{labels: {{app: {name}}}, annotations: {{{annotations}}}}}\n    \
         spec: {{containers: [{{name: main, image: '{image}', ports: [{{containerPort: 6379}}]}}]}}\n"
    )
}

fn apply(cluster: &Cluster, namespace: &str, yaml: &str) {
    cluster
        .as_admin()
        .run_with(&["apply", "-n", namespace, "-f", "-"], yaml);
}

/// Waits until a JSON path of an object has this value.
fn wait_for(cluster: &Cluster, namespace: &str, object: &str, path: &str, value: &str) {
    let output = format!("jsonpath={{{path}}}");
    eventually(&format!("{object} {path} = {value}"), SOON, || {
        let found = cluster.kubectl(["get", object, "-n", namespace, "-o", &output]);
        (found == value).then_some(())
    });
}

#[tokio::test]
async fn the_cluster_is_ready_and_tells_its_version() {
    let client = Cluster::shared().client().await;
    let ready = client.request_text(http::Request::get("/readyz").body(Vec::new()).unwrap());
    assert_eq!(ready.await.unwrap(), "ok");
    assert_eq!(client.apiserver_version().await.unwrap().minor, "36");
}

#[test]
fn pods_become_ready_or_fail_as_their_template_says() {
    let cluster = Cluster::shared();
    let namespace = cluster.create_namespace("rig-pods");
    apply(cluster, &namespace, &deployment("fine", "redis:8", ""));
    apply(
        cluster,
        &namespace,
        &deployment("slow", "redis:8", "rig.jsorc.dev/ready-after: 2s"),
    );
    apply(
        cluster,
        &namespace,
        &deployment("missing", "redis:missing", ""),
    );
    apply(
        cluster,
        &namespace,
        &deployment("crash", "redis:8", "rig.jsorc.dev/pod: crash-loop"),
    );
    wait_for(
        cluster,
        &namespace,
        "deploy/fine",
        ".status.readyReplicas",
        "1",
    );
    let pods = |app: &str, path: &str| {
        let (label, output) = (format!("app={app}"), format!("jsonpath={{{path}}}"));
        cluster.kubectl(["get", "pods", "-n", &namespace, "-l", &label, "-o", &output])
    };
    let waiting = ".items[0].status.containerStatuses[0].state.waiting.reason";
    eventually("missing image", SOON, || {
        (pods("missing", waiting) == "ImagePullBackOff").then_some(())
    });
    eventually("crash loop", SOON, || {
        (pods("crash", waiting) == "CrashLoopBackOff").then_some(())
    });
    wait_for(
        cluster,
        &namespace,
        "deploy/slow",
        ".status.readyReplicas",
        "1",
    );
}

#[test]
fn jobs_end_and_claims_are_bound() {
    let cluster = Cluster::shared();
    let namespace = cluster.create_namespace("rig-jobs");
    let job = |name: &str, annotations: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n  \
             backoffLimit: 0\n  template:\n    metadata: {{annotations: {{{annotations}}}}}\n    \
             spec: {{restartPolicy: Never, containers: [{{name: main, image: 'x:1'}}]}}\n"
        )
    };
    apply(cluster, &namespace, &job("good", ""));
    apply(cluster, &namespace, &job("bad", "rig.jsorc.dev/pod: fail"));
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n\
                 spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n";
    apply(cluster, &namespace, claim);
    wait_for(cluster, &namespace, "pvc/data", ".status.phase", "Bound");
    let condition = ".status.conditions[-1:].type";
    wait_for(cluster, &namespace, "job/good", condition, "Complete");
    wait_for(cluster, &namespace, "job/bad", condition, "Failed");
}

#[test]
fn a_port_forward_ends_in_a_real_server_and_can_be_moved() {
    let cluster = Cluster::shared();
    let namespace = cluster.create_namespace("rig-forward");
    let (first, second) = (Redis::start(), Redis::start());
    apply(cluster, &namespace, &deployment("redis", "redis:8", ""));
    wait_for(
        cluster,
        &namespace,
        "deploy/redis",
        ".status.readyReplicas",
        "1",
    );
    for server in [&first, &second] {
        cluster.forward(&namespace, 6379, server.port);
        let wanted = format!("tcp_port:{}", server.port);
        eventually("the forward to reach the server", SOON, || {
            info_through_forward(cluster, &namespace)
                .contains(&wanted)
                .then_some(())
        });
    }
}

/// What redis says about itself through `kubectl port-forward`; empty while there is no way to it.
fn info_through_forward(cluster: &Cluster, namespace: &str) -> String {
    let mut command = cluster.as_admin().command();
    command.args(["port-forward", "-n", namespace, "deploy/redis", ":6379"]);
    let mut forward = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The reader lives on: kubectl writes a line for each connection and dies of a closed pipe.
    let mut output = BufReader::new(forward.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let port = line
        .split_once("127.0.0.1:")
        .and_then(|(_, rest)| rest.split_once(' '));
    let answer = port.map(|(port, _)| {
        ask(
            port.parse().unwrap(),
            "INFO server\r\n",
            "io_threads_active",
        )
    });
    forward.kill().unwrap();
    forward.wait().unwrap();
    answer.unwrap_or_default()
}

#[test]
fn the_audit_log_shows_who_asked_for_what() {
    let cluster = Cluster::shared();
    let namespace = cluster.create_namespace("rig-audit");
    let audit = cluster.audit();
    let mark = audit.mark();
    let create = ["create", "configmap", "one", "-n", &namespace];
    cluster
        .as_admin()
        .run(&[&create[..], &["--dry-run=server"]].concat());
    cluster.as_admin().run(&create);
    let entries = audit.since(mark);
    let writes: Vec<_> = entries
        .iter()
        .filter(|entry| entry.is_write() && entry.namespace == namespace)
        .collect();
    assert_eq!(writes.len(), 2, "{writes:?}");
    assert!(writes[0].is_dry_run() && !writes[1].is_dry_run());
    assert!(
        writes
            .iter()
            .all(|entry| entry.agent.starts_with("kubectl/") && entry.code == 201)
    );
    assert!(
        audit
            .since(audit.mark())
            .iter()
            .all(|entry| entry.namespace != namespace)
    );
}

#[test]
fn a_user_may_do_nothing_until_it_is_told() {
    let cluster = Cluster::shared();
    let namespace = cluster.create_namespace("rig-user");
    let user = cluster.user("rig-reader");
    let get = [
        "--kubeconfig",
        user.kubeconfig.to_str().unwrap(),
        "get",
        "pods",
        "-n",
        &namespace,
    ];
    let refused = cluster.as_admin().output(&get);
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        message.contains("Forbidden") && message.contains(&user.subject()),
        "{message}"
    );
    let account = format!("--serviceaccount={}:{}", user.namespace, user.name);
    cluster.kubectl([
        "create",
        "rolebinding",
        "r",
        "--clusterrole=view",
        &account,
        "-n",
        &namespace,
    ]);
    eventually("the right", SOON, || {
        cluster
            .as_admin()
            .output(&get)
            .status
            .success()
            .then_some(())
    });
}

#[test]
fn nothing_is_left_of_a_cluster_that_was_dropped_or_killed() {
    let cluster = Cluster::start(0);
    let (pids, folder) = (
        cluster.pids(),
        cluster.kubeconfig().parent().unwrap().to_owned(),
    );
    assert!(pids.len() == 2 && pids.iter().all(|pid| is_alive(*pid)));
    drop(cluster);
    assert!(!pids.iter().any(|pid| is_alive(*pid)));
    assert!(!folder.exists());

    let cluster = Cluster::start(0);
    let supervisor = cluster.supervisor().unwrap().to_string();
    assert!(
        Command::new("kill")
            .args(["-9", &supervisor])
            .status()
            .unwrap()
            .success()
    );
    let pids = cluster.pids();
    eventually("the parts to end with their supervisor", SOON, || {
        (!pids.iter().any(|pid| is_alive(*pid))).then_some(())
    });
}
