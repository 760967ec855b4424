//! How long a changed file takes to reach the cluster: from the write to the changed object as the
//! API server's watch tells it, ten times for each of the three ways. `cargo run --example
//! file_latency`; with `--release` for figures to quote.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a cluster that does not start is the end of the measurement"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::symlink,
    path::Path,
    process::{Child, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use support::{Cluster, Jsorc};

const ROUNDS: usize = 10;
const LONG: Duration = Duration::from_secs(60);
const MAP: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: app}
data:
  saved: \"SAVED\"
  file: $g{file}
  mount: $g{mount}
";
const SETTINGS: &str = "driver: none
parameters: {file: {type: string, default: none}, mount: {type: string, default: none}}
";

fn main() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "latency")
        .services(&[("app/service.yaml", SETTINGS), ("app/kube/app.yaml", MAP)])
        .set("JSORC_INTERVAL", "10m");
    println!("from the write of a file to the changed object in the cluster, {ROUNDS} times each:");
    let file = jsorc.file("jsorc.yaml", "quiet: true\n");
    let plain = jsorc.set("JSORC_CONFIG", &file);
    measure(
        cluster,
        &plain,
        "a manifest in services/",
        "saved",
        |jsorc, value| {
            jsorc.file("services/app/kube/app.yaml", &MAP.replace("SAVED", value));
        },
    );
    measure(
        cluster,
        &plain,
        "a parameter in the configuration file",
        "file",
        |jsorc, value| {
            jsorc.file("jsorc.yaml", &parameter("file", value));
        },
    );
    let mount = plain.folder().join("mount");
    swap(&mount, "start");
    symlink("..data/jsorc.yaml", mount.join("jsorc.yaml")).unwrap();
    let mounted = plain.set("JSORC_CONFIG", mount.join("jsorc.yaml"));
    measure(
        cluster,
        &mounted,
        "a swapped ConfigMap mount",
        "mount",
        |jsorc, value| {
            swap(&jsorc.folder().join("mount"), value);
        },
    );
}

/// Changes a file ten times under a running daemon and prints how long each took.
fn measure(cluster: &Cluster, jsorc: &Jsorc, way: &str, key: &str, change: impl Fn(&Jsorc, &str)) {
    // Over a healthy cluster the daemon reruns at once; the first check of a new one waits.
    jsorc.run(&["apply"]).expect(0);
    let daemon = jsorc.daemon();
    daemon.wait_for("app", "Running", LONG);
    let watch = Watch::start(cluster, &jsorc.namespace, key);
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|round| {
            let value = format!("{key}{round}");
            // Longer than the pause in which changes are gathered.
            std::thread::sleep(Duration::from_millis(700));
            let written = Instant::now();
            change(jsorc, &value);
            watch.wait_for(&value) - written
        })
        .collect();
    took.sort();
    let (median, worst) = (took[ROUNDS / 2], took[ROUNDS - 1]);
    println!("  {way:<40} median {median:>7.1?}   worst {worst:>7.1?}");
    daemon.stop();
}

fn parameter(name: &str, value: &str) -> String {
    format!("services: {{app: {{parameters: {{{name}: {value}}}}}}}\n")
}

/// Writes the next version of a mount as the kubelet does, and swaps the link to it.
fn swap(mount: &Path, value: &str) {
    let version = format!("..{value}");
    fs::create_dir_all(mount.join(&version)).unwrap();
    fs::write(
        mount.join(&version).join("jsorc.yaml"),
        parameter("mount", value),
    )
    .unwrap();
    symlink(&version, mount.join("..data_tmp")).unwrap();
    fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
}

/// A watch on one key of the object; each value with the moment at which it was told.
struct Watch {
    kubectl: Child,
    values: Receiver<(Instant, String)>,
}

impl Watch {
    fn start(cluster: &Cluster, namespace: &str, key: &str) -> Self {
        let mut command = cluster.as_admin().command();
        let path = format!("jsonpath={{.data.{key}}}{{\"\\n\"}}");
        command.args([
            "get",
            "configmap",
            "app",
            "-n",
            namespace,
            "--watch",
            "-o",
            &path,
        ]);
        let mut kubectl = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(kubectl.stdout.take().unwrap()).lines();
        let (sender, values) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    return;
                }
            }
        });
        let watch = Self { kubectl, values };
        // The first line is what is there already.
        watch.values.recv_timeout(LONG).unwrap();
        watch
    }

    fn wait_for(&self, value: &str) -> Instant {
        loop {
            let (at, line) = self.values.recv_timeout(LONG).expect("the change arrives");
            if line == value {
                return at;
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.kubectl.kill();
        let _ = self.kubectl.wait();
    }
}
