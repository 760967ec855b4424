//! Kubernetes quantities, such as `256Mi`, `500m` or `1e3`, as exact numbers to compare.

/// Binary and decimal suffixes with their size in thousand-millionths of one.
const SUFFIXES: [(&str, i128); 16] = [
    ("Ki", NANO << 10),
    ("Mi", NANO << 20),
    ("Gi", NANO << 30),
    ("Ti", NANO << 40),
    ("Pi", NANO << 50),
    ("Ei", NANO << 60),
    ("n", 1),
    ("u", 1_000),
    ("m", 1_000_000),
    ("k", NANO * 1_000),
    ("M", NANO * 1_000_000),
    ("G", NANO * 1_000_000_000),
    ("T", NANO * 1_000_000_000_000),
    ("P", NANO * 1_000_000_000_000_000),
    ("E", NANO * 1_000_000_000_000_000_000),
    ("", NANO),
];
const NANO: i128 = 1_000_000_000;

/// Reads a quantity as thousand-millionths of one; smaller parts are rounded up, as Kubernetes does.
///
/// # Errors
/// When the text is no quantity.
pub fn parse(text: &str) -> Result<i128, String> {
    let refuse = || format!("`{text}` is no quantity (write 256Mi, 500m or 2)");
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '+' | '-'))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let (unit, exponent) = scale(suffix).ok_or_else(refuse)?;
    number_times(number, unit, exponent).ok_or_else(refuse)
}

/// The unit and the power of ten that a suffix stands for.
fn scale(suffix: &str) -> Option<(i128, i32)> {
    if let Some((_, unit)) = SUFFIXES.iter().find(|(name, _)| *name == suffix) {
        return Some((*unit, 0));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?.parse::<i32>().ok()?;
    (-18..=18).contains(&exponent).then_some((NANO, exponent))
}

fn number_times(number: &str, unit: i128, exponent: i32) -> Option<i128> {
    let (negative, number) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let all_digits = |s: &str| s.chars().all(|c| c.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let mantissa = format!("{whole}{fraction}").parse::<i128>().ok()?;
    let power = exponent - i32::try_from(fraction.len()).ok()?;
    let value = times_ten(mantissa.checked_mul(unit)?, power)?;
    Some(if negative { -value } else { value })
}

fn times_ten(value: i128, power: i32) -> Option<i128> {
    let size = 10_i128.checked_pow(power.unsigned_abs())?;
    if power >= 0 {
        return value.checked_mul(size);
    }
    let rounded_up = i128::from(value % size != 0);
    Some(value / size + rounded_up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_compare_as_kubernetes_means_them() {
        let rows = [
            ("1", NANO),
            ("500m", NANO / 2),
            ("0.5", NANO / 2),
            ("1Ki", 1024 * NANO),
            ("1k", 1000 * NANO),
            ("1e3", 1000 * NANO),
            ("1E3", 1000 * NANO),
            ("1.5Gi", 1536 * 1024 * 1024 * NANO),
            ("-1", -NANO),
            ("+2", 2 * NANO),
            (".5", NANO / 2),
            ("1n", 1),
            ("0.1n", 1),
        ];
        for (text, nano) in rows {
            assert_eq!(parse(text), Ok(nano), "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in [
            "", "Mi", "1 Gi", "1gi", "1KB", "1mb", "1..2", "--1", "1-", "abc", "1e99", ".",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
