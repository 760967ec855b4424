//! `http`, `tcp` and `none`.

use serde_json::json;

use super::{answer, refusal, start};
use crate::support::{Prometheus, free_port};

#[tokio::test]
async fn http_wants_the_status_that_is_expected() {
    let server = Prometheus::start();
    let address = format!("127.0.0.1:{}", server.port);
    let url = format!("http://{address}/-/healthy");
    assert_eq!(
        answer("http", &json!({"url": url})).await.note,
        "answered 200"
    );
    let missing = json!({"host": "127.0.0.1", "port": server.port, "path": "/missing"});
    let error = refusal("http", &missing).await;
    assert!(
        error
            .to_string()
            .starts_with(&format!("http://{address}: answered 404 Not Found"))
    );
    let mut expected = missing;
    expected["status"] = 404.into();
    assert_eq!(answer("http", &expected).await.note, "answered 404");
    let root = json!({"host": "127.0.0.1", "port": server.port});
    assert_eq!(answer("http", &root).await.note, "answered 302");
}

#[tokio::test]
async fn tcp_wants_someone_to_listen() {
    let server = Prometheus::start();
    let settings = json!({"host": "127.0.0.1", "port": server.port});
    let mut running = start("tcp", &settings).await.unwrap();
    assert_eq!(running.probe().await.unwrap().note, "accepts connections");
    drop(server);
    assert!(
        running
            .probe()
            .await
            .unwrap_err()
            .to_string()
            .ends_with("connection refused")
    );
    let error = refusal("tcp", &json!({"host": "127.0.0.1", "port": free_port()})).await;
    assert!(error.to_string().starts_with("tcp://127.0.0.1:"), "{error}");
}

#[tokio::test]
async fn none_answers_at_once() {
    assert_eq!(answer("none", &json!({})).await.note, "");
}
