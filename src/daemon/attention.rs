//! When changes are followed. A server writes every change of ours for our own watch as well, which
//! takes about as long as a sixth of the write; while many writes wait for their turn nothing new
//! could be done about what a watch says, so it may wait, too.
//!
//! Nothing is lost by it: a watch goes on from where it was. Only kinds that do not change by
//! themselves take part, so that nobody waits for what would have been said.

use super::session::Session;
use crate::engine::Mode;

/// With so many writes waiting, changes are not followed any more.
const MANY: usize = 128;
/// With so few they are again, before the writers run out of work.
const FEW: usize = 32;

/// When a session follows changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attention {
    /// Unless writes pile up.
    Always(bool),
    /// Once something is waited for that no answer brings: a command that looks, writes and ends.
    AtNeed,
}

impl Attention {
    /// What it is with so many writes waiting.
    fn with(self, waiting: usize) -> Self {
        match self {
            Self::Always(true) if waiting >= MANY => Self::Always(false),
            Self::Always(false) if waiting <= FEW => Self::Always(true),
            same => same,
        }
    }

    fn follows(self) -> bool {
        self == Self::Always(true)
    }
}

impl Session {
    /// Follows changes only when there is a need to.
    pub fn look_once(&mut self) {
        self.attention = Attention::AtNeed;
    }

    /// Turns to what changes, or away from it.
    pub(super) fn attend(&mut self) {
        let Some(link) = &self.link else { return };
        let (waiting, unanswered) = link.writes.backlog();
        let needs = match self.engine.mode() {
            Mode::Enforce { run } => {
                unanswered == 0 && !self.engine.is_storing() && (run || !self.engine.is_applied())
            }
            Mode::Observe { .. } | Mode::Follow => false,
        };
        self.attention = match self.attention {
            Attention::AtNeed if needs => Attention::Always(true),
            attention => attention.with(waiting),
        };
        link.eyes.attend(self.attention.follows());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_turns_away_while_writes_pile_up_and_back_before_they_run_out() {
        let mut attention = Attention::Always(true);
        let mut follows = |waiting| {
            attention = attention.with(waiting);
            attention.follows()
        };
        assert!(follows(MANY - 1));
        assert!(!follows(MANY) && !follows(FEW + 1));
        assert!(follows(FEW) && follows(MANY - 1));
    }

    #[test]
    fn a_command_is_not_drawn_in_by_writes() {
        let attention = Attention::AtNeed;
        assert_eq!(attention.with(MANY), attention);
        assert_eq!(attention.with(0), attention);
        assert!(!attention.follows());
    }
}
