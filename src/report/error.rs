//! How an error is printed: `error: …`, its causes, and what to do about it.

use super::style::Palette;

/// The lines of an error; ends with a line feed.
#[must_use]
pub fn error(message: &str, hint: Option<&str>, palette: Palette) -> String {
    let _ = palette;
    format!(
        "error: {message}\n{}",
        hint.map(|hint| format!("hint: {hint}\n"))
            .unwrap_or_default()
    )
}

/// An error with its causes.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    error.to_string()
}
