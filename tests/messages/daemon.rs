//! Daemons that are not there, not ours, or cannot start.

use std::net::TcpListener;

use super::{refused, refused_with};
use crate::support::Jsorc;

/// A jsorc whose daemon would be at a port where nobody listens.
fn without_daemon() -> Jsorc {
    Jsorc::alone("daemon").set("JSORC_API__LISTEN", "127.0.0.1:1")
}

#[test]
fn nobody_listens() {
    let jsorc = without_daemon();
    refused(
        "`refresh` without a daemon",
        &jsorc,
        &["refresh", "redis"],
        3,
        "error: no daemon answers (tried DIR/jsorc/jsorc.daemon.it.sock and http://127.0.0.1:1)
hint: start one with `jsorc run`; --server or JSORC_SERVER names its address",
    );
    refused(
        "`status` without a daemon and without a cluster",
        &jsorc,
        &["status"],
        2,
        "error: no daemon answers (tried DIR/jsorc/jsorc.daemon.it.sock and http://127.0.0.1:1), and kubernetes.mode is off (environment variable JSORC_KUBERNETES__MODE)
hint: set kubernetes.mode to auto to work with a cluster",
    );
    let elsewhere = ["status", "--server", "http://127.0.0.1:1"];
    refused(
        "`status` of a daemon that is not there",
        &jsorc,
        &elsewhere,
        3,
        "error: no daemon answers at http://127.0.0.1:1
hint: start one with `jsorc run`; --server or JSORC_SERVER names its address",
    );
}

#[test]
fn addresses_that_are_none() {
    let jsorc = without_daemon();
    refused(
        "`--server` without http",
        &jsorc,
        &["status", "--server", "localhost:8585"],
        2,
        "error: --server (JSORC_SERVER): `localhost:8585` is no address of a daemon
hint: write it as http://HOST:PORT",
    );
    refused(
        "`JSORC_SERVER` that is no address",
        &jsorc.set("JSORC_SERVER", "the daemon"),
        &["refresh", "redis"],
        2,
        "error: --server (JSORC_SERVER): `the daemon` is no address of a daemon
hint: write it as http://HOST:PORT",
    );
}

#[test]
fn something_else_listens() {
    let port = super::kubeconfig::serve("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    let server = format!("http://127.0.0.1:{port}");
    let names = [(&*server, "SERVER")];
    let jsorc = without_daemon();
    refused_with(
        "`--server` of another program",
        &jsorc,
        &["status", "--server", &server],
        3,
        "error: SERVER: something answers, but it is no jsorc daemon
hint: --server or JSORC_SERVER names its address",
        &names,
    );
}

#[test]
fn a_service_that_the_daemon_does_not_have() {
    let jsorc = Jsorc::alone("daemon");
    let daemon = jsorc.daemon();
    daemon.wait_for("task", "Failed", std::time::Duration::from_secs(30));
    let server = format!("http://127.0.0.1:{}", daemon.api);
    refused(
        "`refresh` of an unknown service",
        &jsorc,
        &["refresh", "redes", "--server", &server],
        2,
        "error: unknown service `redes`; did you mean `redis`?
hint: `jsorc services` lists them",
    );
    refused(
        "`status` of an unknown service",
        &jsorc,
        &["status", "redes", "--server", &server],
        2,
        "error: command line: unknown service `redes`
hint: did you mean `redis`?",
    );
}

#[test]
fn a_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let names = [(&*address, "ADDRESS")];
    let jsorc = Jsorc::alone("daemon")
        .set("JSORC_API__LISTEN", &address)
        .set("JSORC_HEALTH__LISTEN", "127.0.0.1:0");
    refused_with(
        "`run` on a port that is taken",
        &jsorc,
        &["run"],
        2,
        "error: cannot listen on ADDRESS: address already in use
hint: another daemon may be running; api.listen and health.listen (JSORC_API__LISTEN, JSORC_HEALTH__LISTEN) choose other addresses",
        &names,
    );
}
