//! What a saved plan holds, and what is told of what changed since.

use super::*;
use crate::engine::diff::{FieldChange, Shown};
use crate::engine::{Blame, Checked, PlannedService, Risk, Step};
use crate::report::Target;
use crate::report::style::Palette;
use std::sync::Arc;

const CANARY: &str = "aHVudGVyMi1jYW5hcnk=";

fn key(byte: u8) -> FingerprintKey {
    FingerprintKey::new([byte; 32])
}

fn view() -> PlanView {
    PlanView {
        target: Target {
            server: "https://10.0.0.1:6443".into(),
            found: "context kind-dev".into(),
            namespace: "prod".into(),
            instance: "jsorc.prod.jsorc".into(),
        },
        verbose: false,
        quiet: false,
        width: None,
        palette: Palette::PLAIN,
        now: "2026-11-22T14:03:07Z".parse().unwrap(),
        apply: None,
    }
}

fn object(kind: &str, name: &str) -> ObjectKey {
    ObjectKey::new("", kind, Some("prod"), name)
}

fn step(action: Action, key: &ObjectKey, fields: Vec<(FieldChange, Blame)>) -> Step {
    Step {
        action,
        key: key.clone(),
        api_version: "v1".into(),
        fields,
        reason: "its manifest changed".into(),
        risk: Risk::None,
        checked: Checked::Server,
        summary: String::new(),
    }
}

fn from(value: &str) -> Vec<(FieldChange, Blame)> {
    let change = FieldChange {
        path: crate::desired::path::Path::parse("data.a").unwrap(),
        from: Some(Shown::Plain(value.into())),
        to: Some(Shown::Plain("1".into())),
    };
    vec![(change, Blame::Manager("kubectl-edit".into(), None))]
}

fn plan(steps: Vec<Step>) -> Plan {
    Plan {
        services: vec![PlannedService {
            name: "web".into(),
            namespace: "prod".into(),
            kept: true,
            suspended: None,
            has_objects: true,
            steps,
            unchanged: Vec::new(),
            foreign: std::collections::BTreeMap::new(),
        }],
    }
}

type Pins = BTreeMap<ObjectKey, Pin>;

fn pin(uid: Option<&str>, version: Option<&str>, body: &Value) -> Pin {
    let text: Arc<str> = body.to_string().into();
    Pin {
        uid: uid.map(str::to_owned),
        resource_version: version.map(str::to_owned),
        desired: Some((key(1).of(body), text)),
    }
}

fn body() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"}})
}

/// An update of one map, which held `value`, in this version.
fn update(value: &str, uid: &str, version: &str) -> (Plan, Pins) {
    let map = object("ConfigMap", "one");
    let pins = [(map.clone(), pin(Some(uid), Some(version), &body()))];
    (
        plan(vec![step(Action::Update, &map, from(value))]),
        pins.into(),
    )
}

fn save((plan, pins): &(Plan, Pins), key: Option<&FingerprintKey>) -> SavedPlan {
    let author = Author {
        who: "ann@laptop".into(),
        version: "0.1.0".into(),
        services: "abc".into(),
    };
    let around = Circumstances {
        author: &author,
        digest: "abcdef",
        key,
        services: &[],
        confirmed: false,
        allow_delete: &[],
    };
    let saved = SavedPlan::of(plan, pins, &view(), &around);
    assert_eq!(SavedPlan::read(&saved.text()).unwrap(), saved);
    saved
}

fn compare(then: &(Plan, Pins), now: &(Plan, Pins)) -> Verdict {
    let saved = save(then, Some(&key(1)));
    since(&saved, &now.0, &now.1, Some(&key(1)))
}

fn told(verdict: Verdict) -> Vec<String> {
    let Verdict::Changed(changes) = verdict else {
        panic!("{verdict:?}")
    };
    let lines = changes.into_iter();
    lines
        .map(|one| format!("{}: {}", one.subject, one.how))
        .collect()
}

#[test]
fn another_version_with_the_same_meaning_is_still_the_plan() {
    let then = update("2", "u", "7");
    assert_eq!(compare(&then, &update("2", "u", "7")), Verdict::Same);
    assert_eq!(compare(&then, &update("2", "u", "8")), Verdict::Same);
}

#[test]
fn what_changed_is_told_by_field_and_by_whom() {
    let then = update("2", "u", "7");
    assert_eq!(
        told(compare(&then, &update("3", "u", "8"))),
        ["web · ConfigMap/one: data.a is 3 now, was 2 (was changed by kubectl-edit)"]
    );
    assert_eq!(
        told(compare(&then, &update("2", "other", "8"))),
        ["web · ConfigMap/one: another object has its name now (uid other, was u)"]
    );
    let mut wanted = update("2", "u", "7");
    let map = object("ConfigMap", "one");
    wanted.1.insert(
        map,
        pin(Some("u"), Some("7"), &json!({"kind": "ConfigMap"})),
    );
    let said = told(compare(&then, &wanted));
    assert!(said[0].contains("another body is wanted"), "{said:?}");
}

#[test]
fn steps_that_came_or_went_are_told_and_a_plan_that_was_carried_out_is_done() {
    let then = update("2", "u", "7");
    let nothing = (plan(Vec::new()), then.1.clone());
    assert_eq!(compare(&then, &nothing), Verdict::Done);
    assert_eq!(
        told(compare(&nothing, &then)),
        ["web · ConfigMap/one: was not in the plan, and would be updated: its manifest changed"]
    );
    let mut more = then.clone();
    let two = object("ConfigMap", "two");
    more.0.services[0]
        .steps
        .push(step(Action::Create, &two, Vec::new()));
    more.1.insert(two.clone(), pin(None, None, &body()));
    let mut half = then.clone();
    half.1
        .insert(two.clone(), pin(Some("new"), Some("9"), &body()));
    assert_eq!(
        told(compare(&more, &half)),
        ["web · ConfigMap/two: is as planned already"]
    );
    assert_eq!(
        told(compare(&more, &then)),
        ["web · ConfigMap/two: is not wanted any more"]
    );
}

#[test]
fn a_deletion_is_done_when_the_object_is_gone_and_not_when_somebody_else_has_its_name() {
    let map = object("ConfigMap", "old");
    let gone = Pin {
        desired: None,
        ..pin(Some("u"), Some("7"), &body())
    };
    let then = (
        plan(vec![step(Action::Delete, &map, Vec::new())]),
        Pins::from([(map.clone(), gone)]),
    );
    assert_eq!(compare(&then, &then), Verdict::Same);
    assert_eq!(
        compare(&then, &(plan(Vec::new()), Pins::new())),
        Verdict::Done
    );
    let kept = plan(vec![step(Action::Kept, &map, Vec::new())]);
    assert_eq!(told(compare(&then, &(kept, Pins::new()))).len(), 1);
}

#[test]
fn another_key_compares_nothing_and_none_compares_what_holds_no_secret() {
    let then = update("2", "u", "7");
    let keyed = save(&then, Some(&key(1)));
    for other in [None, Some(&key(2))] {
        let verdict = since(&keyed, &then.0, &then.1, other);
        assert!(told(verdict)[0].contains("its key is another one"));
    }
    let keyless = save(&then, None);
    for now in [None, Some(&key(2))] {
        assert_eq!(since(&keyless, &then.0, &then.1, now), Verdict::Same);
    }
}

#[test]
fn a_secret_is_in_a_saved_plan_as_hashes_and_without_a_key_not_at_all() {
    let secret = object("Secret", "hidden");
    let body = |value: &str| {
        json!({"kind": "Secret", "data": {"p": value},
            "spec": {"template": {"metadata": {"annotations": {ROLLS: value}}}}})
    };
    let made = |value: &str| {
        let mut steps = vec![step(Action::Create, &secret, from(value))];
        steps[0].fields[0].0.path = crate::desired::path::Path::parse("data.p").unwrap();
        let pins = Pins::from([(secret.clone(), pin(None, None, &body(value)))]);
        (plan(steps), pins)
    };
    for key in [None, Some(&key(1))] {
        let text = save(&made(CANARY), key).text();
        assert!(!text.contains(CANARY) && text.contains("hidden"), "{text}");
    }
    let desired = |value: &str| save(&made(value), None).steps[0].pin.desired.clone();
    assert_eq!(
        desired(CANARY),
        desired("another"),
        "no key, no hash of a value"
    );
    let keyed = |value: &str| {
        save(&made(value), Some(&key(1))).steps[0]
            .pin
            .desired
            .clone()
    };
    assert_ne!(keyed(CANARY), keyed("another"));
}

#[test]
fn what_is_no_saved_plan_is_refused_by_what_it_is() {
    let refused = |text: &str| SavedPlan::read(text).unwrap_err().to_string();
    assert!(refused("x").contains("no saved plan"));
    assert_eq!(
        refused("{\"kind\": \"Plan\", \"apiVersion\": \"jsorc.dev/v1alpha1\"}"),
        "it is a Plan of jsorc.dev/v1alpha1, not a saved plan of jsorc.dev/v1alpha1"
    );
}
