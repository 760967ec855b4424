//! `redis`: PING, then INFO for what there is to say about it.

use std::time::{Duration, Instant};

use futures::{FutureExt, future::BoxFuture};
use serde_json::{Map, Value};

use super::{
    address::{self, Address, Url},
    credential,
    driver::{Answer, Driver, Reach, Running, Start},
    error::{DriverError, within},
    resp::{Connection, Login, Reply},
    settings::{Kind, Setting, Settings, SettingsProblem},
    stream::Server,
    tls::{self, Tls},
};

/// The `redis` driver.
pub(super) struct Redis;

pub(super) const DB: Setting = Setting {
    name: "db",
    kind: Kind::Number(0, 65535),
    help: "The database's number",
};
pub(super) const USER: Setting = Setting {
    name: "user",
    kind: Kind::Text,
    help: "The user, where it is not the default one",
};
pub(super) const PASSWORD: Setting = Setting {
    name: "password",
    kind: Kind::Secret,
    help: "The user's password",
};
pub(super) const URL: Setting = Setting {
    name: "url",
    kind: Kind::Text,
    help: "redis://[USER:PASSWORD@]HOST[:PORT][/DB], or rediss:// for TLS; in place of the others",
};

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
];

impl Driver for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn review(&self, settings: &Map<String, Value>) -> Vec<SettingsProblem> {
        review(Settings(settings))
    }

    fn start<'a>(
        &'a self,
        start: Start<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Running>, DriverError>> {
        async move {
            let settings = Settings(start.settings);
            let place = place(settings)?;
            within(start.timeout, &place, async {
                let (server, login) = open(settings, start.reach).await?;
                let connection = Some(Connection::open(&server, &login).await?);
                let running = RunningRedis {
                    server,
                    login,
                    connection,
                    timeout: start.timeout,
                };
                Ok(Box::new(running) as Box<dyn Running>)
            })
            .await
        }
        .boxed()
    }
}

/// Problems with address and URL.
pub(super) fn review(settings: Settings<'_>) -> Vec<SettingsProblem> {
    let mut problems = address::review(settings);
    if let Some(text) = settings.text("url") {
        let url = Url::parse(text, &["redis", "rediss"]);
        if let Err(message) = url.and_then(|url| database(&url).map(|_| ())) {
            problems.push(SettingsProblem::new("url", message));
        }
        if settings.text("host").is_some() {
            problems.push(SettingsProblem::new("url", "is given beside `host`").hint("keep one"));
        }
    }
    problems
}

/// How messages name the server.
pub(super) fn place(settings: Settings<'_>) -> Result<String, DriverError> {
    let (address, encrypted) = target(settings)?;
    Ok(address.place(if encrypted { "rediss" } else { "redis" }))
}

/// The way to the server, and who logs in.
pub(super) async fn open(
    settings: Settings<'_>,
    reach: &dyn Reach,
) -> Result<(Server, Login), DriverError> {
    let (address, encrypted) = target(settings)?;
    let tls = if encrypted {
        Some(Tls::read(settings, reach).await?)
    } else {
        None
    };
    let scheme = if encrypted { "rediss" } else { "redis" };
    let given = credential::resolve(settings.secret("password"), reach).await?;
    let mut login = Login {
        user: settings.text("user").map(str::to_owned),
        password: given,
        db: settings.number("db").unwrap_or(0),
    };
    if let Some(url) = url(settings) {
        login.db = database(&url).ok().flatten().unwrap_or(login.db);
        login.user = url.user.or(login.user);
        login.password = url.password.or(login.password);
    }
    Ok((Server::reach(&address, scheme, tls, reach).await?, login))
}

fn target(settings: Settings<'_>) -> Result<(Address, bool), DriverError> {
    const PORT: u16 = 6379;
    match url(settings) {
        Some(url) => Ok((
            Address::Direct(url.host, url.port.unwrap_or(PORT)),
            url.scheme == "rediss",
        )),
        None => Ok((Address::require(settings, PORT)?, settings.flag("tls"))),
    }
}

fn url(settings: Settings<'_>) -> Option<Url> {
    Url::parse(settings.text("url")?, &["redis", "rediss"]).ok()
}

/// The database that a URL's path names.
fn database(url: &Url) -> Result<Option<u64>, String> {
    match url.path.trim_start_matches('/') {
        "" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| "names no database after the `/`".to_owned()),
    }
}

struct RunningRedis {
    server: Server,
    login: Login,
    connection: Option<Connection>,
    timeout: Duration,
}

impl RunningRedis {
    async fn ask(&mut self) -> Result<Answer, DriverError> {
        let (mut connection, latency) = self.ping().await?;
        let note = match connection.send(&["INFO"]).await? {
            Reply::Bytes(text) => note(&String::from_utf8_lossy(&text)),
            _ => "the user may not ask for INFO".to_owned(),
        };
        self.connection = Some(connection);
        Ok(Answer {
            latency,
            note,
            advice: None,
        })
    }

    /// Pings over the connection there is, or else over a new one.
    async fn ping(&mut self) -> Result<(Connection, Duration), DriverError> {
        if let Some(mut connection) = self.connection.take() {
            let asked = Instant::now();
            if connection.ask(&["PING"]).await.is_ok() {
                return Ok((connection, asked.elapsed()));
            }
        }
        let mut connection = Connection::open(&self.server, &self.login).await?;
        let asked = Instant::now();
        connection.ask(&["PING"]).await?;
        Ok((connection, asked.elapsed()))
    }
}

impl Running for RunningRedis {
    fn probe(&mut self) -> BoxFuture<'_, Result<Answer, DriverError>> {
        let (timeout, place) = (self.timeout, self.server.place.clone());
        async move { within(timeout, &place, self.ask()).await }.boxed()
    }

    fn stop(mut self: Box<Self>) -> BoxFuture<'static, ()> {
        async move {
            if let Some(connection) = self.connection.take() {
                let _ = tokio::time::timeout(self.timeout, connection.close()).await;
            }
        }
        .boxed()
    }
}

/// "8.2.1 master, 3.1M used".
fn note(info: &str) -> String {
    let value = |key: &str| {
        let found = info
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        found.unwrap_or("?").trim().to_owned()
    };
    format!(
        "{} {}, {} used",
        value("redis_version"),
        value("role"),
        value("used_memory_human")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_note_says_version_role_and_memory() {
        let info = "# Server\r\nredis_version:8.2.1\r\nrole:master\r\nused_memory_human:3.10M\r\n";
        assert_eq!(note(info), "8.2.1 master, 3.10M used");
        assert_eq!(note(""), "? ?, ? used");
    }

    #[test]
    fn urls_are_checked_and_their_passwords_kept_silent() {
        let check = |value: Value| Redis.check(value.as_object().unwrap());
        assert_eq!(check(json!({"url": "redis://:hunter2@cache/1"})), []);
        for wrong in [
            "redis://:hunter2@cache/one",
            "http://:hunter2@cache",
            "hunter2",
        ] {
            let problems = check(json!({"url": wrong}));
            assert_eq!(problems.len(), 1, "{wrong}");
            assert!(!format!("{problems:?}").contains("hunter2"));
        }
        assert_eq!(check(json!({"url": "redis://a", "host": "b"})).len(), 1);
    }
}
