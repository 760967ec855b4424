//! The plan for programs, in the documented form.

use super::super::document::{self, blame};
use super::change::guarded;
use super::{PlanView, foreign, words};
use crate::desired::ObjectKey;
use crate::engine::diff::FieldChange;
use crate::engine::{Action, Plan, Step};
use serde_json::{Map, Value, json};

/// The plan for programs: `kind: Plan`. Unchanged objects are steps only when `verbose`.
#[must_use]
pub fn json(plan: &Plan, view: &PlanView) -> Value {
    let mut steps: Vec<Value> = Vec::new();
    for service in &plan.services {
        let with_foreign = |mut step: Value, key: &ObjectKey| {
            step["foreign"] = foreign::json(service, key);
            step
        };
        let planned = service.steps.iter();
        steps.extend(planned.map(|s| with_foreign(step_json(&service.name, s), &s.key)));
        if view.verbose {
            let rest = service.unchanged.iter();
            steps.extend(rest.map(|(key, v)| with_foreign(unchanged(&service.name, key, v), key)));
        }
    }
    let summary = json!({
        "create": plan.count(Action::Create),
        "update": plan.count(Action::Update),
        "recreate": plan.count(Action::Recreate),
        "delete": plan.count(Action::Delete),
        "kept": plan.count(Action::Kept),
        "unchanged": plan.unchanged(),
        "blocked": plan.count(Action::Blocked),
    });
    let target = json!({
        "server": view.target.server,
        "context": view.target.found.strip_prefix("context "),
        "namespace": view.target.namespace,
        "instance": view.target.instance,
    });
    let suspended: Vec<Value> = plan
        .services
        .iter()
        .filter_map(|s| Some(json!({"service": &*s.name, "reason": s.suspended.as_ref()?})))
        .collect();
    document::new(
        "Plan",
        json!({"target": target, "summary": summary, "suspended": suspended, "steps": steps}),
    )
}

/// A changed field with who changed it before.
pub(in super::super) fn change_json(key: &ObjectKey, change: &FieldChange, by: &Value) -> Value {
    let side = |shown: &Option<crate::engine::diff::Shown>| {
        shown
            .as_ref()
            .map(|shown| guarded(key, &change.path, shown))
    };
    json!({
        "path": change.path.to_string(),
        "from": side(&change.from),
        "to": side(&change.to),
        "by": by,
    })
}

/// One step, as it stands in a plan.
pub(in super::super) fn step_json(service: &str, step: &Step) -> Value {
    let fields: Vec<Value> = step
        .fields
        .iter()
        .map(|(change, by)| change_json(&step.key, change, &blame(by, None)))
        .collect();
    json!({
        "action": words::action(step.action),
        "service": service,
        "object": object(&step.key, &step.api_version),
        "fields": fields,
        "reason": step.reason,
        "risk": words::risk(step.risk),
        "checked": words::checked(step.checked),
    })
}

fn unchanged(service: &str, key: &ObjectKey, api_version: &str) -> Value {
    json!({
        "action": "unchanged",
        "service": service,
        "object": object(key, api_version),
        "fields": [],
        "reason": "",
        "risk": "none",
        "checked": "server",
    })
}

fn object(key: &ObjectKey, api_version: &str) -> Value {
    let mut object = Map::new();
    object.insert("apiVersion".into(), api_version.into());
    object.insert("kind".into(), (&*key.kind).into());
    object.insert("namespace".into(), key.namespace.as_deref().into());
    object.insert("name".into(), (&*key.name).into());
    Value::Object(object)
}
