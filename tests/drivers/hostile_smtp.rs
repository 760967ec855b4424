//! `smtp` against servers that mean harm, are something else, or use what the protocol allows.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jsorc::drivers::{DriverError, Log};
use serde_json::{Value, json};

use super::{
    Cluster, PATIENCE, SECRET, answer,
    hostile::{Hostile, Step, identity, replies, say},
    start_with,
};
use crate::support::{Certs, Smtp, SmtpOptions, SmtpTls};

const STRANGE: &str = "the server does not speak SMTP";
const GREETING: &str = "220 rig.test ESMTP\r\n";

fn plain() -> Value {
    json!({"tls": "none"})
}

fn login() -> Value {
    json!({"tls": "none", "user": "app", "password": SECRET})
}

/// The error against a server that greets like this.
async fn greeted(steps: Vec<Step>) -> (Hostile, DriverError) {
    let server = Hostile::playing(steps).await;
    let error = server.error("smtp", plain(), PATIENCE).await;
    (server, error)
}

/// A server that greets, and answers commands like this.
async fn server(texts: &[&str]) -> Hostile {
    Hostile::playing([vec![say(GREETING)], replies(texts), vec![Step::Hold]].concat()).await
}

#[tokio::test]
async fn replies_without_end_are_cut_off() {
    for (begin, flood) in [
        ("220 ", &b"x"[..]),
        ("220-", b"x"),
        ("220-hello\r\n", b"220-hello\r\n"),
        ("220-hello\r\n", b"220-\r\n"),
        ("", b"x"),
        ("", b"\r\n"),
    ] {
        let (server, error) = greeted(vec![say(begin), Step::Flood(flood)]).await;
        assert!(error.to_string().contains(STRANGE), "{error}");
        assert!(error.to_string().len() < 400, "{error}");
        assert!(server.was_cut_off(), "{begin:?} {flood:?}");
    }
}

#[tokio::test]
async fn a_line_that_is_too_long_is_not_taken_for_two() {
    // At the end of the longest line begins what would be a reply of its own.
    let line = format!("220 {}250 AUTH PLAIN\r\n", "x".repeat(4092));
    let (_, error) = greeted(vec![say(line), Step::Hold]).await;
    assert!(error.to_string().contains(STRANGE), "{error}");
}

#[tokio::test]
async fn a_reply_that_drips_costs_the_deadline() {
    let deadline = Duration::from_millis(200);
    for (begin, settings) in [
        ("", plain()),
        ("220-", plain()),
        (GREETING, plain()),
        (GREETING, json!({"tls": "starttls"})),
    ] {
        let server = Hostile::playing(vec![say(begin), Step::Drip(b'2')]).await;
        let error = server.error("smtp", settings, deadline).await;
        assert!(matches!(error, DriverError::Timeout { .. }), "{error}");
    }
}

#[tokio::test]
async fn another_protocol_is_quoted_on_one_short_line() {
    for text in ["HTTP/1.1 400 Bad Request", "-ERR unknown command", "2é0 x"] {
        let (_, error) = greeted(vec![say(format!("{text}\r\n"))]).await;
        let message = format!("{STRANGE}: {text}");
        assert!(error.to_string().ends_with(&message), "{error}");
        assert_eq!(error.hint().unwrap(), "check `port` and `tls`");
    }
}

#[tokio::test]
async fn a_server_that_closes_early_is_named() {
    for steps in [
        vec![],
        vec![say("220-rig")],
        vec![say(GREETING), Step::Hear],
        vec![say(GREETING), Step::Hear, say("250-rig\r\n")],
        vec![say(GREETING), Step::Hear, say("250-rig\r\n250")],
    ] {
        let (_, error) = greeted(steps).await;
        let message = "the server closed the connection";
        assert!(error.to_string().ends_with(message), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_wants_no_client_is_quoted() {
    let (_, error) = greeted(vec![say("554-no\r\n554 service\r\n"), Step::Hold]).await;
    let message = ": answered 554 no service";
    assert!(error.to_string().ends_with(message), "{error}");
    let server = server(&["421 too many connections\r\n"]).await;
    let error = server.error("smtp", plain(), PATIENCE).await;
    let message = ": answered 421 too many connections";
    assert!(error.to_string().ends_with(message), "{error}");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn what_the_protocol_allows_is_understood() {
    for [greeting, hello, noop] in [
        // RFC 5321, 4.2: text is optional.
        ["220\r\n", "250\r\n", "250\r\n"],
        ["220 \r\n", "250-\r\n250 \r\n", "250 \r\n"],
        // Old servers speak to people in Latin-1, and end lines as Unix does.
        [
            "220 Gr\u{fc}\u{df}e\r\n",
            "250 Gr\u{fc}\u{df}e\r\n",
            "250 ok\r\n",
        ],
        ["220 rig\n", "250-rig\n250 SIZE\n", "250 ok\n"],
    ] {
        let latin = |text: &str| text.chars().map(|c| c as u8).collect::<Vec<_>>();
        let mut script = vec![say(latin(greeting))];
        for text in [hello, noop] {
            script.extend([Step::Hear, say(latin(text))]);
        }
        script.push(Step::Hold);
        let server = Hostile::playing(script).await;
        let mut settings = plain();
        settings["host"] = "localhost".into();
        settings["port"] = server.port.into();
        let started = start_with(
            "smtp",
            &settings,
            &super::Nowhere,
            PATIENCE,
            Log::new(|_| {}),
        );
        let mut running = started.await.unwrap();
        assert_eq!(running.probe().await.unwrap().note, "nobody logged in");
    }
}

#[tokio::test]
async fn starttls_that_is_not_offered_or_not_given_is_named() {
    let offer = "250-rig\r\n250-starttls\r\n250 SIZE\r\n";
    let refusal = "454 TLS not available\r\n";
    for (texts, message) in [
        (&["250 rig\r\n"][..], ": the server does not offer STARTTLS"),
        // The first line is the server's name, not an offer.
        (
            &["250 STARTTLS\r\n"],
            ": the server does not offer STARTTLS",
        ),
        (&[offer, refusal], ": answered 454 TLS not available"),
        (&[offer, "220 go\r\nnonsense\r\n"], ""),
    ] {
        let server = server(texts).await;
        let mut settings = login();
        settings["tls"] = "starttls".into();
        let error = server.error("smtp", settings, PATIENCE).await;
        assert!(error.to_string().ends_with(message), "{error}");
        assert!(matches!(error, DriverError::Protocol { .. }), "{error}");
    }
}

#[tokio::test]
async fn what_comes_before_tls_is_no_answer_within_it() {
    let certs = Certs::new();
    let injected = "220 go\r\n250-rig\r\n250 AUTH PLAIN\r\n235 welcome\r\n250 ok\r\n";
    let mut script = vec![say(GREETING)];
    script.extend(replies(&["250-rig\r\n250 STARTTLS\r\n", injected]));
    script.push(Step::Encrypt(identity(&certs)));
    script.extend(replies(&["250 rig\r\n"]));
    script.push(Step::Hold);
    let server = Hostile::playing(script).await;
    let mut settings = login();
    settings["tls"] = "starttls".into();
    settings["ca"] = certs.ca().to_str().into();
    let error = server.error("smtp", settings, PATIENCE).await;
    let message = ": data before the TLS handshake";
    assert!(error.to_string().ends_with(message), "{error}");
}

#[tokio::test]
async fn logins_that_are_refused_or_not_offered_are_told() {
    let offer = "250-rig\r\n250 AUTH PLAIN\r\n";
    let credentials = "check `user` and `password`";
    for (texts, message, hint) in [
        (
            &[offer, "535-5.7.8 no\r\n535 5.7.8 such user\r\n"][..],
            ": wrong user or password: 5.7.8 no 5.7.8 such user",
            Some(credentials),
        ),
        (
            &[
                "250-rig\r\n250 auth LOGIN\r\n",
                "334 VXNlcm5hbWU6\r\n",
                "334 UGFzc3dvcmQ6\r\n",
                "535 no\r\n",
            ],
            ": wrong user or password: no",
            Some(credentials),
        ),
        (
            &["250-rig\r\n250 AUTH XOAUTH2 CRAM-MD5\r\n"],
            ": the server takes no user and password",
            Some("it may do so only after TLS: check `tls`, or take `user` away"),
        ),
        (
            &["250 rig\r\n"],
            ": the server takes no user and password",
            Some("it may do so only after TLS: check `tls`, or take `user` away"),
        ),
        (
            &[offer, "454 try later\r\n"],
            ": answered 454 try later",
            None,
        ),
        (&[offer, "334 \r\n"], ": answered 334", None),
    ] {
        let server = server(texts).await;
        let error = server.error("smtp", login(), PATIENCE).await;
        assert!(error.to_string().trim_end().ends_with(message), "{error}");
        assert_eq!(error.hint().as_deref(), hint, "{error}");
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn a_password_that_is_echoed_is_not_repeated() {
    let plain = BASE64_STANDARD.encode(format!("\0app\0{SECRET}"));
    let alone = BASE64_STANDARD.encode(SECRET);
    for texts in [
        vec![
            "250-rig\r\n250 AUTH PLAIN\r\n".to_owned(),
            format!(
                "500-no {SECRET}\r\n500 5.5.1 Command unrecognized: \"AUTH PLAIN {plain}\"\r\n"
            ),
        ],
        vec![
            "250-rig\r\n250 AUTH PLAIN\r\n".to_owned(),
            format!("AUTH PLAIN {plain}\r\n"),
        ],
        vec![
            "250-rig\r\n250 AUTH LOGIN\r\n".to_owned(),
            "334 \r\n".to_owned(),
            "334 \r\n".to_owned(),
            format!("535 not {alone}\r\n"),
        ],
    ] {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let server = server(&texts).await;
        let error = server.error("smtp", login(), PATIENCE).await;
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains(&plain) && !shown.contains(&alone),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn through_a_port_forward_the_certificate_bears_the_services_name() {
    let certs = Certs::new();
    for (tls, name) in [
        (SmtpTls::StartTls(&certs), "starttls"),
        (SmtpTls::Implicit(&certs), "implicit"),
    ] {
        let server = Smtp::with(&SmtpOptions {
            tls,
            ..Default::default()
        });
        let cluster = Cluster { port: server.port };
        let mut settings = json!({"service": "mail:25", "tls": name, "ca": certs.ca()});
        let log = || Log::new(|_| {});
        let started = start_with("smtp", &settings, &cluster, PATIENCE, log()).await;
        let error = started.err().unwrap().to_string();
        let message = "://mail:25: certificate not trusted: it bears another name";
        assert!(error.ends_with(message), "{error}");
        settings["server_name"] = "rig.test".into();
        let started = start_with("smtp", &settings, &cluster, PATIENCE, log()).await;
        started.unwrap().probe().await.unwrap();
        // Directly, the address itself is the name.
        settings = json!({
            "host": "127.0.0.1", "port": server.port, "tls": name, "ca": certs.ca(),
        });
        answer("smtp", &settings).await;
    }
}
