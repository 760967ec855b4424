//! When changes are followed. A server writes every change of ours for our own watch as well, which
//! takes about a sixth of the write: a command that looks, writes and ends has no use for it, nor
//! has a daemon that is behind with its writes.
//!
//! Nothing is lost by it: a watch goes on from where it was once something is waited for that no
//! answer brings. Only kinds that do not change by themselves take part, so that nobody waits for
//! what would have been said; and orders come by a watch of their own, which never rests.

use super::session::Session;
use crate::engine::Mode;

/// So many writes that have not begun are too many to look for more: whatever else changes would
/// wait behind them.
const SWAMPED: usize = 64;
/// With so few left it is worth looking again.
const AFLOAT: usize = 8;
/// After so many things that were known, whatever went before our own writes has been said.
const ECHOES: usize = 16;

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
        let waiting = link.writes.waiting();
        let many = if self.swamped { AFLOAT + 1 } else { SWAMPED };
        self.swamped = waiting >= many && self.engine.echoes() >= ECHOES;
        link.eyes.attend(self.follows && !self.swamped);
    }
}
