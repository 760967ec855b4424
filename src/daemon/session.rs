//! One engine with its hands: carries events in and commands out.
//!
//! A command line's plan or apply and the daemon are the same session; they differ in how long
//! they go on and in what they do about the occurrences.

use super::loading::{LoadError, Settings};
use super::runner::Runner;
use super::write_pool::WritePool;
use crate::cluster::{ConnectError, Eyes, Forwarder, Hands, Reader, passing_key};
use crate::desired::rights::{Purpose, Right, rights};
use crate::desired::{DesiredSet, FingerprintKey, Instance, Resource};
use crate::engine::{
    ClusterState, Engine, Event, Mode, Now, Occurrence, Permits, Status, WriteError,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::timeout;

/// Reads of single objects at the same time.
pub(super) const READS_AT_ONCE: usize = 16;
/// What watches say waits for its turn here and then at the server: it is large, and there may be
/// thousands at once.
pub(super) const SEEN_AT_ONCE: usize = 64;
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
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and any of them can hold"
)]
pub struct Session {
    pub(super) engine: Engine,
    pub(super) key: FingerprintKey,
    pub(super) key_is_shared: bool,
    pub(super) instance: Instance,
    pub(super) link: Option<Link>,
    pub(super) runner: Runner,
    pub(super) events: mpsc::UnboundedSender<Event>,
    pub(super) inbox: mpsc::UnboundedReceiver<Event>,
    pub(super) sights: mpsc::Sender<Event>,
    pub(super) seen: mpsc::Receiver<Event>,
    pub(super) started: Instant,
    pub(super) alarm: Option<AbortHandle>,
    pub(super) told: Vec<Occurrence>,
    pub(super) objects_of: HashMap<Arc<str>, bool>,
    pub(super) numbers_of: HashMap<Arc<str>, Vec<(String, u64)>>,
    pub(super) served: Vec<Resource>,
    pub(super) was_applied: bool,
    pub(super) outdated: bool,
    pub(super) follows: bool,
    asked: Option<Asked>,
}

/// A question for our rights that is on its way.
struct Asked {
    purpose: Purpose,
    answer: JoinHandle<Result<Vec<Right>, WriteError>>,
}

/// The connection to a cluster.
pub(super) struct Link {
    pub(super) reader: Reader,
    pub(super) hands: Option<Hands>,
    pub(super) eyes: Eyes,
    pub(super) forwarder: Option<Forwarder>,
    pub(super) writes: WritePool,
    pub(super) reads: Arc<Semaphore>,
}

pub(super) fn prepare(action: &'static str) -> impl Fn(WriteError) -> SessionError {
    move |source| SessionError::Prepare { action, source }
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
            key_is_shared: false,
            instance: settings.instance.clone(),
            link: None,
            runner: Runner::new(events.clone()),
            events,
            inbox,
            sights,
            seen,
            started: Instant::now(),
            alarm: None,
            told: Vec::new(),
            objects_of: HashMap::new(),
            numbers_of: HashMap::new(),
            served: Vec::new(),
            was_applied: false,
            outdated: false,
            follows: true,
            asked: None,
        };
        session.send(Event::Cluster(cluster));
        Ok(session)
    }

    /// Takes other services and another configuration as what ought to be from now on.
    ///
    /// # Errors
    /// When they do not fit; what was wanted before stays in force.
    pub fn give(&mut self, settings: &Settings) -> Result<(), SessionError> {
        let dismissed = self.engine.orders().dismissed();
        let set = settings.desired_without(&self.key, &self.served, dismissed)?;
        self.take(settings, set);
        Ok(())
    }

    /// Takes what was composed of these settings as what ought to be from now on.
    pub(super) fn take(&mut self, settings: &Settings, mut set: DesiredSet) {
        if self.link.is_none() {
            set.forget_bodies();
        }
        self.objects_of = set
            .services
            .iter()
            .map(|s| (s.name.clone(), !s.objects.is_empty()))
            .collect();
        self.numbers_of = super::carrying::numbers_of(settings);
        self.send(Event::Desired(Box::new(set)));
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

    /// Begins to ask for the rights that something needs, where what is wanted is known: the answer
    /// comes while everything else is read.
    pub fn ask_for_rights(&mut self, purpose: Purpose) {
        let (Some(link), Some(wanted)) = (&self.link, self.engine.wanted()) else {
            return;
        };
        let needed = rights(&self.instance, wanted, purpose);
        let reader = link.reader.clone();
        let answer = tokio::spawn(async move { reader.missing_rights(&needed).await });
        self.asked = Some(Asked { purpose, answer });
    }

    /// The rights that these settings need and we do not have.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn missing_rights(
        &mut self,
        settings: &Settings,
        purpose: Purpose,
    ) -> Result<Vec<Right>, SessionError> {
        let asked = self.asked.take().filter(|asked| asked.purpose == purpose);
        if let Some(asked) = asked
            && let Ok(missing) = asked.answer.await
        {
            return missing.map_err(prepare("ask for our rights"));
        }
        let Some(link) = &self.link else {
            return Ok(Vec::new());
        };
        // Composing once more takes as much memory as everything else.
        let needed = if let Some(wanted) = self.engine.wanted() {
            rights(&self.instance, wanted, purpose)
        } else {
            let set = settings.desired(&self.key, &self.served)?;
            let wanted = set.objects().map(|(_, object)| object);
            rights(&self.instance, wanted, purpose)
        };
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

    /// Somebody confirms what this session deletes, however much it is.
    pub fn confirm_deletions(&mut self) {
        self.engine.confirm_deletions();
    }

    /// Writes nothing but these objects.
    pub fn permit(&mut self, permits: Permits) {
        self.engine.permit(permits);
    }

    /// The key of the fingerprints, where the instance has one that outlives this session.
    #[must_use]
    pub fn shared_key(&self) -> Option<&FingerprintKey> {
        self.key_is_shared.then_some(&self.key)
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
        self.attend();
        std::mem::take(&mut self.told)
    }

    async fn next(&mut self) -> Option<Event> {
        // What watches say is about a set that comes by the inbox.
        tokio::select! {
            biased;
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
