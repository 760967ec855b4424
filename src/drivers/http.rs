//! `http`: a GET that answers with the expected status.

use std::time::{Duration, Instant};

use futures::{FutureExt, future::BoxFuture};
use serde_json::{Map, Value};

use super::{
    driver::{Answer, Driver, Running, Start},
    error::{DriverError, within},
    get::{self, SITE, Site},
    settings::{Kind, Setting, Settings, SettingsProblem},
};

/// The `http` driver.
pub(super) struct Http;

const OWN: [Setting; 2] = [
    Setting {
        name: "path",
        kind: Kind::Text,
        help: "The path to get; that of the URL, or `/`",
    },
    Setting {
        name: "status",
        kind: Kind::Number(100, 599),
        help: "The status to expect; any from 200 to 399 if none is given",
    },
];

const SETTINGS: &[Setting] = &{
    let mut all = [OWN[0]; SITE.len() + OWN.len()];
    let mut index = 0;
    while index < SITE.len() {
        all[index] = SITE[index];
        index += 1;
    }
    all[SITE.len()] = OWN[0];
    all[SITE.len() + 1] = OWN[1];
    all
};

impl Driver for Http {
    fn name(&self) -> &'static str {
        "http"
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn review(&self, settings: &Map<String, Value>) -> Vec<SettingsProblem> {
        let settings = Settings(settings);
        let mut problems = get::review(settings);
        if settings
            .text("path")
            .is_some_and(|path| !path.starts_with('/'))
        {
            problems.push(SettingsProblem::new(
                "path",
                "takes a path that begins with `/`",
            ));
        }
        problems
    }

    fn start<'a>(
        &'a self,
        start: Start<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Running>, DriverError>> {
        async move {
            let settings = Settings(start.settings);
            let port = if settings.flag("tls") { 443 } else { 80 };
            let (place, _) = get::place(settings, port)?;
            within(start.timeout, &place, async {
                let site = Site::open(settings, port, start.reach).await?;
                let running = RunningHttp {
                    site,
                    path: settings.text("path").unwrap_or_default().to_owned(),
                    status: settings.port("status"),
                    timeout: start.timeout,
                };
                running.ask().await?;
                Ok(Box::new(running) as Box<dyn Running>)
            })
            .await
        }
        .boxed()
    }
}

struct RunningHttp {
    site: Site,
    path: String,
    status: Option<u16>,
    timeout: Duration,
}

impl RunningHttp {
    async fn ask(&self) -> Result<Answer, DriverError> {
        let asked = Instant::now();
        let page = self.site.get(&self.path).await?;
        let fine = match self.status {
            Some(status) => page.status == status,
            None => (200..400).contains(&page.status),
        };
        if !fine {
            return Err(self.site.unexpected(page.status, &page.body));
        }
        Ok(Answer {
            advice: None,
            latency: asked.elapsed(),
            note: format!("answered {}", page.status),
        })
    }
}

impl Running for RunningHttp {
    fn probe(&mut self) -> BoxFuture<'_, Result<Answer, DriverError>> {
        async move { within(self.timeout, self.site.place(), self.ask()).await }.boxed()
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, ()> {
        async {}.boxed()
    }
}
