//! One engine with its hands: carries events in and commands out.
//!
//! A command line's plan or apply and the daemon are the same session; they differ in how long
//! they go on and in what they do about the occurrences.

use super::connected::Connected;
use super::loading::{LoadError, Settings};
use super::runner::Runner;
use super::writers::Writers;
use crate::cluster::{Candidate, ConnectError, Eyes, Forwarder, Hands, Reader, passing_key};
use crate::desired::rights::{Purpose, Right, rights};
use crate::desired::{FingerprintKey, Instance, Resource};
use crate::engine::{ClusterState, Engine, Event, Mode, Now, Occurrence, Status, WriteError};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

/// Reads of single objects at the same time.
const READS_AT_ONCE: usize = 16;
/// What watches say waits for its turn here and then at the server: it is large, and there may be
/// thousands at once.
const SEEN_AT_ONCE: usize = 64;
/// So many events are taken before their commands are carried out.
const BATCH: usize = 256;

/// Whether a session may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It has no hands: a plan, or a dry run.
    ReadOnly,
    /// It has.
    ReadWrite,
}

/// Why a session could not begin.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// There is no cluster to work with.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Something could not be read or prepared.
    #[error("{action}: {source}")]
    Prepare {
        /// What was being done.
        action: &'static str,
        /// Why it failed.
        source: WriteError,
    },
    /// Services and configuration do not fit.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// An engine at work.
pub struct Session {
    pub(super) engine: Engine,
    pub(super) key: FingerprintKey,
    pub(super) instance: Instance,
    pub(super) link: Option<Link>,
    pub(super) runner: Runner,
    pub(super) events: mpsc::UnboundedSender<Event>,
    pub(super) inbox: mpsc::UnboundedReceiver<Event>,
    pub(super) sights: mpsc::Sender<Event>,
    pub(super) seen: mpsc::Receiver<Event>,
    pub(super) started: Instant,
    pub(super) told: Vec<Occurrence>,
    pub(super) objects_of: HashMap<Arc<str>, bool>,
    pub(super) numbers_of: HashMap<Arc<str>, Vec<(String, u64)>>,
    pub(super) served: Vec<Resource>,
    pub(super) was_applied: bool,
    pub(super) outdated: bool,
}

/// The connection to a cluster.
pub(super) struct Link {
    pub(super) reader: Reader,
    pub(super) hands: Option<Hands>,
    pub(super) eyes: Eyes,
    pub(super) forwarder: Option<Forwarder>,
    pub(super) writes: Writers,
    pub(super) reads: Arc<Semaphore>,
}

pub(super) fn prepare(action: &'static str) -> impl Fn(WriteError) -> SessionError {
    move |source| SessionError::Prepare { action, source }
}

fn broken(error: &kube::Error) -> SessionError {
    prepare("set up a connection")(WriteError::Unreachable(error.to_string()))
}

/// The instance's key: stored by whoever may write, read by the others, and made up for this
/// process when nobody stored one yet.
async fn shared_key(
    settings: &Settings,
    connected: &Connected,
    hands: Option<&Hands>,
) -> Result<FingerprintKey, SessionError> {
    let (instance, config) = (&settings.instance, &settings.loaded.config);
    if let Some(hands) = hands.filter(|_| config.enabled) {
        let key = hands
            .ensure_fingerprint_key(instance, config.create_namespace)
            .await;
        return key.map_err(prepare("store the instance's key"));
    }
    let stored = connected.reader.fingerprint_key(instance).await;
    let stored = match stored {
        // Who may not read the key compares with a key of its own, which costs dry runs.
        Err(WriteError::Forbidden(_)) => Ok(None),
        other => other,
    };
    match stored.map_err(prepare("read the instance's key"))? {
        Some(key) => Ok(key),
        None => passing_key().map_err(prepare("make a key")),
    }
}

impl Session {
    /// A session that is not connected yet: services without manifests are rerun and probed, the
    /// others wait.
    ///
    /// # Errors
    /// When settings and services do not fit.
    pub fn new(
        settings: &Settings,
        cluster: ClusterState,
        mode: Mode,
    ) -> Result<Self, SessionError> {
        let mut session = Self::idle(settings, cluster, mode)?;
        session.give(settings)?;
        Ok(session)
    }

    /// A session that wants nothing before it is attached to a cluster.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn idle(
        settings: &Settings,
        cluster: ClusterState,
        mode: Mode,
    ) -> Result<Self, SessionError> {
        let key = passing_key().map_err(prepare("make a key"))?;
        let (events, inbox) = mpsc::unbounded_channel();
        let (sights, seen) = mpsc::channel(SEEN_AT_ONCE);
        let session = Self {
            engine: Engine::new(settings.instance.clone(), key.clone(), mode),
            key,
            instance: settings.instance.clone(),
            link: None,
            runner: Runner::new(events.clone()),
            events,
            inbox,
            sights,
            seen,
            started: Instant::now(),
            told: Vec::new(),
            objects_of: HashMap::new(),
            numbers_of: HashMap::new(),
            served: Vec::new(),
            was_applied: false,
            outdated: false,
        };
        session.send(Event::Cluster(cluster));
        Ok(session)
    }

    /// Takes up work with a cluster.
    ///
    /// # Errors
    /// When the cluster does not give what the beginning needs.
    pub async fn attach(
        &mut self,
        settings: &Settings,
        connected: &Connected,
        access: Access,
    ) -> Result<(), SessionError> {
        let instance = &settings.instance;
        let config = &connected.target.config;
        let hands = match access {
            Access::ReadOnly => None,
            Access::ReadWrite => Some(
                Hands::new(config, connected.reader.clone(), &connected.counter)
                    .map_err(|error| broken(&error))?,
            ),
        };
        self.key = shared_key(settings, connected, hands.as_ref()).await?;
        self.engine.set_key(self.key.clone());
        let served = connected.served(&settings.foreign_api_versions()).await?;
        let stored = connected
            .reader
            .stored(instance)
            .await
            .map_err(prepare("read the inventories"))?;
        let forwarder = if connected.target.inside {
            None
        } else {
            Some(Forwarder::new(config, &connected.reader).map_err(|error| broken(&error))?)
        };
        let eyes = Eyes::new(
            config.clone(),
            connected.counter.clone(),
            &instance.label(),
            self.sights.clone(),
        );
        let reader = connected.reader.clone();
        self.link = Some(Link {
            writes: Writers::new(reader.clone(), hands.clone(), self.events.clone()),
            reader,
            hands,
            eyes,
            forwarder,
            reads: Arc::new(Semaphore::new(READS_AT_ONCE)),
        });
        self.served = served;
        self.was_applied = !stored.inventories.is_empty();
        // What was dismissed is not part of what ought to be.
        let now = self.now();
        for command in self.engine.handle([Event::Orders(stored.orders)], now) {
            self.carry_out(command);
        }
        self.outdated = false;
        self.give(settings)?;
        self.send(Event::Inventories(stored.inventories));
        self.send(Event::Cluster(ClusterState::Ready));
        Ok(())
    }

    /// Takes other services and another configuration as what ought to be from now on.
    ///
    /// # Errors
    /// When they do not fit; what was wanted before stays in force.
    pub fn give(&mut self, settings: &Settings) -> Result<(), SessionError> {
        let dismissed = self.engine.orders().dismissed();
        let set = settings.desired_without(&self.key, &self.served, dismissed)?;
        self.objects_of = set
            .services
            .iter()
            .map(|s| (s.name.clone(), !s.objects.is_empty()))
            .collect();
        self.numbers_of = super::carrying::numbers_of(settings);
        self.send(Event::Desired(Box::new(set)));
        Ok(())
    }

    /// Gives the same services anew, when an order changed which of them are kept alive.
    ///
    /// # Errors
    /// When they do not fit any more.
    pub fn refit(&mut self, settings: &Settings) -> Result<(), SessionError> {
        if std::mem::take(&mut self.outdated) {
            self.give(settings)?;
        }
        Ok(())
    }

    /// A sender of events, for those who bring some from outside.
    #[must_use]
    pub fn events(&self) -> mpsc::UnboundedSender<Event> {
        self.events.clone()
    }

    /// The engine, to look at.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Changes what the engine may do.
    pub fn set_mode(&mut self, mode: Mode) {
        self.engine.set_mode(mode);
        self.send(Event::Woken);
    }

    /// A candidate for the Lease of this session's instance; `None` without hands.
    #[must_use]
    pub fn candidate(&self) -> Option<Candidate> {
        let hands = self.link.as_ref()?.hands.clone()?;
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let me = format!(
            "{}_{}_{}",
            self.instance.identity(),
            host.trim(),
            std::process::id()
        );
        Some(Candidate::new(hands, self.instance.clone(), me))
    }

    /// Reads the inventories again, as whoever led before left them, and stores what this leader
    /// runs with.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn take_over(&mut self, settings: &Settings) -> Result<(), SessionError> {
        let Some(link) = &self.link else {
            return Ok(());
        };
        let stored = link
            .reader
            .stored(&self.instance)
            .await
            .map_err(prepare("read the inventories"))?;
        self.send(Event::Orders(stored.orders));
        self.send(Event::Inventories(stored.inventories));
        self.send(Event::Elected);
        self.store_configuration(settings).await
    }

    /// Stores what this leader runs with, secrets as fingerprints.
    ///
    /// # Errors
    /// Why it was not stored.
    pub async fn store_configuration(&self, settings: &Settings) -> Result<(), SessionError> {
        let Some(hands) = self.link.as_ref().and_then(|link| link.hands.as_ref()) else {
            return Ok(());
        };
        let values = settings.with_fingerprints(&self.key);
        let stored = hands
            .store_effective_configuration(&self.instance, &values)
            .await;
        stored.map_err(prepare("store the effective configuration"))
    }

    /// The rights that these settings need and we do not have.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn missing_rights(
        &self,
        settings: &Settings,
        purpose: Purpose,
    ) -> Result<Vec<Right>, SessionError> {
        let Some(link) = &self.link else {
            return Ok(Vec::new());
        };
        // Composing once more takes as much memory as everything else.
        let set = match self.engine.desired() {
            Some(set) => set,
            None => settings.desired(&self.key, &self.served)?,
        };
        let needed = rights(&set, purpose);
        drop(set);
        link.reader
            .missing_rights(&needed)
            .await
            .map_err(prepare("ask for our rights"))
    }

    /// Whether an inventory of this instance was there at the beginning.
    #[must_use]
    pub fn was_applied_before(&self) -> bool {
        self.was_applied
    }

    /// Allows objects, as `KIND/NAME`, to be deleted although they are protected.
    pub fn allow_delete(&mut self, objects: Vec<String>) {
        self.engine.allow_delete(objects);
    }

    /// Where everything stands.
    #[must_use]
    pub fn status(&self) -> Status {
        self.engine.status(self.now())
    }

    /// Waits for events, at most for a while, and does what follows from them. Gives what happened
    /// that people want to know.
    pub async fn step(&mut self, at_most: Duration) -> Vec<Occurrence> {
        if let Ok(Some(first)) = timeout(at_most, self.next()).await {
            let now = self.now();
            let (inbox, seen) = (&mut self.inbox, &mut self.seen);
            let more = std::iter::from_fn(|| inbox.try_recv().or_else(|_| seen.try_recv()).ok());
            let batch = std::iter::once(first).chain(more.take(BATCH));
            for command in self.engine.handle(batch, now) {
                self.carry_out(command);
            }
        }
        std::mem::take(&mut self.told)
    }

    async fn next(&mut self) -> Option<Event> {
        tokio::select! {
            event = self.inbox.recv() => event,
            event = self.seen.recv() => event,
        }
    }

    /// Stores the inventories that are behind, before the process ends.
    pub async fn put_away(&mut self, at_most: Duration) {
        let until = Instant::now() + at_most;
        let now = self.now();
        for command in self.engine.store_now(now) {
            self.carry_out(command);
        }
        while self.engine.is_storing() && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            drop(self.step(left).await);
        }
    }

    /// Ends everything that runs.
    pub async fn close(mut self) {
        self.link = None;
        self.runner.stop_all().await;
    }

    pub(super) fn send(&self, event: Event) {
        // The inbox lives as long as the session.
        let _ = self.events.send(event);
    }

    pub(super) fn now(&self) -> Now {
        Now {
            mono: self.started.elapsed(),
            wall: jiff::Timestamp::now(),
        }
    }
}
