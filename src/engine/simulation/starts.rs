//! How services come up: when a driver is started, what it waits for, and what is reported of it.

use super::samples::{fingerprints, front, instance, service, set};
use super::world::World;
use crate::desired::{DesiredService, ObjectKey};
use crate::engine::phase_notice::LASTS;
use crate::engine::watches::endpoint_slices;
use crate::engine::{
    Answer, ClusterState, Command, DriverError, Engine, Event, Mode, Now, Occurrence, Order,
    Orders, Phase, ServiceStatus, WatchChange, Wish,
};
use serde_json::json;
use std::time::Duration;

const MOMENT: Duration = Duration::from_millis(40);

/// An engine of one service without objects, its clock, and what it reported.
struct Start {
    engine: Engine,
    clock: Duration,
    run: u64,
    reported: Vec<String>,
    wakes: Vec<Duration>,
}

impl Start {
    /// Nothing is known of a cluster yet.
    fn new(desired: DesiredService) -> Self {
        let mode = Mode::Enforce { run: true };
        let mut start = Self {
            engine: Engine::new(instance(), fingerprints(), mode),
            clock: Duration::ZERO,
            run: 0,
            reported: Vec::new(),
            wakes: Vec::new(),
        };
        start.hear(Event::Desired(Box::new(set(vec![desired]))));
        start
    }

    /// There is no cluster, which is known.
    fn alone(desired: DesiredService) -> Self {
        let mut start = Self::new(desired);
        start.hear(Event::Cluster(ClusterState::Off("none".into())));
        start
    }

    fn hear(&mut self, event: Event) {
        let now = Now {
            mono: self.clock,
            wall: jiff::Timestamp::UNIX_EPOCH + self.clock,
        };
        for command in self.engine.handle([event], now) {
            match command {
                Command::Start(start) => self.run = start.run,
                Command::WakeAt(at) => self.wakes.push(at),
                Command::Tell(Occurrence::Phase {
                    from, to, reason, ..
                }) => {
                    self.reported.push(format!("{from} → {to}: {reason}"));
                }
                _ => {}
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        self.clock += time;
        self.hear(Event::Woken);
    }

    /// The driver that was started gets an answer, a moment later.
    fn answers(&mut self) {
        self.comes_to(Ok(Answer {
            latency: MOMENT,
            note: "well".into(),
            advice: None,
        }));
    }

    /// The driver that was started fails, a moment later.
    fn fails(&mut self, message: &str, unreachable: bool) {
        self.comes_to(Err(DriverError {
            message: message.into(),
            hint: None,
            not_configured: false,
            unreachable,
        }));
    }

    fn comes_to(&mut self, outcome: Result<Answer, DriverError>) {
        self.clock += MOMENT;
        self.hear(Event::Started {
            service: "one".into(),
            run: self.run,
            outcome,
        });
    }

    fn status(&self) -> ServiceStatus {
        let now = Now {
            mono: self.clock,
            wall: jiff::Timestamp::UNIX_EPOCH + self.clock,
        };
        self.engine.status(now).services[0].clone()
    }

    fn phase(&self) -> Phase {
        self.status().phase
    }

    fn news(&mut self) -> Vec<String> {
        std::mem::take(&mut self.reported)
    }
}

fn bare() -> DesiredService {
    service("one", "prod", Vec::new())
}

#[test]
fn a_phase_that_is_over_within_moments_is_shown_and_not_reported() {
    let mut start = Start::alone(bare());
    assert_eq!(start.phase(), Phase::Starting);
    assert_eq!(start.news(), Vec::<String>::new());
    start.answers();
    assert_eq!(start.phase(), Phase::Running);
    assert_eq!(start.news(), ["Waiting → Running: well"]);
}

#[test]
fn a_phase_that_lasts_is_reported_once_and_the_engine_asks_to_be_woken_for_it() {
    let mut start = Start::alone(bare());
    assert_eq!(start.wakes, [LASTS]);
    start.pass(LASTS.saturating_sub(MOMENT));
    assert_eq!(start.news(), Vec::<String>::new());
    start.pass(MOMENT);
    assert_eq!(start.news(), ["Waiting → Starting: connecting"]);
    start.pass(LASTS);
    assert_eq!(start.news(), Vec::<String>::new());
    start.answers();
    assert_eq!(start.news(), ["Starting → Running: well"]);
}

#[test]
fn a_rerun_is_reported_although_it_takes_moments() {
    let mut start = Start::alone(bare());
    start.answers();
    start.news();
    start.hear(Event::Refresh("one".into()));
    assert_eq!(start.phase(), Phase::Starting);
    start.answers();
    assert_eq!(start.news(), ["Running → Running: well"]);
    start.pass(LASTS);
    assert_eq!(start.news(), Vec::<String>::new());
}

#[test]
fn every_failed_start_is_reported_at_once() {
    let mut start = Start::alone(bare());
    start.fails("wrong password", false);
    assert_eq!(start.news(), ["Waiting → Failed: wrong password"]);
    start.pass(Duration::from_secs(2));
    assert_eq!(start.phase(), Phase::Starting);
    start.fails("wrong password", false);
    assert_eq!(start.news(), ["Failed → Failed: wrong password"]);
    start.pass(MOMENT);
    assert_eq!(start.news(), Vec::<String>::new());
}

#[test]
fn a_target_that_never_answered_is_waited_for_as_long_as_the_probe_allows() {
    let mut desired = bare();
    desired.probe.failures = 3;
    let mut start = Start::alone(desired);
    start.fails("refused", true);
    let status = start.status();
    assert_eq!(status.phase, Phase::Waiting);
    assert_eq!(status.reason, "refused (attempt 1 of 3)");
    assert_eq!(start.news(), Vec::<String>::new());
    start.pass(LASTS);
    let waits = ["Waiting → Waiting: refused (attempt 1 of 3)"];
    assert_eq!(start.news(), waits);
    start.pass(Duration::from_secs(3));
    assert_eq!(start.phase(), Phase::Starting);
    start.fails("refused", true);
    start.pass(Duration::from_secs(3));
    assert_eq!(start.news(), Vec::<String>::new());
    start.fails("refused", true);
    assert_eq!(start.news(), ["Waiting → Failed: refused"]);
}

#[test]
fn a_target_that_answered_once_fails_when_it_is_not_reached() {
    let mut desired = bare();
    desired.probe.failures = 3;
    let mut start = Start::alone(desired);
    start.answers();
    start.news();
    start.hear(Event::Refresh("one".into()));
    start.fails("refused", true);
    assert_eq!(start.news(), ["Running → Failed: refused"]);
}

#[test]
fn a_person_who_asks_for_a_rerun_is_told_at_once_that_nothing_answers() {
    let mut desired = bare();
    desired.probe.failures = 3;
    let mut start = Start::alone(desired);
    start.hear(Event::Refresh("one".into()));
    start.fails("refused", true);
    assert_eq!(start.news(), ["Waiting → Failed: refused"]);
}

#[test]
fn no_driver_starts_before_it_is_known_whether_there_is_a_cluster() {
    let mut start = Start::new(bare());
    start.pass(Duration::from_secs(9));
    assert_eq!((start.run, start.phase()), (0, Phase::Waiting));
    assert_eq!(start.status().reason, "cluster: not connected yet");
    assert_eq!(start.news(), Vec::<String>::new());
    let refused = ClusterState::Unreachable("refused".into());
    start.hear(Event::Cluster(refused));
    assert_eq!((start.run, start.phase()), (1, Phase::Starting));
}

#[test]
fn a_candidate_starts_no_driver_and_a_leader_does() {
    let mut start = Start::new(bare());
    start.engine.set_mode(Mode::Follow);
    start.hear(Event::Inventories(Vec::new()));
    start.hear(Event::Cluster(ClusterState::Ready));
    start.pass(Duration::from_secs(9));
    assert_eq!((start.run, start.phase()), (0, Phase::Waiting));
    assert_eq!(start.news(), Vec::<String>::new());
    start.engine.set_mode(Mode::Enforce { run: true });
    start.pass(MOMENT);
    assert_eq!((start.run, start.phase()), (1, Phase::Starting));
}

#[test]
fn a_suspension_is_reported_at_once_and_failures_beneath_it_as_well() {
    let mut start = Start::alone(bare());
    start.answers();
    start.news();
    let mut orders = Orders::default();
    orders.put(
        None,
        Order {
            order: Wish::Suspended,
            by: "ann".into(),
            reason: None,
            at: None,
            until: None,
        },
    );
    start.hear(Event::Orders(orders));
    let news = start.news();
    assert!(news[0].starts_with("Running → Suspended: "), "{news:?}");
    start.hear(Event::Refresh("one".into()));
    start.fails("wrong password", false);
    assert_eq!(start.news(), ["Suspended → Failed: wrong password"]);
    start.pass(Duration::from_secs(2));
    start.answers();
    assert_eq!(start.news(), Vec::<String>::new());
}

/// Redis and, on top of it, what has no manifests of its own.
fn broker_and_client() -> World {
    let broker = service("broker", "prod", vec![front("broker", "web")]);
    let mut client = service("client", "prod", Vec::new());
    client.settings.insert("service".into(), json!("web:6379"));
    World::quiet(set(vec![broker, client]))
}

fn slice(ready: bool) -> Event {
    let body = json!({
        "metadata": {"name": "web-x", "namespace": "prod", "uid": "u", "resourceVersion": "1",
                     "labels": {"kubernetes.io/service-name": "web"}},
        "endpoints": [{"addresses": ["10.0.0.7"], "conditions": {"ready": ready}}],
    });
    let watch = endpoint_slices(Some("prod".into()));
    Event::Watch(watch, WatchChange::Applied(body.into()))
}

fn client(world: &World) -> ServiceStatus {
    let status = world.processes[0].engine.status(world.now());
    let mut services = status.services.into_iter();
    services.find(|service| &*service.name == "client").unwrap()
}

#[test]
fn a_driver_waits_for_the_endpoints_of_another_services_service() {
    let mut world = broker_and_client();
    let waits = client(&world);
    assert_eq!(waits.phase, Phase::Waiting);
    assert_eq!(waits.reason, "Service/web has no ready endpoint");
    world.deliver(0, slice(false));
    world.pass(MOMENT);
    assert_eq!(client(&world).phase, Phase::Waiting);
    world.deliver(0, slice(true));
    world.pass(MOMENT * 3);
    assert_eq!(client(&world).phase, Phase::Running);
    let failed = |told: &&Occurrence| {
        matches!(
            told,
            Occurrence::Phase {
                to: Phase::Failed,
                ..
            }
        )
    };
    assert_eq!(world.told.iter().find(failed), None);
}

#[test]
fn a_driver_with_an_address_of_its_own_waits_for_no_service() {
    let mut desired = service("client", "prod", Vec::new());
    let settings = [("service", "web:6379"), ("host", "cache")];
    let settings = settings.map(|(name, value)| (name.to_owned(), json!(value)));
    desired.settings = settings.into_iter().collect();
    let world = World::quiet(set(vec![
        service("broker", "prod", vec![front("broker", "web")]),
        desired,
    ]));
    assert_eq!(client(&world).phase, Phase::Running);
}

#[test]
fn a_service_of_others_is_no_reason_to_wait() {
    let mut world = broker_and_client();
    let key = ObjectKey::new("", "Service", Some("prod"), "web");
    let engine = &mut world.processes[0].engine;
    let position = engine.position(&key).unwrap();
    let blocked = "exists and is not ours".to_owned();
    engine.stand(position, crate::engine::Standing::Blocked(blocked));
    assert_eq!(
        engine.unready_target(&engine.services["client"]),
        None,
        "it may answer all the same"
    );
    assert!(engine.dirty.contains("client"));
}
