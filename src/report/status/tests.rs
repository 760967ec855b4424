use super::super::samples::{deployment, replicas, status};
use super::*;
use crate::engine::{Fault, Unwatched};

fn view() -> StatusView {
    StatusView {
        interval: Some(Duration::from_secs(10)),
        verbose: false,
        width: None,
        palette: Palette::PLAIN,
        now: "2026-11-22T14:04:12Z".parse().unwrap(),
        zone: TimeZone::UTC,
        leader: None,
    }
}

#[test]
fn a_whole_status() {
    assert_eq!(
        text(&status(), &view()),
        "\
SERVICE  PHASE     FOR    OBJECTS  ANSWERS  NOTE
promon   Running   4m12s  25/25    3 ms
redis    Settling  11s    3/4      –        Deployment redis 0/1 available: pod redis-7c9f ImagePullBackOff: \"redis:8.9\" not found, 1 kept
task     Running   4m12s  –        6 ms     2 workers, 0 queued
mail     Failed    40s    –        –        smtp://localhost:1025 connection refused, next try in 8 s (4th)
kept alive every 10 s · watching 12 kinds · last heal 14:03:07: Deployment/redis spec.replicas 5 → 1 by kubectl-scale, after 4 ms
hint: mail: set JSORC_SERVICES__MAIL__CONFIG__HOST
"
    );
}

#[test]
fn a_narrow_terminal_wraps_the_note_and_cuts_nothing() {
    let mut status = status();
    status.services.truncate(2);
    let narrow = StatusView {
        width: Some(80),
        verbose: true,
        palette: Palette::COLOURED,
        ..view()
    };
    let shown = text(&status, &narrow);
    assert!(
        shown.contains(
            "redis    \u{1b}[33mSettling\u{1b}[0m  11s    3/4      –        Deployment redis 0/1 available: pod
                                            redis-7c9f ImagePullBackOff:
                                            \"redis:8.9\" not found, 1 kept\n"
        ),
        "{shown}"
    );
    assert!(
        shown.contains("\n  !  redis  Deployment/redis                  would be refused: no right\n  =  redis  PersistentVolumeClaim/redis-data  stays: protected kind\n"),
        "{shown}"
    );
}

#[test]
fn the_last_line_says_what_is_not_watched() {
    let mut status = status();
    status.services.clear();
    status.last_heal = None;
    status.synced = false;
    status.watched_kinds = 1;
    let last = |status: &Status| text(status, &view()).lines().last().unwrap().to_owned();
    assert_eq!(
        last(&status),
        "kept alive every 10 s · watching 1 kind (not all listed yet)"
    );
    status.watched_kinds = 5;
    status.unwatched = Some(Unwatched {
        kinds: vec!["ConfigMap".into(), "Deployment".into()],
        since: "2026-11-22T14:03:50Z".parse().unwrap(),
        reason: "https://10.0.0.1: connection refused".into(),
    });
    assert_eq!(
        last(&status),
        "kept alive every 10 s · watching 3 of 5 kinds since 14:03:50: https://10.0.0.1: connection refused"
    );
    assert_eq!(
        json(&status, &view())["unwatched"],
        json!({
            "kinds": ["ConfigMap", "Deployment"], "since": "2026-11-22T14:03:50Z",
            "reason": "https://10.0.0.1: connection refused",
        })
    );
    status.cluster = ClusterState::Unreachable("connection refused".into());
    assert_eq!(
        last(&status),
        "kept alive every 10 s · cluster unreachable: connection refused"
    );
    status.cluster = ClusterState::Off("kubernetes.mode is off".into());
    assert_eq!(
        last(&status),
        "kept alive every 10 s · no cluster: kubernetes.mode is off"
    );
}

#[test]
fn the_documented_json() {
    let mut status = status();
    status.services.drain(..1);
    status.services.truncate(2);
    status.services[0].suspended = vec![(deployment(), "left alone: by ann".into())];
    status.drifts = vec![Drift {
        service: "redis".into(),
        key: deployment(),
        fault: Fault::Deleted,
        fields: Vec::new(),
    }];
    let view = StatusView {
        leader: Some("jsorc-0".into()),
        ..view()
    };
    let object =
        json!({"group": "apps", "kind": "Deployment", "namespace": "prod", "name": "redis"});
    let claim = json!({"group": "", "kind": "PersistentVolumeClaim", "namespace": "prod", "name": "redis-data"});
    let by = json!({"manager": "kubectl-scale", "time": "2026-11-22T14:03:06Z"});
    assert_eq!(
        json(&status, &view),
        json!({
            "apiVersion": "jsorc.dev/v1alpha1",
            "kind": "Status",
            "source": "daemon",
            "as_of": "2026-11-22T14:04:12Z",
            "services": [
                {
                    "name": "redis", "state": "NOT_STARTED", "phase": "Settling",
                    "since": "2026-11-22T14:00:00Z",
                    "reason": "Deployment redis 0/1 available: pod redis-7c9f ImagePullBackOff: \"redis:8.9\" not found",
                    "hint": null,
                    "objects": {"current": 3, "total": 4, "kept": 1},
                    "probe": {"ok": false, "latency_ms": null, "last": null},
                    "problems": [{"object": object, "reason": "would be refused: no right"}],
                    "suspended": [{"object": object, "reason": "left alone: by ann"}],
                    "kept": [{"object": claim, "reason": "protected kind"}],
                },
                {
                    "name": "task", "state": "RUNNING", "phase": "Running",
                    "since": "2026-11-22T14:00:00Z", "reason": "2 workers, 0 queued", "hint": null,
                    "objects": null,
                    "probe": {"ok": true, "latency_ms": 6.0, "last": "2026-11-22T14:04:12Z"},
                    "problems": [], "suspended": [], "kept": [],
                },
            ],
            "drifts": [
                {
                    "service": "redis", "object": object, "fault": "deleted", "by": {"deleted": true},
                    "fields": [], "healed": null, "took_ms": null,
                },
                {
                    "service": "redis", "object": object, "fault": "changed", "by": by,
                    "fields": [{"path": "spec.replicas", "from": 5, "to": 1, "by": by}],
                    "healed": "2026-11-22T14:03:07Z", "took_ms": 4.25,
                },
            ],
            "watching": 12,
            "unwatched": null,
            "leader": "jsorc-0",
        })
    );
}

#[test]
fn a_drift_names_its_writer() {
    let mut status = status();
    status.last_heal = None;
    status.drifts = vec![Drift {
        service: "redis".into(),
        key: deployment(),
        fault: Fault::Changed,
        fields: vec![(replicas(), Blame::Manager("helm".into(), None))],
    }];
    let by = json!({"manager": "helm", "time": null});
    assert_eq!(json(&status, &view())["drifts"][0]["by"], by);
    assert!(text(&status, &view()).contains("watching 12 kinds · 1 not as applied\n"));
}
