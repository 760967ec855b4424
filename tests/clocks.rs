//! Clocks that are wrong, and clocks that jump: who leads and what waits is judged by time that only
//! goes on; the time of day is for people, and for orders that end at one.

use std::{path::PathBuf, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::support::{AuditEntry, Cluster, Jsorc, Mark, eventually, install};

const LONG: Duration = Duration::from_secs(60);

const MAP: &[(&str, &str)] = &[
    ("one/service.yaml", "driver: none\n"),
    (
        "one/kube/one.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: \"1\"}\n",
    ),
];

struct Site {
    cluster: &'static Cluster,
    jsorc: Jsorc,
}

/// A wall clock that can be put wrong while others look at it.
struct Clock(PathBuf);

impl Clock {
    /// `offset` is as in `date --date`: `+3600` is an hour ahead.
    fn put(&self, offset: &str) {
        // Replaced as a whole: it is read at every look.
        let next = self.0.with_extension("next");
        std::fs::write(&next, format!("{offset}\n")).unwrap();
        std::fs::rename(&next, &self.0).unwrap();
    }
}

impl Site {
    fn new(prefix: &str, interval: &str) -> Self {
        let cluster = Cluster::shared();
        let jsorc = Jsorc::on(cluster, prefix)
            .services(MAP)
            .set("JSORC_INTERVAL", interval);
        Self { cluster, jsorc }
    }

    /// What is started from now on goes by a clock of its own; time that only goes on is the
    /// machine's.
    fn by_clock(self, name: &str, offset: &str) -> (Self, Clock) {
        let clock = Clock(self.jsorc.folder().join(name));
        clock.put(offset);
        let jsorc = self
            .jsorc
            .set("LD_PRELOAD", install("faketime"))
            .set("FAKETIME_TIMESTAMP_FILE", &clock.0)
            .set("FAKETIME_NO_CACHE", "1")
            .set("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .set("NO_FAKE_STAT", "1");
        (Self { jsorc, ..self }, clock)
    }

    fn kubectl(&self, args: &[&str]) -> String {
        let admin = self.cluster.as_admin();
        admin.run(&[args, &["-n", &self.jsorc.namespace]].concat())
    }

    fn lease(&self, field: &str) -> String {
        self.kubectl(&["get", "lease", "it", "-o", &format!("jsonpath={{{field}}}")])
    }

    fn holder(&self) -> (String, String) {
        (
            self.lease(".spec.holderIdentity"),
            self.lease(".spec.leaseTransitions"),
        )
    }

    /// How far the clock of who renewed last is ahead.
    fn ahead(&self) -> SignedDuration {
        let renewed: Timestamp = self.lease(".spec.renewTime").parse().unwrap();
        renewed.duration_since(Timestamp::now())
    }

    /// Waits until the Lease was renewed so often.
    fn renewals(&self, count: usize) {
        for _ in 0..count {
            let before = self.lease(".metadata.resourceVersion");
            eventually("the Lease is renewed", LONG, || {
                (self.lease(".metadata.resourceVersion") != before).then_some(())
            });
        }
    }

    /// What was asked since of the Lease, and of all else.
    fn asked(&self, mark: Mark) -> (Vec<AuditEntry>, Vec<AuditEntry>) {
        let entries = self.cluster.audit().since(mark).into_iter();
        let ours = entries.filter(|entry| {
            entry.agent.starts_with("jsorc/") && entry.namespace == self.jsorc.namespace
        });
        ours.partition(|entry| entry.resource == "leases")
    }

    /// Nothing happens while the Lease is renewed a few times but that it is.
    #[track_caller]
    fn is_quiet(&self) {
        const RENEWALS: usize = 3;
        let mark = self.cluster.audit().mark();
        self.renewals(RENEWALS);
        let (lease, others) = self.asked(mark);
        // What happened before may be written into the inventory by now, once.
        let (books, others): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|e| e.name == "it.one");
        assert!(
            others.is_empty() && books.len() <= 1,
            "{books:?}, {others:?}"
        );
        let renewed = lease.iter().filter(|entry| entry.verb == "update").count();
        assert!(
            renewed <= RENEWALS + 1,
            "{renewed} renewals, {RENEWALS} seen"
        );
        // A follower looks twice as often as the leader renews.
        let looked = lease.len() - renewed;
        assert!(looked <= 4 * (RENEWALS + 1), "{looked} looks");
    }
}

#[test]
fn a_leader_keeps_its_lease_whatever_its_clock_says_and_a_follower_takes_it_when_it_is_left() {
    let (site, clock) = Site::new("clocks", "10m").by_clock("leader", "+3600");
    let leader = site.jsorc.daemon();
    leader.wait_for("one", "Running", LONG);
    assert!(
        site.ahead() > SignedDuration::from_mins(50),
        "{:?}",
        site.ahead()
    );
    let (site, _behind) = site.by_clock("follower", "-1800");
    let follower = site.jsorc.daemon();
    follower.wait_for("one", "Waiting", LONG);
    let holder = site.holder();
    assert!(
        holder.0.ends_with(&format!("_{}", leader.pid())),
        "{holder:?}"
    );
    // Longer than the Lease stands, with a jump.
    site.renewals(1);
    clock.put("-1800");
    site.is_quiet();
    assert_eq!(site.holder(), holder);
    assert!(
        !leader.log().contains("the Lease was lost"),
        "{}",
        leader.log()
    );
    // It dies without a word, and the Lease says that it was renewed a moment from now on.
    clock.put("+86400");
    site.renewals(1);
    let ahead = site.ahead();
    assert!(ahead > SignedDuration::from_hours(23), "{ahead:?}");
    drop(leader);
    follower.wait_for("one", "Running", LONG);
    let (now, transitions) = site.holder();
    assert!(now.ends_with(&format!("_{}", follower.pid())), "{now}");
    assert_eq!(transitions, "1");
    site.kubectl(&["delete", "configmap", "one"]);
    eventually("the heal by the new leader", LONG, || {
        site.kubectl(&["get", "configmaps", "-o", "name"])
            .contains("configmap/one")
            .then_some(())
    });
}

#[test]
fn an_apply_beside_a_daemon_is_refused_whatever_either_clock_says() {
    for (daemon, laptop) in [("+0", "+3600"), ("+3600", "+0"), ("-20", "-1800")] {
        let (site, _clock) = Site::new("beside", "10m").by_clock("daemon", daemon);
        let leader = site.jsorc.daemon();
        leader.wait_for("one", "Running", LONG);
        let (site, _other) = site.by_clock("laptop", laptop);
        let refused = site.jsorc.run(&["apply"]).expect(2);
        assert!(
            refused.stderr.contains("keeps this instance alive"),
            "{daemon} {laptop}: {}",
            refused.stderr
        );
    }
}

#[test]
fn a_suspension_ends_at_its_time_of_day_however_the_clock_came_there() {
    let (site, clock) = Site::new("until", "1s").by_clock("clock", "+0");
    let daemon = site.jsorc.daemon();
    daemon.wait_for("one", "Running", LONG);
    site.jsorc
        .run(&["suspend", "one", "--for", "30m"])
        .expect(0);
    daemon.wait_for("one", "Suspended", LONG);
    site.kubectl(&["delete", "configmap", "one"]);
    // Put back, it is not over, and nobody is in a hurry.
    clock.put("-1800");
    site.is_quiet();
    daemon.wait_for("one", "Suspended", LONG);
    assert!(
        !site
            .kubectl(&["get", "configmaps", "-o", "name"])
            .contains("configmap/one")
    );
    // Put forth, it is over.
    clock.put("+3600");
    daemon.wait_for("one", "Running", LONG);
    assert!(
        site.kubectl(&["get", "configmaps", "-o", "name"])
            .contains("configmap/one")
    );
    site.is_quiet();
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
}
