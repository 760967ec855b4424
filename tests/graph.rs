//! What needs what, told without a cluster.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::Jsorc;

const WEB: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {a: \"1\"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: \"web:1\", envFrom: [{configMapRef: {name: web}}]}
";
const BASE: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: base}
data: {a: \"1\"}
";

fn site() -> Jsorc {
    Jsorc::alone("graph")
        .services(&[
            ("web/service.yaml", "driver: none\ndepends_on: [base]\n"),
            ("web/kube/web.yaml", WEB),
            ("base/service.yaml", "driver: none\n"),
            ("base/kube/base.yaml", BASE),
            ("bare/service.yaml", "driver: none\n"),
        ])
        .set("JSORC_CREATE_NAMESPACE", "false")
}

#[test]
fn the_graph_for_people_has_every_object_after_what_it_needs() {
    let text = site().run(&["graph"]).expect(0).stdout;
    assert_eq!(
        text,
        "bare
base
  ConfigMap/base
web  after base
  ConfigMap/web
  Deployment/web  after ConfigMap/web
"
    );
}

#[test]
fn the_graph_for_programs_tells_what_has_to_be_ready_and_leads_nowhere_else() {
    let jsorc = site().set("JSORC_CREATE_NAMESPACE", "true");
    let graph = jsorc.run(&["graph", "-o", "json"]).expect(0).json();
    assert_eq!(graph["kind"], "Graph");
    let web = json!({"name": "web", "depends_on": ["base"]});
    assert!(
        graph["services"].as_array().unwrap().contains(&web),
        "{graph}"
    );
    let objects = graph["objects"].as_array().unwrap();
    let name = |object: &Value| format!("{}/{}", object["kind"], object["name"]).replace('"', "");
    let stages: BTreeMap<String, u64> = objects
        .iter()
        .map(|one| (name(&one["object"]), one["stage"].as_u64().unwrap()))
        .collect();
    let mut edges = 0;
    for object in objects {
        for first in object["after"].as_array().unwrap() {
            edges += 1;
            let needed = name(&first["object"]);
            assert!(
                stages[&needed] < stages[&name(&object["object"])],
                "{object}"
            );
            assert_eq!(first["ready"], needed.starts_with("Namespace/"));
        }
    }
    assert_eq!(
        edges, 4,
        "three objects in a namespace, and one that reads another"
    );
    let one = jsorc.run(&["graph", "base", "-o", "json"]).expect(0).json();
    assert_eq!(one["services"], json!([{"name": "base", "depends_on": []}]));
}

#[test]
fn drawings_have_a_node_for_each_object_and_an_arrow_for_each_need() {
    let jsorc = site();
    let dot = jsorc.run(&["graph", "-o", "dot"]).expect(0).stdout;
    for part in [
        "digraph jsorc {",
        "label=\"Deployment\\nweb\"",
        "s2 -> s1 [style=bold]",
        "o2 -> o1\n",
    ] {
        assert!(dot.contains(part), "no {part} in\n{dot}");
    }
    assert_eq!(dot.matches('{').count(), dot.matches('}').count());
    let mermaid = jsorc.run(&["graph", "-o", "mermaid"]).expect(0).stdout;
    for part in [
        "flowchart LR\n",
        "[\"Deployment/web\"]",
        "s2 ==> s1\n",
        "o2 --> o1\n",
        "s0([\"bare\"])",
    ] {
        assert!(mermaid.contains(part), "no {part} in\n{mermaid}");
    }
    let markdown = jsorc.run(&["graph", "-o", "markdown"]).expect(0).stdout;
    assert_eq!(markdown, format!("```mermaid\n{mermaid}```\n"));
    let other = jsorc.run(&["services", "-o", "dot"]).expect(2);
    assert!(
        other.stderr.contains("`jsorc graph` draws"),
        "{}",
        other.stderr
    );
}

#[test]
fn the_embedded_services_are_drawn_too() {
    let dot = Jsorc::alone("drawn")
        .run(&["graph", "-o", "dot"])
        .expect(0)
        .stdout;
    assert!(dot.contains("label=\"Deployment\\nredis\""), "{dot}");
}
