//! Where a service stands, in one word.

use serde::Serialize;
use std::fmt;

/// The phase of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Phase {
    /// Not enabled, or not kept alive.
    Disabled,
    /// Told to be left alone.
    Suspended,
    /// The driver has no address: not waited for, not unhealthy.
    NotConfigured,
    /// Something has to come first.
    Waiting,
    /// Objects are being written.
    Applying,
    /// Objects are written, and not ready yet.
    Settling,
    /// The driver is connecting.
    Starting,
    /// It answers.
    Running,
    /// It answered, and does not any more.
    Degraded,
    /// It could not be brought up; tried again.
    Failed,
    /// In the cluster, and no longer in services/.
    Orphaned,
}

impl Phase {
    /// The original's word for it.
    #[must_use]
    pub fn state(self) -> &'static str {
        match self {
            Self::Starting => "STARTED",
            Self::Running => "RUNNING",
            Self::Degraded | Self::Failed => "FAILED",
            _ => "NOT_STARTED",
        }
    }

    /// Whether a service is on its way to another phase, and may be for moments only.
    #[must_use]
    pub fn is_transitional(self) -> bool {
        matches!(
            self,
            Self::Waiting | Self::Applying | Self::Settling | Self::Starting
        )
    }

    /// Whether something is wrong with the service.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Degraded)
    }

    /// Whether nothing is wrong with the service and nothing is left to do.
    #[must_use]
    pub fn is_settled(self) -> bool {
        matches!(
            self,
            Self::Disabled | Self::Suspended | Self::NotConfigured | Self::Running
        )
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Disabled => "Disabled",
            Self::Suspended => "Suspended",
            Self::NotConfigured => "NotConfigured",
            Self::Waiting => "Waiting",
            Self::Applying => "Applying",
            Self::Settling => "Settling",
            Self::Starting => "Starting",
            Self::Running => "Running",
            Self::Degraded => "Degraded",
            Self::Failed => "Failed",
            Self::Orphaned => "Orphaned",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_originals_four_states_stay_visible() {
        use Phase::*;
        for phase in [
            Disabled,
            Suspended,
            NotConfigured,
            Waiting,
            Applying,
            Settling,
        ] {
            assert_eq!(phase.state(), "NOT_STARTED");
        }
        assert_eq!(Starting.state(), "STARTED");
        assert_eq!(Running.state(), "RUNNING");
        assert_eq!((Degraded.state(), Failed.state()), ("FAILED", "FAILED"));
    }
}
