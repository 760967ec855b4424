//! How a command ends.

use crate::api::ListenError;
use crate::cluster::ConnectError;
use crate::daemon::{LoadError, SessionError};
use crate::engine::WriteError;
use crate::manifest::system;

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything is fine.
    Fine = 0,
    /// Something differs, is not healthy, is blocked, or took too long.
    Differs = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// It failed, or was done in part.
    Failed = 3,
    /// Someone interrupted it.
    Interrupted = 130,
}

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What is said, without `error:`.
    pub message: String,
    /// What a person can do.
    pub hint: Option<String>,
    /// The exit code.
    pub exit: Exit,
    /// Whether `message` is complete text of its own, with `error:` and hints in it.
    pub rendered: bool,
}

impl Failure {
    /// Something that the person who typed the command can put right.
    #[must_use]
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: Some(hint.into()),
            exit: Exit::Usage,
            rendered: false,
        }
    }

    /// Something that went wrong on the way.
    #[must_use]
    pub fn failed(message: impl Into<String>, hint: Option<String>) -> Self {
        Self {
            message: message.into(),
            hint,
            exit: Exit::Failed,
            rendered: false,
        }
    }

    /// The text for a terminal.
    #[must_use]
    pub fn render(&self) -> String {
        if self.rendered {
            return self.message.clone();
        }
        match &self.hint {
            Some(hint) => format!("error: {}\nhint: {hint}", self.message),
            None => format!("error: {}", self.message),
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        let message = match error.count() {
            0 | 1 => error.render(),
            count => format!(
                "{}\n\nerror: {count} problems, nothing was done",
                error.render()
            ),
        };
        Self {
            message,
            hint: None,
            exit: Exit::Usage,
            rendered: true,
        }
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let exit = match error {
            ConnectError::Server { .. } => Exit::Failed,
            _ => Exit::Usage,
        };
        Self {
            hint: error.hint(),
            message: error.to_string(),
            exit,
            rendered: false,
        }
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Connect(error) => error.into(),
            SessionError::Load(error) => error.into(),
            SessionError::Prepare { ref source, .. } => {
                let hint = match source {
                    WriteError::Forbidden(_) => {
                        Some("`jsorc rbac` prints the rights that are needed".to_owned())
                    }
                    WriteError::NamespaceMissing(name) => Some(format!(
                        "`kubectl create namespace {name}` makes it; with create_namespace: true jsorc does"
                    )),
                    _ => None,
                };
                Self::failed(error.to_string(), hint)
            }
        }
    }
}

impl From<ListenError> for Failure {
    fn from(error: ListenError) -> Self {
        let hint = "another daemon may be running; api.listen and health.listen (JSORC_API__LISTEN, JSORC_HEALTH__LISTEN) choose other addresses";
        Self {
            exit: Exit::Usage,
            ..Self::failed(error.to_string(), Some(hint.into()))
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::failed(system::words(&error), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cluster_lacks_at_the_beginning_comes_with_what_to_do() {
        let hint = |source: WriteError| {
            let action = "store the instance's key";
            Failure::from(SessionError::Prepare { action, source }).hint
        };
        let missing = hint(WriteError::NamespaceMissing("prod".into())).unwrap();
        assert!(missing.contains("create_namespace"), "{missing}");
        let forbidden = hint(WriteError::Forbidden("secrets is forbidden".into())).unwrap();
        assert!(forbidden.contains("jsorc rbac"), "{forbidden}");
        assert_eq!(hint(WriteError::Changed), None);
    }
}
