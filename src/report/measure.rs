//! Numbers as people say them: spans, ages, sizes, counts.

use jiff::Timestamp;
use std::time::Duration;

/// How long something lasts: `4m12s`, `11s`, `1.1 s` below ten seconds, `3 ms` below one.
#[must_use]
pub fn span(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0 if !duration.is_zero() => "under 1 ms".to_owned(),
        0..1_000 => format!("{millis} ms"),
        1_000..10_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => age(duration),
    }
}

/// How old something is, in at most two units: `8s`, `4m12s`, `3h5m`, `2d4h`.
#[must_use]
pub fn age(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let two = |large: u64, large_unit: &str, small: u64, small_unit: &str| {
        if small == 0 {
            format!("{large}{large_unit}")
        } else {
            format!("{large}{large_unit}{small}{small_unit}")
        }
    };
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => two(seconds / 60, "m", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "m"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// How long one waits: `12 s` below a minute, else as [`age`].
#[must_use]
pub fn wait(duration: Duration) -> String {
    match duration.as_secs() {
        0 if duration.as_millis() > 0 => format!("{} ms", duration.as_millis()),
        seconds @ 0..60 => format!("{seconds} s"),
        _ => age(duration),
    }
}

/// When something was, seen from now, in its largest unit: `2m ago`.
#[must_use]
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(then.as_second());
    match seconds {
        ..1 => "just now".to_owned(),
        1..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..86_400 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

/// A number of bytes: `812 B`, `3.4 KiB`, `131 MiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1_024 {
        return format!("{bytes} B");
    }
    let mut tenths = u128::from(bytes) * 10 / 1_024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1_024;
        unit += 1;
    }
    if tenths < 100 {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    } else {
        format!("{} {}", tenths / 10, UNITS[unit])
    }
}

/// A number with its noun: `1 key`, `3 keys`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// `1st`, `2nd`, `3rd`, `4th`.
#[must_use]
pub fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_ages_as_people_say_them() {
        let rows = [
            (0, "0 ms", "0s", "0 s"),
            (3, "3 ms", "0s", "3 ms"),
            (999, "999 ms", "0s", "999 ms"),
            (1_149, "1.1 s", "1s", "1 s"),
            (9_999, "9.9 s", "9s", "9 s"),
            (11_000, "11s", "11s", "11 s"),
            (252_000, "4m12s", "4m12s", "4m12s"),
            (3_600_000, "1h", "1h", "1h"),
            (11_130_000, "3h5m", "3h5m", "3h5m"),
            (187_200_000, "2d4h", "2d4h", "2d4h"),
        ];
        for (millis, lasting, old, waiting) in rows {
            let duration = Duration::from_millis(millis);
            assert_eq!(
                (span(duration), age(duration), wait(duration)),
                (lasting.into(), old.into(), waiting.into())
            );
        }
        assert_eq!(span(Duration::from_micros(400)), "under 1 ms");
    }

    #[test]
    fn times_are_said_from_now_and_never_lie_in_the_future() {
        let now: Timestamp = "2026-11-22T14:03:07Z".parse().unwrap();
        let rows = [
            ("2026-11-22T14:03:08Z", "just now"),
            ("2026-11-22T14:03:07Z", "just now"),
            ("2026-11-22T14:02:37Z", "30s ago"),
            ("2026-11-22T14:00:58Z", "2m ago"),
            ("2026-11-22T09:03:07Z", "5h ago"),
            ("2026-11-10T09:03:07Z", "12d ago"),
        ];
        for (then, said) in rows {
            assert_eq!(ago(then.parse().unwrap(), now), said);
        }
    }

    #[test]
    fn sizes_counts_and_ordinals() {
        let sizes = [0, 1_023, 1_024, 3_500, 10_240, 137_363_456, u64::MAX];
        let said: Vec<String> = sizes.into_iter().map(size).collect();
        assert_eq!(
            said,
            [
                "0 B",
                "1023 B",
                "1.0 KiB",
                "3.4 KiB",
                "10 KiB",
                "131 MiB",
                "16777215 TiB"
            ]
        );
        assert_eq!(
            (count(1, "key"), count(0, "key")),
            ("1 key".into(), "0 keys".into())
        );
        let said: Vec<String> = [1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal).into();
        assert_eq!(
            said,
            [
                "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"
            ]
        );
    }
}
