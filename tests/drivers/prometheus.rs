//! `prometheus`.

use std::time::Duration;

use jsorc::drivers::{DriverError, PrometheusClient};
use serde_json::{Value, json};

use super::{Nowhere, PATIENCE, WRONG, answer, refusal, start};
use crate::support::{Certs, Prometheus, PrometheusOptions, Redis};

fn credentials(port: u16, password: &str) -> Value {
    json!({"host": "localhost", "port": port, "user": Prometheus::USER, "password": password})
}

#[tokio::test]
async fn it_is_ready_and_answers_a_query() {
    let server = Prometheus::start();
    let url = format!("http://127.0.0.1:{}/", server.port);
    let answer = answer("prometheus", &json!({"url": url, "query": "vector(1)"})).await;
    assert!(
        answer.note.ends_with(", `vector(1)` has 1 result"),
        "{answer:?}"
    );

    let settings = json!({"url": url});
    let client = PrometheusClient::open(settings.as_object().unwrap(), &Nowhere, PATIENCE).await;
    let client = client.unwrap();
    for _ in 0..100 {
        let samples = client.query("up{job=\"prometheus\"} == 1").await.unwrap();
        if let [sample] = &samples[..] {
            assert_eq!(sample.labels["job"], "prometheus");
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it never scraped itself");
}

#[tokio::test]
async fn a_query_that_is_none_is_told_in_its_own_words() {
    let server = Prometheus::start();
    let settings = json!({"host": "127.0.0.1", "port": server.port, "query": "up{"});
    let mut running = start("prometheus", &settings).await.unwrap();
    let error = running.probe().await.unwrap_err().to_string();
    assert!(error.contains("parse error"), "{error}");
}

#[tokio::test]
async fn passwords_and_certificates_matter() {
    let certs = Certs::new();
    let options = PrometheusOptions {
        auth: true,
        tls: Some(&certs),
        ..Default::default()
    };
    let server = Prometheus::with(&options);
    let mut settings = credentials(server.port, Prometheus::PASSWORD);
    settings["tls"] = true.into();
    settings["ca"] = certs.ca().to_str().unwrap().into();
    assert!(
        answer("prometheus", &settings)
            .await
            .note
            .contains("`up` has")
    );

    settings["password"] = WRONG.into();
    let error = refusal("prometheus", &settings).await;
    assert!(matches!(&error, DriverError::Refused { .. }), "{error}");
    let place = format!("https://localhost:{}", server.port);
    assert_eq!(
        error.to_string(),
        format!("{place}: answered 401 Unauthorized: Unauthorized")
    );

    settings["ca"] = Value::Null;
    let error = refusal("prometheus", &settings).await;
    assert!(error.to_string().ends_with("unknown authority"), "{error}");

    settings["tls"] = false.into();
    let error = refusal("prometheus", &settings).await;
    assert!(error.to_string().contains("400 Bad Request"), "{error}");
}

#[tokio::test]
async fn a_server_that_dies_or_is_another_is_named() {
    let server = Prometheus::start();
    let settings = json!({"host": "127.0.0.1", "port": server.port});
    let mut running = start("prometheus", &settings).await.unwrap();
    drop(server);
    let error = running.probe().await.unwrap_err().to_string();
    assert!(error.ends_with(": connection refused"), "{error}");

    let redis = Redis::start();
    let error = refusal(
        "prometheus",
        &json!({"host": "127.0.0.1", "port": redis.port}),
    )
    .await;
    assert!(error.to_string().contains("no HTTP answer"), "{error}");
}
