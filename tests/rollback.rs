//! Roll-outs of jsorc itself: the process that starts last brings its manifests with it, also an
//! older one that comes back (`kubectl rollout undo`), and while two run nothing goes to and fro.

use std::time::Duration;

use crate::support::{AuditEntry, Cluster, Daemon, Jsorc, Mark, eventually};

const LONG: Duration = Duration::from_secs(60);
/// Longer than the interval of these daemons.
const A_WHILE: Duration = Duration::from_secs(3);

const SERVICE: (&str, &str) = ("one/service.yaml", "driver: none\n");

/// What a build carries: the same map with another word, and a map that only it has.
fn build(word: &str) -> String {
    format!(
        "apiVersion: v1
kind: ConfigMap
metadata: {{name: one}}
data: {{greeting: {word}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: only-{word}}}
data: {{a: \"1\"}}
"
    )
}

struct Site {
    cluster: &'static Cluster,
    older: Jsorc,
    newer: Jsorc,
}

impl Site {
    fn new(prefix: &str) -> Self {
        let cluster = Cluster::shared();
        let of = |word: &str| {
            Jsorc::on(cluster, prefix)
                .services(&[SERVICE, ("one/kube/one.yaml", &build(word))])
                .set("JSORC_INTERVAL", "1s")
        };
        let older = of("old");
        let mut newer = of("new").set("JSORC_NAMESPACE", &older.namespace);
        newer.namespace.clone_from(&older.namespace);
        Self {
            cluster,
            older,
            newer,
        }
    }

    /// The words that the maps carry: the greeting, and who has a map of its own.
    fn words(&self) -> Vec<String> {
        let get = ["get", "configmaps", "-n", &self.older.namespace, "-o"];
        let output = r#"jsonpath={range .items[*]}{.metadata.name} {.data.greeting}{"\n"}{end}"#;
        let all = self.cluster.as_admin().run(&[&get[..], &[output]].concat());
        let mut words: Vec<String> = all
            .lines()
            .filter_map(|line| {
                let own = line.trim().strip_prefix("only-");
                own.or(line.strip_prefix("one ")).map(str::to_owned)
            })
            .collect();
        words.sort();
        words
    }

    fn become_only(&self, word: &str) {
        eventually(&format!("everything is {word}"), LONG, || {
            (self.words() == [word, word]).then_some(())
        });
    }

    /// The objects that were written since, the Lease and the books of jsorc aside.
    fn written(&self, mark: Mark) -> Vec<String> {
        let entries = self.cluster.audit().since(mark);
        let ours = |entry: &&AuditEntry| {
            entry.is_write()
                && entry.agent.contains("jsorc")
                && entry.namespace == self.older.namespace
                && entry.resource == "configmaps"
                && (entry.name == "one" || entry.name.starts_with("only-"))
        };
        let written = entries.iter().filter(ours);
        let mut written: Vec<String> = written
            .map(|entry| format!("{} {}", entry.verb, entry.name))
            .collect();
        written.sort();
        written
    }
}

/// Starts a process beside the one that leads, as a roll-out does, and ends that one.
fn roll_out(from: Daemon, to: &Jsorc) -> Daemon {
    let next = to.daemon();
    next.wait_for("one", "Waiting", LONG);
    std::thread::sleep(A_WHILE);
    assert_eq!(from.stop(), 0);
    next.wait_for("one", "Running", LONG);
    next
}

#[test]
fn an_older_build_that_comes_back_brings_its_manifests_back_and_nothing_flaps() {
    let site = Site::new("undo");
    let first = site.older.daemon();
    first.wait_for("one", "Running", LONG);
    site.become_only("old");

    let mark = site.cluster.audit().mark();
    let second = roll_out(first, &site.newer);
    site.become_only("new");
    std::thread::sleep(A_WHILE);
    let forth = ["delete only-old", "patch one", "patch only-new"];
    assert_eq!(site.written(mark), forth);

    let mark = site.cluster.audit().mark();
    let third = roll_out(second, &site.older);
    site.become_only("old");
    std::thread::sleep(A_WHILE);
    let back = ["delete only-new", "patch one", "patch only-old"];
    assert_eq!(site.written(mark), back);
    assert!(!third.log().contains("healed"), "{}", third.log());
    assert_eq!(third.stop(), 0);
}

#[test]
fn a_roll_out_that_is_taken_back_before_it_led_changes_nothing() {
    let site = Site::new("undone");
    let first = site.older.daemon();
    first.wait_for("one", "Running", LONG);
    site.become_only("old");
    let mark = site.cluster.audit().mark();
    let second = site.newer.daemon();
    second.wait_for("one", "Waiting", LONG);
    std::thread::sleep(A_WHILE);
    assert_eq!(second.stop(), 0);
    let third = roll_out(first, &site.older);
    std::thread::sleep(A_WHILE);
    assert_eq!(site.words(), ["old", "old"]);
    assert_eq!(site.written(mark), Vec::<String>::new());
    assert_eq!(third.stop(), 0);
}
