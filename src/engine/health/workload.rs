//! Health of the kinds that run pods.

use super::{Condition, Health, UNSEEN, number, text};
use crate::desired::at::At as _;
use serde_json::Value;

pub(super) fn deployment(live: &Value) -> Health {
    let wanted = wanted_replicas(live);
    let progressing = Condition::of(live, "Progressing");
    if let Some(stuck) = progressing.filter(|c| c.reason == "ProgressDeadlineExceeded") {
        return Health::Failed(stuck.said());
    }
    if not_observed(live) {
        return Health::wait(UNSEEN);
    }
    let (total, updated) = (
        number(live, "/status/replicas"),
        number(live, "/status/updatedReplicas"),
    );
    let available = number(live, "/status/availableReplicas");
    if updated < wanted {
        Health::wait(format!("{updated}/{wanted} updated"))
    } else if total > updated {
        Health::wait(format!("{} old pods still there", total - updated))
    } else if available < wanted {
        Health::wait(format!("{available}/{wanted} available"))
    } else if wanted > 0 && !Condition::is_true(live, "Available") {
        Health::wait("not available for minReadySeconds yet")
    } else {
        Health::Current
    }
}

pub(super) fn stateful_set(live: &Value) -> Health {
    if text(live, "/spec/updateStrategy/type") == "OnDelete" && !not_observed(live) {
        return Health::Current;
    }
    let wanted = wanted_replicas(live);
    let ready = number(live, "/status/readyReplicas");
    let partition = number(live, "/spec/updateStrategy/rollingUpdate/partition");
    if not_observed(live) {
        Health::wait(UNSEEN)
    } else if ready < wanted {
        Health::wait(format!("{ready}/{wanted} ready"))
    } else if number(live, "/status/replicas") > wanted {
        Health::wait(format!(
            "{} pods too many",
            number(live, "/status/replicas") - wanted
        ))
    } else if partition > 0 {
        let updated = number(live, "/status/updatedReplicas");
        if updated < wanted - partition {
            Health::wait(format!(
                "{updated}/{} of the partition updated",
                wanted - partition
            ))
        } else {
            Health::Current
        }
    } else if text(live, "/status/currentRevision") == text(live, "/status/updateRevision") {
        Health::Current
    } else {
        Health::wait(format!(
            "{}/{wanted} updated",
            number(live, "/status/updatedReplicas")
        ))
    }
}

pub(super) fn daemon_set(live: &Value) -> Health {
    if not_observed(live) {
        return Health::wait(UNSEEN);
    }
    let wanted = number(live, "/status/desiredNumberScheduled");
    let updated = number(live, "/status/updatedNumberScheduled");
    let available = number(live, "/status/numberAvailable");
    let on_delete = text(live, "/spec/updateStrategy/type") == "OnDelete";
    if updated < wanted && !on_delete {
        Health::wait(format!("{updated}/{wanted} nodes updated"))
    } else if available < wanted {
        Health::wait(format!("{available}/{wanted} nodes available"))
    } else {
        Health::Current
    }
}

pub(super) fn replica_set(live: &Value) -> Health {
    if let Some(failing) = Condition::of(live, "ReplicaFailure").filter(|c| c.status == "True") {
        return Health::wait(failing.said());
    }
    let wanted = wanted_replicas(live);
    let (total, available) = (
        number(live, "/status/replicas"),
        number(live, "/status/availableReplicas"),
    );
    if not_observed(live) {
        Health::wait(UNSEEN)
    } else if total > wanted {
        Health::wait(format!("{} pods too many", total - wanted))
    } else if available < wanted {
        Health::wait(format!("{available}/{wanted} available"))
    } else {
        Health::Current
    }
}

pub(super) fn job(live: &Value) -> Health {
    if let Some(failed) = Condition::of(live, "Failed").filter(|c| c.status == "True") {
        return Health::Failed(failed.said());
    }
    if Condition::is_true(live, "Complete") {
        return Health::Current;
    }
    if Condition::is_true(live, "Suspended") {
        return Health::wait("suspended");
    }
    let wanted = live
        .at("/spec/completions")
        .and_then(Value::as_i64)
        .unwrap_or(1);
    Health::wait(format!(
        "{}/{wanted} completed, {} running",
        number(live, "/status/succeeded"),
        number(live, "/status/active")
    ))
}

pub(super) fn pod(live: &Value) -> Health {
    let stuck = container_trouble(live);
    match text(live, "/status/phase") {
        "Succeeded" => Health::Current,
        "Failed" => Health::Failed(first_text(
            live,
            &["/status/message", "/status/reason"],
            "failed",
        )),
        "Running" if Condition::is_true(live, "Ready") => Health::Current,
        _ => match stuck {
            Some((true, reason)) => Health::Failed(reason),
            Some((false, reason)) => Health::wait(reason),
            None => Health::wait(pod_waits(live)),
        },
    }
}

fn pod_waits(live: &Value) -> String {
    let scheduled = Condition::of(live, "PodScheduled");
    if let Some(unscheduled) = scheduled.filter(|c| c.status == "False") {
        return unscheduled.said();
    }
    let ready = Condition::of(live, "Ready").filter(|c| !c.message.is_empty());
    match text(live, "/status/phase") {
        "Running" => ready.map_or_else(
            || "not ready".to_owned(),
            |condition| condition.message.to_owned(),
        ),
        "" => "not scheduled yet".to_owned(),
        phase => phase.to_lowercase(),
    }
}

/// The first container that cannot start: whether waiting is pointless, and why.
fn container_trouble(live: &Value) -> Option<(bool, String)> {
    let of = |list: &str| {
        live.at(list)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    of("/status/initContainerStatuses")
        .chain(of("/status/containerStatuses"))
        .find_map(|container| {
            let reason = text(container, "/state/waiting/reason");
            let message = text(container, "/state/waiting/message");
            let said = if message.is_empty() {
                reason.to_owned()
            } else {
                format!("{reason}: {message}")
            };
            match reason {
                "" | "ContainerCreating" | "PodInitializing" => None,
                "CrashLoopBackOff" => Some((true, format!("{said}{}", last_exit(container)))),
                _ => Some((false, said)),
            }
        })
}

fn last_exit(container: &Value) -> String {
    let Some(last) = container.at("/lastState/terminated") else {
        return String::new();
    };
    format!(
        ", last exit code {} ({})",
        number(last, "/exitCode"),
        text(last, "/reason")
    )
}

fn wanted_replicas(live: &Value) -> i64 {
    live.at("/spec/replicas")
        .and_then(Value::as_i64)
        .unwrap_or(1)
}

/// Controllers that keep `observedGeneration` have not looked at all while it is absent.
fn not_observed(live: &Value) -> bool {
    live.at("/status/observedGeneration").is_none() && live.at("/metadata/generation").is_some()
}

fn first_text(live: &Value, pointers: &[&str], otherwise: &str) -> String {
    pointers
        .iter()
        .map(|p| text(live, p))
        .find(|t| !t.is_empty())
        .unwrap_or(otherwise)
        .to_owned()
}
