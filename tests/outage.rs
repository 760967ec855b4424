//! An API server that is gone: a daemon says so, with the reason, and says when it is back.

use std::time::Duration;

use crate::support::{ApiServer, Cluster, Daemon, Jsorc, ONE_MAP, eventually};

const LONG: Duration = Duration::from_secs(90);

/// The last line of the status for people.
fn footer(jsorc: &Jsorc) -> String {
    let status = jsorc.run(&["status"]).expect(0).stdout;
    status.lines().last().unwrap_or_default().to_owned()
}

fn lines_with(daemon: &Daemon, text: &str) -> usize {
    let log = daemon.log();
    log.lines().filter(|line| line.contains(text)).count()
}

#[test]
fn a_server_that_is_gone_is_told_with_its_reason_and_so_is_its_return() {
    let cluster = Cluster::shared();
    let arguments = cluster.arguments("kube-apiserver");
    let store = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("--etcd-servers=http://"));
    let mut server = ApiServer::beside(cluster, store.unwrap());
    let jsorc = Jsorc::on(cluster, "outage")
        .services(ONE_MAP)
        .set("KUBECONFIG", server.kubeconfig())
        .set("JSORC_INTERVAL", "2s");
    let daemon = jsorc.daemon();
    daemon.wait_for("one", "Running", LONG);
    assert_eq!(
        daemon.status().unwrap()["unwatched"],
        serde_json::Value::Null
    );

    server.end();
    let refused = format!("{}: connection refused", server.address());
    let told = format!("WARN 1 of 1 kind cannot be watched: {refused}; tried again");
    daemon.wait_for_log(&told, LONG);
    let footer_then = footer(&jsorc);
    assert!(
        footer_then.contains("watching 0 of 1 kind since ") && footer_then.ends_with(&refused),
        "{footer_then}"
    );
    let status = daemon.status().unwrap();
    assert_eq!(
        status["unwatched"]["kinds"],
        serde_json::json!(["ConfigMap"])
    );
    // Nobody else leads: it cannot be asked.
    daemon.wait_for_log(
        "the Lease was lost: it was not renewed in time (connection refused)",
        LONG,
    );
    assert_eq!(
        lines_with(&daemon, "cannot be watched"),
        1,
        "{}",
        daemon.log()
    );

    server.start();
    daemon.wait_for_log("INFO 1 kind is watched again, after ", LONG);
    daemon.wait_for_log("INFO the Lease was won again", LONG);
    daemon.wait_for("one", "Running", LONG);
    eventually("a footer as before", LONG, || {
        footer(&jsorc).contains("watching 1 kind").then_some(())
    });
    assert_eq!(daemon.stop(), 0);
}
