//! What a process hears, in one line, for whoever replays a seed.

use crate::engine::{Event, WatchChange, Written};
use serde_json::Value;

/// Events in one line.
pub fn heard(events: &[Event]) -> String {
    let each: Vec<String> = events.iter().map(told).collect();
    each.join("; ")
}

fn told(event: &Event) -> String {
    match event {
        Event::Desired(_) => "Desired".to_owned(),
        Event::Inventories(all) => {
            let each = all
                .iter()
                .map(|it| (&*it.service, it.epoch, it.resource_version.as_deref()));
            format!("Inventories {:?}", each.collect::<Vec<_>>())
        }
        Event::Watch(key, change) => {
            let said = match change {
                WatchChange::Applied(object) => format!("applied {}", which(&object.value())),
                WatchChange::Deleted(object) => format!("deleted {}", which(&object.value())),
                other => format!("{other:?}"),
            };
            format!("{} {said}", key.resource.kind)
        }
        Event::Wrote {
            key,
            attempt,
            outcome,
        } => {
            let outcome = match outcome {
                Ok(Written::Object { created, object }) => {
                    format!("created {created}: {}", which(&object.value()))
                }
                other => format!("{other:?}"),
            };
            format!("wrote {} #{attempt} {outcome}", key.short())
        }
        Event::Looked(key, found) => {
            let found = found.as_ref().map(|found| found.as_deref().map(which));
            format!("looked {} {found:?}", key.short())
        }
        other => format!("{other:?}"),
    }
}

fn which(object: &Value) -> String {
    let metadata = &object["metadata"];
    let text = |name: &str| metadata[name].as_str().unwrap_or("").to_owned();
    format!(
        "{} {} v{}",
        text("name"),
        text("uid"),
        text("resourceVersion")
    )
}
