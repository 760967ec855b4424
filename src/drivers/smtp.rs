//! `smtp`: a session up to the point where a mail could be sent, kept open and asked with NOOP.

use std::time::{Duration, Instant};

use futures::{FutureExt, future::BoxFuture};
use serde_json::{Map, Value};

use super::{
    address::{self, Address},
    credential,
    driver::{Answer, Driver, Reach, Running, Start},
    error::{DriverError, within},
    redis::PASSWORD,
    settings::{Kind, Setting, Settings, SettingsProblem},
    smtp_dialogue::{Login, Mode, Session},
    smtp_templates::{self, TEMPLATES},
    stream::Server,
    tls::{self, Tls},
};

/// The `smtp` driver.
pub(super) struct Smtp;

const MODES: &[&str] = &["starttls", "implicit", "none"];

const SETTINGS: &[Setting] = &[
    address::HOST,
    address::PORT,
    address::SERVICE,
    Setting {
        name: "tls",
        kind: Kind::Choice(MODES),
        help: "starttls, implicit or none",
    },
    tls::CA,
    tls::INSECURE,
    tls::SERVER_NAME,
    Setting {
        name: "user",
        kind: Kind::Text,
        help: "The user; without one nobody logs in",
    },
    PASSWORD,
    Setting {
        name: "sender",
        kind: Kind::Text,
        help: "The address that mails come from",
    },
    TEMPLATES,
];

impl Driver for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn review(&self, settings: &Map<String, Value>) -> Vec<SettingsProblem> {
        let settings = Settings(settings);
        let mut problems = address::review(settings);
        let given = |name| settings.get(name).is_some();
        if (given("host") || given("service")) && !given("tls") {
            let problem = SettingsProblem::new("tls", "is not given");
            problems.push(problem.hint("say `starttls`, `implicit` or `none`"));
        }
        if given("user") && !given("password") {
            problems.push(SettingsProblem::new("password", "is needed beside `user`"));
        }
        if settings
            .text("sender")
            .is_some_and(|sender| !sender.contains('@'))
        {
            problems.push(SettingsProblem::new("sender", "takes a mail address"));
        }
        problems.extend(smtp_templates::review(settings));
        problems
    }

    fn start<'a>(
        &'a self,
        start: Start<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Running>, DriverError>> {
        async move {
            let settings = Settings(start.settings);
            let mode = settings.text("tls").unwrap_or("starttls");
            let (scheme, port) = match mode {
                "implicit" => ("smtps", 465),
                "none" => ("smtp", 25),
                _ => ("smtp", 587),
            };
            let address = Address::require(settings, port)?;
            within(start.timeout, &address.place(scheme), async {
                let mut running = prepare(settings, &address, scheme, mode, start.reach).await?;
                running.timeout = start.timeout;
                running.session = Some(running.open().await?);
                Ok(Box::new(running) as Box<dyn Running>)
            })
            .await
        }
        .boxed()
    }
}

async fn prepare(
    settings: Settings<'_>,
    address: &Address,
    scheme: &str,
    mode: &str,
    reach: &dyn Reach,
) -> Result<RunningSmtp, DriverError> {
    let tls = if mode == "none" {
        None
    } else {
        Some(Tls::read(settings, reach).await?)
    };
    let (at_once, mode) = match tls {
        Some(tls) if mode == "starttls" => (None, Mode::StartTls(tls)),
        tls => (tls, Mode::AsConnected),
    };
    let server = Server::reach(address, scheme, at_once, reach).await?;
    let password = credential::resolve(settings.secret("password"), reach).await?;
    let user = settings.text("user").map(str::to_owned);
    let login = user
        .zip(password)
        .map(|(user, password)| Login { user, password });
    Ok(RunningSmtp {
        server,
        mode,
        login,
        session: None,
        timeout: Duration::ZERO,
    })
}

struct RunningSmtp {
    server: Server,
    mode: Mode,
    login: Option<Login>,
    session: Option<Session>,
    timeout: Duration,
}

impl RunningSmtp {
    async fn open(&self) -> Result<Session, DriverError> {
        Session::open(&self.server, &self.mode, self.login.as_ref()).await
    }

    /// Asks in the session there is; servers end idle ones, so else in a new one.
    async fn ask(&mut self) -> Result<Answer, DriverError> {
        let asked = Instant::now();
        if let Some(mut session) = self.session.take()
            && session.noop().await.is_ok()
        {
            self.session = Some(session);
            return Ok(self.answer(asked.elapsed()));
        }
        let asked = Instant::now();
        let mut session = self.open().await?;
        session.noop().await?;
        self.session = Some(session);
        Ok(self.answer(asked.elapsed()))
    }

    fn answer(&self, latency: Duration) -> Answer {
        let note = match &self.login {
            Some(login) => format!("logged in as {}", login.user),
            None => "nobody logged in".to_owned(),
        };
        Answer {
            latency,
            note,
            advice: None,
        }
    }
}

impl Running for RunningSmtp {
    fn probe(&mut self) -> BoxFuture<'_, Result<Answer, DriverError>> {
        let (timeout, place) = (self.timeout, self.server.place.clone());
        async move { within(timeout, &place, self.ask()).await }.boxed()
    }

    fn stop(mut self: Box<Self>) -> BoxFuture<'static, ()> {
        async move {
            if let Some(session) = self.session.take() {
                let _ = tokio::time::timeout(self.timeout, session.quit()).await;
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(given: &Value) -> Vec<String> {
        let problems = Smtp.check(given.as_object().unwrap());
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn encryption_is_stated_and_a_user_has_a_password() {
        assert_eq!(
            check(&json!({"host": "", "port": 587, "user": "", "password": ""})),
            [""; 0]
        );
        assert_eq!(check(&json!({"host": "mail"})), ["`tls` is not given"]);
        let given = json!({"host": "mail", "tls": "implicit", "user": "app", "sender": "app"});
        let expected = [
            "`password` is needed beside `user`",
            "`sender` takes a mail address",
        ];
        assert_eq!(check(&given), expected);
        let given = json!({"host": "mail", "tls": true});
        assert_eq!(
            check(&given),
            ["`tls` takes one of starttls, implicit, none"]
        );
    }
}
