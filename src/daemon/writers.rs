//! Carries writes out: a queue, and as many writers as the server takes at once.
//!
//! What waits is a command in a queue, not a task: thousands of objects cost no more memory than
//! their commands. When the connection is given up, what has not begun is dropped.
//!
//! Writers come one after another, each called by the one before it. On one thread, those that come
//! together prepare all of their requests before the first of them is on its way.

use super::pace::Pace;
use crate::cluster::{Hands, Reader};
use crate::engine::{Event, Write, WriteError, Written};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc::UnboundedSender;

/// The writers of one connection.
pub(super) struct Writers {
    crew: Crew,
}

/// What the writers share.
#[derive(Clone)]
struct Crew {
    reader: Reader,
    hands: Option<Hands>,
    events: UnboundedSender<Event>,
    lane: Arc<Mutex<Lane>>,
}

#[derive(Default)]
struct Lane {
    waiting: VecDeque<Write>,
    working: usize,
    /// Whether one of those that work has not begun.
    coming: bool,
    unanswered: usize,
    pace: Pace,
}

/// A writer's place, given back however it ends.
struct Seat {
    crew: Crew,
    begun: bool,
}

impl Writers {
    pub(super) fn new(
        reader: Reader,
        hands: Option<Hands>,
        events: UnboundedSender<Event>,
    ) -> Self {
        let lane = Arc::default();
        Self {
            crew: Crew {
                reader,
                hands,
                events,
                lane,
            },
        }
    }

    /// Writes as soon as it may; the answer comes as an event.
    pub(super) fn push(&self, write: Write) {
        let mut lane = self.crew.lane();
        lane.waiting.push_back(write);
        lane.unanswered += 1;
        drop(lane);
        self.crew.call_in();
    }

    /// How many writes are not answered.
    pub(super) fn unanswered(&self) -> usize {
        self.crew.lane().unanswered
    }

    /// How many writes have not begun.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.crew.lane().waiting.len()
    }

    /// Drops what has not begun: whoever asked for it is told so.
    pub(super) fn give_up(&self) {
        let waiting = std::mem::take(&mut self.crew.lane().waiting);
        for write in waiting {
            let refused = WriteError::NotBegun("the Lease was lost, another process may lead");
            self.crew.answer(write, Err(refused));
        }
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.crew.lane().waiting.clear();
    }
}

impl Crew {
    fn lane(&self) -> MutexGuard<'_, Lane> {
        // No writer leaves the lane in between two states.
        self.lane.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a writer where something waits and there is room for one.
    fn call_in(&self) {
        let mut lane = self.lane();
        let has_room = lane.working < lane.pace.limit() && !lane.waiting.is_empty();
        if lane.coming || !has_room {
            return;
        }
        lane.working += 1;
        lane.coming = true;
        drop(lane);
        let (crew, begun) = (self.clone(), false);
        tokio::spawn(Seat { crew, begun }.work());
    }

    fn next(&self) -> Option<Write> {
        let mut lane = self.lane();
        if lane.working > lane.pace.limit() {
            return None;
        }
        lane.waiting.pop_front()
    }

    async fn carry_out(&self, write: Write) {
        let begun = Instant::now();
        let rehearsal = write.verb.only_rehearses();
        let outcome = match &self.hands {
            _ if rehearsal => self.reader.rehearse(&write).await,
            Some(hands) => hands.write(&write).await,
            None => Err(WriteError::Forbidden("this session only reads".into())),
        };
        {
            let mut lane = self.lane();
            if matches!(outcome, Err(WriteError::Busy { .. })) {
                lane.pace.refused();
            } else if !lane.waiting.is_empty() {
                lane.pace.answered(begun.elapsed());
            }
        }
        self.answer(write, outcome);
    }

    fn answer(&self, write: Write, outcome: Result<Written, WriteError>) {
        self.lane().unanswered -= 1;
        // Whoever asked may have gone.
        let _ = self.events.send(Event::Wrote {
            key: write.key,
            attempt: write.attempt,
            outcome,
        });
    }
}

impl Seat {
    async fn work(mut self) {
        self.begin();
        self.crew.call_in();
        while let Some(write) = self.crew.next() {
            Box::pin(self.crew.carry_out(write)).await;
            self.crew.call_in();
        }
    }

    fn begin(&mut self) {
        if !std::mem::replace(&mut self.begun, true) {
            self.crew.lane().coming = false;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.begin();
        self.crew.lane().working -= 1;
        // A write may have come between the last look and this.
        if tokio::runtime::Handle::try_current().is_ok() {
            self.crew.call_in();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Client;
    use crate::desired::{ObjectBody, ObjectKey, Resource};
    use crate::engine::Verb;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    /// Writers without hands, that have not begun: nothing runs before the test waits.
    fn asked(count: u64) -> (Writers, UnboundedReceiver<Event>) {
        asked_of("127.0.0.1:1", count, &Verb::Restart)
    }

    fn asked_of(server: &str, count: u64, verb: &Verb) -> (Writers, UnboundedReceiver<Event>) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = kube::Config::new(format!("http://{server}").parse().unwrap());
        let reader = Reader::new(Client::new(&config).unwrap(), "jsorc");
        let (events, told) = unbounded_channel();
        let writers = Writers::new(reader, None, events);
        let resource = Resource {
            group: "".into(),
            version: "v1".into(),
            kind: "ConfigMap".into(),
            plural: "configmaps".into(),
            namespaced: true,
        };
        let resource = Arc::new(resource);
        for attempt in 1..=count {
            writers.push(Write {
                key: ObjectKey::new("", "ConfigMap", Some("prod"), &attempt.to_string()),
                resource: resource.clone(),
                attempt,
                verb: verb.clone(),
            });
        }
        (writers, told)
    }

    #[tokio::test]
    async fn what_has_not_begun_is_answered_when_it_is_given_up() {
        let (writers, mut told) = asked(3);
        assert_eq!(writers.unanswered(), 3);
        writers.give_up();
        assert_eq!(writers.unanswered(), 0);
        for number in 1..=3 {
            let Some(Event::Wrote {
                attempt, outcome, ..
            }) = told.recv().await
            else {
                panic!("no answer")
            };
            assert_eq!(attempt, number);
            assert!(
                matches!(outcome, Err(WriteError::NotBegun(_))),
                "{outcome:?}"
            );
        }
        // The writers that were called in find nothing to do.
        while writers.crew.lane().working > 0 {
            tokio::task::yield_now().await;
        }
        assert!(told.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_write_is_answered_once() {
        let (writers, mut told) = asked(2);
        for _ in 0..2 {
            let answer = told.recv().await;
            assert!(matches!(
                answer,
                Some(Event::Wrote {
                    outcome: Err(_),
                    ..
                })
            ));
        }
        writers.give_up();
        assert_eq!(writers.unanswered(), 0);
        assert!(told.try_recv().is_err());
    }

    #[tokio::test]
    async fn as_many_work_as_there_is_room_for() {
        // It takes connections and answers nothing.
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap().to_string();
        let body = ObjectBody::of(&serde_json::json!({"metadata": {"name": "a"}}));
        let (writers, _told) = asked_of(&address, 100, &Verb::Prove { body });
        assert_eq!(writers.waiting(), 100);
        let limit = Pace::default().limit();
        while writers.crew.lane().working < limit {
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(writers.crew.lane().working, limit);
        assert_eq!(
            (writers.waiting(), writers.unanswered()),
            (100 - limit, 100)
        );
        writers.give_up();
        assert_eq!(writers.unanswered(), limit);
    }
}
