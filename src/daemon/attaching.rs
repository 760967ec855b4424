//! The beginning of a session's work with a cluster: the key, what is stored, eyes and hands.

use super::author::author;
use super::connected::Connected;
use super::loading::Settings;
use super::session::{Access, Link, READS_AT_ONCE, Session, SessionError, prepare};
use super::writers::Writers;
use crate::cluster::{Eyes, Forwarder, Hands, Stored, passing_key};
use crate::desired::{FingerprintKey, Resource};
use crate::engine::{ClusterState, Event, WriteError, watches_of};
use std::sync::Arc;
use tokio::sync::Semaphore;

fn broken(error: &kube::Error) -> SessionError {
    prepare("set up a connection")(WriteError::Unreachable(error.to_string()))
}

/// The instance's key, and whether it outlives this process: stored by whoever may write, read by the others, and made up for this
/// process when nobody stored one yet.
async fn shared_key(
    settings: &Settings,
    connected: &Connected,
    hands: Option<&Hands>,
) -> Result<(FingerprintKey, bool), SessionError> {
    let (instance, config) = (&settings.instance, &settings.loaded.config);
    if let Some(hands) = hands.filter(|_| config.enabled) {
        let key = hands
            .ensure_fingerprint_key(instance, config.create_namespace)
            .await;
        let key = key.map_err(prepare("store the instance's key"))?;
        return Ok((key, true));
    }
    let stored = connected.reader.fingerprint_key(instance).await;
    let stored = match stored {
        // Who may not read the key compares with a key of its own, which costs dry runs.
        Err(WriteError::Forbidden(_)) => Ok(None),
        other => other,
    };
    match stored.map_err(prepare("read the instance's key"))? {
        Some(key) => Ok((key, true)),
        None => Ok((passing_key().map_err(prepare("make a key"))?, false)),
    }
}

/// What a session begins with: whatever has to be read before anything is compared.
pub struct Beginning {
    pub(super) key: FingerprintKey,
    pub(super) key_is_shared: bool,
    pub(super) served: Vec<Resource>,
    pub(super) stored: Stored,
    hands: Option<Hands>,
}

impl Beginning {
    /// Reads it.
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
        let foreign = settings.foreign_api_versions();
        let (key, served, stored) = tokio::join!(
            shared_key(settings, connected, hands.as_ref()),
            connected.served(&foreign),
            connected.reader.stored(&settings.instance),
        );
        let (key, key_is_shared) = key?;
        Ok(Self {
            key,
            key_is_shared,
            served: served?,
            stored: stored.map_err(prepare("read the inventories"))?,
            hands,
        })
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
        self.take_up(settings, connected, beginning)
    }

    /// Takes up work with a cluster that was read from.
    ///
    /// # Errors
    /// When settings and services do not fit.
    pub fn take_up(
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
        let eyes = Eyes::new(
            config.clone(),
            connected.counter.clone(),
            &settings.instance.label(),
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
        self.attend();
        // The server reads while the set is composed; the engine then says which it wants to keep.
        let recorded = stored
            .inventories
            .iter()
            .filter(|i| settings.keeps(&i.service));
        self.watch(watches_of(recorded));
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
}
