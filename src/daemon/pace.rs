//! How many writes go on at the same time: it finds itself.
//!
//! It grows while answers come as fast as before, and is halved when the slow ones take twice as
//! long as they did, or when the server says that it is busy. Pure: it is told what happened.

use std::time::Duration;

/// More than this has never been faster, and every server allows as many streams.
const MOST: usize = 64;
const LEAST: usize = 2;
const FIRST: usize = 16;
/// What is slower by less than this is never called slow: it is noise.
const NOISE: Duration = Duration::from_millis(20);

/// A limit that follows what the server can take.
#[derive(Debug)]
pub struct Pace {
    limit: usize,
    window: Vec<Duration>,
    usual: Option<Duration>,
    rests: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            limit: FIRST,
            window: Vec::new(),
            usual: None,
            rests: false,
        }
    }
}

impl Pace {
    /// How many writes may go on now.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// A write was answered while others waited for their turn. Without others that wait, how long
    /// it took says nothing about the limit, and nobody asks.
    pub fn answered(&mut self, took: Duration) {
        self.window.push(took);
        if self.window.len() < self.limit {
            return;
        }
        self.window.sort_unstable();
        let rank = (self.window.len() * 95).div_ceil(100) - 1;
        let slow = self.window[rank];
        self.window.clear();
        let usual = self.usual.unwrap_or(slow);
        if slow > usual * 2 && slow > usual + NOISE {
            self.halve();
        } else if std::mem::take(&mut self.rests) {
            // What was under way when the limit fell has been answered by now.
            self.usual = Some(slow);
        } else {
            self.limit = (self.limit + self.limit.div_ceil(4)).min(MOST);
            self.usual = Some((usual * 3 + slow) / 4);
        }
    }

    /// The server said that it is busy.
    pub fn refused(&mut self) {
        if !self.rests {
            self.halve();
        }
    }

    fn halve(&mut self) {
        self.limit = (self.limit / 2).max(LEAST);
        self.window.clear();
        self.rests = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Duration = Duration::from_millis(10);
    const SLOW: Duration = Duration::from_millis(100);

    fn answer(pace: &mut Pace, windows: usize, took: Duration) {
        for _ in 0..windows {
            for _ in 0..pace.limit() {
                pace.answered(took);
            }
        }
    }

    #[test]
    fn it_grows_to_the_most_while_answers_come_as_before() {
        let mut pace = Pace::default();
        answer(&mut pace, 3, FAST);
        assert!(pace.limit() > FIRST && pace.limit() < MOST);
        answer(&mut pace, 20, FAST);
        assert_eq!(pace.limit(), MOST);
    }

    #[test]
    fn it_is_halved_when_the_slow_ones_take_twice_as_long() {
        let mut pace = Pace::default();
        answer(&mut pace, 20, FAST);
        answer(&mut pace, 1, SLOW);
        assert_eq!(pace.limit(), MOST / 2);
    }

    #[test]
    fn one_slow_answer_among_many_changes_nothing() {
        let mut pace = Pace::default();
        answer(&mut pace, 20, FAST);
        pace.answered(SLOW);
        answer(&mut pace, 1, FAST);
        assert_eq!(pace.limit(), MOST);
    }

    #[test]
    fn a_busy_server_halves_it_once_for_all_that_is_under_way() {
        let mut pace = Pace::default();
        answer(&mut pace, 20, FAST);
        (0..MOST).for_each(|_| pace.refused());
        assert_eq!(pace.limit(), MOST / 2);
        answer(&mut pace, 1, FAST);
        pace.refused();
        assert_eq!(pace.limit(), MOST / 4);
    }

    #[test]
    fn it_never_ends_and_grows_again() {
        let mut pace = Pace::default();
        for _ in 0..20 {
            pace.refused();
            answer(&mut pace, 1, FAST);
        }
        assert!(pace.limit() >= LEAST);
        answer(&mut pace, 40, FAST);
        assert_eq!(pace.limit(), MOST);
    }
}
