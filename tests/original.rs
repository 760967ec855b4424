//! What users of the original could rely on, O1 to O11, against a real API server.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Cluster, Jsorc, Redis, RedisOptions, eventually, http};

const LONG: Duration = Duration::from_secs(60);

/// A service `web`: a Deployment, its Service and a `ConfigMap`, probed as objects only.
const WEB: &[(&str, &str)] = &[
    (
        "web/service.yaml",
        "driver: none\ndescription: A web server\n",
    ),
    (
        "web/kube/web.yaml",
        "apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {greeting: hello}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: http}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1
        ports: [{name: http, containerPort: 8080}]
        envFrom: [{configMapRef: {name: web}}]
",
    ),
];

/// A service without manifests whose command is always there.
const SLEEPER: (&str, &str) = (
    "sleeper/service.yaml",
    "driver: command\nconfig: {command: [sleep, \"1000\"]}\n",
);

fn live(cluster: &Cluster, jsorc: &Jsorc, object: &str) -> Option<Value> {
    let output = cluster
        .as_admin()
        .output(&["get", object, "-n", &jsorc.namespace, "-o", "json"]);
    output
        .status
        .success()
        .then(|| serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn o1_the_originals_keys_and_defaults_are_there() {
    let jsorc = Jsorc::alone("o1");
    let shown = jsorc
        .run(&["config", "show", "-o", "json"])
        .expect(0)
        .json();
    let text = shown.to_string();
    for (key, value) in [
        ("interval", json!("10s")),
        ("enabled", json!(true)),
        ("quiet", json!(true)),
        ("keep_alive", json!(["mail", "promon", "redis", "task"])),
    ] {
        let got: Value = serde_json::from_str(
            &jsorc
                .run(&["config", "get", key, "-o", "json"])
                .expect(0)
                .stdout,
        )
        .unwrap();
        assert_eq!(got, value, "{key} in {text}");
    }
    let plain = Jsorc::alone("o1")
        .set("JSORC_INTERVAL", "10")
        .set("JSORC_KEEP_ALIVE", "[redis]");
    assert_eq!(
        plain
            .run(&["config", "get", "interval"])
            .expect(0)
            .stdout
            .trim(),
        "10"
    );
    assert_eq!(
        plain
            .run(&["config", "get", "keep_alive", "-o", "json"])
            .expect(0)
            .json(),
        json!(["redis"])
    );
}

#[test]
fn o1_a_daemon_that_is_not_enabled_serves_and_writes_nothing() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "o1-off")
        .services(WEB)
        .set("JSORC_ENABLED", "false");
    let daemon = jsorc.daemon();
    eventually("readiness", LONG, || {
        http(daemon.health, "GET", "/readyz", "").filter(|(code, _)| *code == 200)
    });
    std::thread::sleep(Duration::from_secs(2));
    let namespaces = cluster.kubectl(["get", "namespaces", "-o", "name"]);
    assert!(!namespaces.contains(&jsorc.namespace), "{namespaces}");
    jsorc.run(&["apply"]).expect(2);
}

#[test]
fn o2_kube_tables_are_grouped_by_kind() {
    let tables: Vec<&str> = jsorc::embedded::REDIS_KUBE
        .iter()
        .map(|table| table.kind.as_ref())
        .collect();
    assert!(
        tables.is_sorted() && tables.contains(&"Deployment") && tables.contains(&"Service"),
        "{tables:?}"
    );
    let promon: Vec<&str> = jsorc::embedded::PROMON_KUBE
        .iter()
        .map(|table| table.kind.as_ref())
        .collect();
    assert!(
        promon.contains(&"DaemonSet") && promon.contains(&"ClusterRole"),
        "{promon:?}"
    );
    let with_table: Vec<&str> = jsorc::embedded::SERVICES
        .iter()
        .filter(|s| !s.kube.is_empty())
        .map(|s| s.name)
        .collect();
    assert_eq!(
        with_table,
        ["promon", "redis"],
        "task and mail have no kube table"
    );
}

#[test]
fn o3_a_service_that_hangs_or_breaks_delays_no_other() {
    let cluster = Cluster::shared();
    let hung = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = hung.local_addr().unwrap().port();
    let mut files = WEB.to_vec();
    let hanging = format!(
        "driver: redis\nconfig: {{host: 127.0.0.1, port: {port}}}\nprobe: {{timeout: 30s}}\n"
    );
    files.push(("hanging/service.yaml", &hanging));
    files.push((
        "refused/service.yaml",
        "driver: tcp\nconfig: {host: 127.0.0.1, port: 1}\n",
    ));
    files.push(("forbidden/service.yaml", "driver: none\n"));
    files.push((
        "forbidden/kube/x.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: forbidden}\nspec: {ports: [{port: 80}], clusterIP: 203.0.113.7}\n",
    ));
    let jsorc = Jsorc::on(cluster, "o3")
        .services(&files)
        .set("JSORC_INTERVAL", "2s");
    let started = std::time::Instant::now();
    let daemon = jsorc.daemon();
    daemon.wait_for("web", "Running", Duration::from_secs(20));
    let took = started.elapsed();
    assert_eq!(
        daemon.service("hanging").unwrap()["phase"],
        "Starting",
        "it still hangs"
    );
    daemon.wait_for("refused", "Failed", LONG);
    let forbidden = daemon.wait_for("forbidden", "Failed", LONG);
    assert!(
        forbidden["reason"]
            .as_str()
            .unwrap()
            .contains("203.0.113.7"),
        "{forbidden}"
    );
    assert!(took < Duration::from_secs(20), "{took:?}");
    drop(hung);
}

#[test]
fn o4_missing_and_different_objects_are_applied_before_the_rerun() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "o4")
        .services(WEB)
        .set("JSORC_INTERVAL", "1s");
    cluster.kubectl(["create", "namespace", &jsorc.namespace]);
    let daemon = jsorc.daemon();
    daemon.wait_for("web", "Running", LONG);
    let deployment = live(cluster, &jsorc, "deployment/web").unwrap();
    assert_eq!(
        deployment["status"]["availableReplicas"], 1,
        "rerun only once it properly runs"
    );
    cluster.kubectl([
        "patch",
        "configmap",
        "web",
        "-n",
        &jsorc.namespace,
        "--type=merge",
        "-p",
        "{\"data\":{\"greeting\":\"bye\"}}",
    ]);
    eventually("the heal", LONG, || {
        live(cluster, &jsorc, "configmap/web").filter(|map| map["data"]["greeting"] == "hello")
    });
}

#[test]
fn o5_the_first_check_ignores_the_rerun_and_a_restart_over_a_healthy_cluster_reruns_at_once() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "o5")
        .services(WEB)
        .set("JSORC_INTERVAL", "5s");
    let daemon = jsorc.daemon();
    daemon.wait_for_log("rerun", LONG);
    let log = daemon.log();
    let ignored = log
        .find("web: 3 objects applied; rerun ignored")
        .unwrap_or_else(|| panic!("{log}"));
    daemon.wait_for("web", "Running", LONG);
    let log = daemon.log();
    let running = log.rfind("Running").unwrap();
    assert!(ignored < running, "{log}");
    assert_eq!(daemon.stop(), 0);

    let started = std::time::Instant::now();
    let again = jsorc.daemon();
    again.wait_for("web", "Running", Duration::from_secs(4));
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "before the first interval is over"
    );
    assert!(!again.log().contains("rerun ignored"), "{}", again.log());
}

#[test]
fn o6_a_service_without_a_kube_table_is_just_rerun() {
    let jsorc = Jsorc::alone("o6").services(&[SLEEPER]);
    let daemon = jsorc.daemon();
    let service = daemon.wait_for("sleeper", "Running", LONG);
    assert_eq!(service["state"], "RUNNING");
    assert!(service["objects"].is_null(), "{service}");
}

#[test]
fn o7_refresh_takes_either_name_and_reads_the_configuration_again() {
    let jsorc = Jsorc::alone("o7").services(&[SLEEPER]);
    let daemon = jsorc.daemon();
    daemon.wait_for("sleeper", "Running", LONG);
    let pid = child_of(daemon.pid());
    jsorc.file(
        &format!("services/{}", SLEEPER.0),
        "driver: command\nconfig: {command: [sleep, \"2000\"]}\n",
    );
    let (code, body) = http(
        daemon.api,
        "POST",
        "/js_admin/config_refresh",
        "{\"name\": \"SLEEPER_CONFIG\"}",
    )
    .unwrap();
    assert_eq!(code, 200, "{body}");
    assert_ne!(child_of(daemon.pid()), pid, "it was started anew");
    assert!(arguments_of(child_of(daemon.pid())).contains("2000"));
    let server = format!("http://127.0.0.1:{}", daemon.api);
    jsorc
        .run(&["refresh", "sleeper", "--server", &server])
        .expect(0);
    let unknown = jsorc
        .run(&["refresh", "sleper", "--server", &server])
        .expect(2);
    assert!(
        unknown.stderr.contains("did you mean `sleeper`?"),
        "{}",
        unknown.stderr
    );
    let (code, _) = http(
        daemon.api,
        "POST",
        "/js_admin/config_refresh",
        "{\"name\": \"nothing\"}",
    )
    .unwrap();
    assert_eq!(code, 404);
}

fn child_of(pid: u32) -> u32 {
    let listed = std::process::Command::new("ps")
        .args(["-o", "pid=", "--ppid", &pid.to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    text.split_whitespace()
        .next()
        .unwrap_or_else(|| panic!("{pid} has no child"))
        .parse()
        .unwrap()
}

fn arguments_of(pid: u32) -> String {
    let raw = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    String::from_utf8_lossy(&raw).replace('\0', " ")
}

#[test]
fn o8_without_kubernetes_task_and_mail_still_rerun() {
    let redis = Redis::start();
    let worker = crate::support::CeleryWorker::start(&format!("{}/0", redis.url()), "o8");
    let jsorc = Jsorc::alone("o8")
        .set("REDIS_HOST", "127.0.0.1")
        .set("REDIS_PORT", redis.port.to_string())
        .set("REDIS_DB", "0")
        .set("JSORC_SERVICES__REDIS__CONFIG__PASSWORD", "")
        .set("JSORC_SERVICES__TASK__CONFIG__PASSWORD", "");
    let daemon = jsorc.daemon();
    daemon.wait_for("task", "Running", LONG);
    daemon.wait_for("redis", "Running", LONG);
    daemon.wait_for("mail", "NotConfigured", LONG);
    daemon.wait_for("promon", "NotConfigured", LONG);
    assert!(
        daemon.log().contains("without a cluster"),
        "{}",
        daemon.log()
    );
    drop(worker);
}

#[test]
fn o9_the_four_states_stay_visible() {
    let jsorc = Jsorc::alone("o9").services(&[
        SLEEPER,
        ("off/service.yaml", "driver: none\nenabled: false\n"),
        (
            "down/service.yaml",
            "driver: tcp\nconfig: {host: 127.0.0.1, port: 1}\n",
        ),
    ]);
    let daemon = jsorc.daemon();
    daemon.wait_for("sleeper", "Running", LONG);
    assert_eq!(daemon.wait_for("down", "Failed", LONG)["state"], "FAILED");
    assert_eq!(
        daemon.wait_for("off", "Disabled", LONG)["state"],
        "NOT_STARTED"
    );
}

#[test]
fn o10_and_o11_a_service_brings_its_own_configuration_and_table() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "o11")
        .services(WEB)
        .set("JSORC_INTERVAL", "2s");
    let daemon = jsorc.daemon();
    daemon.wait_for("web", "Running", LONG);
    jsorc.file("services/second/service.yaml", "driver: none\n");
    jsorc.file(
        "services/second/kube/map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: second}\ndata: {a: \"1\"}\n",
    );
    daemon.wait_for("second", "Running", LONG);
    assert_eq!(
        live(cluster, &jsorc, "configmap/second").unwrap()["data"]["a"],
        "1"
    );
}

#[test]
fn promon_converges_in_a_namespace_other_than_default_and_redis_answers_through_the_cluster() {
    let cluster = Cluster::shared();
    let redis = Redis::with(&RedisOptions {
        password: Some("hunter2"),
        ..RedisOptions::default()
    });
    let prometheus = crate::support::Prometheus::start();
    let jsorc = Jsorc::on(cluster, "promon")
        .set("JSORC_KEEP_ALIVE", "[promon, redis]")
        .set("JSORC_SERVICES__REDIS__PARAMETERS__PASSWORD", "hunter2");
    cluster.forward(&jsorc.namespace, 6379, redis.port);
    cluster.forward(&jsorc.namespace, 9090, prometheus.port);
    let daemon = jsorc.daemon();
    let promon = daemon.wait_for("promon", "Running", LONG);
    assert_eq!(
        promon["objects"]["current"], promon["objects"]["total"],
        "{promon}"
    );
    daemon.wait_for("redis", "Running", LONG);
    assert!(!daemon.log().contains("hunter2"));
    let plan = jsorc.run(&["plan", "--exit-code"]).expect(0);
    assert!(!plan.stdout.contains(" ~ "), "{}", plan.stdout);
}
