//! Paths into objects, spoken as people say them: list items by their merge keys, long middles
//! folded.

use serde_json::Value;
use std::fmt::{self, Write as _};

/// A path into an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(pub Vec<Segment>);

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A map key or struct field.
    Field(String),
    /// A list item, found by its merge keys: `(key, value as text)`.
    Item(Vec<(String, String)>),
    /// A list item by position, for lists without merge keys.
    Index(usize),
}

/// Fields that Kubernetes lists are keyed by, the most telling first. The combinations are those
/// of the `OpenAPI` extension `x-kubernetes-list-map-keys` in the built-in kinds.
const MERGE_KEYS: &[&[&str]] = &[
    &["name"],
    &["mountPath"],
    &["devicePath"],
    &["containerPort", "protocol"],
    &["port", "protocol"],
    &["uid"],
    &["type"],
    &["key", "effect"],
    &["ip"],
    &["topologyKey", "whenUnsatisfiable"],
    &["resourceName"],
];

impl Path {
    /// The path one field deeper.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        self.with(Segment::Field(name.to_owned()))
    }

    /// The path one step deeper.
    #[must_use]
    pub fn with(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }

    /// Reads a dotted path such as `spec.template.spec.containers[redis].image`; a bracket holds
    /// a position or the value of a merge key, and keys with dots are quoted: `data["a.b"]`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut segments = Vec::new();
        let mut rest = text.strip_prefix('.').unwrap_or(text);
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let (content, after) = bracket(inner)?;
                segments.push(content);
                rest = after.strip_prefix('.').unwrap_or(after);
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                if end == 0 {
                    return None;
                }
                segments.push(Segment::Field(rest[..end].to_owned()));
                rest = &rest[end..];
                rest = rest.strip_prefix('.').unwrap_or(rest);
            }
        }
        (!segments.is_empty()).then_some(Self(segments))
    }

    /// The value at this path, if the object has one.
    #[must_use]
    pub fn get<'a>(&self, root: &'a Value) -> Option<&'a Value> {
        self.0
            .iter()
            .try_fold(root, |value, segment| segment.get(value))
    }

    /// Takes the value at this path out of the object; parents stay.
    pub fn remove(&self, root: &mut Value) -> Option<Value> {
        let (last, parents) = self.0.split_last()?;
        let parent = parents
            .iter()
            .try_fold(root, |value, segment| segment.get_mut(value))?;
        match (last, parent) {
            (Segment::Field(name), Value::Object(map)) => map.shift_remove(name),
            (segment, Value::Array(items)) => {
                let index = segment.position(items)?;
                Some(items.remove(index))
            }
            _ => None,
        }
    }

    /// Whether `other` is this path or lies below it.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.0.len() >= self.0.len()
            && self
                .0
                .iter()
                .zip(&other.0)
                .all(|(mine, theirs)| mine.matches(theirs))
    }

    /// Whether one of the two paths contains the other.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let common = self.0.len().min(other.0.len());
        Self(self.0[..common].to_vec()).contains(other)
    }

    /// The path with a long middle folded: `spec…containers[redis].image`.
    #[must_use]
    pub fn folded(&self) -> String {
        let segments = &self.0;
        let field = |s: &Segment| matches!(s, Segment::Field(_));
        if segments.len() <= 4 || !segments.first().is_some_and(field) {
            return self.to_string();
        }
        let tail_start = segments.len() - 2;
        let tail_start = (0..=tail_start)
            .rev()
            .find(|&i| field(&segments[i]))
            .unwrap_or(tail_start);
        if tail_start <= 1 {
            return self.to_string();
        }
        format!(
            "{}…{}",
            Self(segments[..1].to_vec()),
            Self(segments[tail_start..].to_vec())
        )
    }
}

impl Segment {
    /// The step that names `item` inside `list`: by merge keys if every item has distinct ones.
    #[must_use]
    pub fn naming(list: &[Value], index: usize) -> Self {
        list_keys(list)
            .and_then(|keys| item_keys(&list[index], keys))
            .map_or(Self::Index(index), Self::Item)
    }

    /// The child of `value` that this step leads to.
    #[must_use]
    pub fn get<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        match (self, value) {
            (Self::Field(name), Value::Object(map)) => map.get(name),
            (_, Value::Array(items)) => items.get(self.position(items)?),
            _ => None,
        }
    }

    fn get_mut<'a>(&self, value: &'a mut Value) -> Option<&'a mut Value> {
        match (self, value) {
            (Self::Field(name), Value::Object(map)) => map.get_mut(name),
            (_, Value::Array(items)) => {
                let index = self.position(items)?;
                items.get_mut(index)
            }
            _ => None,
        }
    }

    fn position(&self, items: &[Value]) -> Option<usize> {
        match self {
            Self::Field(_) => None,
            Self::Index(index) => Some(*index),
            Self::Item(keys) => items.iter().position(|item| {
                keys.iter().all(|(key, value)| {
                    if key.is_empty() {
                        MERGE_KEYS
                            .iter()
                            .any(|k| item.get(k[0]).is_some_and(|v| plain(v) == *value))
                    } else {
                        item.get(key).is_some_and(|v| plain(v) == *value)
                    }
                })
            }),
        }
    }

    fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Item(mine), Self::Item(theirs)) => mine.iter().all(|(key, value)| {
                theirs
                    .iter()
                    .any(|(k, v)| (key.is_empty() || k == key) && v == value)
            }),
            _ => self == other,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Field(name) if name.contains(['.', '/', '[']) => write!(f, "[{name:?}]")?,
                Segment::Field(name) if position == 0 => f.write_str(name)?,
                Segment::Field(name) => write!(f, ".{name}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Item(keys) => {
                    f.write_char('[')?;
                    let values: Vec<&str> = keys.iter().map(|(_, value)| value.as_str()).collect();
                    f.write_str(&values.join("/"))?;
                    f.write_char(']')?;
                }
            }
        }
        Ok(())
    }
}

/// Whether two items agree in every field by which the server may tell items apart: of two ports of
/// one name it takes another number for another port.
#[must_use]
pub fn same_merge_keys(live: &Value, wanted: &Value) -> bool {
    MERGE_KEYS.iter().copied().flatten().all(|key| {
        wanted
            .get(key)
            .is_none_or(|value| live.get(key) == Some(value))
    })
}

/// The merge keys by which every item of the list has a name of its own.
#[must_use]
pub fn list_keys(list: &[Value]) -> Option<&'static [&'static str]> {
    if list.is_empty() {
        return None;
    }
    MERGE_KEYS.iter().copied().find(|keys| {
        let mut seen: Vec<Vec<(String, String)>> = Vec::with_capacity(list.len());
        list.iter().all(|item| {
            item.get(keys[0])
                .is_some_and(|v| !v.is_object() && !v.is_array())
                && item_keys(item, keys).is_some_and(|named| {
                    let fresh = !seen.contains(&named);
                    seen.push(named);
                    fresh
                })
        })
    })
}

/// The values of `keys` in one item; keys that it lacks are left out.
#[must_use]
pub fn item_keys(item: &Value, keys: &[&str]) -> Option<Vec<(String, String)>> {
    let named: Vec<_> = keys
        .iter()
        .filter_map(|key| {
            item.get(*key)
                .map(|value| ((*key).to_owned(), plain(value)))
        })
        .collect();
    (!named.is_empty()).then_some(named)
}

/// A scalar as text, without quotes.
#[must_use]
pub fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn bracket(inner: &str) -> Option<(Segment, &str)> {
    if let Some(quoted) = inner.strip_prefix('"') {
        let end = quoted.find("\"]")?;
        return Some((Segment::Field(quoted[..end].to_owned()), &quoted[end + 2..]));
    }
    let end = inner.find(']')?;
    let (content, after) = (&inner[..end], &inner[end + 1..]);
    let segment = if content.contains('=') {
        let keys = content.split(',').filter_map(|pair| pair.split_once('='));
        Segment::Item(
            keys.map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned()))
                .collect(),
        )
    } else {
        content.parse().map_or_else(
            |_| Segment::Item(vec![(String::new(), content.to_owned())]),
            Segment::Index,
        )
    };
    Some((segment, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn items_are_named_by_their_merge_keys() {
        let ports = json!([{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 80, "protocol": "UDP"}]);
        let list = ports.as_array().unwrap();
        let path = Path::default()
            .field("ports")
            .with(Segment::naming(list, 1))
            .field("hostPort");
        assert_eq!(path.to_string(), "ports[80/UDP].hostPort");
        let args = json!(["-a", "-b"]);
        assert_eq!(
            Segment::naming(args.as_array().unwrap(), 1),
            Segment::Index(1)
        );
    }

    #[test]
    fn long_paths_are_folded_and_short_ones_are_not() {
        let long = Path::parse("spec.template.spec.containers[redis].image").unwrap();
        assert_eq!(long.folded(), "spec…containers[redis].image");
        assert_eq!(
            Path::parse("spec.replicas").unwrap().folded(),
            "spec.replicas"
        );
    }

    #[test]
    fn a_written_path_finds_and_removes_its_value() {
        let mut object = json!({"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]}, "data": {"a.b": "1"}});
        let image = Path::parse("spec.containers[b].image").unwrap();
        assert_eq!(image.get(&object), Some(&json!("y")));
        assert_eq!(image.remove(&mut object), Some(json!("y")));
        assert_eq!(object["spec"]["containers"][1], json!({"name": "b"}));
        let dotted = Path::parse("data[\"a.b\"]").unwrap();
        assert_eq!(dotted.get(&object), Some(&json!("1")));
        assert_eq!(dotted.to_string(), "data[\"a.b\"]");
    }

    #[test]
    fn a_path_contains_what_lies_below_it() {
        let env = Path::parse("spec.containers[app].env").unwrap();
        let list = json!([{"name": "app"}]);
        let below = Path::default()
            .field("spec")
            .field("containers")
            .with(Segment::naming(list.as_array().unwrap(), 0))
            .field("env")
            .with(Segment::Index(0));
        assert!(env.contains(&below));
        assert!(!below.contains(&env));
    }

    #[test]
    fn nonsense_is_no_path() {
        assert!(Path::parse("").is_none());
        assert!(Path::parse("a..b").is_none());
        assert!(Path::parse("a[b").is_none());
    }
}
