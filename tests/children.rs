//! Child processes of a daemon: none outlives it, however it ends, and none notices its guard.

use std::time::Duration;

use crate::support::{Daemon, Jsorc, eventually};

const LONG: Duration = Duration::from_secs(30);

/// A jsorc with one command, run by a shell in the test's folder.
fn running(name: &str, script: &str) -> (Jsorc, Daemon) {
    let jsorc = Jsorc::alone(name);
    let folder = jsorc.folder().display().to_string();
    let settings = serde_json::json!({
        "driver": "command",
        "config": {"command": ["sh", "-c", script], "cwd": folder, "grace": "500ms"},
    });
    let jsorc = jsorc
        .services(&[("child/service.yaml", &settings.to_string())])
        .set("JSORC_INTERVAL", "1s");
    let daemon = jsorc.daemon();
    (jsorc, daemon)
}

fn read(jsorc: &Jsorc, name: &str) -> String {
    eventually(name, LONG, || {
        let text = std::fs::read_to_string(jsorc.folder().join(name));
        text.ok().filter(|text| text.ends_with('\n'))
    })
}

fn is_alive(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.trim()));
    status.is_ok_and(|text| !text.contains("State:\tZ"))
}

#[track_caller]
fn ends(pid: &str) {
    eventually("its end", LONG, || (!is_alive(pid)).then_some(()));
}

#[test]
fn a_killed_daemon_leaves_no_child_and_no_grandchild() {
    let (jsorc, daemon) = running(
        "killed",
        "trap '' TERM; echo $$ > child; (trap '' TERM; while :; do sleep 1; done) & echo $! > grandchild; wait",
    );
    daemon.wait_for("child", "Running", LONG);
    let (child, grandchild) = (read(&jsorc, "child"), read(&jsorc, "grandchild"));
    assert!(is_alive(&child) && is_alive(&grandchild));
    // Dropped means SIGKILL.
    drop(daemon);
    ends(&child);
    ends(&grandchild);
}

#[test]
fn a_child_of_a_killed_daemon_has_time_to_end() {
    let (jsorc, daemon) = running(
        "polite",
        "trap 'sleep 0.1; echo done > polite; exit 0' TERM; echo $$ > child; sleep 100 & wait",
    );
    daemon.wait_for("child", "Running", LONG);
    let child = read(&jsorc, "child");
    drop(daemon);
    ends(&child);
    assert_eq!(read(&jsorc, "polite"), "done\n");
}

#[test]
fn a_stop_and_an_end_are_as_they_would_be_without_a_guard() {
    let (jsorc, daemon) = running(
        "stopped",
        "trap 'echo done > polite; exit 0' TERM; echo $$ > child; sleep 100 & wait",
    );
    let status = daemon.wait_for("child", "Running", LONG);
    let child = read(&jsorc, "child");
    assert_eq!(status["reason"], format!("process {} runs", child.trim()));
    assert_eq!(daemon.stop(), 0);
    assert!(!is_alive(&child));
    assert_eq!(read(&jsorc, "polite"), "done\n");

    for (script, expected) in [
        (
            "sleep 0.3; echo 'cannot open x' >&2; exit 3",
            "child exited with 3: cannot open x",
        ),
        ("sleep 0.3; kill -9 $$", "child was killed by signal 9"),
        ("sleep 0.3; kill -TERM $$", "child was killed by signal 15"),
    ] {
        let (_jsorc, daemon) = running("ended", script);
        daemon.wait_for_log(expected, LONG);
    }
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let jsorc = Jsorc::alone("nothing").services(&[(
        "child/service.yaml",
        "driver: command\nconfig: {command: [/no/such/program]}\n",
    )]);
    let failed = jsorc.daemon().wait_for("child", "Failed", LONG);
    let reason = failed["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("child does not start: /no/such/program: No such file"),
        "{reason}"
    );
}

#[test]
fn a_child_inherits_neither_signals_nor_descriptors_of_its_guard() {
    let (jsorc, daemon) = running(
        "clean",
        "grep SigBlk /proc/self/status > mask; ls -l /proc/self/fd > open; exec sleep 100",
    );
    daemon.wait_for("child", "Running", LONG);
    let mask = read(&jsorc, "mask");
    assert_eq!(mask.split_whitespace().nth(1), Some("0000000000000000"));
    let open = read(&jsorc, "open");
    assert!(!open.contains("socket:"), "{open}");
    assert!(open.contains("0 -> /dev/null"), "{open}");
}
