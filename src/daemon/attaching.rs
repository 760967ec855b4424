//! The beginning of a session's work with a cluster: the key, what is stored, eyes and hands.

use super::author::author;
use super::connected::Connected;
use super::loading::Settings;
use super::session::{Access, Link, READS_AT_ONCE, SEEN_AT_ONCE, Session, SessionError, prepare};
use super::writers::Writers;
use crate::cluster::{Eyes, Forwarder, Hands, Stored, passing_key};
use crate::desired::{FingerprintKey, Resource};
use crate::engine::{ClusterState, Event, WriteError, watches_of};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

fn broken(error: &kube::Error) -> SessionError {
    prepare("set up a connection")(WriteError::Unreachable(error.to_string()))
}

/// The instance's key, and whether it outlives this process: as it was found, stored by whoever may
/// write, and made up for this process when nobody stored one yet.
async fn shared_key(
    settings: &Settings,
    hands: Option<&Hands>,
    found: Result<Option<FingerprintKey>, WriteError>,
) -> Result<(FingerprintKey, bool), SessionError> {
    let (instance, config) = (&settings.instance, &settings.loaded.config);
    let hands = hands.filter(|_| config.enabled);
    let found = match found {
        // Who may not read the key compares with a key of its own, which costs dry runs.
        Err(WriteError::Forbidden(_)) if hands.is_none() => None,
        found => found.map_err(prepare("read the instance's key"))?,
    };
    if let Some(key) = found {
        return Ok((key, true));
    }
    let Some(hands) = hands else {
        return Ok((passing_key().map_err(prepare("make a key"))?, false));
    };
    let key = hands
        .make_fingerprint_key(instance, config.create_namespace)
        .await;
    Ok((key.map_err(prepare("store the instance's key"))?, true))
}

/// What a session begins with: whatever has to be read before anything is compared.
pub struct Beginning {
    pub(super) key: FingerprintKey,
    pub(super) key_is_shared: bool,
    pub(super) served: Vec<Resource>,
    pub(super) stored: Stored,
    hands: Option<Hands>,
    eyes: Eyes,
    sights: mpsc::Sender<Event>,
    seen: mpsc::Receiver<Event>,
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
        let (sights, seen) = mpsc::channel(SEEN_AT_ONCE);
        let mut eyes = Eyes::new(
            &connected.target,
            connected.counter.clone(),
            &settings.instance.label(),
            sights.clone(),
        );
        let foreign = settings.foreign_api_versions();
        let finding_key = async {
            let found = connected.reader.fingerprint_key(&settings.instance).await;
            if matches!(found, Ok(None)) {
                // Nothing of this instance is stored: everything will have to be looked at.
                let expected = settings.expected_watches(|_| true);
                eyes.begin(expected).map_err(|error| broken(&error))?;
            }
            shared_key(settings, hands.as_ref(), found).await
        };
        let (key, served, stored) = tokio::join!(
            finding_key,
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
            eyes,
            sights,
            seen,
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
        self.give(settings)?;
        self.send(Event::Inventories(stored.inventories));
        self.send(Event::Cluster(ClusterState::Ready));
        Ok(())
    }
}
