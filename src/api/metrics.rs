//! Metrics, made of the daemon's last snapshot at each scrape.

use crate::daemon::Snapshot;
use crate::engine::{Phase, ServiceStatus};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode as encode_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfService {
    service: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct InPhase {
    service: String,
    phase: String,
}

type PerService = Family<OfService, Gauge<f64, AtomicU64>>;

/// The metrics in the `OpenMetrics` text format.
#[must_use]
pub fn encode(snapshot: &Snapshot) -> String {
    let mut registry = Registry::with_prefix("jsorc");
    let counters = [
        (
            "cluster_requests",
            "Requests sent to the API server",
            snapshot.requests,
        ),
        ("heals", "Objects that were put right", snapshot.healed),
        (
            "applies",
            "Objects written because their manifest said so",
            snapshot.applied,
        ),
    ];
    for (name, help, value) in counters {
        let counter = Counter::<u64>::default();
        counter.inc_by(value);
        registry.register(name, help, counter);
    }
    let invalid = Gauge::<i64>::default();
    invalid.set(i64::from(snapshot.config_error.is_some()));
    registry.register(
        "config_invalid",
        "1 while the files are not valid and older ones are in force",
        invalid,
    );
    let unwatched = Gauge::<i64>::default();
    let kinds = snapshot.status.unwatched.as_ref();
    let kinds = kinds.map_or(0, |unwatched| unwatched.kinds.len());
    unwatched.set(i64::try_from(kinds).unwrap_or(i64::MAX));
    registry.register(
        "unwatched_kinds",
        "Kinds whose changes cannot be seen, as when the API server does not answer",
        unwatched,
    );
    let phases = Family::<InPhase, Gauge>::default();
    let (current, total) = (PerService::default(), PerService::default());
    let (latency, answers) = (PerService::default(), PerService::default());
    let concerns = PerService::default();
    for service in &snapshot.status.services {
        let of = OfService {
            service: service.name.to_string(),
        };
        phases
            .get_or_create(&InPhase {
                service: of.service.clone(),
                phase: service.phase.to_string(),
            })
            .set(1);
        if let Some((ready, all)) = service.objects {
            current.get_or_create(&of).set(count(ready));
            total.get_or_create(&of).set(count(all));
        }
        if let Some((answer, _)) = &service.answer {
            latency.get_or_create(&of).set(answer.latency.as_secs_f64());
            let concern = is_well(service) && answer.advice.is_some();
            concerns
                .get_or_create(&of)
                .set(f64::from(u8::from(concern)));
        }
        answers
            .get_or_create(&of)
            .set(f64::from(u8::from(is_well(service))));
    }
    registry.register(
        "service_phase",
        "1 for the phase that a service is in",
        phases,
    );
    registry.register(
        "service_objects_current",
        "Objects of a service that are in order",
        current,
    );
    registry.register("service_objects", "Objects of a service", total);
    registry.register(
        "service_probe_latency_seconds",
        "How long the last answer took",
        latency,
    );
    registry.register("service_answers", "1 while a service answers", answers);
    registry.register(
        "service_concern",
        "1 while a service answers and its answer is no good news: a queue without workers",
        concerns,
    );
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = encode_text(&mut text, &registry);
    text
}

fn is_well(service: &ServiceStatus) -> bool {
    service.phase == Phase::Running && service.answers
}

#[expect(
    clippy::cast_precision_loss,
    reason = "there are fewer than 2^52 objects"
)]
fn count(objects: usize) -> f64 {
    objects as f64
}
