//! `celery`: the broker is there, the workers answer a ping, and so many tasks wait.
//!
//! No worker is an answer, and no failure unless `require_workers` says so: who ships the
//! application may scale its workers to none. But it is said plainly, with what to do. Worker and scheduler can be run as commands too.

use std::time::{Duration, Instant};

use futures::{FutureExt, future::BoxFuture};
use serde_json::{Map, Value};

use super::{
    address,
    command::{self, CWD, ENV, GRACE},
    driver::{Answer, Driver, Running, Start},
    error::{DriverError, within},
    pidbox::{Pidbox, Workers},
    process::Child,
    redis::{self, DB, PASSWORD, URL, USER},
    resp::{Connection, Login},
    settings::{Kind, Setting, Settings, SettingsProblem},
    stream::Server,
    tls,
};

/// The `celery` driver.
pub(super) struct Celery;

/// For who has queues and nobody who works on them.
const ADVICE: &str =
    "start a worker on this broker and database; `require_workers: true` makes it a failure";

const SETTINGS: &[Setting] = &[
    address::HOST,
    address::PORT,
    address::SERVICE,
    URL,
    DB,
    USER,
    PASSWORD,
    tls::TLS,
    tls::CA,
    tls::INSECURE,
    tls::SERVER_NAME,
    Setting {
        name: "queues",
        kind: Kind::Texts,
        help: "The queues to count; `celery` if none",
    },
    Setting {
        name: "require_workers",
        kind: Kind::Flag,
        help: "Fail when no worker answers",
    },
    Setting {
        name: "key_prefix",
        kind: Kind::Text,
        help: "The application's global_keyprefix",
    },
    Setting {
        name: "commands",
        kind: Kind::Lists,
        help: "Commands to keep running beside, by name: worker, scheduler",
    },
    ENV,
    CWD,
    GRACE,
];

impl Driver for Celery {
    fn name(&self) -> &'static str {
        "celery"
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn review(&self, settings: &Map<String, Value>) -> Vec<SettingsProblem> {
        let settings = Settings(settings);
        let mut problems = redis::review(settings);
        for name in commands(settings) {
            let path = format!("commands.{name}");
            problems.extend(command::review(settings.group("commands"), name, &path));
        }
        problems
    }

    fn start<'a>(
        &'a self,
        start: Start<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Running>, DriverError>> {
        async move {
            let settings = Settings(start.settings);
            let place = redis::place(settings)?;
            let mut running = within(start.timeout, &place, async {
                let (server, login) = redis::open(settings, start.reach).await?;
                let connection = Some(Connection::open(&server, &login).await?);
                let prefix = settings.text("key_prefix").unwrap_or_default().to_owned();
                let mut queues = settings.texts("queues");
                if queues.is_empty() {
                    queues.push("celery".to_owned());
                }
                Ok(RunningCelery {
                    pidbox: Pidbox {
                        prefix,
                        db: login.db,
                    },
                    server,
                    login,
                    connection,
                    queues,
                    require_workers: settings.flag("require_workers"),
                    children: Vec::new(),
                    timeout: start.timeout,
                })
            })
            .await?;
            for name in commands(settings) {
                let words = settings.group("commands").map(|lists| lists.texts(name));
                let words = words.unwrap_or_default();
                let log = start.log.prefixed(name);
                running
                    .children
                    .push(command::spawn(name, words, settings, start.reach, log).await?);
            }
            Ok(Box::new(running) as Box<dyn Running>)
        }
        .boxed()
    }
}

/// The names of the commands that are given.
fn commands(settings: Settings<'_>) -> Vec<&str> {
    let lists = settings.group("commands");
    lists
        .map(|lists| lists.0.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

struct RunningCelery {
    server: Server,
    login: Login,
    connection: Option<Connection>,
    pidbox: Pidbox,
    queues: Vec<String>,
    require_workers: bool,
    children: Vec<Child>,
    timeout: Duration,
}

impl RunningCelery {
    async fn ask(&mut self) -> Result<Answer, DriverError> {
        for child in &mut self.children {
            child.expect_running().await?;
        }
        let mut connection = self.connection().await?;
        // Half of the deadline, so that a worker that hangs does not cost the answer.
        let asked = Instant::now();
        let workers = self.pidbox.ping(&mut connection, self.timeout / 2).await?;
        let latency = asked.elapsed();
        let mut queued = 0;
        for queue in &self.queues {
            queued += self.pidbox.length(&mut connection, queue).await?;
        }
        self.connection = Some(connection);
        if self.require_workers && workers.answered == 0 {
            let message = format!("no worker answers, {queued} queued");
            return Err(DriverError::protocol(&self.server.place, message)
                .with_hint("start a worker on this broker and database"));
        }
        let advice = (workers.answered == 0).then(|| ADVICE.to_owned());
        Ok(Answer {
            latency,
            note: format!("{}, {queued} queued", told(&workers, &self.queues)),
            advice,
        })
    }

    /// The connection there is, if it still answers, or else a new one.
    async fn connection(&mut self) -> Result<Connection, DriverError> {
        if let Some(mut connection) = self.connection.take()
            && connection.ask(&["PING"]).await.is_ok()
        {
            return Ok(connection);
        }
        Connection::open(&self.server, &self.login).await
    }
}

fn told(workers: &Workers, queues: &[String]) -> String {
    let these = queues.join(", ");
    match (workers.answered, workers.listening) {
        (0, 0) => format!("nobody works on {these}: no worker answers"),
        (0, listening) => format!("nobody works on {these}: 0 of {listening} workers answer"),
        (1, 1) => "1 worker".to_owned(),
        (answered, listening) if answered == listening => format!("{answered} workers"),
        (answered, listening) => format!("{answered} of {listening} workers"),
    }
}

impl Running for RunningCelery {
    fn probe(&mut self) -> BoxFuture<'_, Result<Answer, DriverError>> {
        let (timeout, place) = (self.timeout, self.server.place.clone());
        async move { within(timeout, &place, self.ask()).await }.boxed()
    }

    fn stop(mut self: Box<Self>) -> BoxFuture<'static, ()> {
        async move {
            futures::future::join_all(self.children.drain(..).map(Child::stop)).await;
            if let Some(connection) = self.connection.take() {
                let _ = tokio::time::timeout(self.timeout, connection.close()).await;
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn workers_are_told_as_people_say_it() {
        let told = |answered, listening| {
            let workers = Workers {
                listening,
                answered,
            };
            told(&workers, &["celery".to_owned(), "slow".to_owned()])
        };
        assert_eq!(
            told(0, 0),
            "nobody works on celery, slow: no worker answers"
        );
        assert_eq!(told(1, 1), "1 worker");
        assert_eq!(told(2, 2), "2 workers");
        assert_eq!(
            told(0, 1),
            "nobody works on celery, slow: 0 of 1 workers answer"
        );
        assert_eq!(told(1, 2), "1 of 2 workers");
    }

    #[test]
    fn commands_are_checked_below_their_names() {
        let check = |given: Value| Celery.check(given.as_object().unwrap());
        let given =
            json!({"host": "x", "commands": {"worker": [], "scheduler": ["celery", "beat"]}});
        let problems = check(given);
        assert_eq!(
            (problems.len(), problems[0].path.as_str()),
            (1, "commands.worker")
        );
        assert_eq!(
            check(json!({"host": "x", "commands": {"worker": "celery"}})).len(),
            1
        );
        assert_eq!(
            check(json!({"host": "x", "commands": {"worker": {}}})).len(),
            1
        );
    }
}
