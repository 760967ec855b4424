//! How fast a drifted object is put right: the daemon beside a program that knows what to send and
//! sends it as soon as the watch says so.
//!
//! Both are timed by the API server's own clock: from the answer to whoever changed the object to
//! the answer to whoever put it right.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use hyper::body::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    applying::sources,
    child::ticks,
    figures::{Times, milliseconds, times},
    flood::{MANAGER, Shots},
    mix::{Mix, collection, path_of},
    report::Report,
    subject::{Daemon, Subject},
    support::{AuditEntry, Cluster, Mark, Scratch, eventually},
    wire::Wire,
    wishes::Wishes,
};

/// How many objects are changed one after the other.
const EDITS: usize = 300;
/// How many are changed at once.
const AT_ONCE: usize = 1000;
/// How often they are: one server takes a third longer than a moment before.
const ROUNDS: usize = 5;
/// A clock tick of the kernel, in milliseconds.
const TICK: u64 = 10;
/// How many requests at once the flood beside it makes.
const WIDTHS: [usize; 2] = [16, 32];

/// A cluster with a set that somebody keeps, and somebody who disturbs it.
struct Ground<'a> {
    runtime: &'a Runtime,
    cluster: &'a Cluster,
    intruder: Wire,
    objects: Vec<Value>,
    namespace: String,
}

/// Measures both, with the largest set that was asked for.
pub fn measure(wishes: &Wishes, runtime: &Runtime, report: &mut Report) {
    let size = wishes.sizes.iter().copied().max().unwrap_or(1000);
    let (mut single, mut many) = (Vec::new(), Vec::new());
    for _ in 0..wishes.runs.min(3) {
        let scratch = Scratch::new("bench");
        let cluster = Cluster::bare(true);
        let echo = echo(runtime, &cluster, size);
        let source = sources(wishes, Mix::C1, size, &scratch).remove(0);
        let namespace = cluster.create_namespace("jsorc");
        let subject = Subject::new(&source, Mix::C1, size, &cluster, &namespace);
        let daemon = subject.daemon();
        let ground = Ground::new(runtime, &cluster, size, namespace);
        let healed = ground.one_by_one("jsorc/");
        single.push(pair(&echo, &healed));
        many.push(ground.at_once(&daemon, size));
    }
    report.line(&format!(
        "{EDITS} of {size} ConfigMaps, one changed after the other; milliseconds on the API server's clock. A row is a run."
    ));
    report.table(
        &[
            "echo p50",
            "echo p99",
            "jsorc p50",
            "jsorc p99",
            "jsorc worst",
            "p50 above echo",
        ],
        &single,
    );
    report.line(&format!(
        "{AT_ONCE} changed while the daemon was stopped, until all are right, beside a flood of the same writes: medians of {ROUNDS} rounds by turns, the flood's of its better width; and the processor time of the daemon in a round. A row is a run."
    ));
    report.table(&["raw", "jsorc", "raw ÷ jsorc", "processor"], &many);
}

fn pair(echo: &Times, healed: &Times) -> Vec<String> {
    let above = healed.median().as_secs_f64() - echo.median().as_secs_f64();
    vec![
        milliseconds(echo.median()),
        milliseconds(echo.percentile(99)),
        milliseconds(healed.median()),
        milliseconds(healed.percentile(99)),
        milliseconds(healed.worst()),
        format!("{:+.2}", above * 1000.0),
    ]
}

impl<'a> Ground<'a> {
    fn new(runtime: &'a Runtime, cluster: &'a Cluster, size: usize, namespace: String) -> Self {
        Self {
            intruder: runtime.block_on(Wire::new(cluster.kubeconfig(), "intruder")),
            objects: Mix::C1.objects(size),
            runtime,
            cluster,
            namespace,
        }
    }

    /// Changes objects one after the other and says how long each stayed wrong.
    fn one_by_one(&self, healer: &str) -> Times {
        let audit = self.cluster.audit();
        let mark = audit.mark();
        self.runtime.block_on(async {
            for edit in 0..EDITS {
                let object = &self.objects[edit * self.objects.len() / EDITS];
                let change = json!({"data": {"key-0": format!("changed {edit}")}});
                let answer = self
                    .intruder
                    .merge(&path_of(object, &self.namespace), &change)
                    .await;
                assert_eq!(answer.status, 200);
                // Not in step with anything: between 20 and 50 ms.
                let pause = 20 + (edit as u64 * 7919) % 31;
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
        });
        std::thread::sleep(Duration::from_millis(500));
        latencies(&audit.since(mark), &self.namespace, healer)
    }

    /// Changes many at once.
    fn change_many(&self) {
        let next = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        self.runtime.block_on(async {
            let lanes: Vec<_> = (0..16)
                .map(|_| {
                    let (next, wire) = (next.clone(), self.intruder.clone());
                    let paths: Vec<String> = self
                        .objects
                        .iter()
                        .take(AT_ONCE)
                        .map(|object| path_of(object, &self.namespace))
                        .collect();
                    tokio::spawn(async move {
                        while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                            wire.merge(path, &json!({"data": {"key-1": "changed"}}))
                                .await;
                        }
                    })
                })
                .collect();
            for lane in lanes {
                lane.await.unwrap();
            }
        });
    }

    /// Changes many at once, and has the daemon and a flood put them right by turns.
    fn at_once(&self, daemon: &Daemon, size: usize) -> Vec<String> {
        let namespace = self.cluster.create_namespace("raw");
        let raw = Ground::new(self.runtime, self.cluster, size.min(AT_ONCE), namespace);
        let connecting = Wire::new(self.cluster.kubeconfig(), "rawflood");
        let wire = self.runtime.block_on(connecting);
        let shots = Shots::of(&raw.objects, &raw.namespace);
        shots.fire(self.runtime, &wire, 16);
        let mut floods = WIDTHS.map(|_| Times::default());
        let mut ours = Times::default();
        let mut busy = 0;
        for _ in 0..ROUNDS {
            for (width, times) in WIDTHS.iter().zip(&mut floods) {
                raw.change_many();
                times.add(shots.fire(self.runtime, &wire, *width));
            }
            daemon.signal("STOP");
            self.change_many();
            let mark = self.cluster.audit().mark();
            let (begun, before) = (Timestamp::now(), ticks(daemon.pid()));
            daemon.signal("CONT");
            ours.add(self.last_write_since(mark, begun, "jsorc/"));
            busy += ticks(daemon.pid()) - before;
        }
        let raw = floods.iter().map(Times::median).min().unwrap_or_default();
        vec![
            milliseconds(raw),
            milliseconds(ours.median()),
            times(raw.as_secs_f64() / ours.median().as_secs_f64()),
            (busy * TICK / ROUNDS as u64).to_string(),
        ]
    }

    /// Waits until so many were written by someone, and gives the time from the mark to the last.
    fn last_write_since(&self, mark: Mark, begun: Timestamp, writer: &str) -> Duration {
        let audit = self.cluster.audit();
        let mut size = 0;
        eventually("all are put right", Duration::from_secs(60), || {
            // Reading it again and again would take from the processors that are measured.
            let before = std::mem::replace(&mut size, audit.size());
            if before != size {
                return None;
            }
            let entries = audit.so_far(mark);
            let ours = entries.iter().filter(|entry| {
                is_write(entry, &self.namespace) && entry.agent.starts_with(writer)
            });
            let written: Vec<Timestamp> = ours.map(answered).collect();
            let last = written.iter().max().copied().unwrap_or(begun);
            (written.len() >= AT_ONCE).then(|| since(begun, last))
        })
    }
}

fn is_write(entry: &AuditEntry, namespace: &str) -> bool {
    entry.verb == "patch" && entry.resource == "configmaps" && entry.namespace == namespace
}

/// From the answer to each intrusion to the answer to the write that ended it.
fn latencies(entries: &[AuditEntry], namespace: &str, healer: &str) -> Times {
    let mut open: HashMap<&str, Timestamp> = HashMap::new();
    let mut found = Times::default();
    let patches = entries.iter().filter(|entry| is_write(entry, namespace));
    let mut patches: Vec<&AuditEntry> = patches.collect();
    // In the order in which they came: the watch may be faster than the intruder's own answer.
    patches.sort_by_key(|entry| came(entry));
    for entry in patches {
        if entry.agent == "intruder" {
            open.insert(&entry.name, answered(entry));
        } else if entry.agent.starts_with(healer)
            && let Some(changed) = open.remove(entry.name.as_str())
        {
            found.add(since(changed, answered(entry)));
        }
    }
    assert!(open.is_empty(), "never put right: {:?}", open.keys());
    found
}

fn came(entry: &AuditEntry) -> Timestamp {
    entry.time.parse().unwrap()
}

fn answered(entry: &AuditEntry) -> Timestamp {
    entry.answered.parse().unwrap()
}

fn since(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// The program that knows what to send.
fn echo(runtime: &Runtime, cluster: &Cluster, size: usize) -> Times {
    let namespace = cluster.create_namespace("echo");
    let ground = Ground::new(runtime, cluster, size, namespace.clone());
    let wire = runtime.block_on(Wire::new(cluster.kubeconfig(), "echo"));
    Shots::of(&ground.objects, &namespace).fire(runtime, &wire, 16);
    let bodies: HashMap<String, Bytes> = ground
        .objects
        .iter()
        .map(|object| {
            let name = object["metadata"]["name"].as_str().unwrap().to_owned();
            (name, object.to_string().into())
        })
        .collect();
    let path = collection("api/v1 configmaps", &namespace);
    let ready = Arc::new(AtomicBool::new(false));
    let echoing = runtime.spawn(restore(wire, path, bodies, ready.clone()));
    let begun = Instant::now();
    while !ready.load(Ordering::Relaxed) {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "the watch is open"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    let found = ground.one_by_one("echo");
    echoing.abort();
    found
}

async fn restore(wire: Wire, path: String, bodies: HashMap<String, Bytes>, ready: Arc<AtomicBool>) {
    let query = "watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
    // Watches and writes do not share a connection, as in any program that expects load.
    let mut events = wire.apart().await.watch(&format!("{path}?{query}")).await;
    while let Some(event) = events.next().await {
        let object = &event["object"];
        if event["type"] == "BOOKMARK" {
            ready.store(true, Ordering::Relaxed);
        }
        let drifted = object["data"]["key-0"]
            .as_str()
            .is_some_and(|text| text.starts_with("changed"));
        if event["type"] == "MODIFIED" && drifted {
            let name = object["metadata"]["name"].as_str().unwrap();
            wire.apply(&format!("{path}/{name}"), MANAGER, bodies[name].clone())
                .await;
        }
    }
}
