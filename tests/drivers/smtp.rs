//! `smtp`.

use jsorc::drivers::DriverError;
use serde_json::{Value, json};

use super::{SECRET, WRONG, answer, refusal, start};
use crate::support::{Certs, Smtp, SmtpOptions, SmtpTls};

fn settings(server: &Smtp, tls: &str, certs: &Certs, password: &str) -> Value {
    json!({
        "host": "localhost", "port": server.port, "tls": tls, "ca": certs.ca(),
        "user": "app", "password": password, "sender": "app@rig.test",
    })
}

fn server(tls: SmtpTls<'_>) -> Smtp {
    Smtp::with(&SmtpOptions {
        tls,
        user: Some(("app", SECRET)),
        port: None,
    })
}

#[tokio::test]
async fn a_user_logs_in_after_starttls_and_over_implicit_tls() {
    let certs = Certs::new();
    let starttls = server(SmtpTls::StartTls(&certs));
    let given = settings(&starttls, "starttls", &certs, SECRET);
    assert_eq!(answer("smtp", &given).await.note, "logged in as app");
    let implicit = server(SmtpTls::Implicit(&certs));
    let given = settings(&implicit, "implicit", &certs, SECRET);
    assert_eq!(answer("smtp", &given).await.note, "logged in as app");
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let certs = Certs::new();
    let server = server(SmtpTls::StartTls(&certs));
    let error = refusal("smtp", &settings(&server, "starttls", &certs, WRONG)).await;
    assert!(matches!(error, DriverError::Refused { .. }));
    let expected = format!("smtp://localhost:{}: wrong user or password: ", server.port);
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[tokio::test]
async fn an_unknown_authority_is_refused_in_both_modes() {
    let (certs, other) = (Certs::new(), Certs::new());
    for (tls, name) in [
        (SmtpTls::StartTls(&certs), "starttls"),
        (SmtpTls::Implicit(&certs), "implicit"),
    ] {
        let server = server(tls);
        let error = refusal("smtp", &settings(&server, name, &other, SECRET)).await;
        assert!(error.to_string().ends_with("unknown authority"), "{error}");
    }
}

#[tokio::test]
async fn a_mode_that_the_server_does_not_have_is_named() {
    let certs = Certs::new();
    let plain = Smtp::with(&SmtpOptions::default());
    let error = refusal("smtp", &settings(&plain, "starttls", &certs, SECRET)).await;
    assert!(
        error.to_string().ends_with("does not offer STARTTLS"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("`tls: none`"));
    let error = refusal("smtp", &settings(&plain, "implicit", &certs, SECRET)).await;
    assert!(error.to_string().contains("does not speak TLS"), "{error}");

    let starttls = server(SmtpTls::StartTls(&certs));
    let error = refusal("smtp", &settings(&starttls, "none", &certs, SECRET)).await;
    assert!(error.hint().unwrap().contains("after TLS"), "{error}");
}

#[tokio::test]
async fn a_session_that_ended_is_opened_again() {
    let plain = Smtp::with(&SmtpOptions::default());
    let port = plain.port;
    let mut running = start(
        "smtp",
        &json!({"host": "localhost", "port": port, "tls": "none"}),
    )
    .await
    .unwrap();
    assert_eq!(running.probe().await.unwrap().note, "nobody logged in");
    drop(plain);
    let error = running.probe().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("smtp://localhost:{port}: connection refused")
    );
    let _successor = Smtp::with(&SmtpOptions {
        port: Some(port),
        ..Default::default()
    });
    running.probe().await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn without_a_host_there_is_nothing_to_do() {
    let given = json!({"host": "", "port": 587, "tls": "starttls", "user": "", "password": ""});
    assert!(refusal("smtp", &given).await.is_not_configured());
}
