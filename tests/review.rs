//! Plans for reviewers: what could be checked of a set that brings its own namespace and kinds, and
//! the comment for a change.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Cluster, Jsorc, eventually};

const LONG: Duration = Duration::from_secs(60);

/// A definition of a kind, an object of it, and a map beside them.
fn gadgets(group: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: gadgets.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{plural: gadgets, singular: gadget, kind: Gadget, listKind: GadgetList}}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {{spec: {{type: object, properties: {{size: {{type: integer}}}}}}}}
---
apiVersion: {group}/v1
kind: Gadget
metadata: {{name: first}}
spec: {{size: 1}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: beside}}
data: {{a: \"1\"}}
"
    )
}

struct Site {
    cluster: &'static Cluster,
    jsorc: Jsorc,
    group: String,
}

impl Site {
    fn new(prefix: &str) -> Self {
        let cluster = Cluster::shared();
        let jsorc = Jsorc::on(cluster, prefix);
        let group = format!("{}.example.com", jsorc.namespace);
        let text = gadgets(&group);
        let jsorc = jsorc.services(&[
            ("web/service.yaml", "driver: none\n"),
            ("web/kube/web.yaml", &text),
        ]);
        Self {
            cluster,
            jsorc,
            group,
        }
    }

    /// How each object was checked.
    fn checks(&self) -> BTreeMap<String, String> {
        let plan = self.jsorc.run(&["plan", "-o", "json"]).expect(0).json();
        let steps = plan["steps"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let check = |step: Value| (text(&step["object"]["kind"]), text(&step["checked"]));
        steps.into_iter().map(check).collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let name = format!("gadgets.{}", self.group);
        let delete = ["delete", "crd", &name, "--ignore-not-found", "--wait=false"];
        self.cluster.as_admin().output(&delete);
    }
}

fn expected(rows: &[(&str, &str)]) -> BTreeMap<String, String> {
    let rows = rows.iter();
    rows.map(|(kind, check)| ((*kind).to_owned(), (*check).to_owned()))
        .collect()
}

#[test]
fn one_plan_covers_a_namespace_a_definition_and_its_objects_and_says_how_each_was_checked() {
    let site = Site::new("review");
    let rows = [
        ("Namespace", "schema"),
        ("CustomResourceDefinition", "server"),
        ("Gadget", "assumed"),
        ("ConfigMap", "assumed"),
    ];
    assert_eq!(site.checks(), expected(&rows));
    let text = site.jsorc.run(&["plan"]).expect(0).stdout;
    assert!(
        text.contains("1 checked by the server")
            && text.contains("2 not yet (their namespace comes first)"),
        "{text}"
    );
    let review = site.jsorc.run(&["plan", "-o", "markdown"]).expect(0).stdout;
    let namespace = &site.jsorc.namespace;
    let first = review.lines().next().unwrap();
    assert_eq!(first, format!("<!-- jsorc:plan jsorc.{namespace}.it -->"));
    for (kind, check) in rows {
        let line = review
            .lines()
            .find(|line| line.starts_with(&format!("+ {kind}/")));
        let line = line.unwrap_or_else(|| panic!("no {kind} in {review}"));
        assert!(line.ends_with(&format!("[{check}, risk: none]")), "{line}");
    }
    // Saved, and carried out in one go.
    site.jsorc.run(&["plan", "--out", "it.plan"]).expect(0);
    site.jsorc.run(&["apply", "it.plan"]).expect(0);
    eventually("the gadget", LONG, || {
        let kind = format!("gadgets.{}", site.group);
        let gadget = ["get", &kind, "first", "-n", namespace];
        let there = site.cluster.as_admin().output(&gadget);
        there.status.success().then_some(())
    });
    site.jsorc.run(&["plan", "--exit-code"]).expect(0);

    let changed = gadgets(&site.group).replace("size: 1", "size: 2");
    site.jsorc.file("services/web/kube/web.yaml", &changed);
    assert_eq!(site.checks(), expected(&[("Gadget", "server")]));
    let wrong = gadgets(&site.group).replace("size: 1", "size: large");
    site.jsorc.file("services/web/kube/web.yaml", &wrong);
    let review = site.jsorc.run(&["plan", "-o", "markdown"]).expect(0).stdout;
    assert!(
        review.contains("! web · Gadget/first · blocked: would be refused"),
        "{review}"
    );
}

#[test]
fn a_review_names_what_is_risky_first_and_stays_within_a_comment() {
    let map = |number: usize| {
        let line = "0123456789abcdef ".repeat(6);
        let row = |n: usize| format!("    {n} {line}\n");
        let text: String = (0..40).map(row).collect();
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map-{number}}}\ndata:\n  text: |\n{text}"
        )
    };
    let many: String = (0..30).map(map).collect();
    let old =
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: old}\nspec: {ports: [{port: 80}]}\n";
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "review-long").services(&[
        ("web/service.yaml", "driver: none\n"),
        ("web/kube/web.yaml", &format!("{many}{old}")),
    ]);
    jsorc.run(&["apply"]).expect(0);
    jsorc.file("services/web/kube/web.yaml", &many.replace("0123", "3210"));
    let review = jsorc.run(&["plan", "-o", "markdown"]).expect(0).stdout;
    let length = review.chars().count();
    assert!(length <= 60_000 && length > 40_000, "{length}");
    let risky = review.find("Look at these first").unwrap();
    let deleted = review.find("- web · Service/old · deletes").unwrap();
    let folded = review.find("<details>").unwrap();
    assert!(risky < deleted && deleted < folded, "{review}");
    assert!(review.contains("[server, risk: loss]"), "{review}");
    assert_eq!(review.matches("<details>").count(), 1);
    let headlines = review
        .lines()
        .filter(|line| line.starts_with("~ ConfigMap/"));
    let checked = |line: &str| line.ends_with("[server, risk: none]");
    assert!(headlines.clone().all(checked), "{review}");
    assert_eq!(headlines.count(), 30);
    assert!(review.contains(" lines (jsorc plan -v)"), "{review}");
}
