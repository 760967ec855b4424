//! `jsorc suspend` and `jsorc resume`: orders about services, stored in the cluster.

use super::arguments::{ResumeArgs, SuspendArgs};
use super::context::Context;
use super::failure::{Exit, Failure};
use crate::daemon::{Connected, Settings};
use crate::engine::{Order, Orders, Wish, WriteError};
use serde_json::{Value, json};
use std::fmt::Write as _;

pub(super) async fn suspend(context: &Context, args: SuspendArgs) -> Result<Exit, Failure> {
    let settings = context.settings(&args.services)?;
    let connected = context.connect(&settings).await?;
    let now = jiff::Timestamp::now();
    let order = Order {
        order: Wish::Suspended,
        by: connected.greeting.user.clone(),
        at: Some(now),
        until: match args.time {
            Some(time) => Some(end_of(now, time)?),
            None => None,
        },
        reason: args.reason.filter(|reason| !reason.trim().is_empty()),
    };
    let before = stored(&settings, &connected).await?;
    for name in &args.services {
        if let Some(other) = before.dismissal(name) {
            return Err(Failure::usage(
                format!("{name} was {}", other.words()),
                format!(
                    "nothing is written about it already; `jsorc resume {name}` brings it back"
                ),
            ));
        }
    }
    let orders = change(&settings, &connected, |orders| {
        if args.all {
            orders.put(None, order.clone());
        }
        for name in &args.services {
            orders.put(Some(name), order.clone());
        }
    })
    .await?;
    let (who, which) = if args.all {
        ("every service".to_owned(), "--all".to_owned())
    } else {
        (args.services.join(", "), args.services.join(" "))
    };
    let text = || {
        format!(
            "{who}: {}\nNothing is written; probes go on. It ends with: jsorc resume {which}\n",
            order.words()
        )
    };
    context.print(|| document(&orders, now), text)?;
    Ok(Exit::Fine)
}

pub(super) async fn resume(context: &Context, args: ResumeArgs) -> Result<Exit, Failure> {
    let settings = context.settings(&[])?;
    let connected = context.connect(&settings).await?;
    let now = jiff::Timestamp::now();
    let before = stored(&settings, &connected).await?;
    let unknown = |name: &&String| !before.each().any(|(known, _)| **known == ***name);
    let unknown: Vec<String> = args.services.iter().filter(unknown).cloned().collect();
    // An order may be about a service that is no longer in services/.
    let settings = settings.select(&unknown)?;
    if let Some(order) = before.of_all(now).filter(|_| !unknown.is_empty()) {
        return Err(Failure::usage(
            format!(
                "{} has no order of its own: every service is {}",
                unknown.join(", "),
                order.words()
            ),
            "`jsorc resume --all` ends that",
        ));
    }
    let orders = change(&settings, &connected, |orders| {
        if args.all {
            orders.take_back(None);
        }
        for name in &args.services {
            orders.take_back(Some(name));
        }
    })
    .await?;
    context.print(|| document(&orders, now), || ended(&args, &before))?;
    Ok(Exit::Fine)
}

/// What a resume came to, service by service.
fn ended(args: &ResumeArgs, before: &Orders) -> String {
    let mut text = String::new();
    if args.all {
        let mut orders = before.clone();
        let said = match orders.take_back(None).as_slice() {
            [] => "nothing was suspended",
            _ => "every suspension ended",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{said}");
    }
    for name in &args.services {
        let order = before.each().find(|(known, _)| ***known == **name);
        let said = match order.map(|(_, order)| order) {
            None => "it was not suspended".to_owned(),
            Some(order) => format!("is kept alive again (was {})", order.words()),
        };
        let _ = writeln!(text, "{name}: {said}");
        if before.dismissal(name).is_some() {
            let _ = writeln!(
                text,
                "Where no daemon runs, bring it up with: jsorc apply {name}"
            );
        }
    }
    text
}

/// The orders in force, for programs.
pub(super) fn document(orders: &Orders, now: jiff::Timestamp) -> Value {
    let one = |service: Option<&str>, order: &Order| {
        let mut one = json!(order);
        one["service"] = service.into();
        one
    };
    let each = orders.each().filter(|(_, order)| !order.has_ended(now));
    let mut list: Vec<Value> = each.map(|(name, order)| one(Some(name), order)).collect();
    list.extend(orders.of_all(now).map(|order| one(None, order)));
    json!({"apiVersion": crate::report::API_VERSION, "kind": "Orders", "orders": list})
}

fn end_of(now: jiff::Timestamp, time: std::time::Duration) -> Result<jiff::Timestamp, Failure> {
    now.checked_add(time).map_err(|_| {
        Failure::usage(
            "--for: it would end after the end of time",
            "leave it out: a suspension goes on until `jsorc resume`",
        )
    })
}

/// What is ordered now.
pub(super) async fn stored(settings: &Settings, connected: &Connected) -> Result<Orders, Failure> {
    let read = connected.reader().orders(&settings.instance).await;
    read.map_err(|error| refused("read the orders", &error, settings))
}

/// Changes what is ordered.
pub(super) async fn change(
    settings: &Settings,
    connected: &Connected,
    change: impl Fn(&mut Orders),
) -> Result<Orders, Failure> {
    let hands = connected.hands();
    let changed = hands
        .change_orders(&settings.instance, &connected.greeting.user, change)
        .await;
    changed.map_err(|error| refused("store the order", &error, settings))
}

/// Why an order was not stored, with what to do about it.
pub(super) fn refused(action: &str, error: &WriteError, settings: &Settings) -> Failure {
    let instance = &settings.instance;
    let hint = match error {
        WriteError::Forbidden(_) => {
            Some("`jsorc rbac --for cli` prints the rights that are needed".into())
        }
        WriteError::NamespaceMissing(_) => Some(format!(
            "instance {} was never applied there; -n, --instance or instance.namespace choose another",
            instance.identity()
        )),
        _ => None,
    };
    Failure::failed(format!("{action}: {error}"), hint)
}
