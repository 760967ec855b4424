//! Secrets: `stringData` becomes `data`, and generated values are made at creation.
//!
//! The API server never lets an applier own `stringData` as `data`, so a Secret applied with it
//! could drift unseen. Generated values never exist outside the Secret: the body that is planned
//! holds markers, and whoever creates the Secret fills them at that moment.

use super::set::Generated;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// Letters and digits that nobody mistakes for each other.
const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";

/// The text that stands in a body for a generated parameter.
#[must_use]
pub fn marker(parameter: &str) -> String {
    format!("\u{1}generated:{parameter}\u{1}")
}

/// The text that stands for a secret whose value is only known elsewhere: its Secret is taken to be
/// right if it is there.
pub const UNKNOWN: &str = "\u{1}known elsewhere\u{1}";

/// Moves `stringData` into `data`, as the API server would.
pub fn encode_string_data(object: &mut Value) {
    let Some(map) = object.as_object_mut() else {
        return;
    };
    let Some(Value::Object(plain)) = map.shift_remove("stringData") else {
        return;
    };
    let data = map
        .entry("data")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Some(data) = data.as_object_mut() {
        for (name, value) in plain {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            data.insert(name, STANDARD.encode(text).into());
        }
    }
}

/// Replaces the markers in a body by fresh values, drawn with `random` bytes.
///
/// # Errors
/// When no random bytes are to be had.
pub fn generate<E>(
    body: &str,
    wanted: &[Generated],
    random: &mut dyn FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<String, E> {
    let mut body = body.to_owned();
    for generated in wanted {
        let value = draw(generated.length, random)?;
        body = body.replace(&escaped(&generated.marker), &value);
    }
    Ok(body)
}

/// The marker as it stands inside a JSON string.
fn escaped(marker: &str) -> String {
    Value::from(marker).to_string().trim_matches('"').to_owned()
}

fn draw<E>(length: usize, random: &mut dyn FnMut(&mut [u8]) -> Result<(), E>) -> Result<String, E> {
    let limit = 256 - 256 % ALPHABET.len();
    let mut value = String::with_capacity(length);
    let mut bytes = [0_u8; 32];
    while value.len() < length {
        random(&mut bytes)?;
        // Bytes beyond a whole multiple of the alphabet are thrown away, so that every letter is as likely.
        let fair = bytes
            .iter()
            .map(|byte| usize::from(*byte))
            .filter(|byte| *byte < limit);
        value.extend(
            fair.map(|byte| char::from(ALPHABET[byte % ALPHABET.len()]))
                .take(length - value.len()),
        );
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::convert::Infallible;

    #[test]
    fn string_data_wins_over_data_as_on_the_server() {
        let mut secret = json!({"data": {"a": "b2xk", "b": "Yg=="}, "stringData": {"a": "new"}});
        encode_string_data(&mut secret);
        assert_eq!(secret, json!({"data": {"a": "bmV3", "b": "Yg=="}}));
    }

    #[test]
    fn one_parameter_has_one_value_wherever_it_stands() {
        let wanted = [Generated {
            marker: marker("password"),
            length: 24,
        }];
        let body = json!({"stringData": {"p": marker("password"), "url": format!("redis://:{}@x", marker("password"))}}).to_string();
        let mut seed = 0_u8;
        let mut random = |bytes: &mut [u8]| -> Result<(), Infallible> {
            for byte in bytes {
                seed = seed.wrapping_mul(29).wrapping_add(17);
                *byte = seed;
            }
            Ok(())
        };
        let made: Value =
            serde_json::from_str(&generate(&body, &wanted, &mut random).unwrap()).unwrap();
        let password = made["stringData"]["p"].as_str().unwrap();
        assert_eq!(password.len(), 24);
        assert!(password.bytes().all(|byte| ALPHABET.contains(&byte)));
        assert_eq!(made["stringData"]["url"], format!("redis://:{password}@x"));
    }
}
