//! The beginning of a session's work with a cluster: the key, what is stored, eyes and hands.

use super::author::author;
use super::connected::Connected;
use super::loading::Settings;
use super::session::{Access, Link, READS_AT_ONCE, SEEN_AT_ONCE, Session, SessionError, prepare};
use super::writers::Writers;
use crate::cluster::{Eyes, Forwarder, Hands, Stored, passing_key};
use crate::desired::{FingerprintKey, Resource};
use crate::engine::{ClusterState, Event, WriteError, watches_of};
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// A request passes from the buffer of its client to the connection and from there to the socket.
const TURNS: usize = 16;

fn broken(error: &kube::Error) -> SessionError {
    prepare("set up a connection")(WriteError::Unreachable(error.to_string()))
}

/// What a session begins with: whatever has to be read before anything is compared.
pub struct Beginning {
    pub(super) key: FingerprintKey,
    /// Whether the key was found in the cluster; otherwise it was made here.
    pub(super) key_is_shared: bool,
    pub(super) served: Vec<Resource>,
    pub(super) stored: Stored,
    hands: Option<Hands>,
    /// Whether the namespace that the key is to be stored in is missing.
    is_homeless: bool,
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
        let hands = match access {
            Access::ReadOnly => None,
            Access::ReadWrite => Some(
                Hands::new(
                    &connected.target.config,
                    connected.reader.clone(),
                    &connected.counter,
                )
                .map_err(|error| broken(&error))?,
            ),
        };
        let (sights, seen) = mpsc::channel(SEEN_AT_ONCE);
        let mut eyes = Eyes::new(
            &connected.target,
            connected.counter.clone(),
            &settings.instance.label(),
            sights.clone(),
        );
        let foreign = settings.foreign_api_versions();
        let (config, mut is_homeless) = (&settings.loaded.config, false);
        let finding_key = async {
            let found = connected.reader.fingerprint_key(&settings.instance).await;
            if matches!(found, Ok(None)) {
                // Nothing of this instance is stored: everything will have to be looked at.
                let expected = settings.expected_watches(|_| true);
                eyes.begin(expected).map_err(|error| broken(&error))?;
                if let Some(hands) = &hands
                    && config.enabled
                    && config.create_namespace
                {
                    // A server waits for a missing namespace before it refuses what is put into it.
                    is_homeless = hands.lacks_namespace(&settings.instance.namespace).await;
                }
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
            connected.reader.stored(&settings.instance),
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
            is_homeless,
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

/// Composing holds the only thread; a request has gone through all that takes part in sending it after
/// so many turns.
async fn on_its_way() {
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
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
            is_homeless,
            eyes,
            sights,
            seen,
        } = beginning;
        let author = author(&settings.catalog, connected.target.inside);
        self.engine.set_author(author);
        self.engine.set_key(key.clone());
        (self.key, self.key_is_shared) = (key, key_is_shared);
        let config = &connected.target.config;
        let forwarder = if connected.target.inside {
            None
        } else {
            Some(Forwarder::new(config, &connected.reader).map_err(|error| broken(&error))?)
        };
        // Whatever an earlier connection brought is not told any more.
        (self.sights, self.seen) = (sights, seen);
        let reader = connected.reader.clone();
        self.link = Some(Link {
            writes: Writers::new(reader.clone(), hands.clone(), self.events.clone()),
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
        let begins = |name: &str| {
            let recorded = stored.inventories.iter().any(|i| *i.service == *name);
            !recorded && stored.orders.dismissal(name).is_none()
        };
        let expected = settings.expected_watches(begins);
        self.watch(watches_of(recorded).into_iter().chain(expected).collect());
        self.served = served;
        self.was_applied = !stored.inventories.is_empty();
        // What was dismissed is not part of what ought to be.
        let now = self.now();
        for command in self.engine.handle([Event::Orders(stored.orders)], now) {
            self.carry_out(command);
        }
        self.outdated = false;
        if let Err(error) = self.compose(settings, is_homeless).await {
            self.link = None;
            return Err(error);
        }
        self.send(Event::Inventories(stored.inventories));
        self.send(Event::Cluster(ClusterState::Ready));
        Ok(())
    }

    /// Gives the engine what is wanted. The key that the instance lacks is stored meanwhile; where
    /// somebody else was faster, all of it is composed again with theirs.
    async fn compose(
        &mut self,
        settings: &Settings,
        is_homeless: bool,
    ) -> Result<(), SessionError> {
        let hands = self.link.as_ref().and_then(|link| link.hands.clone());
        let config = &settings.loaded.config;
        let hands = hands.filter(|_| config.enabled && !self.key_is_shared);
        let Some(hands) = hands else {
            return self.give(settings);
        };
        let not_stored = prepare("store the instance's key");
        let (instance, key) = (&settings.instance, self.key.clone());
        if is_homeless {
            let made = hands.create_namespace(&instance.namespace).await;
            made.map_err(&not_stored)?;
        }
        let mut storing =
            pin!(hands.store_fingerprint_key(instance, &key, config.create_namespace));
        let stored = tokio::select! {
            biased;
            stored = &mut storing => Some(stored),
            () = on_its_way() => None,
        };
        self.give(settings)?;
        let stored = match stored {
            Some(stored) => stored,
            None => storing.await,
        };
        let stored = stored.map_err(not_stored)?;
        self.key_is_shared = true;
        if stored != self.key {
            self.engine.set_key(stored.clone());
            self.key = stored;
            self.give(settings)?;
        }
        Ok(())
    }
}
