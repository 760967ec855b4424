//! Hashes the live values at the fields of a field set, straight from the object's text.
//!
//! The encoding of field sets is that of structured-merge-diff: `f:` field, `k:` list item by key,
//! `v:` set value, `i:` index, `.` the item itself. Lists are followed in their live order, so that
//! a reordered list is another projection; maps in any.

use crate::desired::fingerprint::{ListHash, MapHash, Name, Reading};
use crate::desired::{Fingerprint, FingerprintKey};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A field set, sorted by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Fields<'a>(Vec<(Cow<'a, str>, Fields<'a>)>);

impl<'a> Fields<'a> {
    /// Reads a `fieldsV1`.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// One of the outermost fields and what is below it.
    #[must_use]
    pub fn only(mut self, field: &str) -> Self {
        self.0.retain(|(name, _)| name == field);
        self
    }

    /// Whether there is nothing below: whatever is there belongs to it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// The hash of an object's values at these fields; `None` when the text is no JSON.
    #[must_use]
    pub fn project(&self, object: &str, key: &FingerprintKey) -> Option<Fingerprint> {
        let mut reader = serde_json::Deserializer::from_str(object);
        Projecting { fields: self, key }
            .deserialize(&mut reader)
            .ok()
    }

    pub(super) fn child(&self, prefix: &str, name: &str) -> Option<&Self> {
        let order = |(known, _): &(Cow<'a, str>, Self)| match known.strip_prefix(prefix) {
            Some(rest) => rest.cmp(name),
            None => (**known).cmp(prefix),
        };
        let at = self.0.binary_search_by(order).ok()?;
        Some(&self.0[at].1)
    }

    pub(super) fn starting<'f>(
        &'f self,
        prefix: &'f str,
    ) -> impl Iterator<Item = (&'f str, &'f Self)> {
        let named = self.0.iter();
        named.filter_map(move |(name, fields)| Some((name.strip_prefix(prefix)?, fields)))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Taking;
        impl<'de> Visitor<'de> for Taking {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field set")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    fields.push((name, map.next_value()?));
                }
                fields.sort_unstable_by(|(one, _): &(Cow<'_, str>, _), (two, _)| one.cmp(two));
                Ok(Fields(fields))
            }
        }
        reader.deserialize_map(Taking)
    }
}

/// One value on the way of a projection.
#[derive(Clone, Copy)]
struct Projecting<'f> {
    fields: &'f Fields<'f>,
    key: &'f FingerprintKey,
}

impl<'de> DeserializeSeed<'de> for Projecting<'_> {
    type Value = Fingerprint;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Fingerprint, D::Error> {
        if self.fields.is_whole() {
            return Reading(self.key).deserialize(reader);
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Projecting<'_> {
    type Value = Fingerprint;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Fingerprint, A::Error> {
        let mut map = MapHash::new(self.key);
        while let Some(Name(name)) = entries.next_key()? {
            match self.fields.child("f:", &name) {
                Some(fields) => {
                    let value = entries.next_value_seed(Projecting { fields, ..self })?;
                    map.add(&name, value);
                }
                None => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(map.finish())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Fingerprint, A::Error> {
        let members = Members::of(self.fields);
        let mut list = ListHash::new(self.key);
        let mut index = 0_usize;
        while let Some(item) = items.next_element::<&RawValue>()? {
            if let Some((name, fields)) = members.find(item.get(), index)
                && let Some(hash) = fields.project(item.get(), self.key)
            {
                list.add(self.key.scalar(b'k', name));
                list.add(hash);
            }
            index += 1;
        }
        Ok(list.finish())
    }

    fn visit_unit<E>(self) -> Result<Fingerprint, E> {
        Ok(self.otherwise())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Fingerprint, E> {
        Ok(self.otherwise())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Fingerprint, E> {
        Ok(self.otherwise())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Fingerprint, E> {
        Ok(self.otherwise())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Fingerprint, E> {
        Ok(self.otherwise())
    }

    fn visit_str<E>(self, _: &str) -> Result<Fingerprint, E> {
        Ok(self.otherwise())
    }
}

impl Projecting<'_> {
    /// Where a struct or a list is owned, no scalar can be.
    fn otherwise(self) -> Fingerprint {
        self.key.scalar(b'x', "")
    }
}

/// The items of a list that a field set names.
struct Members<'f> {
    keyed: Vec<Keyed<'f>>,
    values: Vec<Value>,
    fields: &'f Fields<'f>,
}

struct Keyed<'f> {
    name: &'f str,
    pairs: Vec<(String, Value)>,
    fields: &'f Fields<'f>,
}

/// What has nothing below it is hashed whole.
static WHOLE: Fields<'static> = Fields(Vec::new());

impl<'f> Members<'f> {
    fn of(fields: &'f Fields<'f>) -> Self {
        let pairs = |text: &str| {
            let map: serde_json::Map<String, Value> = serde_json::from_str(text).ok()?;
            Some(map.into_iter().collect())
        };
        Self {
            keyed: fields
                .starting("k:")
                .filter_map(|(name, fields)| {
                    let pairs = pairs(name)?;
                    Some(Keyed {
                        name,
                        pairs,
                        fields,
                    })
                })
                .collect(),
            values: fields
                .starting("v:")
                .filter_map(|(name, _)| serde_json::from_str(name).ok())
                .collect(),
            fields,
        }
    }

    /// What is owned of an item, if anything is, and the key that names it.
    fn find(&self, item: &str, index: usize) -> Option<(&'f str, &'f Fields<'f>)> {
        if let Some(found) = self.keyed(item) {
            return Some((found.name, found.fields));
        }
        if !self.values.is_empty()
            && let Ok(value) = serde_json::from_str::<Value>(item)
            && self.values.contains(&value)
        {
            return Some(("", &WHOLE));
        }
        let fields = self.fields.child("i:", &index.to_string())?;
        Some(("", fields))
    }

    fn keyed(&self, item: &str) -> Option<&Keyed<'f>> {
        let names: Vec<&str> = self.keyed.first()?.names().collect();
        let mut reader = serde_json::Deserializer::from_str(item);
        let found = Picking(&names).deserialize(&mut reader).ok()?;
        self.keyed.iter().find(|keyed| keyed.fits(&found))
    }
}

impl Keyed<'_> {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(name, _)| name.as_str())
    }

    fn fits(&self, found: &[(String, Value)]) -> bool {
        let is_there = |pair: &(String, Value)| found.contains(pair);
        self.pairs.iter().all(is_there)
    }
}

/// Takes a few entries out of a map: a list's keys are the same for all its items.
struct Picking<'p>(&'p [&'p str]);

impl<'de> DeserializeSeed<'de> for Picking<'_> {
    type Value = Vec<(String, Value)>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Picking<'_> {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item with keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut picked = Vec::with_capacity(self.0.len());
        while let Some(Name(name)) = entries.next_key()? {
            if self.0.contains(&&*name) {
                picked.push((name.into_owned(), entries.next_value()?));
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(picked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn project(fields: &Value, object: &Value) -> Fingerprint {
        let fields = fields.to_string();
        let fields = Fields::read(&fields).unwrap();
        let key = FingerprintKey::new([1; 32]);
        fields.project(&object.to_string(), &key).unwrap()
    }

    #[test]
    fn only_values_at_the_fields_count_and_maps_have_no_order() {
        let fields = json!({"f:a": {}, "f:b": {"f:c": {}}});
        let base = project(&fields, &json!({"a": 1, "b": {"c": "x"}, "z": 0}));
        let same = [
            json!({"b": {"d": 5, "c": "x"}, "a": 1}),
            json!({"z": {"a": 2}, "a": 1, "b": {"c": "x"}}),
        ];
        for object in same {
            assert_eq!(project(&fields, &object), base, "{object}");
        }
        let others = [
            json!({"a": 2, "b": {"c": "x"}}),
            json!({"a": 1, "b": {"c": "y"}}),
            json!({"a": 1, "b": {}}),
            json!({"a": 1}),
            json!({"a": 1, "b": "x"}),
            json!({"a": 1, "b": {"c": {"x": 1}}}),
        ];
        for object in others {
            assert_ne!(project(&fields, &object), base, "{object}");
        }
    }

    #[test]
    fn items_are_found_by_all_their_keys_and_their_order_counts() {
        let fields = json!({"f:ports": {
            "k:{\"port\":1,\"protocol\":\"TCP\"}": {".": {}, "f:name": {}},
            "k:{\"port\":1,\"protocol\":\"UDP\"}": {".": {}}}});
        let (tcp, udp) = (
            json!({"port": 1, "protocol": "TCP", "name": "a"}),
            json!({"port": 1, "protocol": "UDP", "name": "b"}),
        );
        let ports = |items: &[&Value]| project(&fields, &json!({"ports": items}));
        let base = ports(&[&tcp, &udp]);
        let foreign = json!({"port": 2, "protocol": "TCP", "name": "c"});
        assert_eq!(ports(&[&tcp, &foreign, &udp]), base);
        let renamed = json!({"port": 1, "protocol": "UDP", "name": "x"});
        assert_eq!(ports(&[&tcp, &renamed]), base, "that name is not ours");
        assert_ne!(ports(&[&udp, &tcp]), base);
        assert_ne!(ports(&[&tcp]), base);
        let renamed = json!({"port": 1, "protocol": "TCP", "name": "x"});
        assert_ne!(ports(&[&renamed, &udp]), base);
    }

    #[test]
    fn set_values_and_items_by_index_are_followed() {
        let set = json!({"f:finalizers": {"v:\"ours\"": {}}});
        let finalizers = |items: &[&str]| project(&set, &json!({"finalizers": items}));
        let base = finalizers(&["ours"]);
        assert_eq!(finalizers(&["theirs", "ours"]), base);
        assert_ne!(finalizers(&["theirs"]), base);
        let second = json!({"i:1": {}});
        assert_eq!(
            project(&second, &json!([1, 2])),
            project(&second, &json!([3, 2]))
        );
        assert_ne!(
            project(&second, &json!([1, 2])),
            project(&second, &json!([1, 3]))
        );
    }
}
