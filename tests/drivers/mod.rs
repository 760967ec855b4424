//! The drivers against real servers: right and wrong credentials, right and wrong certificates,
//! servers that die, hang, or are something else.

mod celery;
mod command;
mod hostile;
mod hostile_redis;
mod hostile_smtp;
mod prometheus;
mod redis;
mod smtp;
mod web;

use std::time::Duration;

use futures::{FutureExt, future::BoxFuture};
use jsorc::drivers::{Answer, DriverError, Endpoint, Log, Reach, Running, Start, by_name};
use secrecy::SecretString;
use serde_json::Value;

/// The password that servers want.
const SECRET: &str = "rig-secret-1";
/// One that they do not want.
const WRONG: &str = "wrong-secret-2";

/// Long enough for a busy machine; tests of deadlines give their own.
const PATIENCE: Duration = Duration::from_secs(10);

/// A way to a Service that ends at a port of this machine, and one Secret.
struct Cluster {
    port: u16,
}

impl Reach for Cluster {
    fn address<'a>(&'a self, service: &'a str) -> BoxFuture<'a, Result<Endpoint, DriverError>> {
        assert!(!service.is_empty());
        let endpoint = Endpoint {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            keep: None,
        };
        async { Ok(endpoint) }.boxed()
    }

    fn secret<'a>(
        &'a self,
        name: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<SecretString, DriverError>> {
        assert_eq!((name, key), ("auth", "password"));
        async { Ok(SECRET.into()) }.boxed()
    }
}

/// No cluster at all.
struct Nowhere;

impl Reach for Nowhere {
    fn address<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Endpoint, DriverError>> {
        async { Err(DriverError::NotConfigured("there is no cluster".to_owned())) }.boxed()
    }

    fn secret<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<SecretString, DriverError>> {
        async { Err(DriverError::NotConfigured("there is no cluster".to_owned())) }.boxed()
    }
}

async fn start_with(
    driver: &str,
    settings: &Value,
    reach: &dyn Reach,
    timeout: Duration,
    log: Log,
) -> Result<Box<dyn Running>, DriverError> {
    let driver = by_name(driver).unwrap();
    let settings = settings.as_object().unwrap();
    assert_eq!(driver.check(settings), []);
    driver
        .start(Start {
            service: "it",
            settings,
            reach,
            timeout,
            log,
        })
        .await
}

async fn start(driver: &str, settings: &Value) -> Result<Box<dyn Running>, DriverError> {
    start_with(driver, settings, &Nowhere, PATIENCE, Log::new(|_| {})).await
}

/// Starts, probes once and stops.
async fn answer(driver: &str, settings: &Value) -> Answer {
    let mut running = start(driver, settings).await.unwrap();
    let answer = running.probe().await.unwrap();
    running.stop().await;
    answer
}

/// The error of a start that has to fail, which must hold no secret.
async fn refusal(driver: &str, settings: &Value) -> DriverError {
    let error = start(driver, settings).await.err().expect("it fails");
    keeps_secrets(&error);
    error
}

fn keeps_secrets(error: &DriverError) {
    let shown = format!("{error} {error:?} {:?}", error.hint());
    assert!(!shown.contains(SECRET) && !shown.contains(WRONG), "{shown}");
    assert!(!error.to_string().contains('\n'), "{error}");
}
