//! What a session does when its process leads: it stands for the Lease, takes over what the last
//! leader left, stores what it runs with, and steps down when the Lease is lost.

use super::author::host;
use super::loading::Settings;
use super::session::{Session, SessionError, prepare};
use crate::cluster::Candidate;
use crate::engine::{Event, Mode};

impl Session {
    /// A candidate for the Lease of this session's instance; `None` without hands.
    #[must_use]
    pub fn candidate(&self) -> Option<Candidate> {
        let hands = self.link.as_ref()?.hands.clone()?;
        let me = format!(
            "{}_{}_{}",
            self.instance.identity(),
            host(),
            std::process::id()
        );
        Some(Candidate::new(hands, self.instance.clone(), me))
    }

    /// Reads the inventories again, as whoever led before left them.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn take_over(&mut self) -> Result<(), SessionError> {
        let Some(link) = &self.link else {
            return Ok(());
        };
        let stored = link
            .reader
            .stored(&self.instance)
            .await
            .map_err(prepare("read the inventories"))?;
        // Before anything else that happened is looked at: nothing is written under an old epoch.
        let read = [
            Event::Orders(stored.orders),
            Event::Inventories(stored.inventories),
            Event::Elected,
        ];
        let now = self.now();
        for command in self.engine.handle(read, now) {
            self.carry_out(command);
        }
        Ok(())
    }

    /// Follows from now on: nothing is begun any more, and what has not begun is dropped.
    pub fn step_down(&mut self) {
        if let Some(link) = &self.link {
            link.writes.give_up();
        }
        self.set_mode(Mode::Follow);
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
}
