use super::super::samples::{deployment, heal, replicas};
use super::*;
use crate::desired::path::Path;
use crate::engine::diff::Shown;
use crate::engine::{Fault, Heal};
use std::sync::Arc;

#[expect(
    clippy::too_many_lines,
    reason = "one row for each thing that can happen"
)]
fn every() -> Vec<(Occurrence, &'static str, Level)> {
    let service: Arc<str> = "redis".into();
    let key = deployment();
    let seconds = Duration::from_secs;
    vec![
        (
            Occurrence::Applied {
                service: service.clone(),
                key: key.clone(),
                created: true,
                fields: Vec::new(),
                took: Duration::from_millis(12),
            },
            "redis: created Deployment/redis in 12 ms",
            Level::DEBUG,
        ),
        (
            Occurrence::Applied {
                service: service.clone(),
                key: key.clone(),
                created: false,
                fields: vec![replicas(), replicas(), replicas()],
                took: Duration::from_millis(12),
            },
            "redis: changed Deployment/redis: spec.replicas 5 → 1, spec.replicas 5 → 1, 1 more, in 12 ms",
            Level::DEBUG,
        ),
        (
            Occurrence::Healed(heal()),
            "redis: healed Deployment/redis: spec.replicas 5 → 1, changed by kubectl-scale, after 4 ms",
            Level::INFO,
        ),
        (
            Occurrence::Healed(Heal {
                fault: Fault::Deleted,
                by: Blame::Unknown,
                fields: Vec::new(),
                ..heal()
            }),
            "redis: healed Deployment/redis: was deleted, after 4 ms",
            Level::INFO,
        ),
        (
            Occurrence::Healed(Heal {
                by: Blame::Unknown,
                ..heal()
            }),
            "redis: healed Deployment/redis: spec.replicas 5 → 1, changed by someone unknown, after 4 ms",
            Level::INFO,
        ),
        (
            Occurrence::Drifted {
                service: service.clone(),
                key: key.clone(),
                by: Blame::Manager("helm".into(), None),
            },
            "redis: Deployment/redis is not as applied, changed by helm; left as it is",
            Level::WARN,
        ),
        (
            Occurrence::Pruned {
                service: service.clone(),
                key: key.clone(),
            },
            "redis: deleted Deployment/redis: no longer in the services folder",
            Level::INFO,
        ),
        (
            Occurrence::Kept {
                service: service.clone(),
                key: key.clone(),
                reason: "protected kind".into(),
            },
            "redis: Deployment/redis stays: protected kind",
            Level::INFO,
        ),
        (
            Occurrence::Refused {
                service: service.clone(),
                key: key.clone(),
                others: 0,
                reason: "forbidden: no right to patch".into(),
                again: Some(seconds(10)),
            },
            "redis: Deployment/redis: forbidden: no right to patch (next try in 10 s)",
            Level::WARN,
        ),
        (
            Occurrence::Refused {
                service: service.clone(),
                key: key.clone(),
                others: 796,
                reason: "connection refused".into(),
                again: Some(seconds(2)),
            },
            "redis: Deployment/redis and 796 other objects: connection refused (next try in 2 s)",
            Level::WARN,
        ),
        (
            Occurrence::Fight {
                service: service.clone(),
                key,
                by: Blame::Manager("hpa".into(), None),
                fields: vec![Path::parse("spec.replicas").unwrap()],
                times: 6,
                again: seconds(2),
            },
            "redis: Deployment/redis and hpa keep changing spec.replicas: healed 6 times within a minute, next in 2 s; to leave it to them, in services.redis: ignore: [{kind: Deployment, name: redis, path: spec.replicas}]",
            Level::WARN,
        ),
        (
            Occurrence::Noted {
                service: service.clone(),
                note: "nobody works on celery".into(),
                advice: Some("start a worker".into()),
            },
            "redis: nobody works on celery; hint: start a worker",
            Level::WARN,
        ),
        (
            Occurrence::Noted {
                service: service.clone(),
                note: "1 worker, 0 queued".into(),
                advice: None,
            },
            "redis: is well again: 1 worker, 0 queued",
            Level::INFO,
        ),
        (
            Occurrence::RerunIgnored {
                service: service.clone(),
                applied: 23,
            },
            "redis: 23 objects applied; rerun ignored, pods are not ready yet",
            Level::INFO,
        ),
        (
            Occurrence::Phase {
                service: service.clone(),
                from: Phase::Starting,
                to: Phase::Failed,
                reason: "connection refused\u{1b}[2J".into(),
                hint: Some("is it up?".into()),
            },
            "redis: Starting → Failed: connection refused\\u{1b}[2J; hint: is it up?",
            Level::ERROR,
        ),
        (
            Occurrence::Phase {
                service: service.clone(),
                from: Phase::Starting,
                to: Phase::Running,
                reason: String::new(),
                hint: None,
            },
            "redis: Starting → Running",
            Level::INFO,
        ),
        (
            stays(Phase::Running, "8.2.1 master"),
            "redis: Running after a rerun: 8.2.1 master",
            Level::INFO,
        ),
        (
            stays(Phase::Waiting, "Service/redis has no ready endpoint"),
            "redis: Waiting: Service/redis has no ready endpoint",
            Level::INFO,
        ),
        (
            stays(Phase::Failed, "wrong user or password"),
            "redis: still Failed: wrong user or password",
            Level::ERROR,
        ),
        (
            Occurrence::ProbeFailed {
                service: service.clone(),
                reason: "timed out".into(),
                failures: 2,
            },
            "redis: did not answer (2 in a row): timed out",
            Level::WARN,
        ),
        (
            Occurrence::InventoryRefused {
                service,
                reason: "forbidden".into(),
            },
            "redis: the inventory could not be stored: forbidden",
            Level::ERROR,
        ),
    ]
}

fn stays(phase: Phase, reason: &str) -> Occurrence {
    Occurrence::Phase {
        service: "redis".into(),
        from: phase,
        to: phase,
        reason: reason.into(),
        hint: None,
    }
}

#[test]
fn every_occurrence_has_its_line_its_level_and_its_document() {
    let at: Timestamp = "2026-11-22T14:03:07Z".parse().unwrap();
    for (occurrence, said, loud) in every() {
        assert_eq!(line(&occurrence), said);
        assert_eq!(level(&occurrence, true), loud, "{said}");
        let document = json(&occurrence, at);
        assert_eq!(document["service"], "redis", "{said}");
        assert_eq!(document["time"], "2026-11-22T14:03:07Z");
        let keys = document.as_object().unwrap().len();
        assert!(keys > 3 && document["what"].is_string(), "{document}");
    }
}

#[test]
fn what_is_about_the_cluster_names_no_service() {
    let kinds: Vec<Arc<str>> = vec!["ConfigMap".into(), "Secret".into()];
    let reason = "https://10.0.0.1: connection refused";
    let unwatched = |kinds: &[Arc<str>]| Occurrence::Unwatched {
        kinds: kinds.to_vec(),
        of: 5,
        reason: reason.into(),
    };
    let again = |kinds| Occurrence::WatchedAgain {
        kinds,
        after: Duration::from_secs(25),
    };
    for (occurrence, said, loud) in [
        (
            unwatched(&kinds),
            "2 of 5 kinds cannot be watched: https://10.0.0.1: connection refused; tried again",
            Level::WARN,
        ),
        (
            unwatched(&kinds[..1]),
            "ConfigMap cannot be watched: https://10.0.0.1: connection refused; tried again",
            Level::WARN,
        ),
        (
            again(2),
            "2 kinds are watched again, after 25 s",
            Level::INFO,
        ),
        (again(1), "1 kind is watched again, after 25 s", Level::INFO),
    ] {
        assert_eq!(line(&occurrence), said);
        assert_eq!(level(&occurrence, true), loud, "{said}");
    }
    let at: Timestamp = "2026-11-22T14:03:07Z".parse().unwrap();
    assert_eq!(
        json(&unwatched(&kinds), at),
        json!({
            "time": "2026-11-22T14:03:07Z", "what": "unwatched", "service": null,
            "kinds": ["ConfigMap", "Secret"], "of": 5, "reason": reason,
        })
    );
    assert_eq!(
        json(&again(2), at),
        json!({
            "time": "2026-11-22T14:03:07Z", "what": "watched_again", "service": null,
            "kinds": 2, "after_ms": 25000.0,
        })
    );
}

#[test]
fn applied_objects_are_told_when_not_quiet() {
    let (applied, ..) = every().remove(0);
    assert_eq!(level(&applied, false), Level::INFO);
}

#[test]
fn a_heal_for_programs() {
    let at: Timestamp = "2026-11-22T14:03:07Z".parse().unwrap();
    let by = json!({"manager": "kubectl-scale", "time": "2026-11-22T14:03:06Z"});
    assert_eq!(
        json(&Occurrence::Healed(heal()), at),
        json!({
            "time": "2026-11-22T14:03:07Z",
            "what": "healed",
            "service": "redis",
            "object": {"group": "apps", "kind": "Deployment", "namespace": "prod", "name": "redis"},
            "fault": "changed",
            "by": by,
            "fields": [{"path": "spec.replicas", "from": 5, "to": 1, "by": by}],
            "healed": "2026-11-22T14:03:07Z",
            "took_ms": 4.25,
        })
    );
}

#[test]
fn a_secrets_value_is_in_no_line() {
    let canary = "canary-hunter2";
    let change = FieldChange {
        path: Path::parse("data.password").unwrap(),
        from: Some(Shown::Plain(json!(canary))),
        to: Some(Shown::Masked("3fa1".into())),
    };
    let secret = ObjectKey::new("", "Secret", Some("prod"), "redis");
    let heal = Heal {
        key: secret.clone(),
        fields: vec![change.clone()],
        ..heal()
    };
    let applied = Occurrence::Applied {
        service: "redis".into(),
        key: secret,
        created: false,
        fields: vec![change],
        took: Duration::ZERO,
    };
    for occurrence in [Occurrence::Healed(heal), applied] {
        let document = json(&occurrence, Timestamp::UNIX_EPOCH).to_string();
        for form in [line(&occurrence), document] {
            assert!(
                !form.contains(canary) && form.contains("•••• #3fa1"),
                "{form}"
            );
        }
    }
}
