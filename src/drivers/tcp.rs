//! `tcp`: something accepts connections.

use std::time::{Duration, Instant};

use futures::{FutureExt, future::BoxFuture};
use serde_json::{Map, Value};

use super::{
    address::{self, Address},
    driver::{Answer, Driver, Running, Start},
    error::{DriverError, within},
    settings::{Setting, Settings, SettingsProblem},
    stream::Server,
};

/// The `tcp` driver.
pub(super) struct Tcp;

impl Driver for Tcp {
    fn name(&self) -> &'static str {
        "tcp"
    }

    fn settings(&self) -> &'static [Setting] {
        &[address::HOST, address::PORT, address::SERVICE]
    }

    fn review(&self, settings: &Map<String, Value>) -> Vec<SettingsProblem> {
        let settings = Settings(settings);
        let mut problems = address::review(settings);
        if settings.text("host").is_some() && settings.port("port").is_none() {
            problems.push(SettingsProblem::new("port", "is needed beside `host`"));
        }
        problems
    }

    fn start<'a>(
        &'a self,
        start: Start<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Running>, DriverError>> {
        async move {
            let address = Address::require(Settings(start.settings), 0)?;
            within(start.timeout, &address.place("tcp"), async {
                let server = Server::reach(&address, "tcp", None, start.reach).await?;
                server.connect_plain().await?;
                Ok(Box::new(RunningTcp {
                    server,
                    timeout: start.timeout,
                }) as Box<dyn Running>)
            })
            .await
        }
        .boxed()
    }
}

struct RunningTcp {
    server: Server,
    timeout: Duration,
}

impl Running for RunningTcp {
    fn probe(&mut self) -> BoxFuture<'_, Result<Answer, DriverError>> {
        async move {
            let asked = Instant::now();
            within(
                self.timeout,
                &self.server.place,
                self.server.connect_plain(),
            )
            .await?;
            Ok(Answer {
                advice: None,
                latency: asked.elapsed(),
                note: "accepts connections".to_owned(),
            })
        }
        .boxed()
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, ()> {
        async {}.boxed()
    }
}
