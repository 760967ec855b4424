//! `jsorc history`: what happened to the services, from what the cluster has stored.

use super::arguments::HistoryArgs;
use super::context::Context;
use super::failure::{Exit, Failure};
use super::suspend::refused;
use crate::cluster::Stored;
use crate::engine::history::{Entry, What};
use crate::report::history::{Chapter, HistoryView, json, text};
use std::collections::{BTreeMap, BTreeSet};

pub(super) async fn command(context: &Context, args: HistoryArgs) -> Result<Exit, Failure> {
    let settings = context.settings(&[])?;
    let connected = context.connect(&settings).await?;
    let stored = connected.reader().stored(&settings.instance).await;
    let stored = stored.map_err(|error| refused("read the inventories", &error, &settings))?;
    let mut chapters = chapters(&stored);
    let unknown = args.services.iter().filter(|name| {
        let told = |chapter: &Chapter| chapter.service.as_ref() == Some(name);
        !chapters.iter().any(told)
    });
    // A service of which nothing is recorded is one of services/, or there is none.
    settings.select(&unknown.cloned().collect::<Vec<_>>())?;
    if !args.services.is_empty() {
        chapters.retain(|chapter| {
            let service = chapter.service.as_ref();
            service.is_none_or(|service| args.services.contains(service))
        });
    }
    let view = HistoryView {
        whole: context.globals.verbose > 0 || args.services.len() == 1,
        width: context.width,
        palette: context.palette,
        now: jiff::Timestamp::now(),
    };
    context.print(|| json(&chapters), || text(&chapters, &view))?;
    Ok(Exit::Fine)
}

/// What is told of each service in its inventory and in the orders about it; orders about all of
/// them come last.
fn chapters(stored: &Stored) -> Vec<Chapter> {
    let mut orders: BTreeMap<Option<String>, Vec<Entry>> = BTreeMap::new();
    for entry in stored.orders.history.entries() {
        if let What::Ordered { service, .. } | What::Resumed { service, .. } = &entry.what {
            let about = orders.entry(service.clone()).or_default();
            about.push(entry.clone());
        }
    }
    let names = stored.inventories.iter().map(|i| i.service.to_string());
    let ordered = orders.keys().flatten().cloned();
    let names: BTreeSet<String> = names.chain(ordered).collect();
    let mut chapters: Vec<Chapter> = names
        .into_iter()
        .map(|name| {
            let inventory = stored.inventories.iter().find(|i| *i.service == *name);
            let told = inventory.map_or(&[][..], |inventory| inventory.history.entries());
            let mut entries = told.to_vec();
            entries.extend(orders.remove(&Some(name.clone())).unwrap_or_default());
            let namespace = inventory.map(|inventory| inventory.namespace.clone());
            Chapter::new(Some(name), namespace, entries)
        })
        .collect();
    let about_all = orders.remove(&None);
    chapters.extend(about_all.map(|entries| Chapter::new(None, None, entries)));
    chapters
}
