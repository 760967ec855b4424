//! Health of the kinds that do not run pods.

use super::{Condition, Health, UNSEEN, number, text};
use crate::desired::at::At as _;
use serde_json::Value;

pub(super) fn claim(live: &Value) -> Health {
    match text(live, "/status/phase") {
        "Bound" => Health::Current,
        "Lost" => Health::Failed("its volume is lost".to_owned()),
        _ => Health::wait("not bound to a volume yet"),
    }
}

pub(super) fn service(live: &Value) -> Health {
    let balanced = text(live, "/spec/type") == "LoadBalancer";
    let addressed = live
        .at("/status/loadBalancer/ingress")
        .and_then(Value::as_array)
        .is_some_and(|list| !list.is_empty());
    if balanced && !addressed {
        Health::wait("no load balancer address yet")
    } else {
        Health::Current
    }
}

pub(super) fn namespace(live: &Value) -> Health {
    match text(live, "/status/phase") {
        "Terminating" => Health::Terminating,
        _ => Health::Current,
    }
}

pub(super) fn definition(live: &Value) -> Health {
    if let Some(refused) = Condition::of(live, "NamesAccepted").filter(|c| c.status == "False") {
        return Health::Failed(refused.said());
    }
    match Condition::of(live, "Established") {
        Some(established) if established.status == "True" => Health::Current,
        Some(established) if established.reason != "Installing" => Health::wait(established.said()),
        _ => Health::wait("not established yet"),
    }
}

pub(super) fn api_service(live: &Value) -> Health {
    match Condition::of(live, "Available") {
        Some(available) if available.status == "True" => Health::Current,
        Some(available) => Health::wait(available.said()),
        None => Health::wait("not available yet"),
    }
}

/// Missing metrics do not stop what the autoscaler scales, so only a target that it cannot find
/// counts.
pub(super) fn autoscaler(live: &Value) -> Health {
    match Condition::of(live, "AbleToScale") {
        Some(able) if able.status == "False" => Health::wait(able.said()),
        _ => Health::Current,
    }
}

pub(super) fn disruption_budget(live: &Value) -> Health {
    if live.at("/status/observedGeneration").is_none() {
        return Health::wait(UNSEEN);
    }
    let (healthy, wanted) = (
        number(live, "/status/currentHealthy"),
        number(live, "/status/desiredHealthy"),
    );
    if healthy < wanted {
        Health::wait(format!("{healthy}/{wanted} pods healthy"))
    } else {
        Health::Current
    }
}
