//! How many writes go on at the same time: it finds itself.
//!
//! What counts is how much gets done, not how long one answer takes: where the server's processors
//! are the bound, answers take longer the more of them are asked for, and nothing is lost by asking.
//! So it grows while as much gets done as before, and is halved when much less does, or when the
//! server says that it is busy. While others wait for their turn, as many are answered in a time as
//! fit into it side by side (Little's law), so no clock is needed. Pure: it is told what happened.

use std::time::Duration;

/// It begins with this: more has never been faster, less is mostly slower, and every server allows as
/// many streams.
const MOST: usize = 64;
const LEAST: usize = 2;
/// Slow answers alone never take it below this: one by one most of the time goes into the way.
const SLOWEST: usize = 8;
/// So many windows in a row have to be bad: a server that collects its garbage makes one.
const BAD: u32 = 2;

/// A limit that follows what the server can take.
#[derive(Debug)]
pub struct Pace {
    limit: usize,
    window: Vec<Duration>,
    best: u64,
    bad: u32,
    rests: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            limit: MOST,
            window: Vec::new(),
            best: 0,
            bad: 0,
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
        let middle = self.window[self.window.len() / 2];
        self.window.clear();
        // What was under way when the limit fell has been answered by now.
        if std::mem::take(&mut self.rests) {
            return;
        }
        let done = self.done_in_a_minute(middle);
        if done * 2 < self.best {
            self.bad += 1;
            if self.bad >= BAD {
                self.halve(SLOWEST);
                self.best = done;
            }
            return;
        }
        self.bad = 0;
        self.best = self.best.max(done);
        self.limit = (self.limit + self.limit.div_ceil(4)).min(MOST);
    }

    /// The server said that it is busy.
    pub fn refused(&mut self) {
        if !self.rests {
            self.halve(LEAST);
        }
    }

    fn done_in_a_minute(&self, each: Duration) -> u64 {
        let minute = Duration::from_secs(60).as_nanos();
        let one = minute / each.as_nanos().max(1);
        u64::try_from(one).unwrap_or(u64::MAX / 128) * self.limit as u64
    }

    fn halve(&mut self, least: usize) {
        self.limit = (self.limit / 2).max(least.min(self.limit));
        self.window.clear();
        self.bad = 0;
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
    fn it_comes_back_to_the_most_while_answers_come_as_before() {
        let mut pace = Pace::default();
        assert_eq!(pace.limit(), MOST);
        pace.refused();
        answer(&mut pace, 3, FAST);
        assert!(pace.limit() > MOST / 2 && pace.limit() < MOST);
        answer(&mut pace, 20, FAST);
        assert_eq!(pace.limit(), MOST);
    }

    #[test]
    fn it_grows_where_each_takes_longer_and_as_much_gets_done() {
        let mut pace = Pace {
            limit: SLOWEST,
            ..Pace::default()
        };
        for _ in 0..20 {
            let took = Duration::from_millis(1) * u32::try_from(pace.limit()).unwrap();
            answer(&mut pace, 1, took);
        }
        assert_eq!(pace.limit(), MOST);
    }

    #[test]
    fn it_is_halved_when_less_gets_done_more_than_once() {
        let mut pace = Pace::default();
        answer(&mut pace, 20, FAST);
        answer(&mut pace, 1, SLOW);
        assert_eq!(pace.limit(), MOST, "a pause");
        answer(&mut pace, 1, FAST);
        answer(&mut pace, 2, SLOW);
        assert_eq!(pace.limit(), MOST / 2);
        answer(&mut pace, 40, SLOW);
        assert_eq!(pace.limit(), MOST, "that is how it is now");
    }

    #[test]
    fn slow_answers_alone_do_not_bring_it_to_its_end() {
        let mut pace = Pace::default();
        let mut took = FAST;
        for _ in 0..20 {
            took *= 3;
            answer(&mut pace, 3, took);
        }
        assert!(pace.limit() >= SLOWEST);
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
