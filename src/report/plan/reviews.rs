//! What reviewers get.

use super::samples::*;
use super::*;
use crate::engine::{Action, Blame, Plan, PlannedService, Risk};
use proptest::prelude::*;
use pulldown_cmark::{Event, Parser};
use serde_json::json;

const LIMIT: usize = 60_000;

/// The HTML that a renderer would take as such, and the texts outside of code blocks.
fn outside(page: &str) -> (Vec<String>, String) {
    let (mut html, mut text, mut in_code) = (Vec::new(), String::new(), false);
    for event in Parser::new(page) {
        match event {
            Event::Start(pulldown_cmark::Tag::CodeBlock(_)) => in_code = true,
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => in_code = false,
            Event::Html(part) | Event::InlineHtml(part) => html.push(part.trim().to_owned()),
            Event::Text(part) | Event::Code(part) if !in_code => text.push_str(&part),
            _ => {}
        }
    }
    html.retain(|part| !part.is_empty());
    (html, text)
}

#[test]
fn a_whole_review() {
    let mut plan = plan();
    plan.services.retain(|service| &*service.name != "promon");
    assert_eq!(
        markdown(&plan, &view()),
        "<!-- jsorc:plan jsorc -->
**jsorc** · Plan: 2 update, 1 delete, 1 kept. 4 checked by the server.

```text
https://10.0.0.1:6443 · context kind-dev · namespace prod · instance jsorc
```

**Look at these first**

```diff
- redis · Service/redis-old · deletes · no longer in services/redis  [server, risk: loss]
~ redis · Deployment/redis · 2 fields · restarts pods  [server, risk: restart]
```

<details><summary>redis: 2 update, 1 delete, 1 kept</summary>

```diff
- Service/redis-old  no longer in services/redis  [server, risk: loss]
~ Deployment/redis  2 fields · restarts pods  [server, risk: restart]
    spec.replicas  5 → 1  was changed by kubectl-scale at 2026-11-22T14:01:00Z
    spec.template.spec.containers[redis].image  redis:8.0-alpine → redis:8.2-alpine  was changed by kubectl-set
~ Secret/redis-tls  1 field  [server, risk: none]
    data[\"tls.key\"]  •••• #3fa1 → •••• #90bd
! PersistentVolumeClaim/redis-data  stays: protected kind (--allow-delete PersistentVolumeClaim/redis-data)  [server, risk: none]
```

</details>

Nothing to change in: cache, mail, task, web.
"
    );
}

#[test]
fn a_diff_keeps_its_signs_at_the_beginning_of_the_line() {
    let mut update = step(Action::Update, "ConfigMap", "a", "its manifest changed");
    update.fields = vec![(
        change("data.x", json!("a\nb\n"), json!("a\n```c\n")),
        Blame::Unknown,
    )];
    let page = markdown(
        &Plan {
            services: vec![service("redis", vec![update])],
        },
        &view(),
    );
    assert!(
        page.contains("````diff\n~ ConfigMap/a  1 field  [server, risk: none]\n    data.x  1 line added, 1 removed\n    @@ -1,2 +1,2 @@\n      a\n-     b\n+     ```c\n````\n"),
        "{page}"
    );
}

fn big(services: usize, steps: usize) -> Plan {
    let one = |number: usize| {
        let mut update = step(
            Action::Update,
            "Deployment",
            &format!("web-{number}"),
            "was changed",
        );
        update.fields = vec![(change("spec.replicas", json!(number), json!(1)), scaled())];
        if number.is_multiple_of(7) {
            update.risk = Risk::Restart;
        }
        update
    };
    let service = |name: usize| -> PlannedService {
        service(&format!("service-{name}"), (0..steps).map(one).collect())
    };
    Plan {
        services: (0..services).map(service).collect(),
    }
}

#[test]
fn three_thousand_steps_stay_within_the_limit() {
    for (services, steps) in [(1, 3_000), (3, 1_000), (60, 50), (3_000, 1)] {
        let page = markdown(&big(services, steps), &view());
        let length = page.chars().count();
        assert!(length <= LIMIT, "{services} × {steps}: {length}");
        assert!(length > LIMIT / 2, "{services} × {steps}: {length}");
        let opened = page.matches("<details>").count();
        assert_eq!(opened, page.matches("</details>").count());
        assert!(page.contains("more"), "what is left out is counted");
        assert!(
            opened == services || page.contains("more services"),
            "{opened}"
        );
        let risky = page.find("Look at these first").unwrap();
        assert!(risky < page.find("<details>").unwrap());
    }
}

#[test]
fn one_enormous_value_does_not_burst_the_page() {
    let mut update = step(Action::Blocked, "ConfigMap", "a", &"reason ".repeat(20_000));
    let value = "x".repeat(100_000);
    update.fields = vec![(
        change("data.x", json!("a\nb"), json!(value)),
        Blame::Unknown,
    )];
    let mut view = view();
    view.target.server = "s".repeat(70_000);
    view.target.instance = "i".repeat(70_000);
    let plan = Plan {
        services: vec![service("redis", vec![update])],
    };
    assert!(markdown(&plan, &view).chars().count() <= LIMIT);
}

proptest! {
    #[test]
    fn no_value_breaks_out(
        hostile in "(`{1,9}|~{3}|</?(details|script|summary|pre)>|-->|<!--|\n|\r\n| {4}|@someone|[a-z*_#&;\\[\\]()!|]{1,5}){1,12}",
        multi in "([`~<>a]{0,6}\n){1,4}",
    ) {
        let mut update = step(Action::Update, "ConfigMap", &hostile, &hostile);
        update.risk = Risk::Loss;
        update.fields = vec![
            (change("data.a", json!(hostile), json!("b")), Blame::Manager(hostile.clone(), None)),
            (change("data.b", json!(multi), json!(format!("{hostile}\n"))), Blame::Unknown),
        ];
        let blocked = step(Action::Blocked, &hostile, "x", &hostile);
        let mut view = view();
        view.target = Target {
            server: hostile.clone(),
            found: hostile.clone(),
            namespace: hostile.clone(),
            instance: hostile.clone(),
        };
        let plan = Plan {
            services: vec![
                service("idle", Vec::new()),
                service(&hostile, vec![update, blocked]),
                service(&hostile, Vec::new()),
            ],
        };
        let page = markdown(&plan, &view);
        let (html, _) = outside(&page);
        prop_assert!(html[0].starts_with("<!-- jsorc:plan "), "{:?}", html);
        prop_assert!(html[0].ends_with(" -->"), "{:?}", html);
        prop_assert!(html[1].starts_with("<details><summary>"), "{:?}", html);
        prop_assert!(html[1].ends_with("</summary>"), "{:?}", html);
        prop_assert_eq!(html[1].matches('<').count(), 3, "{:?}", html);
        prop_assert_eq!(&html[2..], ["</details>"], "{}", page);
        let (_, text) = outside(&page);
        prop_assert!(!text.contains("data.a"), "{}", page);
    }
}
