//! The beginning of a session's work with a cluster: the key, what is stored, eyes and hands.

use super::author::author;
use super::connected::Connected;
use super::loading::Settings;
use super::session::{Access, Link, READS_AT_ONCE, SEEN_AT_ONCE, Session, SessionError, prepare};
use super::write_pool::WritePool;
use crate::cluster::{Eyes, Forwarder, Hands, Stored, passing_key};
use crate::desired::{DesiredSet, FingerprintKey, Resource};
use crate::engine::{ClusterState, Event, WriteError, watches_of};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// What a session begins with: whatever has to be read before anything is compared.
pub struct Beginning {
    pub(super) key: FingerprintKey,
    /// Whether the key was found in the cluster; otherwise it was made here.
    pub(super) key_is_shared: bool,
    pub(super) served: Vec<Resource>,
    pub(super) stored: Stored,
    hands: Option<Hands>,
    eyes: Eyes,
    sights: mpsc::Sender<Event>,
    seen: mpsc::Receiver<Event>,
}

impl Beginning {
    /// Reads it, and writes nothing.
    ///
    /// # Errors
    /// When the cluster does not give it.
    pub async fn read(
        settings: &Settings,
        connected: &Connected,
        access: Access,
    ) -> Result<Self, SessionError> {
        let reader = &connected.reader;
        let hands = (access == Access::ReadWrite).then(|| connected.hands());
        let (sights, seen) = mpsc::channel(SEEN_AT_ONCE);
        let label = settings.instance.label();
        let mut eyes = Eyes::new(reader.client(), &label, sights.clone());
        let foreign = settings.foreign_api_versions();
        let finding_key = async {
            let found = reader.fingerprint_key(&settings.instance).await;
            if matches!(found, Ok(None)) {
                // Nothing of this instance is stored, so every service is compared.
                eyes.keep(settings.expected_watches());
            }
            match found {
                // Who may not read the key compares with a key of its own, which costs dry runs.
                Err(WriteError::Forbidden(_)) if hands.is_none() => Ok(None),
                found => found.map_err(prepare("read the instance's key")),
            }
        };
        let (key, served, stored) = tokio::join!(
            finding_key,
            connected.served(&foreign),
            reader.stored(&settings.instance),
        );
        let found = key?;
        let key_is_shared = found.is_some();
        let key = match found {
            Some(key) => key,
            None => passing_key().map_err(prepare("make a key"))?,
        };
        Ok(Self {
            key,
            key_is_shared,
            served: served?,
            stored: stored.map_err(prepare("read the inventories"))?,
            hands,
            eyes,
            sights,
            seen,
        })
    }

    /// Whether what begins so may write.
    #[must_use]
    pub fn access(&self) -> Access {
        match self.hands {
            Some(_) => Access::ReadWrite,
            None => Access::ReadOnly,
        }
    }

    /// Whether an inventory of this instance was there.
    #[must_use]
    pub fn was_applied_before(&self) -> bool {
        !self.stored.inventories.is_empty()
    }
}

impl Session {
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
        let beginning = Beginning::read(settings, connected, access).await?;
        self.take_up(settings, connected, beginning).await
    }

    /// Takes up work with a cluster that was read from. Whoever may write stores the key that the
    /// instance lacks.
    ///
    /// # Errors
    /// When settings and services do not fit, or the key cannot be stored.
    pub async fn take_up(
        &mut self,
        settings: &Settings,
        connected: &Connected,
        beginning: Beginning,
    ) -> Result<(), SessionError> {
        let Beginning {
            key,
            key_is_shared,
            served,
            stored,
            hands,
            eyes,
            sights,
            seen,
        } = beginning;
        let author = author(&settings.catalog, connected.target.inside);
        self.engine.set_author(author);
        self.engine.set_key(key.clone());
        (self.key, self.key_is_shared) = (key, key_is_shared);
        // Whatever an earlier connection brought is not told any more.
        (self.sights, self.seen) = (sights, seen);
        let reader = connected.reader.clone();
        let forwarder = (!connected.target.inside).then(|| Forwarder::new(&reader));
        self.link = Some(Link {
            writes: WritePool::new(reader.clone(), hands.clone(), self.events.clone()),
            reader,
            hands,
            eyes,
            forwarder,
            reads: Arc::new(Semaphore::new(READS_AT_ONCE)),
        });
        self.attend();
        // The server reads while the set is composed; the engine then says which it wants to keep.
        let recorded = stored
            .inventories
            .iter()
            .filter(|i| settings.keeps(&i.service));
        let recorded = watches_of(recorded);
        if !recorded.is_empty() {
            self.watch(recorded.into_iter().collect());
        }
        self.served = served;
        self.was_applied = !stored.inventories.is_empty();
        // What was dismissed is not part of what ought to be.
        let now = self.now();
        for command in self.engine.handle([Event::Orders(stored.orders)], now) {
            self.carry_out(command);
        }
        self.outdated = false;
        if let Err(error) = self.compose(settings).await {
            self.link = None;
            return Err(error);
        }
        self.send(Event::Inventories(stored.inventories));
        self.send(Event::Cluster(ClusterState::Ready));
        Ok(())
    }

    /// Gives the engine what is wanted. The key that the instance lacks is stored meanwhile; where
    /// somebody else was faster, all of it is composed again with theirs.
    async fn compose(&mut self, settings: &Settings) -> Result<(), SessionError> {
        let hands = self.link.as_ref().and_then(|link| link.hands.clone());
        let config = &settings.loaded.config;
        let hands = hands.filter(|_| config.enabled && !self.key_is_shared);
        let Some(hands) = hands else {
            return self.give(settings);
        };
        let (instance, key) = (&settings.instance, self.key.clone());
        let storing = hands.store_fingerprint_key(instance, &key, config.create_namespace);
        let (set, stored) = tokio::join!(self.composed_apart(settings), storing);
        let stored = stored.map_err(prepare("store the instance's key"))?;
        let set = set?;
        self.key_is_shared = true;
        if stored == self.key {
            self.take(settings, set);
            return Ok(());
        }
        self.engine.set_key(stored.clone());
        self.key = stored;
        self.give(settings)
    }

    /// What is wanted, composed by a thread of its own: this one goes on with what is asked of the
    /// server.
    fn composed_apart(
        &self,
        settings: &Settings,
    ) -> impl Future<Output = Result<DesiredSet, SessionError>> + use<> {
        let (settings, key, served) = (settings.clone(), self.key.clone(), self.served.clone());
        let dismissed: Vec<Arc<str>> = self.engine.orders().dismissed().cloned().collect();
        let compose = move || settings.desired_without(&key, &served, dismissed.iter());
        let composing = tokio::task::spawn_blocking(compose);
        async {
            match composing.await {
                Ok(set) => Ok(set?),
                Err(broken) => std::panic::resume_unwind(broken.into_panic()),
            }
        }
    }
}
