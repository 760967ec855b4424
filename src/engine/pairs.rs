//! A JSON map whose values stay text: what nobody looks into is never taken apart.

use crate::desired::fingerprint::Name;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The entries of a map, in the order of the text.
pub struct Pairs<'a>(pub Vec<(Name<'a>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Taking;
        impl<'de> Visitor<'de> for Taking {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        reader.deserialize_map(Taking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_as_they_are_written() {
        let pairs =
            serde_json::from_str::<Pairs<'_>>(r#" {"a": [1,  2], "b\n": {"c": 1.0}}"#).unwrap();
        let read = pairs.0.iter().map(|(name, text)| (&*name.0, text.get()));
        let read: Vec<(&str, &str)> = read.collect();
        assert_eq!(read, [("a", "[1,  2]"), ("b\n", r#"{"c": 1.0}"#)]);
    }

    #[test]
    fn what_is_no_map_has_none() {
        for text in ["", "[1]", "\"{\"", "{\"a\":", "null", "{\"a\":1} 2"] {
            assert!(serde_json::from_str::<Pairs<'_>>(text).is_err(), "{text}");
        }
    }
}
