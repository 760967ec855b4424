//! A set that is new, unchanged or has one drifted object: jsorc, the raw bound, other programs.

use std::{path::PathBuf, process::Command, time::Duration};

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    child::{timed, weighed},
    figures::{Times, megabytes},
    flood::{Shots, WIDTHS},
    mix::{Mix, path_of},
    peers::{Forms, Peer, Peers},
    report::Report,
    subject::{Source, Subject},
    support::{AuditEntry, Cluster, Scratch},
    wire::Wire,
    wishes::Wishes,
};

/// So many objects are written before anything is measured: a server that has just started is slow,
/// and gets faster with every thousand.
const WARMING: usize = 5000;

/// A server goes on for a while after its last answer, for watches, store and garbage: nobody pays for
/// who went before.
const REST: Duration = Duration::from_secs(1);

/// So often an unchanged set is looked at in one turn, since that is short.
const UNCHANGED: usize = 5;

/// So often a new set is applied in one turn, each time in a namespace of its own: on the same server one
/// takes a tenth longer or shorter than the next.
const COLD: usize = 3;

/// What one program took.
#[derive(Default)]
struct Row {
    name: String,
    cold: Times,
    again: Times,
    plan: Times,
    drift: Times,
}

/// One step of a turn: which width, source or peer.
#[derive(Clone, Copy)]
enum Step {
    /// Raw requests, by the place of their number at once.
    Flood(usize),
    /// The same with jsorc's labels, so many at once.
    Labelled(usize),
    /// A new set.
    Cold(usize),
    /// A new set, and what follows.
    Subject(usize),
    /// Another program.
    Peer(usize),
}

/// One mix of one size with everything that is measured of it.
struct Course<'a> {
    runtime: &'a Runtime,
    mix: Mix,
    size: usize,
    sources: Vec<Source>,
    peers: Option<(Peers, Forms)>,
    floods: Vec<Times>,
    best: Times,
    same: Times,
    rows: Vec<Row>,
}

/// Measures how long it takes.
pub fn measure(wishes: &Wishes, runtime: &Runtime, report: &mut Report) {
    for mix in &wishes.mixes {
        for size in &wishes.sizes {
            let scratch = Scratch::new("bench");
            let mut course = Course::new(wishes, runtime, *mix, *size, &scratch);
            for run in 0..wishes.runs {
                eprintln!("bench: {} × {size}, run {}", mix.name(), run + 1);
                course.run(run);
            }
            course.report(report);
            report.save();
        }
    }
}

/// The places that jsorc takes its services from in this run.
pub fn sources(wishes: &Wishes, mix: Mix, size: usize, scratch: &Scratch) -> Vec<Source> {
    let services: PathBuf = scratch.path().join("services");
    mix.write_service(size, &services);
    let program = |folder: &Option<PathBuf>| {
        let program = folder.as_ref()?.join(mix.service(size));
        program.is_file().then_some(program)
    };
    std::iter::once(Source::Folder(services))
        .chain(program(&wishes.before).map(Source::Before))
        .chain(program(&wishes.embedded).map(Source::Embedded))
        .collect()
}

impl<'a> Course<'a> {
    fn new(
        wishes: &'a Wishes,
        runtime: &'a Runtime,
        mix: Mix,
        size: usize,
        scratch: &Scratch,
    ) -> Self {
        // Beyond a thousand objects the others take minutes, and their shape is known by then.
        let peers = (wishes.peers && size <= 1000)
            .then(|| (Peers::install(), Forms::write(mix, size, scratch.path())));
        Self {
            runtime,
            mix,
            size,
            sources: sources(wishes, mix, size, scratch),
            peers,
            floods: vec![Times::default(); WIDTHS.len()],
            best: Times::default(),
            same: Times::default(),
            rows: Vec::new(),
        }
    }

    fn row(&mut self, name: &str) -> &mut Row {
        let known = self.rows.iter().position(|row| row.name == name);
        let at = known.unwrap_or_else(|| {
            self.rows.push(Row {
                name: name.to_owned(),
                ..Row::default()
            });
            self.rows.len() - 1
        });
        &mut self.rows[at]
    }

    /// One turn of everything, on a server that nothing was asked of before. Who begins changes
    /// with each turn.
    fn run(&mut self, run: usize) {
        let cluster = Cluster::bare(false);
        let wire = self
            .runtime
            .block_on(Wire::new(cluster.kubeconfig(), "rawflood"));
        for number in 0..WARMING.div_ceil(self.size) {
            self.flood(&cluster, &wire, &format!("warm-{number}"), 16);
        }
        let (mut best, mut same) = (Duration::MAX, Duration::MAX);
        for step in self.steps(run) {
            match step {
                Step::Flood(at) => {
                    let width = WIDTHS[at];
                    let took = self.flood(&cluster, &wire, &format!("raw-{width}"), width);
                    self.floods[at].add(took);
                    best = best.min(took);
                }
                Step::Labelled(width) => {
                    same = same.min(self.flood_labelled(&cluster, &wire, width));
                }
                Step::Cold(at) => {
                    let source = self.sources[at].clone();
                    let (_, cold) = self.cold(&cluster, &wire, &source);
                    self.row(source.name()).cold.add(cold);
                }
                Step::Subject(at) => self.subject(&cluster, &wire, at),
                Step::Peer(at) => self.peer(&cluster, &wire, at, run),
            }
        }
        self.best.add(best);
        self.same.add(same);
    }

    /// What is done in one turn. Raw floods and programs alternate, since a server that is slow for some
    /// seconds ought to be so for either.
    fn steps(&self, run: usize) -> Vec<Step> {
        // One by one it is slow, and never the best.
        let worth = |width: usize| width >= 8 || (run == 0 && self.size <= 1000);
        let widths = (0..WIDTHS.len()).filter(|at| worth(WIDTHS[*at]));
        let wide = WIDTHS.iter().filter(|width| **width >= 32);
        let floods = widths
            .map(Step::Flood)
            .chain(wide.map(|width| Step::Labelled(*width)));
        // Of thousands a single one takes as long as several.
        let colds = if self.size > 1000 { 1 } else { COLD };
        let sources = 0..self.sources.len();
        let programs = (1..colds)
            .flat_map(|_| sources.clone().map(Step::Cold))
            .chain(sources.clone().map(Step::Subject));
        let peers = self.peers.as_ref().map_or(0, |_| Peers::known().len());
        let programs: Vec<Step> = programs.chain((0..peers).map(Step::Peer)).collect();
        let floods: Vec<Step> = floods.collect();
        let longer = floods.len().max(programs.len());
        let mut steps: Vec<Step> = (0..longer)
            .flat_map(|at| [floods.get(at), programs.get(at)])
            .flatten()
            .copied()
            .collect();
        let first = run % steps.len();
        steps.rotate_left(first);
        steps
    }

    fn flood(&self, cluster: &Cluster, wire: &Wire, name: &str, width: usize) -> Duration {
        self.flood_of(&self.mix.objects(self.size), cluster, wire, (name, width))
    }

    fn flood_of(
        &self,
        objects: &[Value],
        cluster: &Cluster,
        wire: &Wire,
        (name, width): (&str, usize),
    ) -> Duration {
        let namespace = cluster.namespace(name);
        self.runtime.block_on(wire.create_namespace(&namespace));
        let shots = Shots::of(objects, &namespace);
        std::thread::sleep(REST);
        shots.fire(self.runtime, wire, width)
    }

    /// The flood with what jsorc adds to each object so that it is found again: labels, which a
    /// server tracks one by one.
    fn flood_labelled(&self, cluster: &Cluster, wire: &Wire, width: usize) -> Duration {
        let mut objects = self.mix.objects(self.size);
        for object in &mut objects {
            let labels = &mut object["metadata"]["labels"];
            labels["jsorc.dev/instance"] = "jsorc-1.bench".into();
            labels["applyset.kubernetes.io/part-of"] = format!("applyset-{:043}-v1", 0).into();
        }
        let name = format!("same-{width}");
        self.flood_of(&objects, cluster, wire, (&name, width))
    }

    fn subject(&mut self, cluster: &Cluster, wire: &Wire, at: usize) {
        let source = self.sources[at].clone();
        let (subject, cold) = self.cold(cluster, wire, &source);
        let namespace = subject.namespace.clone();
        let unchanged: Vec<[Duration; 2]> = (0..UNCHANGED)
            .map(|_| [timed(subject.apply()), timed(subject.plan())])
            .collect();
        self.drift(wire, &namespace);
        let drift = timed(subject.apply());
        self.check_healed(wire, &namespace);
        let row = self.row(source.name());
        row.cold.add(cold);
        for [again, plan] in unchanged {
            row.again.add(again);
            row.plan.add(plan);
        }
        row.drift.add(drift);
    }

    /// Applies the set in a new namespace.
    fn cold(&self, cluster: &Cluster, wire: &Wire, source: &Source) -> (Subject, Duration) {
        let namespace = cluster.namespace("jsorc");
        self.runtime.block_on(wire.create_namespace(&namespace));
        let subject = Subject::new(source, self.mix, self.size, cluster, &namespace);
        std::thread::sleep(REST);
        let cold = timed(subject.apply());
        (subject, cold)
    }

    fn peer(&mut self, cluster: &Cluster, wire: &Wire, at: usize, run: usize) {
        let Some((peers, forms)) = &self.peers else {
            return;
        };
        let peer = Peers::known()[at];
        if peer.is_slow() && run > 0 {
            return;
        }
        let namespace = cluster.namespace("peer");
        self.runtime.block_on(wire.create_namespace(&namespace));
        let command = || peers.apply(peer, forms, cluster, &namespace);
        std::thread::sleep(REST);
        let cold = timed(command());
        let again = timed(command());
        self.drift(wire, &namespace);
        let drift = timed(command());
        let row = self.row(peer.name());
        row.cold.add(cold);
        row.again.add(again);
        row.drift.add(drift);
    }

    /// Changes one object in the middle of the set, as another manager.
    fn drift(&self, wire: &Wire, namespace: &str) {
        let objects = self.mix.objects(self.size);
        let path = path_of(&objects[self.size / 2], namespace);
        let change = json!({"metadata": {"labels": {"app": "drifted"}}});
        let answer = self.runtime.block_on(wire.merge(&path, &change));
        assert_eq!(answer.status, 200);
    }

    fn check_healed(&self, wire: &Wire, namespace: &str) {
        let objects = self.mix.objects(self.size);
        let wanted = &objects[self.size / 2];
        let path = path_of(wanted, namespace);
        let read = wire.send("GET", &path, "application/json", hyper::body::Bytes::new());
        let answer = self.runtime.block_on(read);
        let live: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let label = "/metadata/labels/app";
        assert_eq!(
            live.pointer(label),
            wanted.pointer(label),
            "it was put right"
        );
    }

    fn report(&self, report: &mut Report) {
        report.line(&format!("### {} × {}", self.mix.name(), self.size));
        let widths = WIDTHS
            .iter()
            .zip(&self.floods)
            .filter(|(_, times)| times.count() > 0);
        let rows: Vec<Vec<String>> = widths
            .map(|(width, times)| vec![width.to_string(), times.shown()])
            .collect();
        report.table(&["raw flood, requests at once", "all written"], &rows);
        let own = self
            .rows
            .iter()
            .find(|row| row.name == self.sources[0].name());
        let mut rows = vec![vec![
            "raw flood, best of each run".to_owned(),
            self.best.shown(),
            "1.00×".to_owned(),
            "–".into(),
            "–".into(),
            "–".into(),
            String::new(),
        ]];
        if let Some((width, times)) = self.best_width() {
            rows.push(vec![
                format!("raw flood, {width} at once in every run"),
                times.shown(),
                times.ratio(&self.best),
                "–".into(),
                "–".into(),
                "–".into(),
                String::new(),
            ]);
        }
        rows.push(vec![
            "raw flood, with jsorc's labels".to_owned(),
            self.same.shown(),
            self.same.ratio(&self.best),
            "–".into(),
            "–".into(),
            "–".into(),
            String::new(),
        ]);
        rows.extend(self.rows.iter().map(|row| {
            vec![
                row.name.clone(),
                row.cold.shown(),
                row.cold.ratio(&self.best),
                row.again.shown(),
                row.plan.shown(),
                row.drift.shown(),
                own.map_or_else(String::new, |own| {
                    format!(
                        "{} / {} / {}",
                        row.cold.ratio(&own.cold),
                        row.again.ratio(&own.again),
                        row.drift.ratio(&own.drift)
                    )
                }),
            ]
        }));
        let head = [
            "",
            "cold",
            "cold ÷ raw",
            "unchanged",
            "plan",
            "one drifted",
            "÷ jsorc: cold / unchanged / drifted",
        ];
        report.table(&head, &rows);
        self.charts(report);
    }

    /// The width that is best over all runs. The best of each run is better still: it is the luckiest
    /// of several.
    fn best_width(&self) -> Option<(usize, &Times)> {
        let widths = WIDTHS.iter().copied().zip(&self.floods);
        let tried = widths.filter(|(_, times)| times.count() > 1);
        tried.min_by_key(|(_, times)| times.median())
    }

    fn charts(&self, report: &mut Report) {
        type Measure = fn(&Row) -> &Times;
        let measures: [(&str, Measure); 2] =
            [("cold", |row| &row.cold), ("unchanged", |row| &row.again)];
        for (what, measure) in measures {
            let raw = (what == "cold").then(|| ("raw flood".to_owned(), &self.best));
            let rows = self.rows.iter().map(|row| (row.name.clone(), measure(row)));
            let bars: Vec<(String, f64)> = raw
                .into_iter()
                .chain(rows)
                .filter(|(_, times)| times.count() > 0)
                .map(|(name, times)| (name, times.median().as_secs_f64() * 1000.0))
                .collect();
            let name = format!("{}-{}-{what}", self.mix.name().to_lowercase(), self.size);
            let title = format!("{} × {}, {what}", self.mix.name(), self.size);
            report.chart(&name, &title, "ms", &bars);
        }
    }
}

/// Counts what each program asks of the server, from the audit log.
pub fn count_requests(wishes: &Wishes, report: &mut Report) {
    for mix in &wishes.mixes {
        let size = 1000;
        let scratch = Scratch::new("bench");
        let cluster = Cluster::bare(true);
        let mut rows = Vec::new();
        for source in sources(wishes, *mix, size, &scratch) {
            let namespace = cluster.create_namespace("jsorc");
            let subject = Subject::new(&source, *mix, size, &cluster, &namespace);
            let steps = [subject.apply(), subject.apply(), subject.plan()];
            rows.push(counted(source.name(), &cluster, steps.into()));
        }
        if wishes.peers {
            let (peers, forms) = (Peers::install(), Forms::write(*mix, size, scratch.path()));
            for peer in Peers::known().into_iter().filter(|peer| !peer.is_slow()) {
                let namespace = cluster.create_namespace("peer");
                let command = || peers.apply(peer, &forms, &cluster, &namespace);
                rows.push(counted(peer.name(), &cluster, vec![command(), command()]));
            }
        }
        report.line(&format!("{} × {size}", mix.name()));
        report.table(&["", "cold", "unchanged", "plan"], &rows);
    }
}

fn counted(name: &str, cluster: &Cluster, steps: Vec<Command>) -> Vec<String> {
    let audit = cluster.audit();
    let mut row = vec![name.to_owned()];
    for step in steps {
        let mark = audit.mark();
        timed(step);
        row.push(tally(&audit.since(mark)));
    }
    row.resize(4, "–".to_owned());
    row
}

/// How many requests of each verb, by programs from outside the server.
pub fn tally(entries: &[AuditEntry]) -> String {
    let outside = entries.iter().filter(|entry| {
        entry.user == "admin" && (entry.verb != "watch" || entry.stage == "ResponseStarted")
    });
    let mut counts = std::collections::BTreeMap::new();
    for entry in outside {
        *counts.entry(entry.verb.as_str()).or_insert(0_usize) += 1;
    }
    let total: usize = counts.values().sum();
    let each: Vec<String> = counts
        .iter()
        .map(|(verb, count)| format!("{count} {verb}"))
        .collect();
    format!("{total}: {}", each.join(", "))
}

/// Measures the most memory that each has while it applies.
pub fn measure_memory(wishes: &Wishes, report: &mut Report) {
    let mut rows = Vec::new();
    for mix in &wishes.mixes {
        for size in &wishes.sizes {
            let scratch = Scratch::new("bench");
            let cluster = Cluster::bare(false);
            for source in sources(wishes, *mix, *size, &scratch) {
                let namespace = cluster.create_namespace("jsorc");
                let subject = Subject::new(&source, *mix, *size, &cluster, &namespace);
                let weighed = [subject.apply(), subject.apply(), subject.plan()].map(weighed);
                let name = format!("{} × {size}, {}", mix.name(), source.name());
                rows.push(row(name, &weighed));
            }
            if wishes.peers && *size <= 1000 {
                let (peers, forms) = (Peers::install(), Forms::write(*mix, *size, scratch.path()));
                for peer in [Peer::Kubectl, Peer::Helm, Peer::FluxTuned] {
                    let namespace = cluster.create_namespace("peer");
                    let command = || peers.apply(peer, &forms, &cluster, &namespace);
                    let name = format!("{} × {size}, {}", mix.name(), peer.name());
                    rows.push(row(name, &[command(), command()].map(weighed)));
                }
            }
        }
    }
    report.line("The most that was ever resident, and of it what is no file's, in megabytes.");
    report.table(&["", "cold", "unchanged", "plan"], &rows);
}

fn row(name: String, weighed: &[crate::child::Memory]) -> Vec<String> {
    let shown = weighed
        .iter()
        .map(|memory| format!("{} ({})", megabytes(memory.peak), megabytes(memory.own)));
    let mut row: Vec<String> = std::iter::once(name).chain(shown).collect();
    row.resize(4, "–".to_owned());
    row
}
