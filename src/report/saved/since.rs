//! What has changed since a plan was saved.
//!
//! What counts is the meaning: a new uid, another body that is wanted, other fields that would
//! change. A version alone says nothing: controllers write status all the time.

use super::{SavedPin, SavedPlan, SavedStep, key_mark, pinned, saved};
use crate::desired::{FingerprintKey, ObjectKey};
use crate::engine::history::Named;
use crate::engine::{Action, Blame, Pin, Plan, Step};
use crate::report::plan::{blame, step_json, value};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a comparison comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is still the plan.
    Same,
    /// Everything in it is as it was to be.
    Done,
    /// It is not: object by object, why.
    Changed(Vec<Change>),
}

/// What changed about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The object, or what else it is about.
    pub subject: String,
    /// How.
    pub how: String,
}

/// Compares a saved plan with the one that would be made now.
#[must_use]
pub fn since(
    plan: &SavedPlan,
    now: &Plan,
    pins: &BTreeMap<ObjectKey, Pin>,
    key: Option<&FingerprintKey>,
) -> Verdict {
    if plan.key.is_some() && plan.key != key.map(key_mark) {
        return Verdict::Changed(vec![Change {
            subject: "the instance".to_owned(),
            how: "its key is another one, or cannot be read: nothing can be compared".to_owned(),
        }]);
    }
    // A plan that was made without the key is compared without it.
    let comparison = Comparison {
        key: key.filter(|_| plan.key.is_some()),
        pins,
    };
    comparison.verdict(plan, now)
}

struct Comparison<'a> {
    key: Option<&'a FingerprintKey>,
    pins: &'a BTreeMap<ObjectKey, Pin>,
}

impl Comparison<'_> {
    fn verdict(&self, plan: &SavedPlan, now: &Plan) -> Verdict {
        let acts = now.steps().filter(|(_, step)| step.action != Action::Kept);
        let mut open: BTreeMap<String, (&Step, SavedStep)> = acts
            .filter_map(|(service, step)| {
                let pin = self.pins.get(&step.key).map(|pin| pinned(pin, self.key));
                let saved = saved(&step_json(&service.name, step), pin.unwrap_or_default())?;
                Some((place(&saved.object), (step, saved)))
            })
            .collect();
        let kept: BTreeMap<String, &str> = now
            .steps()
            .filter(|(_, step)| step.action == Action::Kept)
            .map(|(_, step)| (place(&Named::from(&step.key)), step.reason.as_str()))
            .collect();
        let mut done = Vec::new();
        let mut changes = Vec::new();
        for then in &plan.steps {
            let at = place(&then.object);
            match open.remove(&at) {
                Some((step, now)) => changes.extend(self.changed(then, step, &now)),
                None if kept.contains_key(&at) => changes.push(change(then, kept[&at])),
                None if self.is_done(then) => done.push(change(then, "is as planned already")),
                None => changes.push(change(then, &self.why_gone(then))),
            }
        }
        let added = open.values().map(|(_, now)| {
            let how = format!(
                "was not in the plan, and would be {}: {}",
                past(&now.action),
                now.reason
            );
            change(now, &how)
        });
        changes.extend(added);
        if changes.is_empty() && done.len() == plan.steps.len() {
            return Verdict::Done;
        }
        // Half of a plan is another plan.
        changes.extend(done);
        if changes.is_empty() {
            Verdict::Same
        } else {
            Verdict::Changed(changes)
        }
    }

    /// What differs between a step as it was saved and as it would be now.
    fn changed(&self, then: &SavedStep, step: &Step, now: &SavedStep) -> Vec<Change> {
        if let Some(how) = identity(&then.pin, &now.pin) {
            return vec![change(then, &how)];
        }
        if then.action != now.action {
            let how = format!(
                "was to be {}, and would be {} now: {}",
                past(&then.action),
                past(&now.action),
                now.reason
            );
            return vec![change(then, &how)];
        }
        if then.pin.desired != now.pin.desired {
            return vec![change(then, OTHER_BODY)];
        }
        let versioned = then.pin.resource_version.is_some();
        if versioned && then.pin.resource_version == now.pin.resource_version {
            return Vec::new();
        }
        if self.key.is_none() && !then.fields.is_empty() && then.object.kind == "Secret" {
            let how = "it is another version, and without the instance's key its values cannot be compared";
            return vec![change(then, how)];
        }
        fields(then, step, now)
    }

    /// Whether the object of a step that would not be taken any more is as the step would leave it.
    fn is_done(&self, then: &SavedStep) -> bool {
        let pin = self
            .pins
            .iter()
            .find(|(key, _)| place(&Named::from(*key)) == place(&then.object));
        match (then.action.as_str(), pin) {
            ("delete", pin) => pin.is_none(),
            ("blocked", _) | (_, None) => false,
            (_, Some((_, pin))) => pinned(pin, self.key).desired == then.pin.desired,
        }
    }

    fn why_gone(&self, then: &SavedStep) -> String {
        let pin = self
            .pins
            .iter()
            .find(|(key, _)| place(&Named::from(*key)) == place(&then.object));
        match pin {
            None => "is not wanted any more".to_owned(),
            Some(_) if then.action == "blocked" => "is not blocked any more".to_owned(),
            Some((_, pin)) => {
                let now = pinned(pin, self.key);
                let other = now.desired != then.pin.desired;
                let how = if other {
                    OTHER_BODY
                } else {
                    "would not be touched any more"
                };
                identity(&then.pin, &now).unwrap_or_else(|| how.to_owned())
            }
        }
    }
}

const OTHER_BODY: &str = "another body is wanted: configuration or parameters changed";

fn identity(then: &SavedPin, now: &SavedPin) -> Option<String> {
    match (&then.uid, &now.uid) {
        (Some(then), Some(now)) if then != now => Some(format!(
            "another object has its name now (uid {now}, was {then})"
        )),
        (Some(_), None) => Some("was deleted since".to_owned()),
        (None, Some(_)) => Some("was made by somebody since".to_owned()),
        _ => None,
    }
}

fn fields(then: &SavedStep, step: &Step, now: &SavedStep) -> Vec<Change> {
    let of = |saved: &SavedStep, path: &str| {
        let field = saved.fields.iter().find(|field| field.path == path);
        field.map(|field| (field.from.clone(), field.to.clone()))
    };
    let all = then.fields.iter().chain(&now.fields);
    let mut paths: Vec<&String> = all.map(|field| &field.path).collect();
    paths.sort_unstable();
    paths.dedup();
    let changed = paths.into_iter().filter_map(|path| {
        let (before, after) = (of(then, path), of(now, path));
        let differs = before != after;
        differs.then(|| {
            let by = step
                .fields
                .iter()
                .find(|(change, _)| change.path.to_string() == *path);
            let by = by.map_or(&Blame::Unknown, |(_, by)| by);
            change(then, &moved(path, before, after, by))
        })
    });
    changed.collect()
}

type Sides = Option<(Value, Value)>;

/// How one field changed since.
fn moved(path: &str, before: Sides, after: Sides, by: &Blame) -> String {
    let version = match (before, after) {
        (Some((then, _)), Some((now, _))) if then != now => {
            format!("{path} is {} now, was {}", value(&now), value(&then))
        }
        (Some((_, then)), Some((_, now))) => {
            format!("{path} would become {}, not {}", value(&now), value(&then))
        }
        (Some(_), None) => format!("{path} would not change any more"),
        (None, Some((from, to))) => {
            format!("{path} would change too: {} → {}", value(&from), value(&to))
        }
        (None, None) => path.to_owned(),
    };
    let by = blame(by, false, None);
    if by.is_empty() {
        version
    } else {
        format!("{version} ({by})")
    }
}

fn change(step: &SavedStep, how: &str) -> Change {
    Change {
        subject: format!("{} · {}", step.service, step.object.short()),
        how: how.to_owned(),
    }
}

fn place(object: &Named) -> String {
    let namespace = object.namespace.as_deref().unwrap_or("");
    format!(
        "{}/{}/{namespace}/{}",
        object.group, object.kind, object.name
    )
}

fn past(action: &str) -> &str {
    match action {
        "create" => "created",
        "update" => "updated",
        "recreate" => "recreated",
        "delete" => "deleted",
        other => other,
    }
}
