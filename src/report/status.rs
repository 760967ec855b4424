//! Where everything stands, for people and programs.

use super::style::Palette;
use crate::engine::Status;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::time::Duration;

/// How a status is shown.
#[derive(Clone, Debug)]
pub struct StatusView {
    /// How often every service is looked at; `None` when nothing keeps it alive.
    pub interval: Option<Duration>,
    /// Problems of single objects and hints as well.
    pub verbose: bool,
    /// Colour or plain.
    pub palette: Palette,
    /// The time of day.
    pub now: Timestamp,
    /// For times of day on screen.
    pub zone: TimeZone,
    /// Who leads, when there are several replicas.
    pub leader: Option<String>,
}

/// The status for people; ends with a line feed.
#[must_use]
pub fn text(status: &Status, view: &StatusView) -> String {
    let _ = (status, view);
    String::new()
}

/// The status for programs: `kind: Status`.
#[must_use]
pub fn json(status: &Status, view: &StatusView) -> Value {
    let _ = (status, view);
    Value::Null
}
