use super::*;

fn now() -> Timestamp {
    "2026-11-22T14:03:07Z".parse().unwrap()
}

fn before(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() - seconds).unwrap()
}

fn map(name: &str, namespace: &str) -> Named {
    Named {
        group: String::new(),
        kind: "ConfigMap".into(),
        namespace: Some(namespace.into()),
        name: name.into(),
    }
}

fn chapter() -> Chapter {
    let applied = What::Applied {
        created: 4,
        changed: 0,
        version: "0.1.0".into(),
        services: "3fa19c07d2b1".into(),
    };
    let mut healed = Entry::new(
        before(60),
        "pod jsorc-0",
        What::Healed {
            object: map("redis", "prod"),
            fault: Fault::Changed,
            fields: vec![Field {
                path: "data.a".into(),
                from: Some("\u{1b}[31m2".into()),
                to: None,
            }],
            more: 2,
            culprit: Some("kubectl-edit".into()),
            micros: 4_100,
        },
    );
    healed.since = Some(before(600));
    healed.times = 3;
    let suspended = What::Ordered {
        service: Some("redis".into()),
        order: Wish::Suspended,
        until: None,
        reason: Some("a migration".into()),
    };
    let deleted = What::Deleted {
        count: 5,
        objects: vec![map("old", "prod"), map("older", "other")],
    };
    Chapter::new(
        Some("redis".into()),
        Some("prod".into()),
        vec![
            Entry::new(before(700), "ann@laptop", applied),
            Entry::new(before(650), "ann@laptop", deleted),
            Entry::new(before(5), "ann", suspended),
            healed,
        ],
    )
}

fn view() -> HistoryView {
    HistoryView {
        whole: false,
        width: None,
        palette: Palette::PLAIN,
        now: now(),
    }
}

#[test]
fn a_history_for_people_has_the_newest_first_and_steers_no_terminal() {
    assert_eq!(
        text(&[chapter()], &view()),
        "redis · namespace prod
  5s ago   suspended  ann          a migration
  1m ago   healed     pod jsorc-0  ConfigMap/redis data.a \\u{1b}[31m2 → removed, 2 more, changed by kubectl-edit, after 4 ms · 3 times since 10m ago
  10m ago  pruned     ann@laptop   ConfigMap/old, ConfigMap/older in other, 3 more: no longer in the services folder
  11m ago  applied    ann@laptop   4 created · jsorc 0.1.0, services 3fa19c07d2b1
"
    );
    assert_eq!(text(&[], &view()), "Nothing is recorded yet.\n");
}

#[test]
fn a_long_history_is_folded_where_several_are_shown() {
    let rerun = |second| {
        let what = What::Rerun {
            why: "asked for".into(),
            answer: "PONG".into(),
        };
        Entry::new(before(second), "pod jsorc-0", what)
    };
    let long = Chapter::new(Some("redis".into()), None, (0..15).map(rerun).collect());
    let folded = text(std::slice::from_ref(&long), &view());
    assert!(
        folded.ends_with("  … 7 older (jsorc history redis)\n"),
        "{folded}"
    );
    let whole = HistoryView {
        whole: true,
        ..view()
    };
    assert_eq!(text(&[long], &whole).lines().count(), 16);
}

#[test]
fn a_history_for_programs_has_the_documented_form() {
    let document = json(&[chapter()]);
    assert_eq!(document["kind"], "History");
    assert_eq!(document["apiVersion"], "jsorc.dev/v1alpha1");
    let entries = document["services"][0]["entries"].as_array().unwrap();
    assert_eq!(
        entries[1],
        json!({
            "time": "2026-11-22T14:02:07Z", "since": "2026-11-22T13:53:07Z", "times": 3,
            "what": "healed", "by": "pod jsorc-0",
            "object": {"group": "", "kind": "ConfigMap", "namespace": "prod", "name": "redis"},
            "fault": "changed",
            "fields": [{"path": "data.a", "from": "\u{1b}[31m2", "to": null}], "more_fields": 2,
            "changed_by": "kubectl-edit", "took_ms": 4.1,
        })
    );
    assert_eq!(entries[3]["created"], 4);
    assert_eq!(entries[3]["digest"], "3fa19c07d2b1");
    assert_eq!(entries[0]["reason"], "a migration");
}
