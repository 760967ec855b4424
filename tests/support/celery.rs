//! A real Celery worker.

use std::{process::Command, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;

use super::process::{Process, Scratch, install};

/// A running worker.
pub struct CeleryWorker {
    /// The process, to be frozen or looked at.
    pub process: Process,
    _folder: Scratch,
}

impl CeleryWorker {
    /// A worker named `NAME@rig` on this broker, a `redis://HOST:PORT/DB`.
    pub fn start(broker: &str, name: &str) -> Self {
        let folder = Scratch::new("celery");
        let before = listening(broker);
        let mut command = python(broker);
        command.args(["-m", "celery", "--app=celery_app", "worker", "--pool=solo"]);
        command.args(["--loglevel=info", &format!("--hostname={name}@rig")]);
        let mut process = Process::start("celery", &mut command, folder.path());
        // It says that it is ready a moment before it listens.
        process.wait_until(Duration::from_secs(60), |process| {
            process.log().contains(" ready.") && listening(broker) > before
        });
        Self {
            process,
            _folder: folder,
        }
    }
}

/// Puts a task into the queue as an application would, and leaves it there.
pub fn send_task(broker: &str) {
    let mut command = python(broker);
    command.args(["-c", "import celery_app; celery_app.add.delay(1, 2)"]);
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn python(broker: &str) -> Command {
    let mut command = Command::new(install("python").join("bin/python"));
    command
        .env("CELERY_BROKER_URL", broker)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"));
    command
}

/// How many workers get a message to all: one that is for nobody.
fn listening(broker: &str) -> u64 {
    let db = broker.rsplit('/').next().unwrap();
    let body = json!({"method": "ping", "arguments": {}, "destination": ["nobody"]});
    let message = json!({
        "body": BASE64_STANDARD.encode(body.to_string()),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {},
        "properties": {
            "body_encoding": "base64",
            "delivery_info": {"exchange": "celery.pidbox", "routing_key": ""},
            "delivery_tag": "rig",
        },
    });
    let mut command = Command::new("redis-cli");
    command.args([
        "-u",
        broker,
        "PUBLISH",
        &format!("/{db}.celery.pidbox"),
        &message.to_string(),
    ]);
    String::from_utf8_lossy(&command.output().unwrap().stdout)
        .trim()
        .parse()
        .unwrap_or(0)
}
