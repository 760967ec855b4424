//! Plans to show.

use super::{PlanView, Target};
use crate::desired::ObjectKey;
use crate::desired::path::{Path, Segment};
use crate::engine::diff::{FieldChange, Shown};
use crate::engine::{Action, Blame, Checked, Plan, PlannedService, Risk, Step};
use crate::report::style::Palette;
use serde_json::{Value, json};

/// What stands for a secret's value in tests; it may appear nowhere.
pub(super) const CANARY: &str = "aHVudGVyMi1jYW5hcnk=";

pub(super) fn view() -> PlanView {
    PlanView {
        target: Target {
            server: "https://10.0.0.1:6443".into(),
            found: "context kind-dev".into(),
            namespace: "prod".into(),
            instance: "jsorc".into(),
        },
        verbose: false,
        quiet: false,
        width: None,
        palette: Palette::PLAIN,
        now: "2026-11-22T14:03:07Z".parse().unwrap(),
        apply: Some("jsorc apply".into()),
    }
}

pub(super) fn service(name: &str, steps: Vec<Step>) -> PlannedService {
    PlannedService {
        name: name.into(),
        namespace: "prod".into(),
        kept: true,
        suspended: None,
        has_objects: true,
        steps,
        unchanged: Vec::new(),
        foreign: std::collections::BTreeMap::new(),
    }
}

pub(super) fn step(action: Action, kind: &str, name: &str, reason: &str) -> Step {
    let group = match kind {
        "Deployment" | "StatefulSet" => "apps",
        "Job" => "batch",
        _ => "",
    };
    let namespace = (kind != "Namespace").then_some("prod");
    Step {
        action,
        key: ObjectKey::new(group, kind, namespace, name),
        api_version: if group.is_empty() {
            "v1".into()
        } else {
            format!("{group}/v1")
        },
        fields: Vec::new(),
        reason: reason.into(),
        risk: Risk::None,
        checked: Checked::Server,
        summary: String::new(),
    }
}

pub(super) fn create(kind: &str, name: &str, summary: &str) -> Step {
    Step {
        summary: summary.into(),
        ..step(Action::Create, kind, name, "new")
    }
}

pub(super) fn change(path: &str, from: Value, to: Value) -> FieldChange {
    let shown = |value: Value| (!value.is_null()).then_some(Shown::Plain(value));
    FieldChange {
        path: Path::parse(path).unwrap(),
        from: shown(from),
        to: shown(to),
    }
}

pub(super) fn masked(path: Path, from: &str, to: &str) -> FieldChange {
    FieldChange {
        path,
        from: Some(Shown::Masked(from.into())),
        to: Some(Shown::Masked(to.into())),
    }
}

pub(super) fn key_of_data(name: &str) -> Path {
    Path(vec![
        Segment::Field("data".into()),
        Segment::Field(name.into()),
    ])
}

pub(super) fn scaled() -> Blame {
    Blame::Manager("kubectl-scale".into(), Some("2026-11-22T14:01:00Z".into()))
}

fn promon() -> PlannedService {
    let mut steps = vec![
        create("Namespace", "prod", ""),
        create("ConfigMap", "prometheus-server", "1 key"),
        create("Deployment", "prometheus-server", "prom/prometheus:v3.8.0"),
    ];
    steps.extend((0..22).map(|number| create("Service", &format!("extra-{number}"), "")));
    for late in &mut steps[1..4] {
        late.checked = Checked::Assumed;
    }
    service("promon", steps)
}

fn redis() -> PlannedService {
    let mut deployment = step(Action::Update, "Deployment", "redis", "was changed");
    deployment.risk = Risk::Restart;
    deployment.fields = vec![
        (change("spec.replicas", json!(5), json!(1)), scaled()),
        (
            change(
                "spec.template.spec.containers[redis].image",
                json!("redis:8.0-alpine"),
                json!("redis:8.2-alpine"),
            ),
            Blame::Manager("kubectl-set".into(), None),
        ),
    ];
    let mut secret = step(
        Action::Update,
        "Secret",
        "redis-tls",
        "its manifest changed",
    );
    let tls = masked(key_of_data("tls.key"), "3fa1", "90bd");
    secret.fields = vec![(tls, Blame::Unknown)];
    let mut old = step(
        Action::Delete,
        "Service",
        "redis-old",
        "no longer in services/redis",
    );
    old.risk = Risk::Loss;
    let kept = step(
        Action::Kept,
        "PersistentVolumeClaim",
        "redis-data",
        "stays: protected kind (--allow-delete PersistentVolumeClaim/redis-data)",
    );
    service("redis", vec![deployment, secret, old, kept])
}

/// The plan of the handbook: an install, an update, a delete and what stays.
pub(super) fn plan() -> Plan {
    let bare = |name: &str| PlannedService {
        has_objects: false,
        ..service(name, Vec::new())
    };
    let idle = PlannedService {
        kept: false,
        has_objects: false,
        ..service("cache", Vec::new())
    };
    let mut good = service("web", Vec::new());
    good.unchanged = vec![(
        ObjectKey::new("apps", "Deployment", Some("prod"), "web"),
        "apps/v1".into(),
    )];
    Plan {
        services: vec![idle, bare("mail"), promon(), redis(), bare("task"), good],
    }
}
