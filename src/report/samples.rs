//! Statuses, heals and services to show.

use crate::desired::ObjectKey;
use crate::desired::path::Path;
use crate::engine::diff::{FieldChange, Shown};
use crate::engine::{Answer, Blame, ClusterState, Fault, Heal, Phase, ServiceStatus, Status};
use crate::manifest::spec::ServiceSpec;
use crate::manifest::{Catalog, KindTable, Manifest, Parameter, Place, Service};
use serde_json::{Value, json};
use std::borrow::Cow;
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
        suspended: Vec::new(),
        kept: Vec::new(),
    }
}

pub(super) fn running(name: &str, millis: u64, note: &str) -> ServiceStatus {
    let answer = Answer {
        advice: None,
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
                kept: vec![(
                    ObjectKey::new("", "PersistentVolumeClaim", Some("prod"), "redis-data"),
                    "protected kind".into(),
                )],
                ..service("redis", Phase::Settling, 11, stuck)
            },
            running("task", 6, "2 workers, 0 queued"),
            mail,
        ],
        watched_kinds: 12,
        synced: true,
        unwatched: None,
        cluster: ClusterState::Ready,
        last_heal: Some(heal()),
        drifts: Vec::new(),
    }
}

fn spec(driver: &str, description: &str) -> ServiceSpec {
    serde_json::from_value(json!({
        "driver": driver, "description": description, "enabled": true, "keep_alive": true,
        "depends_on": [], "namespace": null, "config": {}, "env": {}, "parameters": {},
        "probe": {"interval": null, "timeout": "2s", "failures": 3},
        "remedy": "none", "policy": {}, "ignore": [], "protect": [], "external": [], "lines": {}
    }))
    .unwrap()
}

fn table(kind: &'static str, api_version: &'static str, names: &[&'static str]) -> KindTable {
    let manifest = |(index, name): (usize, &&'static str)| Manifest {
        api_version: api_version.into(),
        kind: kind.into(),
        name: Cow::Borrowed(name),
        namespace: None,
        file: "services/redis/kube/redis.yaml".into(),
        line: u32::try_from(index * 10 + 1).unwrap(),
        json: "{}".to_owned().into(),
    };
    KindTable {
        kind: kind.into(),
        manifests: names.iter().enumerate().map(manifest).collect(),
    }
}

fn folder(name: &'static str, spec: ServiceSpec, kube: Vec<KindTable>) -> Service {
    Service {
        name: name.into(),
        spec,
        spec_place: Place {
            file: format!("services/{name}/service.yaml").into(),
            line: 1,
            column: 1,
        },
        kube: kube.into(),
        digest: "77aa".into(),
    }
}

/// A service without manifests and one with everything.
pub(super) fn catalog() -> Catalog {
    let parameter = |value: Value| -> Parameter { serde_json::from_value(value).unwrap() };
    let parameters = [
        ("auth", json!({"type": "secret", "generate": 24})),
        (
            "memory",
            json!({"type": "quantity", "default": "256Mi", "min": "32Mi", "description": "limit of the pod"}),
        ),
        ("mode", json!({"type": "enum", "values": ["aof", "rdb"]})),
    ];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), parameter(value)));
    let redis = ServiceSpec {
        config: [("db".to_owned(), json!(1))].into_iter().collect(),
        env: [("host".to_owned(), "REDIS_HOST".to_owned())].into(),
        lines: [("config.db".to_owned(), 4)].into(),
        parameters: parameters.into(),
        depends_on: vec!["mail".into()],
        ..spec("redis", "Cache and message broker")
    };
    let kube = vec![
        table("ConfigMap", "v1", &["redis"]),
        table("Deployment", "apps/v1", &["redis", "$g{instance}-exporter"]),
    ];
    Catalog {
        services: vec![
            folder("mail", spec("smtp", ""), Vec::new()),
            folder("redis", redis, kube),
        ],
        digest: "5e1f".into(),
    }
}
