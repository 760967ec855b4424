//! How an error is printed: `error: …`, its causes, and what to do about it.

use super::layout::{safe, width};
use super::style::{Meaning, Palette};
use std::error::Error;
use std::fmt::Write as _;

/// A message with its causes stays on one line up to this width.
const ONE_LINE: usize = 160;

/// The lines of an error; ends with a line feed. The message may have several lines, such as the
/// snippet of a file; the hint comes last.
#[must_use]
pub fn error(message: &str, hint: Option<&str>, palette: Palette) -> String {
    let mut text = format!(
        "{} {}\n",
        palette.paint(Meaning::Bad, "error:"),
        lines(message)
    );
    if let Some(hint) = hint {
        let head = palette.paint(Meaning::Strong, "hint:");
        let _ = writeln!(text, "{head} {}", lines(hint));
    }
    text
}

/// Like [`error`], for what stops nothing.
#[must_use]
pub fn warning(message: &str, hint: Option<&str>, palette: Palette) -> String {
    let whole = error(message, hint, Palette::PLAIN);
    let rest = whole.strip_prefix("error:").unwrap_or(&whole);
    format!("{}{rest}", palette.paint(Meaning::Change, "warning:"))
}

/// An error and its causes: on one line where that is short, else one cause a line. A cause that
/// the message before it already tells is not repeated.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !parts.iter().any(|part| part.contains(&said)) {
            parts.push(said);
        }
        next = cause.source();
    }
    let whole = parts.join(": ");
    if width(&whole) <= ONE_LINE {
        whole
    } else {
        parts.join("\n  because: ")
    }
}

fn lines(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().lines().map(safe).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{said}")]
    struct Said {
        said: String,
        source: Option<Box<Said>>,
    }

    fn said(parts: &[&str]) -> Said {
        let (first, rest) = parts.split_first().unwrap();
        Said {
            said: (*first).to_owned(),
            source: (!rest.is_empty()).then(|| Box::new(said(rest))),
        }
    }

    #[test]
    fn the_hint_comes_last() {
        let message = "services/redis/kube/redis.yaml:31:15: unknown parameter `memroy`\n   |\n31 |       memory: $g{memroy}\n   |               ^^^^^^^^^^ not declared in services/redis/service.yaml";
        assert_eq!(
            error(message, Some("did you mean `memory`?"), Palette::PLAIN),
            format!("error: {message}\nhint: did you mean `memory`?\n")
        );
        assert_eq!(
            error("no", None, Palette::COLOURED),
            "\u{1b}[31merror:\u{1b}[0m no\n"
        );
    }

    #[test]
    fn causes_are_told_once_and_on_one_line_where_short() {
        let short = said(&["cannot connect", "tls handshake", "tls handshake"]);
        assert_eq!(chain(&short), "cannot connect: tls handshake");
        let long = said(&["cannot connect", &"x".repeat(150)]);
        assert_eq!(
            chain(&long),
            format!("cannot connect\n  because: {}", "x".repeat(150))
        );
    }

    #[test]
    fn a_server_cannot_steer_the_terminal() {
        assert_eq!(
            error("refused: \u{1b}[2Jgone", None, Palette::PLAIN),
            "error: refused: \\u{1b}[2Jgone\n"
        );
        assert_eq!(
            warning("look", Some("here"), Palette::PLAIN),
            "warning: look\nhint: here\n"
        );
    }
}
