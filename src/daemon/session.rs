//! One engine with its hands: carries events in and commands out.
//!
//! A command line's plan or apply and the daemon are the same session; they differ in how long
//! they go on and in what they do about the occurrences.

use super::loading::{LoadError, Settings};
use super::reach::{ClusterRoute, Route};
use super::runner::Runner;
use crate::cluster::{
    Candidate, ConnectError, Counter, Eyes, Forwarder, Greeting, Hands, Reader, Target,
    credentials, passing_key,
};
use crate::desired::rights::{Purpose, Right, rights};
use crate::desired::{FingerprintKey, Instance, ObjectKey, Resource};
use crate::engine::{
    ClusterState, Command, Engine, Event, Mode, Now, Occurrence, Status, Verb, Write, WriteError,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// Writes that are on their way at the same time.
const WRITES_AT_ONCE: usize = 32;
/// Reads of single objects at the same time.
const READS_AT_ONCE: usize = 16;
/// Up to this many missing objects are looked for one by one.
const LOOK_ONE_BY_ONE: usize = 20;

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
    engine: Engine,
    key: FingerprintKey,
    instance: Instance,
    link: Option<Link>,
    runner: Runner,
    events: UnboundedSender<Event>,
    inbox: UnboundedReceiver<Event>,
    started: Instant,
    told: Vec<Occurrence>,
    objects_of: HashMap<Arc<str>, bool>,
    served: Vec<Resource>,
    was_applied: bool,
}

/// The connection to a cluster.
struct Link {
    reader: Reader,
    hands: Option<Hands>,
    eyes: Eyes,
    forwarder: Option<Forwarder>,
    writes: Arc<Semaphore>,
    reads: Arc<Semaphore>,
}

/// A cluster that answered.
pub struct Connected {
    /// Where it is.
    pub target: Target,
    /// What it said.
    pub greeting: Greeting,
    /// Counts the requests of this process.
    pub counter: Counter,
    reader: Reader,
}

/// Connects and asks who we are.
///
/// # Errors
/// When the server does not answer or does not accept us.
pub async fn connect(target: Target, identity: &str) -> Result<Connected, ConnectError> {
    let counter = Counter::default();
    let server = target.server();
    let reader = Reader::new(&target.config, identity, &counter).map_err(|error| {
        ConnectError::Credentials {
            found: target.found.clone(),
            reason: credentials(&error),
        }
    })?;
    let greeting = reader.greet(&server).await?;
    Ok(Connected {
        target,
        greeting,
        counter,
        reader,
    })
}

impl Connected {
    /// The reader of this connection.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The kinds of these `apiVersion`s that the cluster serves.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn served(&self, api_versions: &[String]) -> Result<Vec<Resource>, SessionError> {
        let mut served = Vec::new();
        for api_version in api_versions {
            let kinds = self.reader.served(api_version).await;
            served.extend(kinds.map_err(|source| SessionError::Prepare {
                action: "list the kinds of the cluster",
                source,
            })?);
        }
        Ok(served)
    }
}

fn prepare(action: &'static str) -> impl Fn(WriteError) -> SessionError {
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
        let key = passing_key().map_err(prepare("make a key"))?;
        let (events, inbox) = unbounded_channel();
        let mut session = Self {
            engine: Engine::new(settings.instance.clone(), key.clone(), mode),
            key,
            instance: settings.instance.clone(),
            link: None,
            runner: Runner::new(events.clone()),
            events,
            inbox,
            started: Instant::now(),
            told: Vec::new(),
            objects_of: HashMap::new(),
            served: Vec::new(),
            was_applied: false,
        };
        session.give(settings)?;
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
                Hands::new(config, &instance.identity(), &connected.counter)
                    .map_err(|error| broken(&error))?,
            ),
        };
        self.key = shared_key(settings, connected, hands.as_ref()).await?;
        self.engine.set_key(self.key.clone());
        let served = connected.served(&settings.foreign_api_versions()).await?;
        let inventories = connected
            .reader
            .inventories(instance)
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
            self.events.clone(),
        );
        self.link = Some(Link {
            reader: connected.reader.clone(),
            hands,
            eyes,
            forwarder,
            writes: Arc::new(Semaphore::new(WRITES_AT_ONCE)),
            reads: Arc::new(Semaphore::new(READS_AT_ONCE)),
        });
        self.served = served;
        self.was_applied = !inventories.is_empty();
        self.give(settings)?;
        self.send(Event::Inventories(inventories));
        self.send(Event::Cluster(ClusterState::Ready));
        Ok(())
    }

    /// Takes other services and another configuration as what ought to be from now on.
    ///
    /// # Errors
    /// When they do not fit; what was wanted before stays in force.
    pub fn give(&mut self, settings: &Settings) -> Result<(), SessionError> {
        let set = settings.desired(&self.key, &self.served)?;
        self.objects_of = set
            .services
            .iter()
            .map(|s| (s.name.clone(), !s.objects.is_empty()))
            .collect();
        self.send(Event::Desired(Box::new(set)));
        Ok(())
    }

    /// A sender of events, for those who bring some from outside.
    #[must_use]
    pub fn events(&self) -> UnboundedSender<Event> {
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
        let inventories = link
            .reader
            .inventories(&self.instance)
            .await
            .map_err(prepare("read the inventories"))?;
        self.send(Event::Inventories(inventories));
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
        let needed = rights(&settings.desired(&self.key, &self.served)?, purpose);
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
        if let Ok(Some(first)) = timeout(at_most, self.inbox.recv()).await {
            let mut batch = vec![first];
            while let Ok(more) = self.inbox.try_recv() {
                batch.push(more);
            }
            let now = self.now();
            for command in self.engine.handle(batch, now) {
                self.carry_out(command);
            }
        }
        std::mem::take(&mut self.told)
    }

    /// Ends everything that runs.
    pub async fn close(mut self) {
        self.link = None;
        self.runner.stop_all().await;
    }

    fn send(&self, event: Event) {
        // The inbox lives as long as the session.
        let _ = self.events.send(event);
    }

    fn now(&self) -> Now {
        Now {
            mono: self.started.elapsed(),
            wall: jiff::Timestamp::now(),
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Watch(wanted) => self.watch(wanted),
            Command::Look(looks) => self.look(looks),
            Command::Write(write) => self.write(write),
            Command::SaveInventory(inventory) => self.save_inventory(*inventory),
            Command::Explain(key, resource) => self.explain(key, resource),
            Command::Start(start) => {
                let route = self.route(&start.service, &start.namespace);
                self.runner.start(start, route);
            }
            Command::Stop(service, run) => drop(self.runner.stop(&service, run)),
            Command::Probe {
                service,
                run,
                timeout,
            } => self.runner.probe(&service, run, timeout),
            Command::Tell(occurrence) => self.told.push(occurrence),
            Command::WakeAt(at) => self.wake_at(at),
        }
    }

    fn route(&self, service: &Arc<str>, namespace: &str) -> Route {
        Route {
            cluster: self.link.as_ref().map(|link| ClusterRoute {
                reader: link.reader.clone(),
                forwarder: link.forwarder.clone(),
            }),
            namespace: namespace.to_owned(),
            has_objects: self.objects_of.get(service).copied().unwrap_or(false),
        }
    }

    fn watch(&mut self, wanted: Vec<crate::engine::WatchKey>) {
        if let Some(link) = &mut self.link
            && let Err(error) = link.eyes.keep(wanted)
        {
            self.send(Event::Cluster(ClusterState::Unreachable(error.to_string())));
        }
    }

    fn look(&self, looks: Vec<(ObjectKey, Arc<Resource>)>) {
        let Some(link) = &self.link else { return };
        let (reader, events) = (link.reader.clone(), self.events.clone());
        if looks.len() > LOOK_ONE_BY_ONE {
            tokio::spawn(async move {
                for (key, found) in reader.look_at_many(looks).await {
                    let _ = events.send(Event::Looked(key, found.map(|value| value.map(Box::new))));
                }
            });
            return;
        }
        for (key, resource) in looks {
            let (reader, events, reads) = (reader.clone(), events.clone(), link.reads.clone());
            tokio::spawn(async move {
                let _permit = reads.acquire().await;
                let found = reader.get(&key, &resource).await;
                let _ = events.send(Event::Looked(key, found.map(|value| value.map(Box::new))));
            });
        }
    }

    fn write(&self, write: Write) {
        let Some(link) = &self.link else { return };
        let (reader, hands, events) =
            (link.reader.clone(), link.hands.clone(), self.events.clone());
        let writes = link.writes.clone();
        tokio::spawn(async move {
            let _permit = writes.acquire().await;
            let rehearsal = matches!(write.verb, Verb::Apply { dry_run: true, .. });
            let outcome = match &hands {
                _ if rehearsal => reader.rehearse(&write).await,
                Some(hands) => hands.write(&write).await,
                None => Err(WriteError::Forbidden("this session only reads".into())),
            };
            let _ = events.send(Event::Wrote {
                key: write.key,
                attempt: write.attempt,
                outcome,
            });
        });
    }

    fn save_inventory(&self, inventory: crate::engine::Inventory) {
        let Some(hands) = self.link.as_ref().and_then(|link| link.hands.clone()) else {
            return;
        };
        let (instance, events) = (self.instance.clone(), self.events.clone());
        tokio::spawn(async move {
            let saved = hands.save_inventory(&instance, &inventory).await;
            let _ = events.send(Event::InventorySaved(inventory.service, saved));
        });
    }

    fn explain(&self, key: ObjectKey, resource: Arc<Resource>) {
        let Some(link) = &self.link else { return };
        let (reader, events) = (link.reader.clone(), self.events.clone());
        tokio::spawn(async move {
            // An explanation is a help; the reason itself is known without it.
            let text = reader.explain(&key, &resource).await.ok().flatten();
            let _ = events.send(Event::Explained(key, text));
        });
    }

    fn wake_at(&self, at: Duration) {
        let (events, wait) = (
            self.events.clone(),
            at.saturating_sub(self.started.elapsed()),
        );
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let _ = events.send(Event::Woken);
        });
    }
}
