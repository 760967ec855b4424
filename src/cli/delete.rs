//! `jsorc delete`: takes services out of the cluster, what needs others first, the inventory last.

use super::arguments::DeleteArgs;
use super::context::Context;
use super::failure::{Exit, Failure};
use super::farewell::{Farewell, Seen, objects};
use super::prompt::{ask, can_ask};
use super::suspend::refused;
use crate::daemon::Settings;
use crate::desired::ObjectKey;
use crate::desired::edges::Node;
use crate::desired::links::Links;
use crate::engine::removing::{Fate, backwards, kept};
use crate::engine::{Verb, Wish, Write, WriteError};
use futures::StreamExt as _;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// How long the departure of one object is waited for before the next ones go: a finalizer can hold
/// it for ever.
const DEPARTURE: Duration = Duration::from_secs(5);
/// Controllers write status while an object is deleted.
const TRIES: usize = 20;
const AT_ONCE: usize = 16;

/// What becomes of the objects.
#[derive(Default)]
struct Outcome {
    deleted: BTreeSet<ObjectKey>,
    kept: BTreeMap<ObjectKey, String>,
    forgotten: BTreeMap<ObjectKey, String>,
    going: BTreeSet<ObjectKey>,
}

pub(super) async fn command(context: &Context, args: DeleteArgs) -> Result<Exit, Failure> {
    let settings = context.settings(&[])?;
    let connected = context.connect(&settings).await?;
    let farewell = Farewell::to(&settings, &connected, &args.services).await?;
    let task = Task {
        args: &args,
        settings: &settings,
        farewell: &farewell,
    };
    let seen = farewell.look().await?;
    task.confirm(&seen).await?;
    farewell.order(Wish::Deleted).await?;
    let outcome = task.carry_out(seen).await?;
    let stays = outcome.kept.keys().chain(&outcome.going).cloned().collect();
    farewell.forget(&stays).await?;
    context.print(|| task.document(&outcome), || task.told(&outcome))?;
    Ok(if outcome.going.is_empty() {
        Exit::Fine
    } else {
        Exit::Differs
    })
}

struct Task<'a> {
    args: &'a DeleteArgs,
    settings: &'a Settings,
    farewell: &'a Farewell<'a>,
}

impl Task<'_> {
    /// Why an object of ours stays.
    fn kept(&self, seen: &Seen) -> Option<String> {
        let service = self.settings.catalog.service(&seen.service);
        let protect = service.map_or(&[][..], |service| &service.spec.protect);
        let live = seen.live.as_ref()?;
        kept(
            &seen.key,
            &seen.record,
            live,
            protect,
            &self.args.allow_delete,
        )
    }

    fn goes(&self, seen: &Seen) -> bool {
        matches!(seen.fate, Fate::Ours(..)) && self.kept(seen).is_none()
    }

    async fn confirm(&self, seen: &[Seen]) -> Result<(), Failure> {
        let doomed: Vec<&Seen> = seen.iter().filter(|seen| self.goes(seen)).collect();
        self.warn_dependents();
        if self.args.yes || doomed.is_empty() {
            return Ok(());
        }
        for one in &doomed {
            eprintln!("  - {} {}", one.service, one.key);
        }
        for (one, why) in seen.iter().filter_map(|one| Some((one, self.kept(one)?))) {
            eprintln!("  = {} {} stays: {why}", one.service, one.key);
        }
        let count = objects(doomed.len());
        if !can_ask() {
            return Err(Failure {
                exit: Exit::Differs,
                ..Failure::failed(
                    format!("{count} would be deleted, and there is no terminal to ask on"),
                    Some("--yes does it without asking".into()),
                )
            });
        }
        if ask(&format!("Delete {count}?")).await? {
            return Ok(());
        }
        Err(Failure {
            exit: Exit::Interrupted,
            ..Failure::failed("nothing was changed", None)
        })
    }

    /// Services that stay and need one that goes.
    fn warn_dependents(&self) {
        let goes = |name: &&String| self.farewell.services.contains(name);
        let config = &self.settings.loaded.config;
        for service in &self.settings.catalog.services {
            let name = service.name.to_string();
            let needs: Vec<&str> = service
                .spec
                .depends_on
                .iter()
                .filter(goes)
                .map(String::as_str)
                .collect();
            if !needs.is_empty() && !goes(&&name) && config.keeps(&name) {
                eprintln!("{name} depends on {} and stays", needs.join(" and "));
            }
        }
    }

    /// Deletes what goes, stage by stage, and then whatever a daemon made again meanwhile.
    async fn carry_out(&self, seen: Vec<Seen>) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::default();
        let until = Instant::now() + self.args.timeout;
        for name in &self.farewell.services {
            let own = |one: &&Seen| one.service == *name && self.goes(one);
            let own: Vec<&Seen> = seen.iter().filter(own).collect();
            for stage in stages(&own) {
                let batch: Vec<&Seen> = stage.into_iter().map(|at| own[at]).collect();
                self.delete(&batch, &mut outcome).await?;
                self.wait_for(&batch, until).await?;
            }
        }
        let mut noticed = false;
        loop {
            let seen = self.farewell.look().await?;
            let again: Vec<&Seen> = seen.iter().filter(|one| self.goes(one)).collect();
            self.delete(&again, &mut outcome).await?;
            let going = seen.iter().any(|one| one.fate == Fate::Going);
            if Instant::now() > until || (again.is_empty() && !going && noticed) {
                self.note_rest(&seen, &mut outcome);
                return Ok(outcome);
            }
            if again.is_empty() && !going {
                // Without a daemon this was the last look.
                noticed = true;
                if !self.farewell.let_it_be_noticed().await {
                    self.note_rest(&seen, &mut outcome);
                    return Ok(outcome);
                }
            } else {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    fn note_rest(&self, seen: &[Seen], outcome: &mut Outcome) {
        for one in seen {
            let key = one.key.clone();
            match (&one.fate, self.kept(one)) {
                (Fate::Ours(..), Some(why)) => drop(outcome.kept.insert(key, why)),
                (Fate::Ours(..) | Fate::Going, _) => drop(outcome.going.insert(key)),
                (Fate::Forgotten(why), _) => drop(outcome.forgotten.insert(key, why.clone())),
                (Fate::Gone, _) => {}
            }
        }
    }

    async fn delete(&self, batch: &[&Seen], outcome: &mut Outcome) -> Result<(), Failure> {
        let deletes = batch.iter().map(|one| self.delete_one(one));
        let mut deletes = futures::stream::iter(deletes).buffer_unordered(AT_ONCE);
        while let Some(deleted) = deletes.next().await {
            outcome.deleted.extend(deleted?);
        }
        Ok(())
    }

    /// Deletes one object, as long as it is still the one that is ours.
    async fn delete_one(&self, one: &Seen) -> Result<Option<ObjectKey>, Failure> {
        let mut fate = one.fate.clone();
        for _ in 0..TRIES {
            let Fate::Ours(uid, version) = fate else {
                return Ok(None);
            };
            let write = Write {
                key: one.key.clone(),
                resource: one.record.resource.clone(),
                attempt: 0,
                verb: Verb::Delete {
                    uid: uid.into(),
                    resource_version: Some(version.into()),
                },
            };
            match self.farewell.hands.write(&write).await {
                Ok(_) => return Ok(Some(one.key.clone())),
                Err(WriteError::Gone) => return Ok(None),
                Err(WriteError::Changed) => {}
                Err(error) => return Err(refused(&one.key.to_string(), &error, self.settings)),
            }
            let (service, key) = (one.service.clone(), one.key.clone());
            let now = self.farewell.see(service, key, one.record.clone()).await?;
            if self.kept(&now).is_some() {
                return Ok(None);
            }
            fate = now.fate;
        }
        Ok(None)
    }

    async fn wait_for(&self, batch: &[&Seen], until: Instant) -> Result<(), Failure> {
        let until = until.min(Instant::now() + DEPARTURE);
        for one in batch {
            loop {
                let (service, key) = (one.service.clone(), one.key.clone());
                let now = self.farewell.see(service, key, one.record.clone()).await?;
                if now.fate != Fate::Going || Instant::now() > until {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }

    fn told(&self, outcome: &Outcome) -> String {
        let names = self.farewell.services.join(", ");
        let mut text = match outcome.deleted.len() {
            0 => format!("{names}: there was nothing to delete\n"),
            count => format!("{names}: deleted {}\n", objects(count)),
        };
        // Writing to a String cannot fail.
        for (key, why) in &outcome.kept {
            let _ = writeln!(text, "  = {key} stays: {why}");
        }
        for (key, why) in &outcome.forgotten {
            let _ = writeln!(text, "  = {key} is not touched: {why}");
        }
        for key in &outcome.going {
            let _ = writeln!(
                text,
                "  ! {key} is still being deleted: a finalizer holds it"
            );
        }
        let known = |name: &&String| self.settings.catalog.service(name).is_some();
        let known: Vec<&str> = self
            .farewell
            .services
            .iter()
            .filter(known)
            .map(|n| &**n)
            .collect();
        if !known.is_empty() {
            let _ = writeln!(
                text,
                "Nothing brings it back but: jsorc resume {}",
                known.join(" ")
            );
        }
        text
    }

    fn document(&self, outcome: &Outcome) -> Value {
        let object = |key: &ObjectKey| {
            json!({"group": &*key.group, "kind": &*key.kind,
                "namespace": key.namespace.as_deref(), "name": &*key.name})
        };
        let listed = |all: &BTreeMap<ObjectKey, String>| -> Vec<Value> {
            let all = all.iter();
            all.map(|(key, why)| json!({"object": object(key), "reason": why}))
                .collect()
        };
        let deleted: Vec<Value> = outcome.deleted.iter().map(object).collect();
        let going: Vec<Value> = outcome.going.iter().map(object).collect();
        json!({
            "apiVersion": crate::report::API_VERSION, "kind": "Deleted",
            "services": self.farewell.services, "deleted": deleted, "going": going,
            "kept": listed(&outcome.kept), "forgotten": listed(&outcome.forgotten),
        })
    }
}

/// Everything that goes is there, so positions are those of `own`.
fn stages(own: &[&Seen]) -> Vec<Vec<usize>> {
    let live = own.iter().map(|one| one.live.as_ref());
    let links: Vec<Links> = live
        .map(|live| live.map(Links::of).unwrap_or_default())
        .collect();
    let nodes = own.iter().zip(&links).map(|(one, links)| Node {
        key: &one.key,
        service: &one.service,
        links,
    });
    backwards(&nodes.collect::<Vec<_>>())
}
