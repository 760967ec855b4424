//! The plan as data: what would be done, and why. Printed, served, compared in tests, and never a
//! flag deep inside something that writes.

mod summary;
mod unchanged;

use super::Engine;
use super::decide::removes;
use super::diff::FieldChange;
use super::flight::Cause;
use super::leavers::Leaver;
use super::object::{Checked, Object, Standing};
use super::occurrence::{Blame, Fault};
use super::orders::Order;
use crate::desired::at::At as _;
use crate::desired::path::Path;
use crate::desired::workload::{template, template_pointer};
use crate::desired::{DesiredObject, ObjectKey, WriteMode};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

pub use summary::PlanSummary;
pub use unchanged::{ObjectVersion, ServiceInputs, Unchanged, UnchangedCheck};

/// What would be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The services, in name order.
    pub services: Vec<PlannedService>,
}

/// What would be done about one service.
#[derive(Clone, Debug)]
pub struct PlannedService {
    /// Its name.
    pub name: Arc<str>,
    /// Where its objects live.
    pub namespace: String,
    /// Whether it is kept alive.
    pub kept: bool,
    /// The order to leave it alone, in words.
    pub suspended: Option<String>,
    /// Whether it has manifests.
    pub has_objects: bool,
    /// What would be done, in the order in which it would be.
    pub steps: Vec<Step>,
    /// The objects that are as they ought to be, with their `apiVersion`.
    pub unchanged: Vec<(ObjectKey, String)>,
    /// What others added to its objects and may keep there.
    pub foreign: BTreeMap<ObjectKey, Vec<(Path, Blame)>>,
}

/// One thing that would be done.
#[derive(Clone, Debug)]
pub struct Step {
    /// What.
    pub action: Action,
    /// To which object.
    pub key: ObjectKey,
    /// Its `apiVersion`.
    pub api_version: String,
    /// The fields that would change, and who changed them before.
    pub fields: Vec<(FieldChange, Blame)>,
    /// Why.
    pub reason: String,
    /// What could be lost by it.
    pub risk: Risk,
    /// How it was checked.
    pub checked: Checked,
    /// One word about a new object: its image, or how many keys it has.
    pub summary: String,
}

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// It is made.
    Create,
    /// Its fields change.
    Update,
    /// It is deleted and made anew.
    Recreate,
    /// It is deleted.
    Delete,
    /// It would be deleted, but stays.
    Kept,
    /// Nothing, until a person decides.
    Blocked,
}

/// What could be lost by a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// Nothing.
    None,
    /// Pods restart.
    Restart,
    /// The object and what belongs to it.
    Loss,
}

impl Plan {
    /// Every step with its service.
    pub fn steps(&self) -> impl Iterator<Item = (&PlannedService, &Step)> {
        self.services
            .iter()
            .flat_map(|service| service.steps.iter().map(move |step| (service, step)))
    }

    /// How many steps do `action`.
    #[must_use]
    pub fn count(&self, action: Action) -> usize {
        self.steps()
            .filter(|(_, step)| step.action == action)
            .count()
    }

    /// How many objects are as they ought to be.
    #[must_use]
    pub fn unchanged(&self) -> usize {
        self.services
            .iter()
            .map(|service| service.unchanged.len())
            .sum()
    }

    /// How many fields of others are left as they are.
    #[must_use]
    pub fn foreign(&self) -> usize {
        let services = self.services.iter();
        let objects = services.flat_map(|service| service.foreign.values());
        objects.map(Vec::len).sum()
    }

    /// Whether carrying it out would change anything, or something is blocked.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.steps().any(|(_, step)| step.action != Action::Kept)
    }
}

impl Engine {
    /// What would be done, as far as it is known now.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan {
            services: self
                .services
                .keys()
                .map(|name| self.planned(name))
                .collect(),
        }
    }

    fn planned(&self, name: &Arc<str>) -> PlannedService {
        let service = &self.services[name];
        let mut planned = PlannedService {
            name: name.clone(),
            namespace: service.desired.namespace.clone(),
            kept: service.desired.kept,
            suspended: service.suspended.as_ref().map(Order::words),
            has_objects: self.members(name).next().is_some(),
            steps: Vec::with_capacity(service.census.all - service.census.in_order),
            unchanged: Vec::with_capacity(service.census.in_order),
            foreign: BTreeMap::new(),
        };
        for object in self.members(name) {
            if !removes(service.desired.policy) {
                let additions = object.additions();
                let found: Vec<_> = additions.map(|a| (a.path.clone(), a.blame())).collect();
                if !found.is_empty() {
                    planned.foreign.insert(object.desired.key.clone(), found);
                }
            }
            match Self::step(object) {
                Some(step) => planned.steps.push(step),
                None => planned.unchanged.push((
                    object.desired.key.clone(),
                    object.desired.resource.api_version(),
                )),
            }
        }
        planned.unchanged.sort();
        let leavers = self.leavers(name).into_iter().rev();
        planned
            .steps
            .extend(leavers.filter_map(|(key, leaver)| self.leaving(name, key, leaver)));
        planned
    }

    fn step(object: &Object) -> Option<Step> {
        let mut step = Self::outline(object)?;
        if step.action == Action::Create {
            step.summary = summary(object);
        }
        Some(step)
    }

    /// A step without the word about what is new, for which an object has to be looked into.
    fn outline(object: &Object) -> Option<Step> {
        let cause = match &object.standing {
            Standing::InOrder => return None,
            Standing::Blocked(why) | Standing::Failed(why) => {
                return Some(plain_step(
                    object,
                    Action::Blocked,
                    why.clone(),
                    Checked::Server,
                ));
            }
            Standing::Waiting(why) => {
                return Some(plain_step(
                    object,
                    Action::Blocked,
                    waiting(why),
                    Checked::Server,
                ));
            }
            Standing::Unknown | Standing::Writing => {
                return Some(plain_step(
                    object,
                    Action::Create,
                    "its definition comes first".into(),
                    Checked::Assumed,
                ));
            }
            Standing::Differs(cause) => *cause,
        };
        if let Some(why) = object.suspended() {
            return Some(plain_step(object, Action::Kept, why, Checked::Server));
        }
        let rehearsal = object.rehearsal.as_ref();
        let recreates = rehearsal.is_some_and(|rehearsal| rehearsal.recreates);
        let cause = if recreates { Cause::Recreate } else { cause };
        let action = match cause {
            Cause::Missing | Cause::Drift(Fault::Deleted) => Action::Create,
            Cause::Recreate => Action::Recreate,
            _ => Action::Update,
        };
        let checked = rehearsal.map_or(Checked::Schema, |rehearsal| rehearsal.checked);
        match rehearsal.map(|rehearsal| &rehearsal.outcome) {
            Some(Err(why)) => Some(plain_step(
                object,
                Action::Blocked,
                format!("would be refused: {why}"),
                checked,
            )),
            Some(Ok(fields))
                if fields.is_empty() && action == Action::Update && checked != Checked::Assumed =>
            {
                None
            }
            fields => {
                let mut step = plain_step(object, action, cause.words().to_owned(), checked);
                if action != Action::Create
                    && let Some(Ok(fields)) = fields
                {
                    step.fields.clone_from(fields);
                }
                step.risk = risk(&step);
                Some(step)
            }
        }
    }

    fn leaving(&self, name: &Arc<str>, key: ObjectKey, leaver: Leaver) -> Option<Step> {
        let action = leaver.action()?;
        let reason = match leaver {
            Leaver::Keep(reason) | Leaver::Held(reason) | Leaver::Unseen(reason) => {
                format!("stays: {reason}")
            }
            _ => format!("no longer in services/{name}"),
        };
        let record = self.services[name].inventory.records.get(&key);
        Some(Step {
            action,
            api_version: record
                .map(|record| record.resource.api_version())
                .unwrap_or_default(),
            key,
            fields: Vec::new(),
            reason,
            risk: if action == Action::Delete {
                Risk::Loss
            } else {
                Risk::None
            },
            checked: Checked::Server,
            summary: String::new(),
        })
    }
}

fn plain_step(object: &Object, action: Action, reason: String, checked: Checked) -> Step {
    Step {
        action,
        key: object.desired.key.clone(),
        api_version: object.desired.resource.api_version(),
        fields: Vec::new(),
        reason,
        risk: Risk::None,
        checked,
        summary: String::new(),
    }
}

/// What an object waits for, or what is happening to it.
fn waiting(what: &str) -> String {
    if what.starts_with("is ") {
        format!("it {what}")
    } else {
        format!("waits for {what}")
    }
}

/// A changed pod template restarts pods; a recreated object is gone for a moment.
fn risk(step: &Step) -> Risk {
    let rolls = |change: &FieldChange| change.path.to_string().starts_with("spec.template.");
    match step.action {
        Action::Recreate => Risk::Loss,
        Action::Update if step.fields.iter().any(|(change, _)| rolls(change)) => Risk::Restart,
        _ => Risk::None,
    }
}

/// What tells a new object from its neighbours at a glance.
fn summary(object: &Object) -> String {
    let DesiredObject {
        key, body, mode, ..
    } = &object.desired;
    if matches!(mode, WriteMode::Generate(_)) {
        return "generated once".to_owned();
    }
    if template_pointer(&key.kind).is_some() {
        let body = body.value();
        let template = body.as_ref().and_then(template);
        let image = template.and_then(|template| template.at("/spec/containers/0/image"));
        return image.and_then(Value::as_str).unwrap_or("").to_owned();
    }
    match data_keys(body.text()) {
        None => String::new(),
        Some(1) => "1 key".to_owned(),
        Some(keys) => format!("{keys} keys"),
    }
}

/// How many keys an object of data has. It is not taken apart: there may be thousands.
fn data_keys(text: &str) -> Option<usize> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data<'a> {
        #[serde(borrow)]
        data: Option<BTreeMap<String, &'a RawValue>>,
        #[serde(borrow)]
        string_data: Option<BTreeMap<String, &'a RawValue>>,
    }
    let Data { data, string_data } = serde_json::from_str(text).ok()?;
    data.or(string_data).map(|data| data.len())
}

#[cfg(test)]
mod tests {
    use super::data_keys;

    #[test]
    fn the_keys_of_data_are_counted() {
        assert_eq!(
            data_keys(r#"{"kind":"ConfigMap","data":{"a":"1","b":"2"}}"#),
            Some(2)
        );
        assert_eq!(
            data_keys(r#"{"stringData":{"a":"1"},"type":"Opaque"}"#),
            Some(1)
        );
        assert_eq!(data_keys(r#"{"data":[1],"spec":{}}"#), None);
        assert_eq!(data_keys(r#"{"spec":{"data":{}}}"#), None);
    }
}
