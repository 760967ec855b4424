//! How Celery's workers are asked over Redis: a message to all of them, and a list for the answers.
//!
//! Every worker listens on one channel. A message there names a queue to answer to; the queue is a
//! Redis list, which a worker finds in the set of queues bound to the exchange of the answers.

use std::time::{Duration, Instant};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{
    error::DriverError,
    resp::{Connection, Reply},
};

const REPLIES: &str = "reply.celery.pidbox";

/// Between routing key, pattern and queue in a binding; between a queue and its priority.
const SEPARATOR: &str = "\u{6}\u{16}";

/// The priorities for which the transport keeps a list each; 0 has the plain name.
const PRIORITIES: [&str; 3] = ["3", "6", "9"];

/// The control channel of a broker.
pub(super) struct Pidbox {
    /// What every key begins with, where the application sets such a prefix.
    pub(super) prefix: String,
    /// The database, which is part of the channel's name.
    pub(super) db: u64,
}

/// Who was asked, and who answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Workers {
    pub(super) listening: u64,
    pub(super) answered: u64,
}

impl Pidbox {
    /// Pings all workers. Nobody is waited for when nobody listens.
    pub(super) async fn ping(
        &self,
        connection: &mut Connection,
        patience: Duration,
    ) -> Result<Workers, DriverError> {
        let own = token()?;
        let queue = format!("{own}.{REPLIES}");
        let table = format!("{}_kombu.binding.{REPLIES}", self.prefix);
        let binding = [own.as_str(), "", queue.as_str()].join(SEPARATOR);
        connection.ask(&["SADD", &table, &binding]).await?;
        let asked = self.ask(connection, &own, &queue, patience).await;
        // The binding is taken away whatever came of it, so that no probe leaves anything behind.
        connection.ask(&["SREM", &table, &binding]).await?;
        connection
            .ask(&["DEL", &format!("{}{queue}", self.prefix)])
            .await?;
        asked
    }

    async fn ask(
        &self,
        connection: &mut Connection,
        own: &str,
        queue: &str,
        patience: Duration,
    ) -> Result<Workers, DriverError> {
        let channel = format!("{}/{}.celery.pidbox", self.prefix, self.db);
        let message = message(own, &token()?).to_string();
        let listening = count(&connection.ask(&["PUBLISH", &channel, &message]).await?);
        let end = Instant::now() + patience;
        let mut answered = 0;
        while answered < listening {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let key = format!("{}{queue}", self.prefix);
            let left = format!("{:.3}", left.as_secs_f64().max(0.01));
            match connection.ask(&["BRPOP", &key, &left]).await? {
                Reply::List(_) => answered += 1,
                _ => break,
            }
        }
        Ok(Workers {
            listening,
            answered,
        })
    }

    /// How many messages wait in a queue, whatever their priority.
    pub(super) async fn length(
        &self,
        connection: &mut Connection,
        queue: &str,
    ) -> Result<u64, DriverError> {
        let plain = format!("{}{queue}", self.prefix);
        let mut length = count(&connection.ask(&["LLEN", &plain]).await?);
        for priority in PRIORITIES {
            let key = format!("{plain}{SEPARATOR}{priority}");
            length += count(&connection.ask(&["LLEN", &key]).await?);
        }
        Ok(length)
    }
}

fn count(reply: &Reply) -> u64 {
    match reply {
        Reply::Number(number) => u64::try_from(*number).unwrap_or(0),
        _ => 0,
    }
}

/// A ping as the transport wraps it.
fn message(own: &str, ticket: &str) -> Value {
    let body = json!({
        "method": "ping",
        "arguments": {},
        "destination": null,
        "pattern": null,
        "matcher": null,
        "ticket": ticket,
        "reply_to": {"exchange": REPLIES, "routing_key": own},
    });
    json!({
        "body": BASE64_STANDARD.encode(body.to_string()),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"clock": 1, "expires": 0},
        "properties": {
            "body_encoding": "base64",
            "delivery_info": {"exchange": "celery.pidbox", "routing_key": ""},
            "delivery_mode": 1,
            "delivery_tag": ticket,
            "priority": 0,
        },
    })
}

/// A name that nobody else uses.
fn token() -> Result<String, DriverError> {
    let mut bytes = [0_u8; 16];
    let filled = getrandom::fill(&mut bytes);
    filled.map_err(|error| DriverError::protocol("celery", format!("no randomness: {error}")))?;
    Ok(bytes.iter().fold(String::from("jsorc-"), |text, byte| {
        text + &format!("{byte:02x}")
    }))
}
