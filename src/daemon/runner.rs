//! Runs drivers: each start, probe and stop is a task of its own, with a deadline around it and
//! its panics caught, so that no service can hold up another.

use super::reach::Route;
use crate::drivers::{self, DriverError, Log, Running};
use crate::engine::{Answer, DriverError as Failure, Event, Start};
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

/// Beyond a driver's own deadline, how long until it is given up for hung.
const GRACE: Duration = Duration::from_secs(2);

type Cell = Arc<Mutex<Option<Box<dyn Running>>>>;

/// The drivers that run.
pub struct Runner {
    events: UnboundedSender<Event>,
    slots: HashMap<Arc<str>, Slot>,
}

struct Slot {
    run: u64,
    cell: Cell,
    task: Option<JoinHandle<()>>,
}

impl Runner {
    /// A runner that reports to this channel.
    #[must_use]
    pub fn new(events: UnboundedSender<Event>) -> Self {
        Self {
            events,
            slots: HashMap::new(),
        }
    }

    /// Starts a driver and probes it once.
    pub fn start(&mut self, start: Start, route: Route) {
        let cell: Cell = Arc::default();
        let (service, run, events) = (start.service.clone(), start.run, self.events.clone());
        // A start connects and then probes: two answers' time.
        let limit = start.timeout * 2 + GRACE;
        let work = bring_up(start, route, cell.clone());
        let name = service.clone();
        let task = tokio::spawn(async move {
            let outcome = guarded(work, limit).await;
            // Nobody is left to tell when the receiver is gone.
            let _ = events.send(Event::Started {
                service: name,
                run,
                outcome,
            });
        });
        self.slots.insert(
            service,
            Slot {
                run,
                cell,
                task: Some(task),
            },
        );
    }

    /// Probes a running driver.
    pub fn probe(&mut self, service: &Arc<str>, run: u64, timeout: Duration) {
        let Some(slot) = self.slots.get_mut(service).filter(|slot| slot.run == run) else {
            return;
        };
        let (cell, events, name) = (slot.cell.clone(), self.events.clone(), service.clone());
        slot.task = Some(tokio::spawn(async move {
            let outcome = guarded(ask(cell), timeout + GRACE).await;
            let _ = events.send(Event::Probed {
                service: name,
                run,
                outcome,
            });
        }));
    }

    /// Stops a driver, whatever it is doing.
    pub fn stop(&mut self, service: &Arc<str>, run: u64) -> Option<JoinHandle<()>> {
        let slot = self.slots.remove(service)?;
        if slot.run != run {
            self.slots.insert(service.clone(), slot);
            return None;
        }
        Some(tokio::spawn(wind_down(slot)))
    }

    /// Stops all drivers and waits until they have.
    pub async fn stop_all(&mut self) {
        let slots: Vec<Slot> = self.slots.drain().map(|(_, slot)| slot).collect();
        futures::future::join_all(slots.into_iter().map(wind_down)).await;
    }
}

async fn bring_up(start: Start, route: Route, cell: Cell) -> Result<Answer, Failure> {
    let Some(driver) = drivers::by_name(&start.driver) else {
        return Err(failure(format!("unknown driver `{}`", start.driver)));
    };
    let given = drivers::Start {
        service: &start.service,
        settings: &start.settings,
        reach: &route,
        timeout: start.timeout,
        log: Log::tracing(&start.service),
    };
    let running = driver.start(given).await.map_err(|error| spoken(&error))?;
    *cell.lock().await = Some(running);
    ask(cell).await
}

async fn ask(cell: Cell) -> Result<Answer, Failure> {
    let mut running = cell.lock().await;
    let Some(running) = running.as_mut() else {
        return Err(failure("it is not started".into()));
    };
    let answer = running.probe().await.map_err(|error| spoken(&error))?;
    Ok(Answer {
        latency: answer.latency,
        note: answer.note,
        advice: answer.advice,
    })
}

async fn wind_down(slot: Slot) {
    if let Some(task) = slot.task {
        task.abort();
        // An aborted task ends with an error; only its end matters.
        let _ = task.await;
    }
    if let Some(running) = slot.cell.lock().await.take() {
        running.stop().await;
    }
}

/// Runs to the end or the limit; a panic becomes the failure of this service alone.
async fn guarded(
    work: impl Future<Output = Result<Answer, Failure>> + Send + 'static,
    limit: Duration,
) -> Result<Answer, Failure> {
    let mut task = Aborting(tokio::spawn(work));
    match tokio::time::timeout(limit, &mut task.0).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Err(failure(format!(
            "its driver broke down: {}",
            panic_words(error)
        ))),
        Err(_) => Err(failure(format!(
            "its driver gave no answer within {} s",
            limit.as_secs()
        ))),
    }
}

/// A task that ends with the one that waits for it.
struct Aborting(JoinHandle<Result<Answer, Failure>>);

impl Drop for Aborting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn panic_words(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(payload) => payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied())
            .unwrap_or("panic")
            .to_owned(),
        Err(_) => "cancelled".into(),
    }
}

fn failure(message: String) -> Failure {
    Failure {
        message,
        hint: None,
        not_configured: false,
        unreachable: false,
    }
}

fn spoken(error: &DriverError) -> Failure {
    Failure {
        message: error.to_string(),
        hint: error.hint(),
        not_configured: error.is_not_configured(),
        unreachable: error.is_unreachable(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_driver_that_panics_or_hangs_is_a_failure_of_its_own() {
        let limit = Duration::from_millis(50);
        let broken = guarded(async { panic!("no such luck") }, limit).await;
        assert_eq!(
            broken.unwrap_err().message,
            "its driver broke down: no such luck"
        );
        let hung = guarded(std::future::pending(), limit).await;
        assert_eq!(
            hung.unwrap_err().message,
            "its driver gave no answer within 0 s"
        );
    }
}
