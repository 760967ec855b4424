//! What a daemon costs when nothing happens: requests, processor time, memory.

use std::{collections::BTreeMap, thread, time::Duration};

use crate::{
    applying::sources,
    child::{memory, ticks},
    figures::megabytes,
    mix::Mix,
    report::Report,
    subject::Subject,
    support::{AuditEntry, Cluster, Scratch},
    wishes::Wishes,
};

/// What follows an apply has ended by then.
const SETTLE: Duration = Duration::from_secs(15);

/// Measures it with a hundred objects and with every size.
pub fn measure(wishes: &Wishes, report: &mut Report) {
    let mut rows = Vec::new();
    let mut sizes = vec![100];
    sizes.extend(&wishes.sizes);
    for size in sizes {
        let scratch = Scratch::new("bench");
        for source in sources(wishes, Mix::C1, size, &scratch) {
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
            rows.push(vec![
                format!("{size}, {}", source.name()),
                requests,
                format!("{:.2} s", per_hour(used, wishes.idle)),
                format!("{} ({})", megabytes(applied.peak), megabytes(applied.own)),
                format!("{} ({})", megabytes(rest.now), megabytes(rest.own)),
            ]);
        }
    }
    report.line(&format!(
        "A daemon over ConfigMaps, {} s in which nothing happens. A watch is renewed every 290 s, the Lease by its own period.",
        wishes.idle.as_secs()
    ));
    let head = [
        "objects",
        "requests",
        "processor time in an hour",
        "most memory while applying, MB",
        "memory at rest, MB",
    ];
    report.table(&head, &rows);
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
