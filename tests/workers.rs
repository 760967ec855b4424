//! A queue that nobody works on: the service answers, and everybody is told.

use std::time::Duration;

use crate::support::{CeleryWorker, Jsorc, Redis, eventually, http, send_task};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_queue_without_workers_is_told_in_status_log_and_metrics() {
    let redis = Redis::start();
    let broker = format!("{}/1", redis.url());
    send_task(&broker);
    let jsorc = Jsorc::alone("workers")
        .set("JSORC_KEEP_ALIVE", "[task]")
        .set("JSORC_INTERVAL", "1s")
        .set("REDIS_HOST", "127.0.0.1")
        .set("REDIS_PORT", redis.port.to_string())
        .set("JSORC_SERVICES__TASK__CONFIG__PASSWORD", "");
    let daemon = jsorc.daemon();
    let task = daemon.wait_for("task", "Running", LONG);
    let nobody = "nobody works on celery: no worker answers, 1 queued";
    assert_eq!(task["reason"], nobody);
    assert!(
        task["hint"].as_str().unwrap().contains("start a worker"),
        "{task}"
    );
    let said = |text: &str| {
        daemon
            .log()
            .lines()
            .any(|line| line.contains("WARN") && line.contains(text))
    };
    assert!(said(nobody), "{}", daemon.log());
    let concern = |value: &str| {
        let wanted = format!("jsorc_service_concern{{service=\"task\"}} {value}");
        eventually(&wanted, LONG, || {
            let (_, body) = http(daemon.health, "GET", "/metrics", "")?;
            body.contains(&wanted).then_some(())
        });
    };
    concern("1.0");
    let shown = jsorc.run(&["status"]).expect(0).stdout;
    assert!(
        shown.contains(nobody) && shown.contains("hint: task: start a worker"),
        "{shown}"
    );

    let worker = CeleryWorker::start(&broker, "one");
    daemon.wait_for_log("task: is well again: 1 worker, 0 queued", LONG);
    concern("0.0");
    drop(worker);
    daemon.wait_for_log(
        "WARN task: nobody works on celery: no worker answers, 0 queued",
        LONG,
    );
    assert_eq!(daemon.service("task").unwrap()["phase"], "Running");
}
