//! `celery`.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{SECRET, answer, refusal, start};
use crate::support::{CeleryWorker, Redis, RedisOptions, send_task};

fn keys(port: u16) -> String {
    let mut command = Command::new("redis-cli");
    let output = command
        .args(["-p", &port.to_string(), "-n", "1", "KEYS", "*jsorc*"])
        .output();
    String::from_utf8(output.unwrap().stdout)
        .unwrap()
        .trim()
        .to_owned()
}

#[tokio::test]
async fn no_worker_is_an_answer_unless_one_is_required() {
    let redis = Redis::start();
    let broker = format!("{}/1", redis.url());
    send_task(&broker);
    send_task(&broker);
    let mut settings = json!({"host": "127.0.0.1", "port": redis.port, "db": 1});
    let given = answer("celery", &settings).await;
    assert_eq!(
        given.note,
        "nobody works on celery: no worker answers, 2 queued"
    );
    assert!(given.advice.unwrap().contains("start a worker"));
    assert_eq!(keys(redis.port), "");
    settings["require_workers"] = true.into();
    let mut running = start("celery", &settings).await.unwrap();
    let error = running.probe().await.unwrap_err();
    assert!(
        error.to_string().ends_with("no worker answers, 2 queued"),
        "{error}"
    );
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn workers_answer_at_once_and_a_frozen_one_is_counted() {
    let redis = Redis::start();
    let broker = format!("{}/1", redis.url());
    let first = CeleryWorker::start(&broker, "one");
    let settings = json!({"url": broker, "require_workers": true});
    let mut running = start("celery", &settings).await.unwrap();
    assert_eq!(running.probe().await.unwrap().note, "1 worker, 0 queued");
    let _second = CeleryWorker::start(&broker, "two");
    let asked = Instant::now();
    running.probe().await.unwrap();
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    first.process.freeze();
    assert_eq!(
        running.probe().await.unwrap().note,
        "1 of 2 workers, 0 queued"
    );
    assert_eq!(keys(redis.port), "");
    running.stop().await;
}

#[tokio::test]
async fn a_broker_that_is_not_there_or_wants_a_password_is_named() {
    let error = refusal("celery", &json!({"host": "127.0.0.1", "port": 1})).await;
    assert_eq!(error.to_string(), "redis://127.0.0.1:1: connection refused");
    let redis = Redis::with(&RedisOptions {
        password: Some(SECRET),
        ..Default::default()
    });
    let settings = json!({"host": "127.0.0.1", "port": redis.port, "db": 1});
    let error = refusal("celery", &settings).await;
    assert!(
        error.to_string().ends_with("it wants a password"),
        "{error}"
    );
}

#[tokio::test]
async fn its_commands_are_kept_running_and_their_end_is_a_failure() {
    let redis = Redis::start();
    let settings = json!({
        "host": "127.0.0.1", "port": redis.port,
        "commands": {
            "worker": ["sh", "-c", "sleep 0.5; echo broken $REASON; exit 3"],
            "scheduler": ["sleep", "100"],
        },
        "env": {"REASON": "pipe"},
    });
    let mut running = start("celery", &settings).await.unwrap();
    assert_eq!(
        running.probe().await.unwrap().note,
        "nobody works on celery: no worker answers, 0 queued"
    );
    tokio::time::sleep(Duration::from_millis(900)).await;
    let error = running.probe().await.unwrap_err();
    assert_eq!(error.to_string(), "worker exited with 3: broken pipe");
    running.stop().await;
}
