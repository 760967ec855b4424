//! The two ends by which others talk to a daemon: what it tells, and what it is asked.
//!
//! Nobody but the daemon itself touches its state: whoever asks gets a copy, or an answer.

use crate::engine::{Phase, Status};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// The two ends by which others talk to a daemon.
#[derive(Clone)]
pub struct Ends {
    /// What it tells.
    pub snapshots: watch::Receiver<Snapshot>,
    /// What it is asked.
    pub requests: mpsc::Sender<Request>,
}

/// What a daemon tells whoever asks.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Whose daemon it is: the instance's identity.
    pub instance: String,
    /// Where everything stands.
    pub status: Status,
    /// How often every service is looked at.
    pub interval: Duration,
    /// Why the files as they are now are not in force.
    pub config_error: Option<String>,
    /// What the cluster is called.
    pub target: String,
    /// How many requests were sent to the cluster.
    pub requests: u64,
    /// Heals and applies since the start.
    pub healed: u64,
    /// Objects written because their manifest said so.
    pub applied: u64,
}

/// Something that people ask of a daemon.
#[derive(Debug)]
pub enum Request {
    /// Read the configuration again and rerun a service; the answer comes when it is done.
    Refresh(String, oneshot::Sender<Refreshed>),
}

/// How a refresh ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// No such service; the nearest name.
    Unknown(Option<String>),
    /// The configuration is not valid; what was in force stays.
    Invalid(String),
    /// The service's phase and why.
    Done(Phase, String),
    /// It goes on.
    Pending(Phase, String),
}
