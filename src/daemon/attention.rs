//! Pauses the watches of one-shot commands. An API server sends every write of a command to that
//! command's own watches too, which costs about a sixth of the write, and `plan` and `apply` do not
//! need those events.
//!
//! Invariants: a paused watch resumes from its last version once the command waits for something that
//! no answer to a write brings; only kinds that do not change by themselves are paused; the watch of
//! the orders never is.

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
