use super::samples::*;
use super::*;
use crate::desired::ObjectKey;
use crate::desired::path::Path;
use crate::engine::{Action, Blame, Checked, Plan, Risk};
use serde_json::json;

const WHOLE: &str = "\
https://10.0.0.1:6443 · context kind-dev · namespace prod · instance jsorc

promon · namespace prod
  + Namespace              prod               new
  + ConfigMap              prometheus-server  1 key
  + Deployment             prometheus-server  prom/prometheus:v3.8.0
  … 22 more to create (jsorc plan promon -v)

redis · namespace prod
  ~ Deployment             redis              2 fields · restarts pods
      spec.replicas                           5 → 1                                was changed by kubectl-scale 2m ago
      spec…containers[redis].image            redis:8.0-alpine → redis:8.2-alpine  was changed by kubectl-set
  ~ Secret                 redis-tls          1 field
      data[\"tls.key\"]                         •••• #3fa1 → •••• #90bd
  - Service                redis-old          no longer in services/redis
  ! PersistentVolumeClaim  redis-data         stays: protected kind (--allow-delete PersistentVolumeClaim/redis-data)

web · as it ought to be
mail, task · no manifests, rerun only
cache · not kept alive: nothing is changed or removed

Plan: 25 create, 2 update, 1 delete, 1 kept.   26 checked by the server, 3 not yet (their namespace comes first).
Apply it with: jsorc apply
";

pub(super) fn one(steps: Vec<crate::engine::Step>) -> Plan {
    Plan {
        services: vec![service("redis", steps)],
    }
}

/// What stands between the first line and the sentence at the end.
fn body(plan: &Plan, view: &PlanView) -> String {
    let text = text(plan, view);
    let (_, rest) = text.split_once("redis · namespace prod\n").unwrap();
    let (body, _) = rest.split_once("\n\n").unwrap();
    body.to_owned()
}

#[test]
fn a_whole_plan() {
    assert_eq!(text(&plan(), &view()), WHOLE);
}

#[test]
fn colours_repeat_the_signs_and_nothing_else() {
    let view = PlanView {
        palette: Palette::COLOURED,
        ..view()
    };
    let coloured = text(&plan(), &view);
    for painted in [
        "  \u{1b}[32m+\u{1b}[0m Namespace",
        "  \u{1b}[33m~\u{1b}[0m Deployment",
        "  \u{1b}[31m-\u{1b}[0m Service",
        "  \u{1b}[1m!\u{1b}[0m PersistentVolumeClaim",
        "Plan: \u{1b}[32m25 create\u{1b}[0m, \u{1b}[33m2 update\u{1b}[0m, \u{1b}[31m1 delete\u{1b}[0m",
    ] {
        assert!(coloured.contains(painted), "{painted:?} in {coloured}");
    }
    let mut stripped = coloured;
    for code in [0, 1, 2, 31, 32, 33] {
        stripped = stripped.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(stripped, WHOLE);
}

#[test]
fn quiet_leaves_the_first_line_and_the_last_ones() {
    let view = PlanView {
        quiet: true,
        apply: None,
        ..view()
    };
    assert_eq!(
        text(&plan(), &view),
        "https://10.0.0.1:6443 · context kind-dev · namespace prod · instance jsorc\n\
         Plan: 25 create, 2 update, 1 delete, 1 kept.   26 checked by the server, 3 not yet (their namespace comes first).\n"
    );
}

#[test]
fn verbose_shows_every_step_and_whole_paths() {
    let view = PlanView {
        verbose: true,
        ..view()
    };
    let text = text(&plan(), &view);
    assert!(text.contains("  + Service                extra-21           new\n"));
    assert!(text.contains("      spec.template.spec.containers[redis].image  redis:8.0-alpine → "));
    assert!(!text.contains('…'), "{text}");
}

#[test]
fn nothing_to_do_is_said_in_words() {
    let mut plan = plan();
    plan.services.retain(|service| service.steps.is_empty());
    assert_eq!(
        text(&plan, &view()),
        "https://10.0.0.1:6443 · context kind-dev · namespace prod · instance jsorc\n\n\
         mail, task · no manifests, rerun only\n\
         cache · not kept alive: nothing is changed or removed\n\n\
         Nothing to do: 1 object is as it ought to be.\n"
    );
    let claim = step(
        Action::Kept,
        "PersistentVolumeClaim",
        "a",
        "stays: protected",
    );
    let text = text(&one(vec![claim]), &view());
    assert!(
        text.ends_with("\nNothing to do: 0 objects are as they ought to be, 1 kept.\n"),
        "{text}"
    );
}

#[test]
fn what_is_blocked_says_why_in_full_and_is_not_applied() {
    let reason = "ConfigMap/web is not ours: field managers helm, kubectl-edit; Helm release web in namespace prod owns it (jsorc adopt ConfigMap/web)";
    let alone = one(vec![step(Action::Blocked, "ConfigMap", "web", reason)]);
    let narrow = PlanView {
        width: Some(40),
        ..view()
    };
    assert_eq!(
        body(&alone, &narrow),
        format!("  ! ConfigMap  web  blocked: {reason}")
    );
    let whole = text(&alone, &narrow);
    assert!(
        whole.ends_with("\nPlan: 1 blocked.   1 checked by the server.\n"),
        "{whole}"
    );
    let many = (0..9).map(|n| step(Action::Blocked, "ConfigMap", &format!("c{n}"), "no right"));
    assert_eq!(
        body(&one(many.collect()), &view()),
        "  ! ConfigMap  c0  blocked: no right\n  ! ConfigMap  c1  blocked: no right\n  ! ConfigMap  c2  blocked: no right\n  … 6 more blocked for the same reason (jsorc plan redis -v)"
    );
}

#[test]
fn values_of_many_lines_are_a_diff() {
    let from = "global:\n  scrape_interval: 15s\nrules: []\n";
    let to = "global:\n  scrape_interval: 30s\nrules: []\n";
    let mut update = step(Action::Update, "ConfigMap", "prometheus", "was changed");
    let mut changed = change("data", json!(from), json!(to));
    changed.path = key_of_data("prometheus.yml");
    update.fields = vec![
        (changed, Blame::Unknown),
        (
            change(
                "spec.args",
                json!(null),
                json!([
                    "--first",
                    "--second=a",
                    "--third=a-long-one",
                    "--fourth=another"
                ]),
            ),
            Blame::Unknown,
        ),
        (
            change("spec.paused", json!(true), json!(null)),
            Blame::Unknown,
        ),
        (change("spec.port", json!("80"), json!(80)), Blame::Unknown),
    ];
    assert_eq!(
        body(&one(vec![update]), &view()),
        "  ~ ConfigMap  prometheus  4 fields
      data[\"prometheus.yml\"]  1 line added, 1 removed  was changed by someone unknown
        @@ -1,3 +1,3 @@
         global:
        -  scrape_interval: 15s
        +  scrape_interval: 30s
         rules: []
      spec.args               not set → 6 lines        was changed by someone unknown
        @@ -0,0 +1,6 @@
        +[
        +  \"--first\",
        +  \"--second=a\",
        +  \"--third=a-long-one\",
        +  \"--fourth=another\"
        +]
      spec.paused             true → removed           was changed by someone unknown
      spec.port               \"80\" → 80                was changed by someone unknown"
    );
}

#[test]
fn long_values_are_shortened_where_they_part_and_the_way_to_all_is_said() {
    let image = |tag: &str| {
        json!(format!(
            "registry.example.com/a/very/long/path/to/the/image:{tag}"
        ))
    };
    let mut update = step(Action::Update, "Deployment", "web", "its manifest changed");
    update.fields = vec![(
        change("spec.image", image("1.0"), image("1.1")),
        Blame::Unknown,
    )];
    let plan = one(vec![update]);
    let narrow = PlanView {
        width: Some(70),
        ..view()
    };
    let shown = text(&plan, &narrow);
    assert!(
        shown.contains("      spec.image     …/path/to/the/image:1.0 → …/path/to/the/image:1.1\n"),
        "{shown}"
    );
    assert!(
        shown.contains("\nValues with … are shortened; -v shows them whole.\n"),
        "{shown}"
    );
    let verbose = PlanView {
        verbose: true,
        ..narrow
    };
    let whole = text(&plan, &verbose);
    assert!(
        whole.contains("image:1.0 → registry.example.com/"),
        "{whole}"
    );
}

#[test]
fn wide_characters_keep_the_columns() {
    let steps = vec![
        create("ConfigMap", "設定", "1 key"),
        create("ConfigMap", "abcdef", "2 keys"),
    ];
    assert_eq!(
        body(&one(steps), &view()),
        "  + ConfigMap  設定    1 key\n  + ConfigMap  abcdef  2 keys"
    );
}

#[test]
fn what_happens_to_a_job_and_to_a_deleted_object_is_said() {
    let mut job = step(Action::Recreate, "Job", "init", "a Job cannot change");
    job.risk = Risk::Loss;
    let mut gone = create("Deployment", "redis", "redis:8.2-alpine");
    gone.reason = "was deleted".into();
    let mut elsewhere = create("ConfigMap", "x", "");
    elsewhere.key.namespace = Some("kube-system".into());
    elsewhere.checked = Checked::Schema;
    let plan = one(vec![job, gone, elsewhere]);
    assert_eq!(
        body(&plan, &view()),
        "  ± Job         init           deletes and creates anew · a Job cannot change\n  + Deployment  redis          redis:8.2-alpine · was deleted\n  + ConfigMap   kube-system/x  new"
    );
    let whole = text(&plan, &view());
    let sentence = "Plan: 2 create, 1 recreate.   2 checked by the server, 1 compared by schema, without the server.\n";
    assert!(whole.contains(sentence), "{whole}");
}

#[test]
fn many_fields_are_folded() {
    let mut update = step(Action::Update, "ConfigMap", "many", "its manifest changed");
    let field = |n: u32| {
        (
            change(&format!("data.k{n}"), json!("a"), json!("b")),
            Blame::Unknown,
        )
    };
    update.fields = (0..30).map(field).collect();
    let shown = body(&one(vec![update]), &view());
    assert_eq!(shown.lines().count(), 12);
    assert!(
        shown.ends_with("\n      … 20 more fields (jsorc plan redis -v)"),
        "{shown}"
    );
}

#[test]
fn the_documented_json() {
    let mut plan = plan();
    plan.services
        .retain(|service| matches!(&*service.name, "redis" | "web"));
    let redis = &mut plan.services[0];
    redis.steps.retain(|step| step.action == Action::Update);
    redis.suspended = Some("suspended by ann: a migration".into());
    let document = json(&plan, &view());
    let object = |version: &str, kind: &str, name: &str| json!({"apiVersion": version, "kind": kind, "namespace": "prod", "name": name});
    let expected = json!({
        "apiVersion": "jsorc.dev/v1alpha1",
        "kind": "Plan",
        "target": {"server": "https://10.0.0.1:6443", "context": "kind-dev", "namespace": "prod", "instance": "jsorc"},
        "summary": {"create": 0, "update": 2, "recreate": 0, "delete": 0, "kept": 0, "unchanged": 1, "blocked": 0},
        "suspended": [{"service": "redis", "reason": "suspended by ann: a migration"}],
        "steps": [
            {
                "action": "update", "service": "redis", "object": object("apps/v1", "Deployment", "redis"),
                "fields": [
                    {"path": "spec.replicas", "from": 5, "to": 1,
                     "by": {"manager": "kubectl-scale", "time": "2026-11-22T14:01:00Z"}},
                    {"path": "spec.template.spec.containers[redis].image",
                     "from": "redis:8.0-alpine", "to": "redis:8.2-alpine",
                     "by": {"manager": "kubectl-set", "time": null}},
                ],
                "reason": "was changed", "risk": "restart", "checked": "server", "foreign": [],
            },
            {
                "action": "update", "service": "redis", "object": object("v1", "Secret", "redis-tls"),
                "fields": [{"path": "data[\"tls.key\"]", "from": "•••• #3fa1", "to": "•••• #90bd", "by": {"unknown": true}}],
                "reason": "its manifest changed", "risk": "none", "checked": "server", "foreign": [],
            },
        ],
    });
    assert_eq!(document, expected);
    let keys: Vec<&String> = document.as_object().unwrap().keys().collect();
    let named = [
        "apiVersion",
        "kind",
        "target",
        "summary",
        "suspended",
        "steps",
    ];
    assert_eq!(keys, named);
    let verbose = PlanView {
        verbose: true,
        ..view()
    };
    let with_unchanged = json(&plan, &verbose);
    assert_eq!(with_unchanged["steps"][2]["action"], "unchanged");
    assert_eq!(
        with_unchanged["steps"][2]["object"],
        object("apps/v1", "Deployment", "web")
    );
}

#[test]
fn what_others_added_is_one_note_and_in_full_a_line_for_each_field() {
    let mut plan = one(Vec::new());
    let key = ObjectKey::new("", "ConfigMap", Some("prod"), "redis");
    let at = |path: &str| (Path::parse(path).unwrap(), scaled());
    let fields = vec![at("data.theirs"), at("metadata.labels.tier")];
    plan.services[0].foreign.insert(key.clone(), fields);
    plan.services[0].unchanged = vec![(key, "v1".into())];
    let brief = text(&plan, &view());
    assert!(
        brief.ends_with(
            "\n2 fields that others added are left as they are; -v lists them.\n\
             Nothing to do: 1 object is as it ought to be.\n"
        ),
        "{brief}"
    );
    let verbose = PlanView {
        verbose: true,
        ..view()
    };
    let full = text(&plan, &verbose);
    let (_, rest) = full
        .split_once("redis · namespace prod · 1 unchanged\n")
        .unwrap();
    assert_eq!(
        rest.split_once("\n\n").unwrap().0,
        "  foreign  ConfigMap/redis  data.theirs           added by kubectl-scale 2m ago\n  \
           foreign  ConfigMap/redis  metadata.labels.tier  added by kubectl-scale 2m ago"
    );
    assert_eq!(
        json(&plan, &verbose)["steps"][0]["foreign"][0],
        json!({"path": "data.theirs", "by": {"manager": "kubectl-scale", "time": "2026-11-22T14:01:00Z"}})
    );
    assert!(!plan.differs());
}

#[test]
fn what_is_to_be_removed_was_added_by_someone() {
    let mut update = step(Action::Update, "ConfigMap", "redis", "others added to it");
    update.fields = vec![(change("data.theirs", json!("x"), json!(null)), scaled())];
    assert_eq!(
        body(&one(vec![update]), &view()),
        "  ~ ConfigMap  redis  1 field\n      \
               data.theirs     x → removed  added by kubectl-scale 2m ago"
    );
}
