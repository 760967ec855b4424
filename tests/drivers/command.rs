//! `command`.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use jsorc::drivers::Log;
use serde_json::{Value, json};

use super::{Nowhere, PATIENCE, answer, refusal, start, start_with};
use crate::support::{Scratch, eventually, free_port};

fn sh(script: &str) -> Value {
    json!({"command": ["sh", "-c", script], "grace": "300ms"})
}

fn is_alive(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.trim()));
    status.is_ok_and(|text| !text.contains("State:\tZ"))
}

fn read(folder: &Scratch, name: &str) -> String {
    eventually(name, PATIENCE, || {
        std::fs::read_to_string(folder.path().join(name))
            .ok()
            .filter(|text| text.ends_with('\n'))
    })
}

#[tokio::test]
async fn lines_of_both_streams_reach_the_log_with_the_given_environment_and_folder() {
    let folder = Scratch::new("command");
    let mut settings = sh("echo out $WORD; echo err >&2; pwd; exec sleep 100");
    settings["env"] = json!({"WORD": "hello"});
    settings["cwd"] = folder.path().to_str().unwrap().into();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&lines);
    let log = Log::new(move |line| kept.lock().unwrap().push(line.to_owned()));
    let mut running = start_with("command", &settings, &Nowhere, PATIENCE, log)
        .await
        .unwrap();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if lines.lock().unwrap().len() == 3 {
            break;
        }
    }
    let mut seen = lines.lock().unwrap().clone();
    seen.sort();
    let mut expected = [
        "out hello",
        "err",
        folder.path().canonicalize().unwrap().to_str().unwrap(),
    ]
    .map(str::to_owned);
    expected.sort();
    assert_eq!(seen, expected);
    assert!(running.probe().await.unwrap().note.ends_with(" runs"));
    running.stop().await;
}

#[tokio::test]
async fn an_end_is_told_with_its_status_and_last_line() {
    for (script, expected) in [
        (
            "echo first; echo 'cannot open x' >&2; exit 3",
            "it exited with 3: cannot open x",
        ),
        ("kill -9 $$", "it was killed by signal 9"),
        ("true", "it exited with 0"),
    ] {
        let mut running = start("command", &sh(script)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(running.probe().await.unwrap_err().to_string(), expected);
        running.stop().await;
    }
    let error = refusal("command", &json!({"command": ["/no/such/program"]})).await;
    assert!(
        error
            .to_string()
            .starts_with("it does not start: /no/such/program: "),
        "{error}"
    );
}

#[tokio::test]
async fn a_stop_reaches_grandchildren() {
    let folder = Scratch::new("command");
    let mut settings =
        sh("sleep 100 & echo $! > grandchild; sh -c 'sleep 100 & echo $! > orphan'; wait");
    settings["cwd"] = folder.path().to_str().unwrap().into();
    let running = start("command", &settings).await.unwrap();
    let (grandchild, orphan) = (read(&folder, "grandchild"), read(&folder, "orphan"));
    assert!(is_alive(&grandchild) && is_alive(&orphan));
    running.stop().await;
    assert!(!is_alive(&grandchild) && !is_alive(&orphan));
}

#[tokio::test]
async fn what_ignores_sigterm_is_killed_and_what_heeds_it_has_its_time() {
    let folder = Scratch::new("command");
    let mut settings = sh("trap '' TERM; echo $$ > stubborn; while :; do sleep 1; done");
    settings["cwd"] = folder.path().to_str().unwrap().into();
    let running = start("command", &settings).await.unwrap();
    let stubborn = read(&folder, "stubborn");
    let asked = Instant::now();
    running.stop().await;
    assert!(!is_alive(&stubborn));
    assert!(
        (300..2000).contains(&asked.elapsed().as_millis()),
        "{:?}",
        asked.elapsed()
    );

    let script =
        "trap 'sleep 0.2; echo done > polite; exit 0' TERM; echo up > up; sleep 100 & wait";
    let mut settings = sh(script);
    settings["cwd"] = folder.path().to_str().unwrap().into();
    settings["grace"] = "5s".into();
    let running = start("command", &settings).await.unwrap();
    read(&folder, "up");
    running.stop().await;
    assert_eq!(read(&folder, "polite"), "done\n");
}

#[tokio::test]
async fn a_dropped_command_leaves_nothing_behind() {
    let folder = Scratch::new("command");
    let mut settings = sh("sleep 100 & echo $! > grandchild; wait");
    settings["cwd"] = folder.path().to_str().unwrap().into();
    let running = start("command", &settings).await.unwrap();
    let grandchild = read(&folder, "grandchild");
    drop(running);
    eventually("the grandchild to end", PATIENCE, || {
        (!is_alive(&grandchild)).then_some(())
    });
}

#[tokio::test]
async fn a_probe_of_its_own_is_asked() {
    let port = free_port();
    let python = format!("python3 -m http.server {port} --bind 127.0.0.1");
    let mut settings = sh(&format!("exec {python}"));
    settings["probe"] = json!({"http": format!("http://127.0.0.1:{port}/")});
    let mut running = start("command", &settings).await.unwrap();
    let end = Instant::now() + PATIENCE;
    while let Err(error) = running.probe().await {
        assert!(error.to_string().ends_with("connection refused"), "{error}");
        assert!(Instant::now() < end, "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(
        running
            .probe()
            .await
            .unwrap()
            .note
            .ends_with(" answered 200")
    );
    running.stop().await;
    let mut settings = sh("exec sleep 100");
    settings["probe"] = json!({"tcp": format!("127.0.0.1:{port}")});
    let mut running = start("command", &settings).await.unwrap();
    let error = running.probe().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("tcp://127.0.0.1:{port}: connection refused")
    );
    running.stop().await;
    assert!(
        answer("command", &sh("exec sleep 100"))
            .await
            .note
            .starts_with("process ")
    );
}
