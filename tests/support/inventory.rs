//! What a stored inventory says, read independently of jsorc.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

/// The test ends unless the inventory names exactly those objects of a list that carry the
/// instance's label, by uid.
#[track_caller]
pub fn assert_exact(inventory: &Value, list: &Value) {
    let (recorded, there) = both(inventory, list);
    assert_eq!(recorded, there, "the inventory {}", inventory["metadata"]);
}

/// The uids of objects by kind and name.
type Uids = BTreeMap<String, String>;

/// What an inventory names, and which objects of a list carry the instance's label.
pub fn both(inventory: &Value, list: &Value) -> (Uids, Uids) {
    let recorded = recorded(inventory["data"]["objects"].as_str().unwrap());
    let ours = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["metadata"]["labels"]["jsorc.dev/instance"].is_string());
    let there = ours.map(|item| {
        let name = format!(
            "{}/{}",
            item["kind"].as_str().unwrap(),
            item["metadata"]["name"].as_str().unwrap()
        );
        (name, item["metadata"]["uid"].as_str().unwrap().to_owned())
    });
    (recorded, there.collect())
}

/// The uids in an inventory by kind and name: a line for each kind, then one for each object.
fn recorded(text: &str) -> Uids {
    let mut kind = "";
    let mut recorded = BTreeMap::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if !line.starts_with(' ') {
            kind = words[1];
            continue;
        }
        recorded.insert(format!("{kind}/{}", words[0]), uid(words[1]));
    }
    recorded
}

/// A uid is stored as its sixteen bytes.
fn uid(stored: &str) -> String {
    let Ok(bytes) = BASE64_URL_SAFE_NO_PAD.decode(stored) else {
        return "never confirmed".to_owned();
    };
    let hex = |part: &[u8]| {
        let digits = part.iter().map(|byte| format!("{byte:02x}"));
        digits.collect::<Vec<_>>().concat()
    };
    let ends = [0..4, 4..6, 6..8, 8..10, 10..16];
    ends.map(|range| hex(&bytes[range])).join("-")
}
