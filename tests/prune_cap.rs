//! What a run may delete without asking: never most of a service at once.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Cluster, Jsorc, eventually};

const SOON: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(60);

/// So many maps, named from `first` on.
fn maps(first: usize, many: usize) -> String {
    let map = |number| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map-{number}}}\ndata: {{a: \"1\"}}\n"
        )
    };
    (first..first + many).map(map).collect()
}

struct Site {
    cluster: &'static Cluster,
    jsorc: Jsorc,
}

impl Site {
    /// A service of twenty maps.
    fn twenty(prefix: &str) -> Self {
        let cluster = Cluster::shared();
        let jsorc = Jsorc::on(cluster, prefix)
            .services(&[
                ("web/service.yaml", "driver: none\n"),
                ("web/kube/web.yaml", &maps(0, 20)),
            ])
            .set("JSORC_INTERVAL", "1s");
        jsorc.run(&["apply"]).expect(0);
        Self { cluster, jsorc }
    }

    fn save(&self, text: &str) {
        self.jsorc.file("services/web/kube/web.yaml", text);
    }

    /// How many maps there are.
    fn there(&self) -> usize {
        let names = self.cluster.as_admin().run(&[
            "get",
            "configmaps",
            "-n",
            &self.jsorc.namespace,
            "-o",
            "name",
        ]);
        names.matches("configmap/map-").count()
    }

    fn summary(&self, arguments: &[&str]) -> Value {
        let plan = [&["plan", "-o", "json"], arguments].concat();
        self.jsorc.run(&plan).expect(0).json()["summary"].clone()
    }
}

#[test]
fn up_to_half_of_a_service_goes_with_a_simple_yes_and_a_daemon_needs_none() {
    let site = Site::twenty("cap-half");
    let daemon = site.jsorc.daemon();
    daemon.wait_for("web", "Running", LONG);
    site.save(&maps(10, 10));
    eventually("ten maps go", LONG, || (site.there() == 10).then_some(()));
    daemon.wait_for("web", "Running", SOON);
}

#[test]
fn a_daemon_keeps_most_of_a_service_and_says_what_confirms_it() {
    let site = Site::twenty("cap-daemon");
    let daemon = site.jsorc.daemon();
    daemon.wait_for("web", "Running", LONG);
    site.save(&maps(11, 9));
    daemon.wait_for_log("11 deletions at once need confirmation", SOON);
    let log = daemon.log();
    assert!(log.contains("jsorc apply web --yes --takeover"), "{log}");
    assert_eq!(log.matches("need confirmation").count(), 1, "{log}");
    // Ticks go by.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(site.there(), 20);
    let status = daemon.service("web").unwrap();
    assert_eq!(status["phase"], "Running", "{status}");
    assert!(
        status.to_string().contains("11 deletions at once"),
        "{status}"
    );
    site.jsorc
        .run(&["apply", "web", "--yes", "--takeover"])
        .expect(0);
    assert_eq!(site.there(), 9);
    eventually("the daemon has noticed", SOON, || {
        let status = daemon.service("web")?;
        (!status.to_string().contains("at once") && status["phase"] == "Running").then_some(())
    });
}

#[test]
fn a_plan_says_so_and_an_apply_without_a_yes_does_the_rest() {
    let site = Site::twenty("cap-apply");
    site.save(&format!("{}{}", maps(12, 8), maps(30, 1)));
    let shown = site.jsorc.run(&["plan"]).expect(0).stdout;
    assert!(
        shown.contains("stays: 12 deletions at once need confirmation (jsorc apply web --yes)")
            && shown.contains("9 more kept for the same reason"),
        "{shown}"
    );
    let summary = site.summary(&[]);
    assert_eq!(
        (&summary["kept"], &summary["delete"]),
        (&12.into(), &0.into())
    );
    let applied = site.jsorc.run(&["apply"]).expect(0);
    assert!(
        applied.stdout.contains("1 created") && applied.stdout.contains("12 kept"),
        "{}",
        applied.stdout
    );
    assert_eq!(site.there(), 21);
    // Those that are named are not counted.
    let named = [
        "--allow-delete",
        "ConfigMap/map-0",
        "--allow-delete",
        "ConfigMap/map-1",
    ];
    let summary = site.summary(&named);
    assert_eq!(
        (&summary["kept"], &summary["delete"]),
        (&0.into(), &12.into())
    );
    let summary = site.summary(&["--yes"]);
    assert_eq!(
        (&summary["kept"], &summary["delete"]),
        (&0.into(), &12.into())
    );
    let applied = site.jsorc.run(&["apply", "--yes"]).expect(0);
    assert!(applied.stdout.contains("12 deleted"), "{}", applied.stdout);
    assert_eq!(site.there(), 9);
}

#[test]
fn a_saved_plan_deletes_most_of_a_service_only_when_it_was_planned_so() {
    let site = Site::twenty("cap-saved");
    site.save(&maps(12, 8));
    site.jsorc.run(&["plan", "--out", "it.plan"]).expect(0);
    site.jsorc.run(&["apply", "it.plan"]).expect(0);
    assert_eq!(site.there(), 20);
    site.jsorc
        .run(&["plan", "--out", "it.plan", "--yes"])
        .expect(0);
    site.jsorc.run(&["apply", "it.plan"]).expect(0);
    assert_eq!(site.there(), 8);
}

#[test]
fn where_the_policy_asks_a_yes_is_the_answer() {
    let site = Site::twenty("cap-ask");
    let jsorc = site.jsorc.set("JSORC_POLICY__PRUNE", "ask");
    let site = Site { jsorc, ..site };
    site.save(&maps(1, 19));
    let applied = site.jsorc.run(&["apply"]).expect(0);
    assert!(
        applied.stdout.contains("as they ought to be"),
        "{}",
        applied.stdout
    );
    assert_eq!(site.there(), 20);
    site.jsorc.run(&["apply", "--yes"]).expect(0);
    assert_eq!(site.there(), 19);
}
