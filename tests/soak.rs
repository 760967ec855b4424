//! A daemon among churn and faults, round after round: whatever happened, once it is quiet all is as
//! the manifests say, the inventory is exact, nothing is asked any more, and the process is no larger
//! than it was.
//!
//! The usual run takes three rounds; `make soak` (`JSORC_SOAK=MINUTES`) takes as many as there is time
//! for. Each begins with a number that it prints, and `JSORC_SOAK_SEED` begins with it again.

use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::support::{Call, Cluster, Daemon, Fault, FaultProxy, Jsorc, inventory};

const LONG: Duration = Duration::from_secs(180);
/// So long nothing is asked before it is called quiet.
const QUIET: Duration = Duration::from_secs(3);
/// What happens in one round.
const DEEDS: usize = 25;
const MAPS: u64 = 20;

const FAULTS: &[Fault] = &[
    Fault::Drop,
    Fault::LoseAnswer,
    Fault::Truncate,
    Fault::Refuse(429, 1),
    Fault::Refuse(500, 0),
    Fault::Refuse(503, 0),
    Fault::DoneButRefuse(504),
    Fault::Repeat,
    Fault::Hold(Duration::from_millis(700)),
];

/// Numbers that come again from the same beginning (splitmix64).
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// How large the daemon is.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    kilobytes: u64,
    threads: u64,
    files: u64,
}

impl Size {
    fn of(pid: u32) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let number = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        Self {
            kilobytes: number("VmRSS:"),
            threads: number("Threads:"),
            files: files.count() as u64,
        }
    }

    /// The larger of each.
    fn max(self, other: Self) -> Self {
        Self {
            kilobytes: self.kilobytes.max(other.kilobytes),
            threads: self.threads.max(other.threads),
            files: self.files.max(other.files),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kilobytes,
            threads,
            files,
        } = self;
        write!(f, "{kilobytes} KB, {threads} threads, {files} files")
    }
}

struct Site {
    cluster: &'static Cluster,
    proxy: FaultProxy,
    jsorc: Jsorc,
    /// The maps that the manifests want, with what is in them.
    wanted: BTreeMap<String, u64>,
    next: u64,
    dice: Dice,
}

impl Site {
    fn new(seed: u64) -> Self {
        let cluster = Cluster::shared();
        let proxy = FaultProxy::to(cluster.kubeconfig());
        let jsorc = Jsorc::on(cluster, "soak")
            .services(&[("web/service.yaml", "driver: none\n")])
            .set("KUBECONFIG", proxy.kubeconfig());
        let mut site = Self {
            cluster,
            proxy,
            jsorc,
            wanted: BTreeMap::new(),
            next: 0,
            dice: Dice(seed),
        };
        for _ in 0..MAPS {
            site.join();
        }
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        let file = format!("services/web/kube/{name}.yaml");
        self.jsorc.folder().join(file)
    }

    fn want(&mut self, name: &str, value: u64) {
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{value: \"{value}\"}}\n"
        );
        let file = format!("services/web/kube/{name}.yaml");
        self.jsorc.file(&file, &text);
        self.wanted.insert(name.to_owned(), value);
    }

    fn join(&mut self) {
        self.next += 1;
        self.want(&format!("map-{}", self.next), 0);
    }

    fn one(&mut self) -> String {
        let at = self.dice.below(self.wanted.len() as u64);
        let mut names = self.wanted.keys();
        names.nth(usize::try_from(at).unwrap()).unwrap().clone()
    }

    /// What somebody does to an object, which may not be there just now.
    fn meddle(&self, arguments: &[&str]) {
        let place = ["-n", &self.jsorc.namespace];
        let _ = self
            .cluster
            .as_admin()
            .output(&[arguments, &place].concat());
    }

    fn patch(&self, name: &str, patch: &Value) {
        let patch = patch.to_string();
        let by = ["--field-manager", "stranger", "--type", "merge", "-p"];
        self.meddle(&[&["patch", "configmap", name][..], &by, &[&patch]].concat());
    }

    fn deed(&mut self, daemon: &Daemon) {
        let name = self.one();
        match self.dice.below(10) {
            0 | 1 => self.patch(&name, &json!({"data": {"value": "theirs"}})),
            2 => self.patch(&name, &json!({"data": {"value": null, "more": "theirs"}})),
            3 => self.meddle(&["delete", "configmap", &name, "--wait=false"]),
            4 => self.meddle(&["label", "configmap", &name, "jsorc.dev/instance-"]),
            5 => {
                let value = self.wanted[&name] + 1;
                self.want(&name, value);
            }
            6 => self.join(),
            7 if self.wanted.len() as u64 > MAPS / 2 => {
                std::fs::remove_file(self.path(&name)).unwrap();
                self.wanted.remove(&name);
            }
            8 => self.proxy.end_streams(),
            _ => {
                daemon.freeze();
                std::thread::sleep(Duration::from_millis(self.dice.below(1500)));
                daemon.thaw();
            }
        }
        std::thread::sleep(Duration::from_millis(self.dice.below(300)));
    }

    fn round(&mut self, daemon: &Daemon) {
        let mut dice = Dice(self.dice.below(u64::MAX));
        self.proxy.plan(move |_| match dice.below(10) {
            0 => FAULTS[usize::try_from(dice.below(FAULTS.len() as u64)).unwrap()],
            _ => Fault::Pass,
        });
        for _ in 0..DEEDS {
            self.deed(daemon);
        }
        self.proxy.plan(|_| Fault::Pass);
    }

    /// What is not as it ought to be.
    fn amiss(&self) -> Option<String> {
        let place = &self.jsorc.namespace;
        let list = self
            .cluster
            .kubectl(["get", "configmaps", "-n", place, "-o", "json"]);
        let list: Value = serde_json::from_str(&list).unwrap();
        let items = list["items"].as_array().unwrap();
        let stored = items
            .iter()
            .find(|item| item["metadata"]["name"] == "it.web");
        let Some(stored) = stored else {
            return Some("there is no inventory".into());
        };
        let (recorded, there) = inventory::both(stored, &list);
        if recorded != there {
            return Some(format!("recorded {recorded:?}, there {there:?}"));
        }
        let ours = items
            .iter()
            .filter(|item| item["metadata"]["labels"]["jsorc.dev/instance"].is_string());
        let value = |item: &Value| item["data"]["value"].as_str().and_then(|v| v.parse().ok());
        let found: BTreeMap<String, Option<u64>> = ours
            .map(|item| {
                let name = item["metadata"]["name"].as_str().unwrap();
                (name.to_owned(), value(item))
            })
            .collect();
        let wanted = self.wanted.iter();
        let wanted: BTreeMap<_, _> = wanted.map(|(n, v)| (n.clone(), Some(*v))).collect();
        (found != wanted).then(|| format!("wanted {wanted:?}, found {found:?}"))
    }

    /// Waits until all is as it ought to be and nothing is asked any more.
    fn settle(&self, daemon: &Daemon) {
        let until = Instant::now() + LONG;
        loop {
            self.proxy.plan(|_| Fault::Pass);
            std::thread::sleep(QUIET);
            let mut calls = self.proxy.calls();
            calls.retain(is_no_renewal);
            let amiss = self.amiss();
            if amiss.is_none() && calls.is_empty() {
                return;
            }
            assert!(
                Instant::now() < until,
                "{amiss:?}\n{calls:?}\n{}",
                daemon.log()
            );
        }
    }
}

/// Neither a watch nor the Lease.
fn is_no_renewal(call: &Call) -> bool {
    !call.uri.contains("watch=true") && !call.uri.contains("/leases")
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn churn_and_faults_leave_nothing_behind() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = setting("JSORC_SOAK_SEED").unwrap_or(clock.as_secs());
    println!("JSORC_SOAK_SEED={seed}");
    let until =
        setting("JSORC_SOAK").map(|minutes| Instant::now() + Duration::from_secs(minutes * 60));
    let mut site = Site::new(seed);
    let daemon = site.jsorc.daemon();
    site.settle(&daemon);
    let mut sizes = Vec::new();
    while until.map_or(sizes.len() < 3, |until| Instant::now() < until) {
        site.round(&daemon);
        site.settle(&daemon);
        let now = Size::of(daemon.pid());
        println!("round {}: {now}", sizes.len() + 1);
        sizes.push(now);
    }
    // What is needed only now and then has been needed by then.
    let warm = sizes.iter().take(sizes.len().div_ceil(2));
    let most = warm.copied().fold(Size::default(), Size::max);
    let last = sizes.last().unwrap();
    let is_larger = last.kilobytes > most.kilobytes + most.kilobytes / 5
        || last.threads > most.threads
        || last.files > most.files + 4;
    assert!(!is_larger, "at the end {last}, at most {most} before");
    let log = daemon.log();
    assert!(!log.contains("internal fault"), "{log}");
    assert_eq!(daemon.stop(), 0);
}
