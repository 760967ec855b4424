//! The rig itself: what the other tests stand on does what it says.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::support::{
    CeleryWorker, Certs, Cluster, Prometheus, PrometheusOptions, Redis, RedisOptions, Smtp,
    SmtpOptions, SmtpTls, eventually, install,
};

const SOON: Duration = Duration::from_secs(20);

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

fn is_alive(pid: u32) -> bool {
    // A process that nobody waits for stays in the table when it has ended.
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
    status.is_ok_and(|text| !text.contains("State:\tZ"))
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

/// Sends a request and reads until the answer holds this, ends, or takes too long.
fn ask(port: u16, request: &str, until: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut answer = String::new();
    let mut buffer = [0; 4096];
    if stream.write_all(request.as_bytes()).is_err() {
        return answer;
    }
    while !answer.contains(until) {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(length) => answer.push_str(&String::from_utf8_lossy(&buffer[..length])),
        }
    }
    answer
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
fn redis_answers_over_tls_to_a_named_user() {
    let certs = Certs::new();
    let options = RedisOptions {
        tls: Some(&certs),
        user: Some(("app", "rig-secret")),
        ..Default::default()
    };
    let redis = Redis::with(&options);
    let mut command = Command::new("redis-cli");
    command
        .args(["-p", &redis.port.to_string(), "--tls", "--cacert"])
        .arg(certs.ca());
    command.args([
        "--user",
        "app",
        "--pass",
        "rig-secret",
        "--no-auth-warning",
        "ACL",
        "WHOAMI",
    ]);
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "app");
}

#[test]
fn prometheus_demands_a_password() {
    let server = Prometheus::with(&PrometheusOptions {
        auth: true,
        ..Default::default()
    });
    let answer = ask(server.port, "GET /-/ready HTTP/1.0\r\n\r\n", "\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.0 401"), "{answer}");
    let answer = ask(
        server.port,
        "GET /-/ready HTTP/1.0\r\nAuthorization: Basic cmlnOnJpZy1wYXNzd29yZA==\r\n\r\n",
        "\r\n\r\n",
    );
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
}

#[test]
fn smtp_takes_a_mail_after_starttls_and_auth() {
    const SCRIPT: &str = "
import smtplib, ssl, sys
client = smtplib.SMTP('localhost', int(sys.argv[1]), timeout=10)
client.starttls(context=ssl.create_default_context(cafile=sys.argv[2]))
client.login('app', 'rig-secret')
client.sendmail('a@rig.test', ['b@rig.test'], 'Subject: hello\\n\\nbody')
";
    let certs = Certs::new();
    let options = SmtpOptions {
        tls: SmtpTls::StartTls(&certs),
        user: Some(("app", "rig-secret")),
        ..Default::default()
    };
    let smtp = Smtp::with(&options);
    let mut python = Command::new(install("python").join("bin/python"));
    let sent = python
        .args(["-c", SCRIPT, &smtp.port.to_string()])
        .arg(certs.ca())
        .output();
    let sent = sent.unwrap();
    assert!(
        sent.status.success(),
        "{}",
        String::from_utf8_lossy(&sent.stderr)
    );
    let mails = smtp.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["to"][0], "b@rig.test");
}

#[test]
fn a_celery_worker_answers_a_ping() {
    let redis = Redis::start();
    let broker = format!("{}/1", redis.url());
    let _worker = CeleryWorker::start(&broker, "one");
    let mut command = Command::new(install("python").join("bin/python"));
    command.args([
        "-m",
        "celery",
        "--broker",
        &broker,
        "inspect",
        "ping",
        "--timeout=5",
    ]);
    let output = command.output().unwrap();
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        answer.contains("one@rig: OK") && answer.contains("pong"),
        "{answer}"
    );
}

#[test]
fn nothing_is_left_of_a_cluster_that_was_dropped_or_killed() {
    let cluster = Cluster::start(0);
    let (pids, folder) = (
        cluster.pids().to_vec(),
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

#[test]
fn a_server_ends_with_its_guard() {
    let redis = Redis::start();
    let (pid, port) = (redis.process.pid(), redis.port);
    assert!(ask(port, "PING\r\n", "PONG").starts_with("+PONG"));
    drop(redis);
    assert!(!is_alive(pid));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}
