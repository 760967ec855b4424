//! When changes are followed. A server writes every change of ours for our own watch as well, which
//! takes about a sixth of the write; a command that looks, writes and ends has no use for it.
//!
//! Nothing is lost by it: a watch goes on from where it was once something is waited for that no
//! answer brings. Only kinds that do not change by themselves take part, so that nobody waits for
//! what would have been said. A daemon always follows: orders come by a watch as well.

use super::session::Session;
use crate::engine::Mode;

impl Session {
    /// Follows changes only once there is a need to.
    pub fn look_once(&mut self) {
        self.follows = false;
    }

    /// Follows changes from now on, beginning with those since the first look.
    pub fn keep_looking(&mut self) {
        self.follows = true;
        self.attend();
    }

    /// Turns to what changes, where something is waited for.
    pub(super) fn attend(&mut self) {
        let Some(link) = &self.link else { return };
        let waits = match self.engine.mode() {
            Mode::Enforce { run } => {
                link.writes.unanswered() == 0
                    && !self.engine.is_storing()
                    && (run || !self.engine.is_applied())
            }
            Mode::Observe { .. } | Mode::Follow => false,
        };
        self.follows |= waits;
        link.eyes.attend(self.follows);
    }
}
