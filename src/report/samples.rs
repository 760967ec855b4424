//! Statuses and occurrences to show.

use crate::desired::ObjectKey;
use crate::desired::path::Path;
use crate::engine::diff::{FieldChange, Shown};
use crate::engine::{Answer, Blame, ClusterState, Fault, Heal, Phase, ServiceStatus, Status};
use serde_json::json;
use std::time::Duration;

pub(super) fn deployment() -> ObjectKey {
    ObjectKey::new("apps", "Deployment", Some("prod"), "redis")
}

pub(super) fn replicas() -> FieldChange {
    FieldChange {
        path: Path::parse("spec.replicas").unwrap(),
        from: Some(Shown::Plain(json!(5))),
        to: Some(Shown::Plain(json!(1))),
    }
}

pub(super) fn heal() -> Heal {
    Heal {
        service: "redis".into(),
        key: deployment(),
        fault: Fault::Changed,
        by: Blame::Manager("kubectl-scale".into(), Some("2026-11-22T14:03:06Z".into())),
        fields: vec![replicas()],
        took: Duration::from_micros(4_250),
        at: "2026-11-22T14:03:07Z".parse().unwrap(),
    }
}

pub(super) fn service(name: &str, phase: Phase, age: u64, reason: &str) -> ServiceStatus {
    ServiceStatus {
        name: name.into(),
        phase,
        since: "2026-11-22T14:00:00Z".parse().unwrap(),
        age: Duration::from_secs(age),
        reason: reason.into(),
        hint: None,
        objects: None,
        answer: None,
        answers: false,
        retry: None,
        problems: Vec::new(),
        kept: 0,
    }
}

pub(super) fn running(name: &str, millis: u64, note: &str) -> ServiceStatus {
    let answer = Answer {
        latency: Duration::from_millis(millis),
        note: note.into(),
    };
    ServiceStatus {
        answer: Some((answer, "2026-11-22T14:04:12Z".parse().unwrap())),
        answers: true,
        ..service(name, Phase::Running, 252, note)
    }
}

/// The status of the handbook.
pub(super) fn status() -> Status {
    let stuck =
        "Deployment redis 0/1 available: pod redis-7c9f ImagePullBackOff: \"redis:8.9\" not found";
    let mail = ServiceStatus {
        retry: Some((Duration::from_secs(8), 4)),
        hint: Some("set JSORC_SERVICES__MAIL__CONFIG__HOST".into()),
        ..service(
            "mail",
            Phase::Failed,
            40,
            "smtp://localhost:1025 connection refused",
        )
    };
    Status {
        services: vec![
            ServiceStatus {
                objects: Some((25, 25)),
                ..running("promon", 3, "")
            },
            ServiceStatus {
                objects: Some((3, 4)),
                problems: vec![(deployment(), "would be refused: no right".into())],
                kept: 1,
                ..service("redis", Phase::Settling, 11, stuck)
            },
            running("task", 6, "2 workers, 0 queued"),
            mail,
        ],
        watched_kinds: 12,
        synced: true,
        cluster: ClusterState::Ready,
        last_heal: Some(heal()),
        drifts: Vec::new(),
    }
}
