//! What is wrong with a file, where, and what to do about it.
//!
//! A problem carries the line it is about, so that it can be shown without the file. It never
//! quotes a value of a secret parameter: those have no values in the files.

use std::borrow::Cow;
use std::fmt;

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The path as people know it, beginning with the services folder.
    pub file: Cow<'static, str>,
    /// The line, from 1; 0 when the problem is the file itself.
    pub line: u32,
    /// The column in characters, from 1; 0 when the problem is the file itself.
    pub column: u32,
}

/// Whether a problem refuses the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The folder is refused.
    Error,
    /// Worth a look, nothing more.
    Warning,
}

/// The line of a file that a problem points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The line's text.
    pub text: String,
    /// How many characters the carets cover.
    pub width: usize,
    /// What is said beside the carets; may be empty.
    pub label: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// What, as a lowercase fragment.
    pub message: String,
    /// The line in question, where there is one.
    pub snippet: Option<Snippet>,
    /// What a person can do.
    pub hint: Option<String>,
}

/// Everything that is wrong, in file order; never empty when it is an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl Problem {
    /// The problem on one line: `services/redis/kube/redis.yaml:31:15: unknown parameter …`.
    #[must_use]
    pub fn headline(&self) -> String {
        format!("{}: {}", self.place, self.message)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => write!(f, "{}", self.file),
            (line, 0) => write!(f, "{}:{line}", self.file),
            (line, column) => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity, self.headline())?;
        if let Some(snippet) = &self.snippet {
            snippet.write(f, &self.place)?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n\n" };
            write!(f, "{gap}{problem}")?;
        }
        Ok(())
    }
}

impl Snippet {
    fn write(&self, f: &mut fmt::Formatter<'_>, place: &Place) -> fmt::Result {
        let number = place.line.to_string();
        let margin = " ".repeat(number.len());
        let column = usize::try_from(place.column).unwrap_or(1).max(1);
        // Tabs are kept in the padding, so that the carets stay below what they point at.
        let padding: String = self
            .text
            .chars()
            .take(column - 1)
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        let carets = "^".repeat(self.width.max(1));
        let label = if self.label.is_empty() {
            String::new()
        } else {
            format!(" {}", self.label)
        };
        write!(f, "\n{margin} |\n{number} | {}", self.text)?;
        write!(f, "\n{margin} | {padding}{carets}{label}")
    }
}
