//! A real Celery worker.

use std::{process::Command, time::Duration};

use super::process::{Process, Scratch, install};

/// A running worker.
pub struct CeleryWorker {
    /// The process, to be frozen or looked at.
    pub process: Process,
    _folder: Scratch,
}

impl CeleryWorker {
    /// A worker named `NAME@rig` on this broker.
    pub fn start(broker: &str, name: &str) -> Self {
        let folder = Scratch::new("celery");
        let mut command = Command::new(install("python").join("bin/python"));
        command.args(["-m", "celery", "--app=celery_app", "worker", "--pool=solo"]);
        command.args(["--loglevel=info", &format!("--hostname={name}@rig")]);
        command
            .env("CELERY_BROKER_URL", broker)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"));
        let mut process = Process::start("celery", &mut command, folder.path());
        process.wait_until(Duration::from_secs(60), |process| {
            process.log().contains(" ready.")
        });
        Self {
            process,
            _folder: folder,
        }
    }
}

/// Puts a task into the queue as an application would, and leaves it there.
pub fn send_task(broker: &str) {
    let mut command = Command::new(install("python").join("bin/python"));
    command.args(["-c", "import celery_app; celery_app.add.delay(1, 2)"]);
    command
        .env("CELERY_BROKER_URL", broker)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"));
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
