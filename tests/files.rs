//! The files of a running daemon: what is saved is applied at once, what is broken changes nothing
//! and is named everywhere, and nothing is deleted in haste.
//!
//! The interval is longer than any test, so nothing here is the work of a tick.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{Cluster, Daemon, Jsorc, eventually, http};

const SOON: Duration = Duration::from_secs(30);
const LONG: Duration = Duration::from_secs(60);

const SETTINGS: (&str, &str) = (
    "app/service.yaml",
    "driver: none\nparameters: {greeting: {type: string, default: hello}}\n",
);
const MAP: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: app}
data:
  greeting: $g{greeting}
  saved: \"0\"
";
const SECOND: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: second}\ndata: {a: \"1\"}\n";
const CLAIM: &str = "apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
";

/// A daemon over a folder of services and a configuration file, with everything applied.
struct Rig {
    cluster: &'static Cluster,
    jsorc: Jsorc,
    daemon: Daemon,
}

impl Rig {
    fn start(prefix: &str, more: &[(&str, &str)], prepare: impl Fn(&Jsorc) -> String) -> Self {
        let cluster = Cluster::shared();
        let files = [&[SETTINGS, ("app/kube/app.yaml", MAP)], more].concat();
        let jsorc = Jsorc::on(cluster, prefix)
            .services(&files)
            .set("JSORC_INTERVAL", "10m");
        let config = prepare(&jsorc);
        let jsorc = jsorc.with("--config").with(&config);
        // Over a healthy cluster the daemon reruns at once; the first check of a new one waits.
        jsorc.run(&["apply"]).expect(0);
        let daemon = jsorc.daemon();
        daemon.wait_for("app", "Running", LONG);
        Self {
            cluster,
            jsorc,
            daemon,
        }
    }

    /// With a configuration file that says nothing yet.
    fn plain(prefix: &str, more: &[(&str, &str)]) -> Self {
        Self::start(prefix, more, |jsorc| {
            jsorc
                .file("jsorc.yaml", "quiet: false\n")
                .display()
                .to_string()
        })
    }

    fn save(&self, file: &str, text: &str) {
        self.jsorc.file(file, text);
    }

    fn remove(&self, file: &str) {
        fs::remove_file(self.jsorc.folder().join(file)).unwrap();
    }

    /// A field of an object; none when the object is not there.
    fn live(&self, object: &str, path: &str) -> Option<String> {
        let path = format!("jsonpath={path}");
        let arguments = ["get", object, "-n", &self.jsorc.namespace, "-o", &path];
        let output = self.cluster.as_admin().output(&arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        output.status.success().then_some(text)
    }

    #[track_caller]
    fn becomes(&self, path: &str, value: &str) {
        let what = format!("{path} = {value} in the cluster\n{}", self.daemon.log());
        eventually(&what, SOON, || {
            (self.live("configmap/app", path)? == value).then_some(())
        });
    }

    fn config_error(&self) -> Option<String> {
        let status = self.daemon.status()?;
        status["config_error"].as_str().map(str::to_owned)
    }

    fn ready(&self) -> u16 {
        http(self.daemon.health, "GET", "/readyz", "").unwrap().0
    }

    fn invalid(&self) -> bool {
        let (_, metrics) = http(self.daemon.health, "GET", "/metrics", "").unwrap();
        metrics.contains("\njsorc_config_invalid 1\n")
    }

    /// Waits until a broken file is named in status, readiness, metrics and log.
    #[track_caller]
    fn is_refused(&self, place: &str) {
        let what = format!(
            "`{place}` in the status, which has {:?}",
            self.config_error()
        );
        let error = eventually(&what, SOON, || {
            self.config_error().filter(|error| error.contains(place))
        });
        assert_eq!(self.ready(), 503);
        assert!(self.invalid());
        let server = format!("http://127.0.0.1:{}", self.daemon.api);
        let shown = self.jsorc_alone().run(&["status", "--server", &server]);
        assert!(shown.stdout.contains(&error), "{shown:?}");
        assert!(self.daemon.log().contains(place), "{}", self.daemon.log());
    }

    #[track_caller]
    fn recovers(&self) {
        eventually("recovery", SOON, || {
            (self.config_error().is_none() && self.ready() == 200 && !self.invalid()).then_some(())
        });
    }

    /// Someone at another machine, with the embedded services.
    fn jsorc_alone(&self) -> Jsorc {
        Jsorc::alone("elsewhere").set("JSORC_INSTANCE__NAME", &self.jsorc.instance)
    }
}

#[test]
fn what_is_saved_is_in_the_cluster_without_a_tick() {
    let rig = Rig::plain("saved", &[]);
    rig.save("services/app/kube/app.yaml", &MAP.replace("\"0\"", "\"1\""));
    rig.becomes("{.data.saved}", "1");

    rig.save(
        "jsorc.yaml",
        "services: {app: {parameters: {greeting: hi}}}\n",
    );
    rig.becomes("{.data.greeting}", "hi");

    let patch = "services: {app: {patches: [{target: ConfigMap/app, merge: {data: {patched: \"yes\"}}}]}}\n";
    rig.save("jsorc.yaml", patch);
    rig.becomes("{.data.patched}", "yes");
    rig.becomes("{.data.greeting}", "hello");

    rig.save(
        "jsorc.d/10-team.yaml",
        "services: {app: {parameters: {greeting: salut}}}\n",
    );
    rig.becomes("{.data.greeting}", "salut");
    rig.becomes("{.data.patched}", "yes");
    rig.save(
        "jsorc.d/20-late.yaml",
        "services: {app: {parameters: {greeting: moin}}}\n",
    );
    rig.becomes("{.data.greeting}", "moin");
    rig.remove("jsorc.d/20-late.yaml");
    rig.becomes("{.data.greeting}", "salut");

    rig.save("services/late/service.yaml", "driver: none\n");
    rig.save("services/late/kube/second.yaml", SECOND);
    eventually("the new service's object", SOON, || {
        rig.live("configmap/second", "{.data.a}")
    });
}

/// Writes the next version of a mount as the kubelet does, and swaps the link to it.
fn swap(mount: &Path, round: usize) {
    let version = format!("..{round}");
    fs::create_dir_all(mount.join(&version)).unwrap();
    let text = format!("services: {{app: {{parameters: {{greeting: round {round}}}}}}}\n");
    fs::write(mount.join(&version).join("jsorc.yaml"), text).unwrap();
    symlink(&version, mount.join("..data_tmp")).unwrap();
    fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
    if round > 0 {
        fs::remove_dir_all(mount.join(format!("..{}", round - 1))).unwrap();
    }
}

#[test]
fn a_swapped_config_map_mount_is_followed_every_time() {
    let rig = Rig::start("mount", &[], |jsorc| {
        let mount = jsorc.folder().join("mount");
        swap(&mount, 0);
        symlink("..data/jsorc.yaml", mount.join("jsorc.yaml")).unwrap();
        mount.join("jsorc.yaml").display().to_string()
    });
    rig.becomes("{.data.greeting}", "round 0");
    for round in 1..5 {
        swap(&rig.jsorc.folder().join("mount"), round);
        rig.becomes("{.data.greeting}", &format!("round {round}"));
    }
    assert_eq!(rig.config_error(), None);
}

#[test]
fn a_broken_file_changes_nothing_is_named_everywhere_and_mending_it_recovers() {
    let rig = Rig::plain("broken", &[]);
    let version = || {
        rig.live("configmap/app", "{.metadata.resourceVersion}")
            .unwrap()
    };
    let before = version();
    let changed = MAP.replace("\"0\"", "\"1\"");

    rig.save(
        "services/app/kube/app.yaml",
        &changed.replace("metadata", "metdata"),
    );
    rig.is_refused("services/app/kube/app.yaml:1:1: `metadata.name` is missing");
    rig.save(
        "jsorc.yaml",
        "services: {app: {parameters: {greting: hi}}}\n",
    );
    assert_eq!(version(), before, "a broken file wrote something");

    // What was in force stays in force: drift from it is put right.
    let drift = [
        "patch",
        "configmap",
        "app",
        "-n",
        &rig.jsorc.namespace,
        "--type=merge",
        "-p",
    ];
    let patch = [r#"{"data":{"greeting":"theirs"}}"#];
    rig.cluster.as_admin().run(&[&drift[..], &patch].concat());
    rig.becomes("{.data.greeting}", "hello");
    assert_eq!(rig.live("configmap/app", "{.data.saved}").unwrap(), "0");

    // The manifest is mended first: now the configuration's own mistake is named.
    rig.save("services/app/kube/app.yaml", &changed);
    rig.is_refused("jsorc.yaml:1: unknown parameter `services.app.parameters.greting`");
    assert_eq!(rig.live("configmap/app", "{.data.saved}").unwrap(), "0");
    rig.save(
        "jsorc.yaml",
        "services: {app: {parameters: {greeting: hi}}}\n",
    );
    rig.becomes("{.data.greeting}", "hi");
    rig.becomes("{.data.saved}", "1");
    rig.recovers();
}

#[test]
fn a_services_folder_that_is_empty_for_a_while_changes_nothing() {
    let rig = Rig::plain("emptied", &[]);
    let services = rig.jsorc.folder().join("services");
    fs::rename(services.join("app"), rig.jsorc.folder().join("aside")).unwrap();
    rig.is_refused("services: holds no service");
    assert!(rig.live("configmap/app", "{.data}").is_some());
    fs::rename(rig.jsorc.folder().join("aside"), services.join("app")).unwrap();
    rig.recovers();
    assert_eq!(rig.live("configmap/app", "{.data.saved}").unwrap(), "0");
}

#[test]
fn a_removed_object_is_pruned_only_after_five_quiet_seconds() {
    let rig = Rig::plain("pruned", &[("app/kube/second.yaml", SECOND)]);
    assert!(rig.live("configmap/second", "{.data}").is_some());
    rig.remove("services/app/kube/second.yaml");
    std::thread::sleep(Duration::from_secs(3));
    // The tree is not quiet: the seconds are counted anew.
    rig.save("services/app/kube/app.yaml", &MAP.replace("\"0\"", "\"1\""));
    let last = Instant::now();
    rig.becomes("{.data.saved}", "1");
    eventually("the end of the object", SOON, || {
        rig.live("configmap/second", "{.data}")
            .is_none()
            .then_some(())
    });
    assert!(
        last.elapsed() >= Duration::from_secs(5),
        "{:?} after the last change",
        last.elapsed()
    );
    rig.daemon.wait_for_log("ConfigMap/second", SOON);
}

#[test]
fn a_removed_claim_stays_and_says_so() {
    let rig = Rig::plain("claim", &[("app/kube/claim.yaml", CLAIM)]);
    assert!(rig.live("pvc/data", "{.spec}").is_some());
    rig.remove("services/app/kube/claim.yaml");
    rig.daemon.wait_for_log("PersistentVolumeClaim/data", SOON);
    eventually("the kept claim in the status", SOON, || {
        let service = rig.daemon.service("app")?;
        (service["objects"]["kept"] == 1).then_some(())
    });
    rig.daemon.wait_for("app", "Running", SOON);
    std::thread::sleep(Duration::from_secs(6));
    let deleted = rig.live("pvc/data", "{.metadata.deletionTimestamp}");
    assert_eq!(deleted.as_deref(), Some(""), "it is there and stays");
    let plan = rig.jsorc.run(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains("--allow-delete PersistentVolumeClaim/data"),
        "{plan}"
    );
}

#[test]
fn what_editors_leave_behind_does_no_harm() {
    let rig = Rig::plain("editors", &[]);
    let folder = rig.jsorc.folder().join("services/app/kube");
    for name in [
        ".app.yaml.swp",
        "app.yaml~",
        "#app.yaml#",
        ".#app.yaml",
        "app.yaml.tmp",
        "app.yaml.bak",
    ] {
        fs::write(folder.join(name), b"\x00not: [yaml").unwrap();
    }
    // As vim saves: the old file is moved aside, the new one written, the old one removed.
    let edited = MAP.replace("\"0\"", "\"vim\"");
    fs::rename(folder.join("app.yaml"), folder.join("app.yaml~")).unwrap();
    fs::write(folder.join("app.yaml"), edited).unwrap();
    fs::remove_file(folder.join("app.yaml~")).unwrap();
    rig.becomes("{.data.saved}", "vim");
    // As most others do: a new file is written beside it and renamed.
    fs::write(
        folder.join(".app.yaml.new"),
        MAP.replace("\"0\"", "\"renamed\""),
    )
    .unwrap();
    fs::rename(folder.join(".app.yaml.new"), folder.join("app.yaml")).unwrap();
    rig.becomes("{.data.saved}", "renamed");
    assert_eq!(rig.config_error(), None);
    let log = rig.daemon.log();
    assert!(!log.contains("not valid"), "{log}");
    let status = rig.daemon.status().unwrap();
    let services: Vec<&Value> = status["services"].as_array().unwrap().iter().collect();
    assert_eq!(services.len(), 1, "{status}");
}
