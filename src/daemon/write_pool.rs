//! Sends writes to the API server, as many at the same time as [`ConcurrencyLimit`] allows.
//!
//! Invariants: every write that was pushed is answered by one event, unless the pool is dropped before
//! it was sent; a write that waits is a queue entry, not a task.

use super::concurrency::ConcurrencyLimit;
use crate::cluster::{Hands, Reader};
use crate::engine::{Event, Write, WriteError, Written};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::UnboundedSender;

/// The writes of one connection.
pub(super) struct WritePool {
    shared: Shared,
}

/// What the tasks that send writes share.
#[derive(Clone)]
struct Shared {
    reader: Reader,
    hands: Option<Hands>,
    events: UnboundedSender<Event>,
    queue: Arc<Mutex<Queue>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Write>,
    in_flight: usize,
    limit: ConcurrencyLimit,
}

/// A write in flight. Dropping it makes room for the next one, after a panic too.
struct InFlight {
    shared: Shared,
    write: Write,
    outcome: Option<Result<Written, WriteError>>,
}

impl WritePool {
    pub(super) fn new(
        reader: Reader,
        hands: Option<Hands>,
        events: UnboundedSender<Event>,
    ) -> Self {
        let queue = Arc::default();
        Self {
            shared: Shared {
                reader,
                hands,
                events,
                queue,
            },
        }
    }

    /// Sends a write as soon as the limit allows; its answer comes as an event.
    pub(super) fn push(&self, write: Write) {
        self.shared.queue().waiting.push_back(write);
        self.shared.send_next();
    }

    /// How many writes are not answered.
    pub(super) fn unanswered(&self) -> usize {
        let queue = self.shared.queue();
        queue.waiting.len() + queue.in_flight
    }

    /// Answers the writes that were not sent with [`WriteError::NotBegun`].
    pub(super) fn give_up(&self) {
        let waiting = std::mem::take(&mut self.shared.queue().waiting);
        for write in waiting {
            let refused = WriteError::NotBegun("the Lease was lost, another process may lead");
            self.shared.answer(&write, Err(refused));
        }
    }
}

impl Drop for WritePool {
    fn drop(&mut self) {
        self.shared.queue().waiting.clear();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics between two consistent states of the queue.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a task for each waiting write that the limit allows.
    fn send_next(&self) {
        let mut queue = self.queue();
        while queue.in_flight < queue.limit.get()
            && let Some(write) = queue.waiting.pop_front()
        {
            queue.in_flight += 1;
            let in_flight = InFlight {
                shared: self.clone(),
                write,
                outcome: None,
            };
            tokio::spawn(in_flight.send());
        }
    }

    fn answer(&self, write: &Write, outcome: Result<Written, WriteError>) {
        // The session may have ended meanwhile.
        let _ = self.events.send(Event::Wrote {
            key: write.key.clone(),
            attempt: write.attempt,
            outcome,
        });
    }
}

impl InFlight {
    async fn send(mut self) {
        let (write, Shared { reader, hands, .. }) = (&self.write, &self.shared);
        let outcome = match hands {
            _ if write.verb.only_rehearses() => Box::pin(reader.rehearse(write)).await,
            Some(hands) => Box::pin(hands.write(write)).await,
            None => Err(WriteError::Forbidden("this session only reads".into())),
        };
        self.outcome = Some(outcome);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let busy = matches!(self.outcome, Some(Err(WriteError::Busy { .. })));
        let mut queue = self.shared.queue();
        queue.in_flight -= 1;
        let in_flight = queue.in_flight;
        queue.limit.answered(busy, in_flight);
        drop(queue);
        // Without an outcome, sending panicked: whether the server took the write is not known.
        let outcome = self.outcome.take().unwrap_or_else(|| {
            let reason = "sending it failed in jsorc itself";
            Err(WriteError::Unreachable(reason.into()))
        });
        self.shared.answer(&self.write, outcome);
        // The runtime drops tasks when it shuts down, and starts none any more.
        if tokio::runtime::Handle::try_current().is_ok() {
            self.shared.send_next();
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

    /// A pool that may not write and has sent nothing: no task runs before the test waits.
    fn asked(count: u64) -> (WritePool, UnboundedReceiver<Event>) {
        asked_of("127.0.0.1:1", count, &Verb::Restart)
    }

    fn asked_of(server: &str, count: u64, verb: &Verb) -> (WritePool, UnboundedReceiver<Event>) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = kube::Config::new(format!("http://{server}").parse().unwrap());
        let reader = Reader::new(Client::new(&config).unwrap(), "jsorc");
        let (events, answers) = unbounded_channel();
        let pool = WritePool::new(reader, None, events);
        (1..=count).for_each(|attempt| pool.push(write(attempt, verb)));
        (pool, answers)
    }

    fn write(attempt: u64, verb: &Verb) -> Write {
        let resource = Resource {
            group: "".into(),
            version: "v1".into(),
            kind: "ConfigMap".into(),
            plural: "configmaps".into(),
            namespaced: true,
        };
        Write {
            key: ObjectKey::new("", "ConfigMap", Some("prod"), &attempt.to_string()),
            resource: Arc::new(resource),
            attempt,
            verb: verb.clone(),
        }
    }

    /// A pool with this many writes to a server that takes connections and answers nothing.
    fn asked_of_a_silent_server(count: u64) -> (WritePool, UnboundedReceiver<Event>) {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap().to_string();
        // The socket stays open for as long as the test runs.
        std::mem::forget(server);
        let body = ObjectBody::of(&serde_json::json!({"metadata": {"name": "a"}}));
        asked_of(&address, count, &Verb::Prove { body })
    }

    #[tokio::test]
    async fn give_up_answers_the_writes_that_wait() {
        let limit = ConcurrencyLimit::default().get();
        let (pool, mut answers) = asked_of_a_silent_server(limit as u64 + 3);
        assert_eq!(pool.unanswered(), limit + 3);
        pool.give_up();
        assert_eq!(pool.unanswered(), limit);
        for _ in 0..3 {
            let Some(Event::Wrote { outcome, .. }) = answers.recv().await else {
                panic!("no answer")
            };
            assert!(
                matches!(outcome, Err(WriteError::NotBegun(_))),
                "{outcome:?}"
            );
        }
        assert!(answers.try_recv().is_err());
    }

    #[tokio::test]
    async fn each_write_is_answered_once() {
        let (pool, mut answers) = asked(2);
        for _ in 0..2 {
            let answer = answers.recv().await;
            assert!(matches!(
                answer,
                Some(Event::Wrote {
                    outcome: Err(_),
                    ..
                })
            ));
        }
        pool.give_up();
        assert_eq!(pool.unanswered(), 0);
        assert!(answers.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_write_whose_task_panics_is_answered_as_well() {
        let (pool, mut answers) = asked(0);
        pool.shared.queue().in_flight += 1;
        let in_flight = InFlight {
            shared: pool.shared.clone(),
            write: write(7, &Verb::Restart),
            outcome: None,
        };
        let task = tokio::spawn(async move {
            let _held = in_flight;
            panic!("on purpose");
        });
        assert!(task.await.is_err());
        let answer = answers.recv().await;
        assert!(
            matches!(
                answer,
                Some(Event::Wrote {
                    attempt: 7,
                    outcome: Err(_),
                    ..
                })
            ),
            "{answer:?}"
        );
        assert_eq!(pool.unanswered(), 0);
    }

    #[tokio::test]
    async fn an_answer_lets_the_next_write_begin() {
        let limit = ConcurrencyLimit::default().get();
        let (pool, mut answers) = asked(limit as u64 + 5);
        for _ in 0..limit + 5 {
            assert!(answers.recv().await.is_some());
        }
        assert_eq!(pool.unanswered(), 0);
    }
}
