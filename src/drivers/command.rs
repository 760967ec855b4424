//! `command`: a child process that is kept running, with a probe of its own if one is given.

use std::time::{Duration, Instant};

use futures::{FutureExt, future::BoxFuture};
use serde_json::{Map, Value};

use super::{
    driver::{Answer, Driver, Log, Reach, Running, Start},
    error::DriverError,
    process::{Child, Program},
    settings::{Kind, Setting, Settings, SettingsProblem},
};

/// The `command` driver.
pub(super) struct Command;

const COMMAND: Setting = Setting {
    name: "command",
    kind: Kind::Texts,
    help: "The program and its arguments, as a list",
};
pub(super) const ENV: Setting = Setting {
    name: "env",
    kind: Kind::Secrets,
    help: "Environment variables, beside jsorc's own",
};
pub(super) const CWD: Setting = Setting {
    name: "cwd",
    kind: Kind::Text,
    help: "The folder to run in",
};
pub(super) const GRACE: Setting = Setting {
    name: "grace",
    kind: Kind::Span,
    help: "How long SIGTERM may take before SIGKILL; 10s if not given",
};

const PROBE: Setting = Setting {
    name: "probe",
    kind: Kind::Group(&[
        Setting {
            name: "http",
            kind: Kind::Text,
            help: "A URL that answers 200 to 399",
        },
        Setting {
            name: "tcp",
            kind: Kind::Text,
            help: "HOST:PORT that accepts connections",
        },
    ]),
    help: "What to ask beside whether it still runs",
};

const SETTINGS: &[Setting] = &[COMMAND, ENV, CWD, GRACE, PROBE];

impl Driver for Command {
    fn name(&self) -> &'static str {
        "command"
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn review(&self, settings: &Map<String, Value>) -> Vec<SettingsProblem> {
        let command = review(Some(Settings(settings)), "command", "command");
        let mut problems: Vec<_> = command.into_iter().collect();
        let wrong = |name: &String| name.is_empty() || name.contains(['=', '\0']);
        let variables = Settings(settings).secrets("env");
        for (name, _) in variables.iter().filter(|(name, _)| wrong(name)) {
            problems.push(SettingsProblem::new(
                format!("env.{name}"),
                "is no name of a variable",
            ));
        }
        if let Err(message) = Probe::read(Settings(settings)) {
            problems.push(SettingsProblem::new("probe", message));
        }
        problems
    }

    fn start<'a>(
        &'a self,
        start: Start<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Running>, DriverError>> {
        async move {
            let settings = Settings(start.settings);
            let words = settings.texts("command");
            let child = spawn(start.service, words, settings, start.reach, start.log).await?;
            let probe = Probe::read(settings).ok().flatten();
            let running = RunningCommand {
                child,
                probe,
                timeout: start.timeout,
            };
            Ok(Box::new(running) as Box<dyn Running>)
        }
        .boxed()
    }
}

/// Problems with one command, which is a list of words under a name.
pub(super) fn review(
    settings: Option<Settings<'_>>,
    name: &str,
    path: &str,
) -> Option<SettingsProblem> {
    match settings.and_then(|settings| settings.get(name)) {
        Some(Value::Array(words)) if !words.is_empty() => None,
        Some(Value::Array(_)) | None => Some(SettingsProblem::new(path, "is needed")),
        Some(_) => {
            let problem = SettingsProblem::new(path, "takes a list of texts");
            Some(problem.hint("for a shell write [sh, -c, …]"))
        }
    }
}

/// Starts one command.
pub(super) async fn spawn(
    name: &str,
    command: Vec<String>,
    settings: Settings<'_>,
    reach: &dyn Reach,
    log: Log,
) -> Result<Child, DriverError> {
    const GRACE: Duration = Duration::from_secs(10);
    let mut environment = Vec::new();
    for (name, credential) in settings.secrets("env") {
        if let Some(value) = credential.resolve(reach).await? {
            environment.push((name, value));
        }
    }
    let program = Program {
        name: name.to_owned(),
        command,
        environment,
        folder: settings.path("cwd"),
        grace: settings.span("grace").unwrap_or(GRACE),
    };
    Child::spawn(&program, &log).await
}

/// What a command is asked beside whether it still runs: settings for another driver.
struct Probe {
    driver: &'static dyn Driver,
    settings: Map<String, Value>,
}

impl Probe {
    fn read(settings: Settings<'_>) -> Result<Option<Self>, String> {
        let Some(probe) = settings.group("probe") else {
            return Ok(None);
        };
        let mut given = Map::new();
        let driver: &dyn Driver = match (probe.text("http"), probe.text("tcp")) {
            (Some(url), None) => {
                given.insert("url".to_owned(), url.into());
                &super::http::Http
            }
            (None, Some(place)) => {
                let (host, port) = place.rsplit_once(':').ok_or("takes `tcp: HOST:PORT`")?;
                given.insert("host".to_owned(), host.trim_matches(['[', ']']).into());
                given.insert("port".to_owned(), port.into());
                &super::tcp::Tcp
            }
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => return Err("takes `http` or `tcp`, not both".to_owned()),
        };
        match driver.check(&given).first() {
            Some(problem) => Err(problem.message.clone()),
            None => Ok(Some(Self {
                driver,
                settings: given,
            })),
        }
    }

    async fn ask(&self, timeout: Duration) -> Result<Answer, DriverError> {
        let log = Log::new(|_| {});
        let (service, settings, reach) = ("probe", &self.settings, &Direct);
        let start = Start {
            service,
            settings,
            reach,
            timeout,
            log,
        };
        self.driver.start(start).await?.probe().await
    }
}

/// The way of a probe that has an address of its own.
struct Direct;

impl Reach for Direct {
    fn address<'a>(
        &'a self,
        service: &'a str,
    ) -> BoxFuture<'a, Result<super::driver::Endpoint, DriverError>> {
        let error = DriverError::NotConfigured(format!("no way to {service}"));
        async { Err(error) }.boxed()
    }

    fn secret<'a>(
        &'a self,
        name: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<secrecy::SecretString, DriverError>> {
        let error = DriverError::NotConfigured(format!("no way to {name}"));
        async { Err(error) }.boxed()
    }
}

struct RunningCommand {
    child: Child,
    probe: Option<Probe>,
    timeout: Duration,
}

impl Running for RunningCommand {
    fn probe(&mut self) -> BoxFuture<'_, Result<Answer, DriverError>> {
        async move {
            let asked = Instant::now();
            self.child.expect_running().await?;
            let id = self.child.id().unwrap_or_default();
            match &self.probe {
                None => Ok(Answer {
                    advice: None,
                    latency: asked.elapsed(),
                    note: format!("process {id} runs"),
                }),
                Some(probe) => {
                    let answer = probe.ask(self.timeout).await?;
                    let note = format!("process {id} {}", answer.note);
                    Ok(Answer {
                        advice: None,
                        latency: answer.latency,
                        note,
                    })
                }
            }
        }
        .boxed()
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, ()> {
        self.child.stop().boxed()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_command_is_a_list_and_a_probe_one_address() {
        let check = |given: Value| Command.check(given.as_object().unwrap());
        assert_eq!(
            check(json!({"command": ["true"], "env": {"A": {"env": "HOME"}}})),
            []
        );
        assert_eq!(check(json!({})).len(), 1);
        assert!(check(json!({"command": "celery worker"}))[0].hint.is_some());
        assert_eq!(
            check(json!({"command": ["x"], "env": {"A=B": "x"}})).len(),
            1
        );
        assert_eq!(
            check(json!({"command": ["x"], "probe": {"tcp": "localhost"}})).len(),
            1
        );
        assert_eq!(
            check(json!({"command": ["x"], "probe": {"http": "localhost:80"}})).len(),
            1
        );
        assert_eq!(
            check(json!({"command": ["x"], "probe": {"tcp": "[::1]:80"}})),
            []
        );
    }
}
