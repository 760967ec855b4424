//! What others added to an object of ours: a sidecar, a variable, a key, a label. Neither the
//! manifest nor our Apply entry has it, so it is no drift; policy decides whether it may stay.
//!
//! Said with care, because a policy may remove it. Only what a person or a tool wrote counts: what
//! a controller, a subresource or an admission webhook (which writes under the name of whoever
//! asked, so under ours) has a part in is left out, and so is what no entry names: defaults.
//! Where a whole list item or struct was added, it is one addition.
//!
//! Source of the rules: Kubernetes, "Server-Side Apply", and the field set encoding of
//! structured-merge-diff.

use super::exemptions::{is_exempt, is_of_cluster};
use super::ownership::{Writer, entries, is_ours, owned_fields, text};
use crate::desired::at::At as _;
use crate::desired::path::{Path, Segment};
use serde_json::{Map, Value, json};

/// A field that somebody added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// Where, as people say it.
    pub path: Path,
    /// Who added it.
    pub by: Writer,
    place: Vec<Step>,
}

/// One step of a JSON pointer. The later item of a list is the greater one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Name(String),
    Index(usize),
}

/// What others than `manager` added to `live`, of which `wanted` is applied.
#[must_use]
pub fn additions(live: &Value, wanted: &Value, manager: &str) -> Vec<Addition> {
    let kept: Vec<&Value> = entries(live)
        .filter(|entry| !is_ours(entry, manager) && !is_of_others(entry, live, manager))
        .filter_map(|entry| entry.get("fieldsV1"))
        .collect();
    let site = Site {
        live,
        wanted: Some(wanted),
        ours: owned_fields(live, manager),
        kept,
    };
    let mut found = Vec::new();
    for entry in entries(live).filter(|entry| is_of_others(entry, live, manager)) {
        let mut search = Search {
            by: Writer {
                time: text(entry, "time").map(str::to_owned),
                manager: text(entry, "manager").unwrap_or_default().to_owned(),
            },
            applies: text(entry, "operation") == Some("Apply"),
            found: &mut found,
        };
        if let Some(fields) = entry.get("fieldsV1").and_then(Value::as_object) {
            search.below(fields, &site, &Path::default(), &[]);
        }
    }
    without_repeats(found)
}

/// The patch that removes these additions, if the object still has the version in which they were
/// found.
#[must_use]
pub fn stripping(resource_version: &str, additions: &[Addition]) -> Value {
    let mut places: Vec<&[Step]> = additions.iter().map(|found| &*found.place).collect();
    // The last item of a list first, so that the others stay where they are.
    places.sort_unstable_by(|one, other| other.cmp(one));
    let same =
        json!({"op": "test", "path": "/metadata/resourceVersion", "value": resource_version});
    let remove = |place: &[Step]| json!({"op": "remove", "path": pointer(place)});
    std::iter::once(same)
        .chain(places.into_iter().map(remove))
        .collect()
}

/// Whether an entry is of a person or a tool, in the words of the version in which we read.
fn is_of_others(entry: &Map<String, Value>, live: &Value, manager: &str) -> bool {
    text(entry, "subresource").is_none_or(str::is_empty)
        && text(entry, "apiVersion") == live.at("/apiVersion").and_then(Value::as_str)
        && text(entry, "manager").is_some_and(|name| name != manager && !is_of_cluster(name))
}

/// One place in the object, in all eyes.
struct Site<'a> {
    live: &'a Value,
    wanted: Option<&'a Value>,
    ours: Option<&'a Value>,
    /// The field sets of those whose fields are left alone.
    kept: Vec<&'a Value>,
}

impl<'a> Site<'a> {
    /// The place that a name of a field set leads to.
    fn step(&self, name: &str) -> Option<(Site<'a>, Segment, Step)> {
        let (live, wanted, segment, step) = self.child(name)?;
        let site = Site {
            live,
            wanted,
            ours: self.ours.and_then(|fields| fields.get(name)),
            kept: self.kept.iter().filter_map(|set| set.get(name)).collect(),
        };
        Some((site, segment, step))
    }

    fn child(&self, name: &str) -> Option<(&'a Value, Option<&'a Value>, Segment, Step)> {
        if let Some(field) = name.strip_prefix("f:") {
            let wanted = self.wanted.and_then(|wanted| wanted.get(field));
            let segment = Segment::Field(field.to_owned());
            return Some((
                self.live.get(field)?,
                wanted,
                segment,
                Step::Name(field.to_owned()),
            ));
        }
        let items = self.live.as_array()?;
        let listed = self.wanted.and_then(Value::as_array);
        let (index, wanted) = if let Some(value) = name.strip_prefix("v:") {
            let value: Value = serde_json::from_str(value).ok()?;
            let wanted = listed.and_then(|list| list.iter().find(|item| **item == value));
            (items.iter().position(|item| *item == value)?, wanted)
        } else {
            let keys: Map<String, Value> = serde_json::from_str(name.strip_prefix("k:")?).ok()?;
            let is_it = |item: &Value| keys.iter().all(|(key, value)| has(item, key, value));
            let wanted = listed.and_then(|list| list.iter().find(|item| is_it(item)));
            (items.iter().position(is_it)?, wanted)
        };
        let segment = Segment::naming(items, index);
        Some((&items[index], wanted, segment, Step::Index(index)))
    }

    /// Whether the place is nobody's but its writer's.
    fn is_free(&self) -> bool {
        self.wanted.is_none() && self.ours.is_none() && self.kept.is_empty()
    }

    /// Whether all that lies below belongs to somebody else: a value that is owned as a whole, or a
    /// struct that is to be empty.
    fn is_closed(&self) -> bool {
        let whole = |set: &Value| set.as_object().is_none_or(Map::is_empty);
        let wanted = self.wanted.is_some_and(|wanted| match wanted {
            Value::Object(map) => map.is_empty(),
            Value::Array(list) => list.is_empty(),
            _ => true,
        });
        wanted || self.ours.is_some_and(whole) || self.kept.iter().any(|set| whole(set))
    }
}

/// A walk through the field set of one writer.
struct Search<'f> {
    by: Writer,
    applies: bool,
    found: &'f mut Vec<Addition>,
}

impl Search<'_> {
    fn below(&mut self, fields: &Map<String, Value>, site: &Site<'_>, path: &Path, place: &[Step]) {
        for (name, set) in fields {
            let Some((site, segment, step)) = site.step(name) else {
                continue;
            };
            let path = path.with(segment);
            let place = [place, &[step]].concat();
            let set = set
                .as_object()
                .filter(|set| set.keys().any(|name| name != "."));
            if is_exempt(&path) {
                continue;
            }
            match set {
                Some(set) if site.is_free() && self.is_one(name, set, &path) => {
                    self.note(path, place);
                }
                Some(set) if !site.is_closed() => self.below(set, &site, &path, &place),
                None if site.is_free() => self.note(path, place),
                _ => {}
            }
        }
    }

    /// Whether a place that nobody else has a part in came to be as a whole. The keys of a map and
    /// the items of a list are additions of their own.
    fn is_one(&self, name: &str, set: &Map<String, Value>, path: &Path) -> bool {
        const MAPS: [&str; 5] = ["metadata", "labels", "annotations", "data", "binaryData"];
        let is_map =
            matches!(path.0.last(), Some(Segment::Field(name)) if MAPS.contains(&name.as_str()));
        let is_list = set
            .keys()
            .any(|name| !name.starts_with("f:") && name != ".");
        let is_item = !name.starts_with("f:");
        is_item || (!is_map && !is_list && (self.applies || set.contains_key(".")))
    }

    fn note(&mut self, path: Path, place: Vec<Step>) {
        let by = self.by.clone();
        self.found.push(Addition { path, by, place });
    }
}

/// Whether a list item has this key. The only default among merge keys is a port's protocol.
fn has(item: &Value, key: &str, value: &Value) -> bool {
    item.get(key)
        .map_or(key == "protocol" && value == "TCP", |own| own == value)
}

/// What lies within another addition goes with it; of two writers of one, the later is named.
fn without_repeats(mut found: Vec<Addition>) -> Vec<Addition> {
    found.sort_by(|one, other| (&one.place, &other.by).cmp(&(&other.place, &one.by)));
    let mut kept: Vec<Addition> = Vec::with_capacity(found.len());
    for addition in found {
        if kept
            .last()
            .is_none_or(|outer| !addition.place.starts_with(&outer.place))
        {
            kept.push(addition);
        }
    }
    kept
}

/// A JSON pointer (RFC 6901).
fn pointer(place: &[Step]) -> String {
    let part = |step: &Step| match step {
        Step::Name(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
        Step::Index(index) => format!("/{index}"),
    };
    place.iter().map(part).collect()
}

#[cfg(test)]
mod tests;
