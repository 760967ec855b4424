//! `redis` and `celery` against servers that mean harm, or are something else.

use std::time::Duration;

use jsorc::drivers::{DriverError, Log};
use serde_json::{Value, json};

use super::{
    Cluster, PATIENCE, SECRET, answer,
    hostile::{Hostile, Step, replies, say},
    start_with,
};
use crate::support::{Certs, Redis, RedisOptions};

const STRANGE: &str = "the server does not speak Redis's protocol";

/// The error of a probe that is answered like this.
async fn probe(answer: Vec<Step>) -> (Hostile, DriverError) {
    let script = [vec![Step::Hear], answer].concat();
    let server = Hostile::playing(script).await;
    let error = server.error("redis", json!({}), PATIENCE).await;
    (server, error)
}

/// The error of a start whose commands are answered like this.
async fn open(settings: Value, texts: &[&str]) -> DriverError {
    let server = Hostile::playing([replies(texts), vec![Step::Hold]].concat()).await;
    let error = server.error("redis", settings, PATIENCE).await;
    assert_eq!(server.connections(), 1, "{error}");
    error
}

#[tokio::test]
async fn replies_without_end_are_cut_off() {
    for begin in [&b"+"[..], b"-ERR ", b"$536870912\r\n", b"*1\r\n$", b"x"] {
        let (server, error) = probe(vec![say(begin), Step::Flood(b"x")]).await;
        assert!(error.to_string().contains(STRANGE), "{error}");
        assert!(server.was_cut_off(), "{begin:?}");
    }
}

#[tokio::test]
async fn items_without_end_are_cut_off() {
    for item in [&b":1\r\n"[..], b"$1\r\nx\r\n", b"*1\r\n", b"$0\r\n\r\n"] {
        let (server, error) = probe(vec![say(b"*16000000\r\n"), Step::Flood(item)]).await;
        assert!(error.to_string().contains(STRANGE), "{error}");
        assert!(server.was_cut_off(), "{item:?}");
    }
}

#[tokio::test]
async fn lengths_that_no_reply_has_are_refused_before_anything_is_kept_for_them() {
    for line in [
        "*16000000",
        "$16000000",
        "*9223372036854775807",
        "$9223372036854775807",
        "$99999999999999999999",
        "*x",
    ] {
        let (_, error) = probe(vec![say(format!("{line}\r\n")), Step::Hold]).await;
        let message = format!("{STRANGE}: {line}");
        assert!(error.to_string().ends_with(&message), "{error}");
        assert_eq!(error.hint().unwrap(), "check `port` and `tls`");
    }
}

#[tokio::test]
async fn lists_in_lists_are_refused_however_deep_they_are() {
    for depth in [2, 100, 100_000] {
        let (_, error) = probe(vec![say("*1\r\n".repeat(depth)), Step::Hold]).await;
        assert!(error.to_string().contains(STRANGE), "{depth}: {error}");
    }
}

#[tokio::test]
async fn a_reply_that_drips_costs_the_deadline() {
    for begin in ["+", "$1000000\r\n"] {
        let server = Hostile::playing(vec![Step::Hear, say(begin), Step::Drip(b'x')]).await;
        for (driver, settings) in [
            ("redis", json!({})),
            ("redis", json!({"password": SECRET})),
            ("celery", json!({})),
        ] {
            let deadline = Duration::from_millis(200);
            let error = server.error(driver, settings, deadline).await;
            assert!(matches!(error, DriverError::Timeout { .. }), "{error}");
        }
    }
}

#[tokio::test]
async fn another_protocol_is_quoted_on_one_short_line() {
    let page = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request";
    let (_, error) = probe(vec![say(page)]).await;
    let message = format!("{STRANGE}: HTTP/1.1 400 Bad Request");
    assert!(error.to_string().ends_with(&message), "{error}");
    let (_, error) = probe(vec![say(format!("220 {}\r\n", "mail ".repeat(1000)))]).await;
    assert!(error.to_string().contains(STRANGE), "{error}");
    assert!(error.to_string().len() < 400, "{error}");
    let (_, error) = probe(vec![say(b"\x15\x03\x01\x00\x02\x02\x16\r\n")]).await;
    assert!(error.to_string().contains(STRANGE), "{error}");
}

#[tokio::test]
async fn a_reply_that_is_cut_short_is_no_reply() {
    for begin in ["", "+PON", "$5\r\nhi", "$5\r\nhello", "*2\r\n:1\r\n", ":1"] {
        let (_, error) = probe(vec![say(begin)]).await;
        let message = "the server closed the connection";
        assert!(error.to_string().ends_with(message), "{begin:?}: {error}");
    }
}

#[tokio::test]
async fn refusals_are_told_in_our_words_with_what_to_do() {
    let credentials = "check `user` and `password`";
    for (reply, message, hint) in [
        (
            "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
            ": wrong user or password",
            Some(credentials),
        ),
        (
            "-NOAUTH Authentication required.\r\n",
            ": it wants a password",
            Some(credentials),
        ),
        (
            "-NOPERM User app has no permissions to run the 'ping' command\r\n",
            ": NOPERM User app has no permissions to run the 'ping' command",
            Some("give the user this right"),
        ),
        (
            "-LOADING Redis is loading the dataset in memory\r\n",
            ": LOADING Redis is loading the dataset in memory",
            None,
        ),
    ] {
        let error = open(json!({"password": SECRET}), &[reply]).await;
        assert!(error.to_string().ends_with(message), "{error}");
        assert_eq!(error.hint().as_deref(), hint, "{error}");
        let (_, error) = probe(vec![say(reply)]).await;
        assert!(error.to_string().ends_with(message), "{error}");
        assert_eq!(error.hint().as_deref(), hint, "{error}");
    }
    let out_of_range = "-ERR DB index is out of range\r\n";
    let error = open(json!({"db": 99}), &[out_of_range]).await;
    let message = ": ERR DB index is out of range";
    assert!(error.to_string().ends_with(message), "{error}");
    let hint = "check `db`: the server has fewer databases";
    assert_eq!(error.hint().as_deref(), Some(hint));
}

#[tokio::test]
async fn a_password_that_is_echoed_is_not_repeated() {
    let echo =
        format!("-ERR unknown command 'AUTH', with args beginning with: 'app' '{SECRET}' \r\n");
    let settings = json!({"user": "app", "password": SECRET});
    let error = open(settings.clone(), &[&echo]).await;
    assert!(error.to_string().contains("unknown command 'AUTH'"));
    let error = open(settings, &[&format!("AUTH app {SECRET}\r\n")]).await;
    assert!(error.to_string().contains(STRANGE), "{error}");
}

#[tokio::test]
async fn through_a_port_forward_the_certificate_bears_the_services_name() {
    let certs = Certs::new();
    let redis = Redis::with(&RedisOptions {
        tls: Some(&certs),
        ..Default::default()
    });
    let cluster = Cluster { port: redis.port };
    let mut settings = json!({"service": "redis:6379", "tls": true, "ca": certs.ca()});
    let log = || Log::new(|_| {});
    let started = start_with("redis", &settings, &cluster, PATIENCE, log()).await;
    let error = started.err().unwrap().to_string();
    let message = "rediss://redis:6379: certificate not trusted: it bears another name";
    assert_eq!(error, message);
    settings["server_name"] = "rig.test".into();
    let started = start_with("redis", &settings, &cluster, PATIENCE, log()).await;
    started.unwrap().probe().await.unwrap();
    // Directly, the address itself is the name.
    settings = json!({"host": "127.0.0.1", "port": redis.port, "tls": true, "ca": certs.ca()});
    answer("redis", &settings).await;
}

#[tokio::test]
async fn one_connection_serves_all_probes() {
    let info = "$19\r\nredis_version:8.2.1\r\n";
    let texts = ["+OK\r\n", "+PONG\r\n", info, "+PONG\r\n", info];
    let server = Hostile::playing([replies(&texts), vec![Step::Hold]].concat()).await;
    let settings = json!({"host": "localhost", "port": server.port, "db": 1});
    let log = Log::new(|_| {});
    let started = start_with("redis", &settings, &super::Nowhere, PATIENCE, log).await;
    let mut running = started.unwrap();
    for _ in 0..2 {
        let note = running.probe().await.unwrap().note;
        assert_eq!(note, "8.2.1 ?, ? used");
    }
    assert_eq!(server.connections(), 1);
}
