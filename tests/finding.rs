//! Where a daemon is found that no address names: at its local socket, through the Lease, or not at
//! all.

use std::os::unix::{fs::PermissionsExt, net::UnixListener};
use std::time::Duration;

use serde_json::json;

use crate::support::{Cluster, Jsorc, Redis, RedisOptions, eventually};

const LONG: Duration = Duration::from_secs(60);

const SLEEPER: &[(&str, &str)] = &[(
    "sleeper/service.yaml",
    "driver: command\nconfig: {command: [sleep, \"1000\"]}\n",
)];

const MAP: &[(&str, &str)] = &[
    ("one/service.yaml", "driver: none\n"),
    (
        "one/kube/one.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: \"1\"}\n",
    ),
];

/// A jsorc that reaches no daemon by `api.listen`.
fn apart(jsorc: Jsorc) -> Jsorc {
    jsorc.set("JSORC_API__LISTEN", "127.0.0.1:1")
}

#[test]
fn status_and_refresh_find_the_local_socket_of_their_own_instance_only() {
    let jsorc = apart(Jsorc::alone("socket").services(SLEEPER));
    let daemon = jsorc.daemon();
    daemon.wait_for("sleeper", "Running", LONG);
    let socket = jsorc.folder().join("jsorc/jsorc.socket.it.sock");
    let folder = socket.parent().unwrap().metadata().unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);

    let status = jsorc.run(&["status", "-o", "json"]).expect(0).json();
    assert_eq!(status["source"], "daemon");
    assert_eq!(status["instance"], "jsorc.socket.it");
    assert_eq!(status["services"][0]["phase"], "Running");
    let refreshed = jsorc.run(&["refresh", "sleeper"]).expect(0);
    assert!(refreshed.stdout.contains("Running"), "{refreshed:?}");

    let other = jsorc
        .run(&["refresh", "sleeper", "--instance", "other"])
        .expect(3);
    assert!(other.stderr.contains("no daemon answers"), "{other:?}");

    assert_eq!(daemon.stop(), 0);
    assert!(!socket.exists(), "it goes with its daemon");
}

#[test]
fn api_listen_of_another_instance_is_not_taken_for_ours() {
    let jsorc = Jsorc::alone("theirs").services(SLEEPER);
    let daemon = jsorc.daemon();
    daemon.wait_for("sleeper", "Running", LONG);
    let address = format!("127.0.0.1:{}", daemon.api);
    let ours = Jsorc::alone("ours").set("JSORC_API__LISTEN", &address);
    let refused = ours.run(&["refresh", "redis"]).expect(3);
    assert!(refused.stderr.contains("no daemon answers"), "{refused:?}");
    // Who names it gets it.
    let named = ours.run(&[
        "status",
        "-o",
        "json",
        "--server",
        &format!("http://{address}"),
    ]);
    assert_eq!(named.expect(0).json()["instance"], "jsorc.theirs.it");
}

#[test]
fn a_stale_socket_is_replaced_and_one_in_use_is_left_alone() {
    let jsorc = apart(Jsorc::alone("stale").services(SLEEPER));
    let folder = jsorc.folder().join("jsorc");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).unwrap();
    // A listener that went leaves its file behind.
    drop(UnixListener::bind(folder.join("jsorc.stale.it.sock")).unwrap());
    let first = jsorc.daemon();
    first.wait_for("sleeper", "Running", LONG);
    jsorc.run(&["status"]).expect(0);

    let second = jsorc.daemon();
    second.wait_for_log("another daemon of this instance listens at", LONG);
    second.wait_for("sleeper", "Running", LONG);
    assert_eq!(second.stop(), 0);
    jsorc.run(&["refresh", "sleeper"]).expect(0);
}

#[test]
fn a_folder_that_others_could_have_made_is_not_used() {
    for trap in ["open", "symlink"] {
        let jsorc = apart(Jsorc::alone("trap").services(SLEEPER));
        let folder = jsorc.folder().join("jsorc");
        if trap == "open" {
            std::fs::create_dir(&folder).unwrap();
            std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).unwrap();
        } else {
            let elsewhere = jsorc.folder().join("elsewhere");
            std::fs::create_dir(&elsewhere).unwrap();
            std::fs::set_permissions(&elsewhere, PermissionsExt::from_mode(0o700)).unwrap();
            std::os::unix::fs::symlink(&elsewhere, &folder).unwrap();
        }
        let daemon = jsorc.daemon();
        daemon.wait_for("sleeper", "Running", LONG);
        let why = if trap == "open" {
            "is open to other users"
        } else {
            "is no folder"
        };
        daemon.wait_for_log(why, LONG);
        let socket = folder.join("jsorc.trap.it.sock");
        assert!(!socket.exists(), "{trap}");
        // Nor is what somebody else listens at in there asked.
        let _listener = UnixListener::bind(&socket).unwrap();
        let refused = jsorc.run(&["refresh", "sleeper"]).expect(3);
        assert!(refused.stderr.contains("no daemon answers"), "{refused:?}");
    }
}

#[test]
fn the_pod_that_holds_the_lease_is_asked_through_the_api_server() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "holder").services(MAP);
    let daemon = jsorc.daemon();
    daemon.wait_for("one", "Running", LONG);
    // The daemon runs beside the cluster; a pod of its host's name makes it one inside.
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": host.trim(), "namespace": jsorc.namespace},
        "spec": {"containers": [{"name": "jsorc", "image": "jsorc"}]},
    });
    cluster.apply(&pod.to_string());
    let stored = format!("127.0.0.1:{}", daemon.api);
    cluster.forward(&jsorc.namespace, daemon.api, daemon.api);
    let phase = || {
        let path = "jsonpath={.status.phase}";
        cluster.kubectl([
            "get",
            "pod",
            host.trim(),
            "-n",
            &jsorc.namespace,
            "-o",
            path,
        ])
    };
    eventually("the pod to run", LONG, || {
        (phase() == "Running").then_some(())
    });
    let configured = cluster.kubectl([
        "get",
        "configmap",
        "it-configuration",
        "-n",
        &jsorc.namespace,
        "-o",
        "yaml",
    ]);
    assert!(configured.contains(&stored), "{configured}");

    let laptop = apart(jsorc).set("XDG_RUNTIME_DIR", "/nonexistent");
    let status = eventually("the daemon behind the forward", LONG, || {
        let status = laptop.run(&["status", "-o", "json"]).expect(0).json();
        (status["source"] == "daemon").then_some(status)
    });
    assert_eq!(status["services"][0]["phase"], "Running");
    assert!(status["requests"].as_u64().unwrap() > 0, "{status}");
    let refreshed = laptop.run(&["refresh", "one"]).expect(0);
    assert!(refreshed.stdout.contains("Running"), "{refreshed:?}");

    cluster.kubectl([
        "delete",
        "pod",
        host.trim(),
        "-n",
        &laptop.namespace,
        "--grace-period=0",
        "--force",
    ]);
    let status = laptop.run(&["status", "-o", "json"]).expect(0).json();
    assert_eq!(status["source"], "cluster", "{status}");
    drop(daemon);
}

#[test]
fn without_a_daemon_the_status_is_told_from_inventory_and_cluster() {
    let cluster = Cluster::shared();
    let redis = Redis::with(&RedisOptions::default());
    let files: &[(&str, &str)] = &[
        (
            "one/service.yaml",
            "driver: tcp\nconfig: {service: \"one:80\"}\n",
        ),
        (
            "one/kube/one.yaml",
            "apiVersion: apps/v1
kind: Deployment
metadata: {name: one}
spec:
  replicas: 1
  selector: {matchLabels: {app: one}}
  template:
    metadata: {labels: {app: one}}
    spec:
      containers: [{name: one, image: \"web:1\"}]
---
apiVersion: v1
kind: Service
metadata: {name: one}
spec: {selector: {app: one}, ports: [{port: 80}]}
",
        ),
        ("two/service.yaml", "driver: none\n"),
        (
            "two/kube/two.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: two}\ndata: {a: \"1\"}\n",
        ),
        (
            "work/service.yaml",
            "driver: smtp\nconfig: {host: localhost, port: 1, tls: none}\n",
        ),
    ];
    let jsorc = apart(Jsorc::on(cluster, "unprobed").services(files));
    let before = jsorc.run(&["status", "-o", "json"]).expect(0).json();
    for service in [0, 1] {
        assert_eq!(before["services"][service]["phase"], "Waiting", "{before}");
        assert_eq!(
            before["services"][service]["reason"], "not applied yet",
            "{before}"
        );
    }
    jsorc.run(&["status", "--exit-code"]).expect(1);

    let applied = jsorc.run(&["apply", "--yes"]).expect(0);
    assert!(
        applied.stdout.starts_with("Applied: 3 created, "),
        "{applied:?}"
    );
    assert!(!applied.stderr.contains("jsorc run"), "{applied:?}");
    assert!(!applied.stderr.contains("work"), "{applied:?}");

    let healthy = eventually("objects in order", LONG, || {
        let status = jsorc.run(&["status", "--exit-code"]);
        (status.code == 0).then_some(status.stdout)
    });
    let line = |name: &str| healthy.lines().find(|line| line.starts_with(name)).unwrap();
    for name in ["one", "two"] {
        assert!(line(name).contains("Running"), "{healthy}");
        assert!(
            line(name).ends_with("objects in order; not probed"),
            "{healthy}"
        );
    }
    assert!(
        line("work").contains("Waiting") && line("work").ends_with("not probed"),
        "{healthy}"
    );
    assert!(healthy.contains("no daemon answers: as of "), "{healthy}");

    cluster.kubectl(["delete", "configmap", "two", "-n", &jsorc.namespace]);
    let drifted = jsorc.run(&["status", "--exit-code"]).expect(1).stdout;
    assert!(
        drifted.contains("1 object would be written: ConfigMap/two"),
        "{drifted}"
    );
    drop(redis);
}

#[test]
fn an_apply_without_waiting_ends_with_what_is_not_ready() {
    let cluster = Cluster::shared();
    let files: &[(&str, &str)] = &[
        ("slow/service.yaml", "driver: none\n"),
        (
            "slow/kube/slow.yaml",
            "apiVersion: apps/v1
kind: Deployment
metadata: {name: slow}
spec:
  replicas: 1
  selector: {matchLabels: {app: slow}}
  template:
    metadata:
      labels: {app: slow}
      annotations: {rig.jsorc.dev/pod: image-pull}
    spec:
      containers: [{name: slow, image: \"web:missing\"}]
",
        ),
        ("after/service.yaml", "driver: none\ndepends_on: [work]\n"),
        (
            "after/kube/map.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: after}\ndata: {a: \"1\"}\n",
        ),
        (
            "work/service.yaml",
            "driver: smtp\nconfig: {host: localhost, port: 1, tls: none}\n",
        ),
    ];
    let jsorc = apart(Jsorc::on(cluster, "story").services(files));
    let applied = jsorc.run(&["apply", "--yes", "--timeout", "20s"]).expect(0);
    let (sentence, story) = applied.stdout.split_once('\n').unwrap();
    assert!(sentence.starts_with("Applied: 2 created, "), "{applied:?}");
    let mut lines = story.lines();
    assert_eq!(lines.next(), Some("Not ready yet:"));
    let slow = lines.next().unwrap();
    assert!(slow.starts_with("  slow  Deployment/slow "), "{applied:?}");
    assert!(
        lines.next().unwrap().contains("jsorc status"),
        "{applied:?}"
    );
    assert_eq!(lines.next(), None);

    // The reason goes down to the pod.
    let status = eventually("the pod's reason", LONG, || {
        let status = jsorc.run(&["status"]).expect(0).stdout;
        status.contains("ImagePullBackOff").then_some(status)
    });
    assert!(status.contains("Settling"), "{status}");
    let again = jsorc.run(&["apply", "-o", "json"]).expect(0).json();
    assert_eq!(again["not_ready"][0]["service"], "slow", "{again}");
}
