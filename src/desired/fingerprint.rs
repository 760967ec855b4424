//! Keyed hashes: evidence that two values are the same without keeping, or showing, either.
//!
//! Every hash is keyed, because inventories hold hashes of Secrets and live in a `ConfigMap`
//! that more people may read. One key serves one instance; a lost key makes everything look changed
//! once: objects are applied anew, Jobs run again, and who reads Secrets is rolled. Hashes are canonical: the order of map keys has no say, and a
//! JSON text has the hash of the value that it stands for. `SipHash` is made for this: a keyed
//! function of 64 bits, several times as fast as a digest cut short, and thousands of objects are
//! hashed before a verdict.

use serde::de::{Deserialize as _, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use std::borrow::Cow;
use std::fmt;
use std::hash::Hasher as _;
#[expect(
    deprecated,
    reason = "the standard library's hasher with a key; the one in its place has none"
)]
use std::hash::SipHasher;

/// The secret half of every fingerprint of one instance.
#[derive(Clone, PartialEq, Eq)]
pub struct FingerprintKey([u8; 32]);

impl FingerprintKey {
    /// A key from its bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, for whoever stores it.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Hashes a whole value.
    #[must_use]
    pub fn of(&self, value: &Value) -> Fingerprint {
        match value {
            Value::Null => self.scalar(b'0', ""),
            Value::Bool(flag) => self.flag(*flag),
            Value::Number(number) => self.scalar(b'n', &number.to_string()),
            Value::String(text) => self.scalar(b's', text),
            Value::Array(items) => {
                let mut list = ListHash::new(self);
                for item in items {
                    list.add(self.of(item));
                }
                list.finish()
            }
            Value::Object(map) => {
                let mut hash = MapHash::new(self);
                for (name, value) in map {
                    hash.add(name, self.of(value));
                }
                hash.finish()
            }
        }
    }

    /// Hashes the value that a JSON text stands for, without building it.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn of_json(&self, text: &str) -> Result<Fingerprint, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_str(text);
        Reading(self).deserialize(&mut reader)
    }

    /// Hashes one piece of text, kept apart from others by its mark.
    #[must_use]
    pub fn scalar(&self, mark: u8, text: &str) -> Fingerprint {
        let mut hasher = self.hasher();
        hasher.write(text.as_bytes());
        hasher.write_u8(mark);
        Fingerprint(hasher.finish())
    }

    fn flag(&self, flag: bool) -> Fingerprint {
        self.scalar(b'b', if flag { "t" } else { "f" })
    }

    fn number(&self, number: &Number) -> Fingerprint {
        self.scalar(b'n', &number.to_string())
    }

    /// It takes a key of half the length.
    #[expect(deprecated, reason = "the one in its place takes no key")]
    fn hasher(&self) -> SipHasher {
        let part = |at: usize| {
            let mut bytes = [0_u8; 8];
            bytes.copy_from_slice(&self.0[at..at + 8]);
            u64::from_le_bytes(bytes)
        };
        SipHasher::new_with_keys(part(0), part(8))
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey(••••)")
    }
}

/// 64 bits of a keyed hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// Reads the form that [`Display`](fmt::Display) writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        u64::from_str_radix(text, 16).ok().map(Self)
    }

    /// Four hex digits, enough to tell two secrets apart on a screen.
    #[must_use]
    pub fn tag(self) -> String {
        format!("{:04x}", self.0 >> 48)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// The hash of a list, from the hashes of its items in their order.
pub struct ListHash(#[expect(deprecated, reason = "the one in its place takes no key")] SipHasher);

impl ListHash {
    /// An empty list.
    #[must_use]
    pub fn new(key: &FingerprintKey) -> Self {
        Self(key.hasher())
    }

    /// Adds an item.
    pub fn add(&mut self, item: Fingerprint) {
        self.0.write_u64(item.0);
    }

    /// The hash of all items.
    #[must_use]
    pub fn finish(mut self) -> Fingerprint {
        self.0.write_u8(b'[');
        Fingerprint(self.0.finish())
    }
}

/// The hash of a map, from the hashes of its entries in any order: they are added up, so that
/// nothing has to be sorted, and each is a keyed hash by itself.
pub struct MapHash<'k> {
    key: &'k FingerprintKey,
    sum: u64,
    count: u64,
}

impl<'k> MapHash<'k> {
    /// An empty map.
    #[must_use]
    pub fn new(key: &'k FingerprintKey) -> Self {
        Self {
            key,
            sum: 0,
            count: 0,
        }
    }

    /// Adds an entry.
    pub fn add(&mut self, name: &str, value: Fingerprint) {
        let mut hasher = self.key.hasher();
        hasher.write_u64(value.0);
        hasher.write(name.as_bytes());
        self.sum = self.sum.wrapping_add(hasher.finish());
        self.count += 1;
    }

    /// The hash of all entries.
    #[must_use]
    pub fn finish(self) -> Fingerprint {
        let mut hasher = self.key.hasher();
        hasher.write_u64(self.sum);
        hasher.write_u64(self.count);
        hasher.write_u8(b'{');
        Fingerprint(hasher.finish())
    }
}

/// Hashes what a deserializer reads, and keeps nothing of it.
#[derive(Clone, Copy)]
pub struct Reading<'k>(pub &'k FingerprintKey);

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Fingerprint;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Fingerprint, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Fingerprint;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Fingerprint, E> {
        Ok(self.0.scalar(b'0', ""))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Fingerprint, E> {
        Ok(self.0.flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Fingerprint, E> {
        Ok(self.0.number(&number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Fingerprint, E> {
        Ok(self.0.number(&number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Fingerprint, E> {
        Ok(match Number::from_f64(number) {
            Some(number) => self.0.number(&number),
            None => self.0.scalar(b'0', ""),
        })
    }

    fn visit_str<E>(self, text: &str) -> Result<Fingerprint, E> {
        Ok(self.0.scalar(b's', text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Fingerprint, A::Error> {
        let mut list = ListHash::new(self.0);
        while let Some(item) = items.next_element_seed(self)? {
            list.add(item);
        }
        Ok(list.finish())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Fingerprint, A::Error> {
        let mut map = MapHash::new(self.0);
        while let Some(Name(name)) = entries.next_key()? {
            let value = entries.next_value_seed(self)?;
            map.add(&name, value);
        }
        Ok(map.finish())
    }
}

/// A key of a JSON object, borrowed from the text where it has no escapes.
pub struct Name<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Taking;
        impl<'de> Visitor<'de> for Taking {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        reader.deserialize_str(Taking).map(Name)
    }
}

impl Name<'_> {
    /// Reads one from a JSON text that is one string.
    #[must_use]
    pub fn of(text: &str) -> Option<Name<'_>> {
        let mut reader = serde_json::Deserializer::from_str(text);
        Name::deserialize(&mut reader).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn the_order_of_keys_has_no_say_and_the_order_of_items_has() {
        let key = FingerprintKey::new([7; 32]);
        let one = key.of(&json!({"a": 1, "b": [1, 2]}));
        assert_eq!(one, key.of(&json!({"b": [1, 2], "a": 1})));
        assert_ne!(one, key.of(&json!({"a": 1, "b": [2, 1]})));
    }

    #[test]
    fn another_key_gives_another_fingerprint() {
        let value = json!("hunter2");
        let one = FingerprintKey::new([1; 32]).of(&value);
        assert_ne!(one, FingerprintKey::new([2; 32]).of(&value));
        assert_eq!(Fingerprint::parse(&one.to_string()), Some(one));
    }

    #[test]
    fn neighbours_do_not_run_together() {
        let key = FingerprintKey::new([0; 32]);
        let differ = [
            (json!(["ab", "c"]), json!(["a", "bc"])),
            (json!(["1"]), json!([1])),
            (json!([["a"], "b"]), json!([["a", "b"]])),
            (json!({"a": {"b": 1}}), json!({"b": {"a": 1}})),
            (json!({"a": "b"}), json!({"b": "a"})),
            (json!({}), json!([])),
            (json!(null), json!("")),
            (json!(true), json!("t")),
            (json!({"a": null}), json!({})),
            (json!({"a": 1, "b": 2}), json!({"a": 2, "b": 1})),
        ];
        for (one, other) in differ {
            assert_ne!(key.of(&one), key.of(&other), "{one} {other}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e300..1e300).prop_map(Value::from),
            "[a-z\"\\\\\u{0}-\u{20}<é]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::vec(("[a-c\"]{0,2}", inner), 0..5)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_text_has_the_fingerprint_of_its_value(value in any_value()) {
            let key = FingerprintKey::new([9; 32]);
            let text = value.to_string();
            // Not every float comes back as it was.
            let value: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(key.of_json(&text).unwrap(), key.of(&value));
        }
    }
}
