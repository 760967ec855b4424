//! What a driver is, and what it is given.

use std::{any::Any, fmt, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{
    error::DriverError,
    settings::{Setting, SettingsProblem, check},
};

/// What a service answered to a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How long the answer took.
    pub latency: Duration,
    /// What there is to say about it: "2 workers, 0 queued".
    pub note: String,
    /// What a person can do, where the service answers and what it says is still no good news.
    pub advice: Option<String>,
}

/// How one kind of service is run and probed.
///
/// A driver is stateless: [`Driver::start`] makes a [`Running`], which holds the connection. A rerun
/// stops that one and starts another, from settings and credentials read again.
pub trait Driver: Send + Sync + 'static {
    /// The name by which a service asks for it.
    fn name(&self) -> &'static str;

    /// Everything that can be set.
    fn settings(&self) -> &'static [Setting];

    /// What the list of settings cannot say: settings that need or exclude each other, and values
    /// that have a shape of their own. Asked only for settings whose types are right.
    fn review(&self, settings: &Map<String, Value>) -> Vec<SettingsProblem> {
        let _ = settings;
        Vec::new()
    }

    /// Checks settings without any IO and tells all problems at once.
    fn check(&self, settings: &Map<String, Value>) -> Vec<SettingsProblem> {
        let problems = check(self.settings(), settings);
        if problems.is_empty() {
            self.review(settings)
        } else {
            problems
        }
    }

    /// Connects for real, within the deadline. [`DriverError::NotConfigured`] when there is no
    /// address. The settings have passed [`Driver::check`].
    fn start<'a>(
        &'a self,
        start: Start<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Running>, DriverError>>;
}

/// A service that has been started.
pub trait Running: Send {
    /// Asks it for a sign of life, within the deadline given at the start. A connection that was
    /// lost is made anew, so an answer always is one of the server that is there now.
    fn probe(&mut self) -> BoxFuture<'_, Result<Answer, DriverError>>;

    /// Ends what was started: says goodbye, ends processes.
    fn stop(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// What a driver is given to start with.
pub struct Start<'a> {
    /// The service's name.
    pub service: &'a str,
    /// The driver's settings.
    pub settings: &'a Map<String, Value>,
    /// The way to addresses and credentials.
    pub reach: &'a dyn Reach,
    /// The deadline of the start, and of each probe after it.
    pub timeout: Duration,
    /// Where the lines of child processes go.
    pub log: Log,
}

/// How an address and a credential become real: cluster DNS or a port-forward, and Secrets.
pub trait Reach: Send + Sync {
    /// The way to a Service, given as `NAME` or `NAME:PORT`. [`DriverError::NotConfigured`] when
    /// there is no cluster to ask.
    fn address<'a>(&'a self, service: &'a str) -> BoxFuture<'a, Result<Endpoint, DriverError>>;

    /// The value of a Secret's key. [`DriverError::NotConfigured`] when there is no cluster to ask.
    fn secret<'a>(
        &'a self,
        name: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<SecretString, DriverError>>;
}

/// Where to connect to.
pub struct Endpoint {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What keeps the way open, such as a port-forward: held as long as the service runs.
    pub keep: Option<Box<dyn Any + Send + Sync>>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Where the lines go that a service's own processes write.
#[derive(Clone)]
pub struct Log(Arc<dyn Fn(&str) + Send + Sync>);

impl Log {
    /// A log that gives each line to a function.
    pub fn new(take: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }

    /// A log that writes each line as an event with the service's name.
    #[must_use]
    pub fn tracing(service: &str) -> Self {
        let service = service.to_owned();
        Self::new(move |line| tracing::info!(target: "jsorc::service", %service, "{line}"))
    }

    /// The same log with a name before each line.
    pub(super) fn prefixed(&self, name: &str) -> Self {
        let (log, name) = (self.clone(), name.to_owned());
        Self::new(move |line| log.line(&format!("{name}: {line}")))
    }

    pub(super) fn line(&self, line: &str) {
        (self.0)(line);
    }
}
