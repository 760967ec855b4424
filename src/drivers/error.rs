//! What goes wrong between a driver and its service.
//!
//! Every message is one line, begins with the place (`smtp://localhost:1025: …`) and holds no
//! secret: places are put together from scheme, host and port, never taken from a URL as given.

use std::{fmt, io, time::Duration};

use super::settings::SettingsProblem;

/// Why a driver could not start, or got no answer.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// It has no address: nothing is wrong, there is just nothing to do.
    #[error("{0}")]
    NotConfigured(String),
    /// Its settings are wrong.
    #[error("{}", join(.0))]
    Settings(Vec<SettingsProblem>),
    /// Nobody answers at the address, or what answers is not ready yet.
    #[error("{place}: {message}")]
    Unreachable {
        /// Scheme, host and port.
        place: String,
        /// What the system said.
        message: String,
        /// What the system said, as it said it.
        #[source]
        source: Option<io::Error>,
    },
    /// The server answers and does not let us in.
    #[error("{place}: {message}")]
    Refused {
        /// Scheme, host and port.
        place: String,
        /// What the server said.
        message: String,
        /// What a person can do.
        hint: String,
    },
    /// The server answers something else than expected.
    #[error("{place}: {message}")]
    Protocol {
        /// Scheme, host and port.
        place: String,
        /// What came instead.
        message: String,
        /// What a person can do.
        hint: Option<String>,
    },
    /// No answer in time.
    #[error("{place}: no answer within {}", seconds(*.after))]
    Timeout {
        /// Scheme, host and port.
        place: String,
        /// The deadline.
        after: Duration,
    },
    /// A process has ended.
    #[error("{name} {how}{}", last(.lines))]
    Exited {
        /// The command's name.
        name: String,
        /// "exited with 3", "was killed by signal 9", "does not start: …".
        how: String,
        /// What it wrote last.
        lines: Vec<String>,
    },
}

impl DriverError {
    /// There is nothing to connect to.
    #[must_use]
    pub fn is_not_configured(&self) -> bool {
        matches!(self, Self::NotConfigured(_))
    }

    /// Nothing is there, or not yet.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Settings(problems) => problems.iter().find_map(|problem| problem.hint.clone()),
            Self::Refused { hint, .. } => Some(hint.clone()),
            Self::Protocol { hint, .. } => hint.clone(),
            _ => None,
        }
    }

    pub(super) fn unreachable(place: impl fmt::Display, error: io::Error) -> Self {
        let message = io_message(&error);
        Self::Unreachable {
            place: place.to_string(),
            message,
            source: Some(error),
        }
    }

    pub(super) fn closed(place: impl fmt::Display) -> Self {
        Self::not_ready(place, "the server closed the connection")
    }

    pub(super) fn not_ready(place: impl fmt::Display, message: impl Into<String>) -> Self {
        Self::Unreachable {
            place: place.to_string(),
            message: message.into(),
            source: None,
        }
    }

    pub(super) fn refused(
        place: impl fmt::Display,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Refused {
            place: place.to_string(),
            message: message.into(),
            hint: hint.into(),
        }
    }

    pub(super) fn protocol(place: impl fmt::Display, message: impl Into<String>) -> Self {
        Self::Protocol {
            place: place.to_string(),
            message: one_line(&message.into()),
            hint: None,
        }
    }

    pub(super) fn with_hint(self, text: impl Into<String>) -> Self {
        match self {
            Self::Protocol { place, message, .. } => Self::Protocol {
                place,
                message,
                hint: Some(text.into()),
            },
            other => other,
        }
    }
}

/// Runs an action to its end, or to the deadline.
pub(super) async fn within<T>(
    after: Duration,
    place: &str,
    action: impl Future<Output = Result<T, DriverError>>,
) -> Result<T, DriverError> {
    let late = |_| {
        Err(DriverError::Timeout {
            place: place.to_owned(),
            after,
        })
    };
    tokio::time::timeout(after, action)
        .await
        .unwrap_or_else(late)
}

/// A server's words on one line, and not too many of them.
pub(super) fn one_line(text: &str) -> String {
    const LONGEST: usize = 200;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A server's words, with each of these secrets masked.
pub(super) fn without<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    let secrets = secrets.into_iter().filter(|secret| !secret.is_empty());
    secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
}

/// The system's message without its number.
pub(super) fn io_message(error: &io::Error) -> String {
    let text = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
        _ => error.to_string(),
    };
    let text = text
        .split_once(" (os error")
        .map_or(text.as_str(), |(text, _)| text);
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

fn join(problems: &[SettingsProblem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

fn last(lines: &[String]) -> String {
    lines
        .last()
        .map(|line| format!(": {}", one_line(line)))
        .unwrap_or_default()
}

fn seconds(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{} s", time.as_secs()),
        _ => format!("{} ms", time.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_connection_reads_as_one_short_line() {
        let error = io::Error::from_raw_os_error(111);
        let error = DriverError::unreachable("smtp://localhost:1025", error);
        assert_eq!(
            error.to_string(),
            "smtp://localhost:1025: connection refused"
        );
    }

    #[test]
    fn secrets_in_a_servers_words_are_masked() {
        let words = "unknown command: AUTH app hunter2";
        assert_eq!(
            without(words, ["hunter2", ""]),
            "unknown command: AUTH app ***"
        );
    }

    #[test]
    fn long_answers_are_cut_at_a_character() {
        let line = one_line(&"ä\n".repeat(300));
        assert_eq!(line.chars().count(), 201);
        assert!(line.ends_with('…') && !line.contains('\n'));
    }
}
