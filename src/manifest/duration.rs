//! Spans of time as people write them: `2s`, `500ms`, `5m`, `1h`, `1h30m`, `15d`, or seconds.

use std::time::Duration;

use serde_json::Value;

const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// Reads a duration from text: numbers with a unit, largest first or not, or plain seconds.
///
/// # Errors
/// When the text is no duration; the message says what one looks like.
pub fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let refuse = || format!("`{text}` is no duration (write 2s, 500ms, 5m, 1h or seconds)");
    if let Ok(seconds) = text.parse::<f64>() {
        return seconds_of(seconds).ok_or_else(refuse);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (part, left) = first_part(rest).ok_or_else(refuse)?;
        total = total.checked_add(part).ok_or_else(refuse)?;
        rest = left;
    }
    if text.is_empty() {
        Err(refuse())
    } else {
        Ok(total)
    }
}

/// Reads a duration from a YAML value: text, or a number of seconds.
///
/// # Errors
/// When the value is neither.
pub fn read(value: &Value) -> Result<Duration, String> {
    match value {
        Value::String(text) => parse(text),
        Value::Number(number) => parse(&number.to_string()),
        _ => Err("not a duration (write 2s, 500ms, 5m, 1h or seconds)".to_owned()),
    }
}

/// Writes a duration in its largest exact unit; [`parse`] reads it back.
#[must_use]
pub fn print(duration: Duration) -> String {
    let millis = duration.as_millis();
    let unit = UNITS
        .iter()
        .rev()
        .find(|(_, size)| millis.is_multiple_of(u128::from(*size)));
    match unit {
        Some((name, size)) if millis > 0 => format!("{}{name}", millis / u128::from(*size)),
        _ => format!("{}s", duration.as_secs()),
    }
}

/// For `#[serde(with = …)]` on fields that hold a duration.
pub mod serde_text {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the duration as text.
    ///
    /// # Errors
    /// Whatever the serializer reports.
    pub fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::print(*duration))
    }

    /// Reads the duration from text or seconds.
    ///
    /// # Errors
    /// When it is no duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let value = serde_json::Value::deserialize(from)?;
        super::read(&value).map_err(D::Error::custom)
    }
}

fn seconds_of(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

fn first_part(text: &str) -> Option<(Duration, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, rest) = text.split_at(digits);
    let letters = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(letters);
    let (_, size) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let number = number.parse::<f64>().ok()?;
    let size = Duration::from_millis(*size);
    Some((
        Duration::try_from_secs_f64(number * size.as_secs_f64()).ok()?,
        rest,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let rows = [
            ("2s", 2_000),
            ("500ms", 500),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("1h30m", 5_400_000),
            ("15d", 1_296_000_000),
            ("10", 10_000),
            ("0.5", 500),
            ("1.5s", 1_500),
        ];
        for (text, millis) in rows {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "", "s", "2 s", "-1s", "-1", "2x", "1h 30m", "nan", "inf", "1e400", "5ss",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn printed_durations_are_read_back() {
        for millis in [0, 1, 999, 1_000, 60_000, 90_000, 3_600_000, 86_400_000] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse(&print(duration)), Ok(duration), "{}", print(duration));
        }
    }
}
