//! What a daemon costs when nothing happens: requests, processor time, memory. Then the same window
//! once more, in which objects are changed behind its back.

use std::{collections::BTreeMap, thread, time::Duration};

use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    applying::sources,
    child::{memory, ticks},
    figures::megabytes,
    mix::{Mix, path_of},
    report::Report,
    subject::Subject,
    support::{AuditEntry, Cluster, Scratch},
    wire::Wire,
    wishes::Wishes,
};

/// What follows an apply has ended by then.
const SETTLE: Duration = Duration::from_secs(15);
/// How many objects are changed in the second window.
const DRIFTS: u32 = 9;

/// Measures it with a hundred objects and with every size, side by side: each has a server of its
/// own, and nothing happens on any.
pub fn measure(wishes: &Wishes, runtime: &Runtime, report: &mut Report) {
    let mut sizes = vec![100];
    sizes.extend(&wishes.sizes);
    let rows: Vec<Vec<String>> = thread::scope(|scope| {
        let watched: Vec<_> = sizes
            .into_iter()
            .map(|size| scope.spawn(move || watched(wishes, runtime, size)))
            .collect();
        let rows = watched.into_iter().map(|watched| watched.join().unwrap());
        rows.collect()
    });
    report.line(&format!(
        "A daemon over ConfigMaps, {} s in which nothing happens, then as long with {DRIFTS} objects changed, deleted or robbed of their labels. A watch is renewed every 290 s, the Lease by its own period; inventories are `configmaps`, too.",
        wishes.idle.as_secs()
    ));
    let head = [
        "objects",
        "requests",
        "requests with drifts",
        "processor time in an hour",
        "most memory while applying, MB",
        "memory at rest, MB",
    ];
    report.table(&head, &rows);
}

/// What one daemon does in both windows.
fn watched(wishes: &Wishes, runtime: &Runtime, size: usize) -> Vec<String> {
    let scratch = Scratch::new("bench");
    // A deployed one has its services built in.
    let source = sources(wishes, Mix::C1, size, &scratch).pop().unwrap();
    let cluster = Cluster::bare(true);
    let namespace = cluster.create_namespace("jsorc");
    let subject = Subject::new(&source, Mix::C1, size, &cluster, &namespace);
    let daemon = subject.daemon();
    let applied = memory(daemon.pid()).unwrap();
    thread::sleep(SETTLE);
    let audit = cluster.audit();
    let (mark, before) = (audit.mark(), ticks(daemon.pid()));
    thread::sleep(wishes.idle);
    let used = ticks(daemon.pid()) - before;
    let requests = kinds_of(&audit.since(mark));
    let rest = memory(daemon.pid()).unwrap();
    let mark = audit.mark();
    let healed = disturb(runtime, &cluster, &namespace, size, wishes.idle);
    let disturbed = kinds_of(&audit.since(mark));
    vec![
        format!("{size}, {}", source.name()),
        requests,
        format!("{disturbed}; {healed} of {DRIFTS} are right again"),
        format!("{:.2} s", per_hour(used, wishes.idle)),
        format!("{} ({})", megabytes(applied.peak), megabytes(applied.own)),
        format!("{} ({})", megabytes(rest.now), megabytes(rest.own)),
    ]
}

/// Changes objects at equal distances, each in one of three ways, and says how many of them are as
/// they ought to be at the end.
fn disturb(
    runtime: &Runtime,
    cluster: &Cluster,
    namespace: &str,
    size: usize,
    window: Duration,
) -> usize {
    let intruder = runtime.block_on(Wire::new(cluster.kubeconfig(), "intruder"));
    let objects = Mix::C1.objects(size);
    let step = objects.len() / DRIFTS as usize;
    let chosen: Vec<&Value> = objects.iter().step_by(step).take(DRIFTS as usize).collect();
    for (number, object) in chosen.iter().enumerate() {
        let path = path_of(object, namespace);
        runtime.block_on(async {
            match number % 3 {
                0 => drop(
                    intruder
                        .merge(&path, &json!({"data": {"key-0": "changed"}}))
                        .await,
                ),
                1 => drop(send(&intruder, "DELETE", &path).await),
                _ => drop(
                    intruder
                        .merge(&path, &json!({"metadata": {"labels": null}}))
                        .await,
                ),
            }
        });
        thread::sleep(window / DRIFTS);
    }
    let right = |object: &&&Value| {
        let live = runtime.block_on(send(&intruder, "GET", &path_of(object, namespace)));
        let labels = live.pointer("/metadata/labels").and_then(Value::as_object);
        live["data"] == object["data"]
            && labels.is_some_and(|labels| labels.contains_key("jsorc.dev/instance"))
    };
    chosen.iter().filter(right).count()
}

async fn send(wire: &Wire, method: &str, path: &str) -> Value {
    let answer = wire
        .send(method, path, "application/json", Bytes::new())
        .await;
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

fn per_hour(ticks: u64, window: Duration) -> f64 {
    let seconds = f64::from(u32::try_from(ticks).unwrap_or(u32::MAX)) / 100.0;
    seconds * 3600.0 / window.as_secs_f64()
}

/// The daemon's requests by verb and kind.
fn kinds_of(entries: &[AuditEntry]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let ours = entries.iter().filter(|entry| {
        entry.agent.starts_with("jsorc/")
            && (entry.verb != "watch" || entry.stage == "ResponseStarted")
    });
    for entry in ours {
        *counts
            .entry(format!("{} {}", entry.verb, entry.resource))
            .or_default() += 1;
    }
    let total: usize = counts.values().sum();
    let each: Vec<String> = counts
        .iter()
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    format!("{total}: {}", each.join(", "))
}
