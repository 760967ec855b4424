//! What needs what: for people, for programs, and as a drawing (Graphviz, Mermaid).
//!
//! An arrow leads from what needs something to what it needs. What is not in the set is not drawn:
//! nothing waits for it.

use super::document;
use crate::desired::{DesiredObject, DesiredService, DesiredSet, Need, ObjectKey};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write as _;

/// The graph for people; ends with a line feed. Objects are in the order in which they are applied.
#[must_use]
pub fn text(set: &DesiredSet) -> String {
    let graph = Graph::of(set);
    let mut text = String::new();
    for (service, objects) in &graph.services {
        let first = match service.depends_on.as_slice() {
            [] => String::new(),
            names => format!("  after {}", names.join(", ")),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}{first}", service.name);
        for object in objects {
            let needs: Vec<String> = graph
                .needs(object)
                .map(|(key, need)| match need {
                    Need::Applied => key.short(),
                    Need::Current => format!("{} ready", key.short()),
                })
                .collect();
            let needs = match needs.as_slice() {
                [] => String::new(),
                needs => format!("  after {}", needs.join(", ")),
            };
            let _ = writeln!(text, "  {}{needs}", object.key.short());
        }
    }
    text
}

/// The graph for programs: `kind: Graph`.
#[must_use]
pub fn json(set: &DesiredSet) -> Value {
    let graph = Graph::of(set);
    let service = |(service, _): &(&DesiredService, Vec<&DesiredObject>)| {
        let first: Vec<&str> = service.depends_on.iter().map(|name| &**name).collect();
        json!({"name": &*service.name, "depends_on": first})
    };
    let object = |object: &DesiredObject, service: &DesiredService| {
        let after: Vec<Value> = graph
            .needs(object)
            .map(|(key, need)| json!({"object": document::object(key), "ready": need == Need::Current}))
            .collect();
        json!({"service": &*service.name, "object": document::object(&object.key),
            "stage": object.stage, "after": after})
    };
    let services: Vec<Value> = graph.services.iter().map(service).collect();
    let objects: Vec<Value> = graph
        .services
        .iter()
        .flat_map(|(service, objects)| objects.iter().map(|one| object(one, service)))
        .collect();
    document::new("Graph", json!({"services": services, "objects": objects}))
}

/// The graph for Graphviz.
#[must_use]
pub fn dot(set: &DesiredSet) -> String {
    let graph = Graph::of(set);
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut out = "digraph jsorc {\n  rankdir=LR\n  node [shape=box]\n".to_owned();
    for (number, (service, objects)) in graph.services.iter().enumerate() {
        let name = quoted(&service.name);
        let _ = writeln!(out, "  subgraph cluster_{number} {{\n    label=\"{name}\"");
        let _ = writeln!(out, "    s{number} [label=\"{name}\", shape=oval]");
        for object in objects {
            let label = format!(
                "{}\\n{}",
                quoted(&object.key.kind),
                quoted(&object.key.name)
            );
            let _ = writeln!(out, "    {} [label=\"{label}\"]", graph.id(&object.key));
        }
        out.push_str("  }\n");
    }
    for (from, to) in graph.between_services() {
        let _ = writeln!(out, "  s{from} -> s{to} [style=bold]");
    }
    for (from, to, need) in graph.between_objects() {
        let ready = if need == Need::Current {
            " [label=\"ready\"]"
        } else {
            ""
        };
        let _ = writeln!(out, "  {from} -> {to}{ready}");
    }
    out.push_str("}\n");
    out
}

/// The graph for Mermaid, which code forges draw in Markdown.
#[must_use]
pub fn mermaid(set: &DesiredSet) -> String {
    let graph = Graph::of(set);
    let quoted = |text: &str| text.replace('"', "#quot;");
    let mut out = "flowchart LR\n".to_owned();
    for (number, (service, objects)) in graph.services.iter().enumerate() {
        let name = quoted(&service.name);
        if objects.is_empty() {
            let _ = writeln!(out, "  s{number}([\"{name}\"])");
            continue;
        }
        let _ = writeln!(out, "  subgraph s{number}[\"{name}\"]");
        for object in objects {
            let label = quoted(&object.key.short());
            let _ = writeln!(out, "    {}[\"{label}\"]", graph.id(&object.key));
        }
        out.push_str("  end\n");
    }
    for (from, to) in graph.between_services() {
        let _ = writeln!(out, "  s{from} ==> s{to}");
    }
    for (from, to, need) in graph.between_objects() {
        let arrow = if need == Need::Current {
            "-->|ready|"
        } else {
            "-->"
        };
        let _ = writeln!(out, "  {from} {arrow} {to}");
    }
    out
}

/// The services with their objects in the order of their stages, and a short name for each object.
struct Graph<'a> {
    services: Vec<(&'a DesiredService, Vec<&'a DesiredObject>)>,
    ids: HashMap<&'a ObjectKey, usize>,
}

impl<'a> Graph<'a> {
    fn of(set: &'a DesiredSet) -> Self {
        let kept = set.services.iter().filter(|service| service.kept);
        let services: Vec<_> = kept
            .map(|service| {
                let mut objects: Vec<&DesiredObject> = service.objects.iter().collect();
                objects.sort_by_key(|object| object.stage);
                (service, objects)
            })
            .collect();
        let keys = services.iter().flat_map(|(_, objects)| objects);
        let ids = keys
            .enumerate()
            .map(|(id, object)| (&object.key, id))
            .collect();
        Self { services, ids }
    }

    fn id(&self, key: &ObjectKey) -> String {
        format!("o{}", self.ids.get(key).copied().unwrap_or_default())
    }

    /// What an object needs of this set.
    fn needs<'b>(
        &'b self,
        object: &'b DesiredObject,
    ) -> impl Iterator<Item = (&'b ObjectKey, Need)> {
        let here = object
            .after
            .iter()
            .filter(|first| self.ids.contains_key(&first.key));
        here.map(|first| (&first.key, first.need))
    }

    fn between_objects(&self) -> impl Iterator<Item = (String, String, Need)> {
        let objects = self.services.iter().flat_map(|(_, objects)| objects);
        objects.flat_map(move |object| {
            let from = self.id(&object.key);
            self.needs(object)
                .map(move |(key, need)| (from.clone(), self.id(key), need))
        })
    }

    fn between_services(&self) -> Vec<(usize, usize)> {
        let place = |name: &str| self.services.iter().position(|(s, _)| *s.name == *name);
        let mut found = Vec::new();
        for (from, (service, _)) in self.services.iter().enumerate() {
            let first = service.depends_on.iter().filter_map(|name| place(name));
            found.extend(first.map(|to| (from, to)));
        }
        found
    }
}
