//! A store that is put back to an older state: versions go backwards, objects that were deleted are
//! there again under their old uid, and what was made since is not.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{ApiServer, Cluster, Daemon, Jsorc, Mark, Store, eventually, inventory};

const LONG: Duration = Duration::from_secs(90);
/// Longer than the store could grow back to where it was.
const MUCH: usize = 300;

const SERVICE: (&str, &str) = ("web/service.yaml", "driver: none\n");

/// Maps with a value.
fn maps(maps: &[(&str, &str)]) -> String {
    let map = |(name, value): &(&str, &str)| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: \"{value}\"}}\n"
        )
    };
    maps.iter().map(map).collect::<Vec<_>>().join("---\n")
}

const RENEWED: (&str, &str) = ("renewed", "1");
const STAYS: (&str, &str) = ("stays", "1");

/// What was wanted when the store was kept, and what is wanted since.
const THEN: &[(&str, &str)] = &[("changes", "1"), ("leaves", "1"), RENEWED, STAYS];
const NOW: &[(&str, &str)] = &[("changes", "2"), ("joins", "2"), RENEWED, STAYS];
/// The same as then, but for what left.
const LESS: &[(&str, &str)] = &[("changes", "1"), RENEWED, STAYS];

const THEIRS: &str = r#"{"data":{"a":"theirs"}}"#;

/// A cluster with a store of its own.
struct Site {
    store: Store,
    server: ApiServer,
}

impl Site {
    fn new() -> Self {
        let cluster = Cluster::shared();
        let store = Store::beside(cluster);
        let server = ApiServer::beside(cluster, &store.address());
        Self { store, server }
    }

    fn jsorc(&self, prefix: &str) -> Jsorc {
        Jsorc::on(Cluster::shared(), prefix)
            .services(&[SERVICE, ("web/kube/web.yaml", &maps(THEN))])
            .set("KUBECONFIG", self.server.kubeconfig())
            .set("JSORC_INTERVAL", "10m")
    }

    fn kubectl(&self, jsorc: &Jsorc, args: &[&str]) -> String {
        let admin = self.server.as_admin();
        admin.run(&[args, &["-n", &jsorc.namespace]].concat())
    }

    fn list(&self, jsorc: &Jsorc) -> Value {
        let list = self.kubectl(jsorc, &["get", "configmaps", "-o", "json"]);
        serde_json::from_str(&list).unwrap()
    }

    /// The maps that are there, with their values.
    fn values(&self, jsorc: &Jsorc) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let list = self.list(jsorc);
        let maps = list["items"].as_array().unwrap().iter();
        let maps = maps.filter(|map| map["data"]["a"].is_string());
        maps.map(|map| (text(&map["metadata"]["name"]), text(&map["data"]["a"])))
            .collect()
    }

    #[track_caller]
    fn become_as(&self, jsorc: &Jsorc, daemon: &Daemon, wanted: &[(&str, &str)]) {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let wanted: Vec<(String, String)> = wanted.iter().map(owned).collect();
        let end = Instant::now() + LONG;
        while self.values(jsorc) != wanted {
            let there = self.values(jsorc);
            assert!(Instant::now() < end, "{there:?}\n{}", daemon.log());
            thread::sleep(Duration::from_millis(50));
        }
        daemon.wait_for("web", "Running", LONG);
    }

    #[track_caller]
    fn has_exact_inventory(&self, jsorc: &Jsorc) {
        let list = self.list(jsorc);
        let mut all = list["items"].as_array().unwrap().iter();
        let stored = all.find(|map| map["metadata"]["name"] == "it.web");
        inventory::assert_exact(stored.unwrap(), &list);
    }

    /// Waits until the server has found its store again.
    fn answers(&self) {
        eventually("the server answers again", LONG, || {
            let list = ["get", "configmaps", "-n", "default"];
            let answer = self.server.as_admin().output(&list);
            answer.status.success().then_some(())
        });
    }

    /// Time passes in the store.
    fn grow(&self) {
        let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: noise-}\n---\n";
        let create = ["create", "-f", "-", "-n", "default"];
        self.server.as_admin().run_with(&create, &map.repeat(MUCH));
    }

    /// The version of the Lease; empty before there is one.
    fn lease(&self, jsorc: &Jsorc) -> String {
        let version = [
            "lease",
            "it",
            "--ignore-not-found",
            "-o",
            "jsonpath={.metadata.resourceVersion}",
        ];
        self.kubectl(jsorc, &[&["get"], &version[..]].concat())
    }

    /// Waits until the Lease was renewed a few times.
    fn renewals(&self, jsorc: &Jsorc, count: usize) {
        for _ in 0..count {
            let before = self.lease(jsorc);
            eventually("the Lease is renewed", LONG, || {
                (self.lease(jsorc) != before).then_some(())
            });
        }
    }

    /// What was asked by jsorc since, the Lease aside.
    fn asked(&self, jsorc: &Jsorc, mark: Mark) -> Vec<String> {
        let entries = self.server.audit().since(mark).into_iter();
        let theirs = entries.filter(|entry| {
            entry.agent.starts_with("jsorc/")
                && entry.uri.contains(&jsorc.namespace)
                && entry.resource != "leases"
        });
        theirs
            .map(|entry| format!("{} {} {}", entry.verb, entry.name, entry.code))
            .collect()
    }
}

/// What each wants since; the last is not running while the store is put back.
const LIVES: &[(&str, &[(&str, &str)])] = &[
    ("goes-on", NOW),
    ("goes-on-with-less", LESS),
    ("restarted", NOW),
];

#[test]
fn a_store_that_is_put_back_is_brought_to_what_is_wanted_now() {
    let mut site = Site::new();
    let jsorcs: Vec<Jsorc> = LIVES.iter().map(|(name, _)| site.jsorc(name)).collect();
    let mut daemons: Vec<Daemon> = jsorcs.iter().map(Jsorc::daemon).collect();
    for (jsorc, daemon) in jsorcs.iter().zip(&daemons) {
        site.become_as(jsorc, daemon, THEN);
    }

    site.store.end();
    site.store.keep();
    site.store.start();
    site.answers();
    site.grow();
    for (at, (_, wanted)) in LIVES.iter().enumerate() {
        jsorcs[at].file("services/web/kube/web.yaml", &maps(wanted));
        if *wanted == NOW {
            site.kubectl(&jsorcs[at], &["delete", "configmap", RENEWED.0]);
        }
        site.become_as(&jsorcs[at], &daemons[at], wanted);
    }

    let restarted = daemons.pop().unwrap();
    assert_eq!(restarted.stop(), 0);
    let mark = site.server.audit().mark();
    site.server.end();
    site.store.end();
    site.store.put_back();
    site.store.start();
    site.server.start();
    daemons.push(jsorcs[2].daemon());
    for (at, (_, wanted)) in LIVES.iter().enumerate() {
        site.become_as(&jsorcs[at], &daemons[at], wanted);
        // Nobody went blind.
        let patch = ["patch", "configmap", "stays", "--type=merge", "-p", THEIRS];
        site.kubectl(&jsorcs[at], &patch);
        site.become_as(&jsorcs[at], &daemons[at], wanted);
    }
    site.renewals(&jsorcs[0], 2);
    let quiet = site.server.audit().mark();
    site.renewals(&jsorcs[0], 2);
    for (jsorc, daemon) in jsorcs.iter().zip(&daemons) {
        assert_eq!(site.asked(jsorc, quiet), Vec::<String>::new());
        let mut deleted = site.asked(jsorc, mark);
        deleted.retain(|asked| asked.starts_with("delete"));
        assert_eq!(deleted, ["delete leaves 200"]);
        site.has_exact_inventory(jsorc);
        // What the store forgot is no loss of a label: nobody took it away.
        let said = daemon.log();
        let wrong = ["panicked", "had lost our label"];
        assert!(!wrong.iter().any(|word| said.contains(word)), "{said}");
    }
}
