//! `none`: objects only. It runs as soon as they do.

use std::time::Duration;

use futures::{FutureExt, future::BoxFuture};

use super::{
    driver::{Answer, Driver, Running, Start},
    error::DriverError,
    settings::Setting,
};

/// The `none` driver.
pub(super) struct Nothing;

impl Driver for Nothing {
    fn name(&self) -> &'static str {
        "none"
    }

    fn settings(&self) -> &'static [Setting] {
        &[]
    }

    fn start<'a>(&'a self, _: Start<'a>) -> BoxFuture<'a, Result<Box<dyn Running>, DriverError>> {
        async { Ok(Box::new(RunningNothing) as Box<dyn Running>) }.boxed()
    }
}

struct RunningNothing;

impl Running for RunningNothing {
    fn probe(&mut self) -> BoxFuture<'_, Result<Answer, DriverError>> {
        async {
            Ok(Answer {
                advice: None,
                latency: Duration::ZERO,
                note: String::new(),
            })
        }
        .boxed()
    }

    fn stop(self: Box<Self>) -> BoxFuture<'static, ()> {
        async {}.boxed()
    }
}
