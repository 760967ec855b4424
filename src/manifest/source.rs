//! A file with its text, and the spots in it that problems point at.

use std::borrow::Cow;

use super::problem::{Place, Problem, Severity, Snippet};

/// The longest line that is shown with a problem.
const SHOWN: usize = 160;

/// A file that is being checked.
#[derive(Debug)]
pub struct Source {
    /// The path as people know it.
    pub file: Cow<'static, str>,
    /// The text, without a byte order mark.
    pub text: String,
}

/// A stretch of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Spot {
    /// The line, from 1; 0 for the file itself.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// How many characters it covers.
    pub width: u32,
    /// Where its text begins, in bytes; behind an alias this is the anchored text.
    pub offset: usize,
}

impl Source {
    /// A file of that name and content.
    #[must_use]
    pub fn new(file: impl Into<Cow<'static, str>>, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        Self {
            file: file.into(),
            text,
        }
    }

    /// The spot as a place.
    #[must_use]
    pub fn place(&self, spot: Spot) -> Place {
        Place {
            file: self.file.clone(),
            line: spot.line,
            column: spot.column,
        }
    }

    /// An error at a spot.
    #[must_use]
    pub fn error(&self, spot: Spot, message: impl Into<String>) -> Problem {
        self.problem(Severity::Error, spot, message.into())
    }

    /// A warning at a spot.
    #[must_use]
    pub fn warning(&self, spot: Spot, message: impl Into<String>) -> Problem {
        self.problem(Severity::Warning, spot, message.into())
    }

    /// The `nth` occurrence (from 0) of `needle` at or after a spot, or the spot itself.
    ///
    /// Text in a block or a quoted scalar stands in the file as it is, apart from escapes, so
    /// that this finds the very characters a problem is about.
    #[must_use]
    pub fn find(&self, spot: Spot, needle: &str, nth: usize) -> Spot {
        let Some(rest) = self.text.get(spot.offset..) else {
            return spot;
        };
        let Some((at, _)) = rest.match_indices(needle).nth(nth) else {
            return spot;
        };
        self.spot_at(spot.offset + at, needle.chars().count())
    }

    fn spot_at(&self, offset: usize, width: usize) -> Spot {
        let before = self.text.get(..offset).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        Spot {
            line: narrow(line),
            column: narrow(column),
            width: narrow(width),
            offset,
        }
    }

    fn problem(&self, severity: Severity, spot: Spot, message: String) -> Problem {
        let snippet = self.snippet(spot);
        Problem {
            severity,
            place: self.place(spot),
            message,
            snippet,
            hint: None,
        }
    }

    fn snippet(&self, spot: Spot) -> Option<Snippet> {
        let index = usize::try_from(spot.line).ok()?.checked_sub(1)?;
        let line = self.text.lines().nth(index)?;
        let text: String = line.chars().take(SHOWN).collect();
        let before = usize::try_from(spot.column).ok()?.saturating_sub(1);
        let room = text.chars().count().saturating_sub(before).max(1);
        let width = usize::try_from(spot.width).ok()?.clamp(1, room);
        (before < SHOWN).then_some(Snippet {
            text,
            width,
            label: String::new(),
        })
    }
}

impl Problem {
    /// The same problem with words beside its carets.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        if let Some(snippet) = &mut self.snippet {
            snippet.label = label.into();
        }
        self
    }

    /// The same problem with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same problem with a hint, if there is one.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }
}

/// A count as a line or column; files are far smaller than the limit.
pub(super) fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
