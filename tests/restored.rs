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

/// What was wanted when the store was kept, and what is wanted since.
const THEN: &[(&str, &str)] = &[
    ("changes", "1"),
    ("leaves", "1"),
    ("renewed", "1"),
    ("stays", "1"),
];
const NOW: &[(&str, &str)] = &[
    ("changes", "2"),
    ("joins", "2"),
    ("renewed", "1"),
    ("stays", "1"),
];

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

#[test]
fn a_store_that_is_put_back_is_brought_to_what_is_wanted_now() {
    let mut site = Site::new();
    let (goes_on, is_restarted) = (site.jsorc("goes-on"), site.jsorc("restarted"));
    let both = [&goes_on, &is_restarted];
    let daemons: Vec<Daemon> = both.iter().map(|jsorc| jsorc.daemon()).collect();
    for (jsorc, daemon) in both.iter().zip(&daemons) {
        site.become_as(jsorc, daemon, THEN);
    }

    site.store.end();
    site.store.keep();
    site.store.start();
    eventually("the server answers again", LONG, || {
        let list = ["get", "configmaps", "-n", &goes_on.namespace];
        site.server
            .as_admin()
            .output(&list)
            .status
            .success()
            .then_some(())
    });
    site.grow();
    for (jsorc, daemon) in both.iter().zip(&daemons) {
        jsorc.file("services/web/kube/web.yaml", &maps(NOW));
        site.kubectl(jsorc, &["delete", "configmap", "renewed"]);
        site.become_as(jsorc, daemon, NOW);
    }

    let [first, second] = <[Daemon; 2]>::try_from(daemons).ok().unwrap();
    assert_eq!(second.stop(), 0);
    let mark = site.server.audit().mark();
    site.server.end();
    site.store.end();
    site.store.put_back();
    site.store.start();
    site.server.start();
    let second = is_restarted.daemon();
    for (jsorc, daemon) in both.iter().zip([&first, &second]) {
        site.become_as(jsorc, daemon, NOW);
        // Nobody went blind.
        site.kubectl(
            jsorc,
            &["patch", "configmap", "stays", "--type=merge", "-p", THEIRS],
        );
        site.become_as(jsorc, daemon, NOW);
    }
    site.renewals(&goes_on, 2);
    let quiet = site.server.audit().mark();
    site.renewals(&goes_on, 2);
    for jsorc in both {
        assert_eq!(site.asked(jsorc, quiet), Vec::<String>::new());
        let deleted = site.asked(jsorc, mark).into_iter();
        let deleted: Vec<String> = deleted
            .filter(|asked| asked.starts_with("delete"))
            .collect();
        assert_eq!(deleted, ["delete leaves 200"]);
        let list = site.list(jsorc);
        let all = list["items"].as_array().unwrap();
        let stored = all.iter().find(|map| map["metadata"]["name"] == "it.web");
        inventory::assert_exact(stored.unwrap(), &list);
    }
    let said = first.log();
    assert!(!said.contains("panicked"), "{said}");
}
