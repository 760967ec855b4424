//! Keyed hashes: evidence that two values are the same without keeping, or showing, either.
//!
//! Every hash is keyed, because inventories hold hashes of Secrets and live in a `ConfigMap`
//! that more people may read. One key serves one instance; a lost key costs one round of
//! no-op applies and nothing else. Hashes are canonical: the order of map keys has no say.
//! `SipHash` is made for this: a keyed function of 64 bits, several times as fast as a digest cut
//! short, and thousands of objects are hashed before a verdict.

use serde_json::Value;
use std::fmt;
use std::hash::Hasher as _;
#[expect(
    deprecated,
    reason = "the standard library's hasher with a key; the one in its place has none"
)]
use std::hash::SipHasher;

/// The secret half of every fingerprint of one instance.
#[derive(Clone)]
pub struct FingerprintKey([u8; 32]);

impl FingerprintKey {
    /// A key from its bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Hashes a whole value.
    #[must_use]
    pub fn of(&self, value: &Value) -> Fingerprint {
        let mut hasher = self.hasher();
        hasher.value(value);
        hasher.finish()
    }

    /// Starts a hash that is fed piece by piece. It takes a key of half the length.
    #[must_use]
    pub fn hasher(&self) -> Hasher {
        let part = |at: usize| {
            let mut bytes = [0_u8; 8];
            bytes.copy_from_slice(&self.0[at..at + 8]);
            u64::from_le_bytes(bytes)
        };
        #[expect(deprecated, reason = "the one in its place takes no key")]
        let inner = SipHasher::new_with_keys(part(0), part(8));
        Hasher(inner)
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

/// An unfinished fingerprint.
pub struct Hasher(#[expect(deprecated, reason = "the one in its place takes no key")] SipHasher);

impl Hasher {
    /// Adds a marked piece of text; marks keep neighbouring pieces apart.
    pub fn text(&mut self, mark: u8, text: &str) {
        self.0.write_u8(mark);
        self.0.write_u64(text.len() as u64);
        self.0.write(text.as_bytes());
    }

    /// Adds a value in its canonical form.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.0.write(b"0"),
            Value::Bool(flag) => self.0.write(if *flag { b"t" } else { b"f" }),
            Value::Number(number) => self.text(b'n', &number.to_string()),
            Value::String(text) => self.text(b's', text),
            Value::Array(items) => {
                self.0.write(b"[");
                for item in items {
                    self.value(item);
                }
                self.0.write(b"]");
            }
            Value::Object(map) => {
                self.0.write(b"{");
                let mut keys: Vec<_> = map.keys().collect();
                keys.sort_unstable();
                for key in keys {
                    self.text(b'k', key);
                    self.value(&map[key]);
                }
                self.0.write(b"}");
            }
        }
    }

    /// The fingerprint of everything added.
    #[must_use]
    pub fn finish(self) -> Fingerprint {
        Fingerprint(self.0.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert_ne!(key.of(&json!(["ab", "c"])), key.of(&json!(["a", "bc"])));
        assert_ne!(key.of(&json!(["1"])), key.of(&json!([1])));
    }
}
