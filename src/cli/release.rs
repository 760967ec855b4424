//! `jsorc release`: leaves everything running and forgets it.

use super::arguments::ReleaseArgs;
use super::context::Context;
use super::failure::{Exit, Failure};
use super::farewell::{Farewell, Seen, objects};
use super::suspend::refused;
use crate::daemon::Settings;
use crate::desired::ObjectKey;
use crate::engine::removing::{Fate, parting};
use crate::engine::{Verb, Wish, Write, WriteError};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Controllers write status while an object is patched.
const TRIES: usize = 20;
/// How long a daemon may go on as if nothing had been ordered.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn command(context: &Context, args: ReleaseArgs) -> Result<Exit, Failure> {
    let settings = context.settings(&[])?;
    if args.to.as_deref() == Some(&settings.instance.identity()) {
        return Err(Failure::usage(
            "--to: that is this instance itself",
            "name another field manager, or leave --to out",
        ));
    }
    let connected = context.connect(&settings).await?;
    let farewell = Farewell::to(&settings, &connected, &args.services).await?;
    let task = Task {
        args: &args,
        settings: &settings,
        farewell: &farewell,
    };
    farewell.order(Wish::Released).await?;
    let released = task.carry_out().await?;
    farewell.forget(&BTreeSet::new()).await?;
    context.print(|| task.document(&released), || task.told(&released))?;
    Ok(Exit::Fine)
}

struct Task<'a> {
    args: &'a ReleaseArgs,
    settings: &'a Settings,
    farewell: &'a Farewell<'a>,
}

impl Task<'_> {
    /// Parts with every object, and again with those that a daemon took back meanwhile.
    async fn carry_out(&self) -> Result<BTreeSet<ObjectKey>, Failure> {
        let mut released = BTreeSet::new();
        let mut noticed = false;
        let until = Instant::now() + PATIENCE;
        loop {
            let mut any = false;
            for one in self.farewell.look().await? {
                if self.part(&one).await? {
                    any = true;
                    released.insert(one.key);
                }
            }
            if any && Instant::now() > until {
                return Err(Failure::failed(
                    "somebody keeps taking the objects back",
                    Some("stop the daemon that does; `jsorc status` says where it is".into()),
                ));
            }
            if any {
                continue;
            }
            if noticed || !self.farewell.let_it_be_noticed().await {
                return Ok(released);
            }
            noticed = true;
        }
    }

    /// Takes our labels and our name off one object. Whether there was anything of them.
    async fn part(&self, one: &Seen) -> Result<bool, Failure> {
        let manager = self.settings.instance.identity();
        let (mut fate, mut live) = (one.fate.clone(), one.live.clone());
        let mut error = WriteError::Changed;
        for _ in 0..TRIES {
            let ours = live
                .as_ref()
                .filter(|_| matches!(fate, Fate::Ours(..) | Fate::Going));
            let to = self.args.to.as_deref();
            let Some(patch) = ours.and_then(|live| parting(live, &manager, to)) else {
                return Ok(false);
            };
            let write = Write {
                key: one.key.clone(),
                resource: one.record.resource.clone(),
                attempt: 0,
                verb: Verb::Amend {
                    patch: patch.to_string().into(),
                    dry_run: false,
                },
            };
            match self.farewell.hands.write(&write).await {
                Ok(_) => return Ok(true),
                Err(WriteError::Gone) => return Ok(false),
                Err(changed @ WriteError::Changed) => error = changed,
                Err(error) => return Err(refused(&one.key.to_string(), &error, self.settings)),
            }
            let (service, key) = (one.service.clone(), one.key.clone());
            let now = self.farewell.see(service, key, one.record.clone()).await?;
            (fate, live) = (now.fate, now.live);
        }
        Err(refused(&one.key.to_string(), &error, self.settings))
    }

    fn told(&self, released: &BTreeSet<ObjectKey>) -> String {
        let names = self.farewell.services.join(", ");
        let to = self.args.to.as_ref();
        let to = to.map_or_else(String::new, |to| format!(" to {to}"));
        format!(
            "{names}: released {}{to}; everything runs on as it is\n\
             Taking it back: jsorc resume, then jsorc adopt KIND/NAME (or policy.adopt: unowned)\n",
            objects(released.len())
        )
    }

    fn document(&self, released: &BTreeSet<ObjectKey>) -> Value {
        let object = |key: &ObjectKey| {
            json!({"group": &*key.group, "kind": &*key.kind,
                "namespace": key.namespace.as_deref(), "name": &*key.name})
        };
        let released: Vec<Value> = released.iter().map(object).collect();
        json!({
            "apiVersion": crate::report::API_VERSION, "kind": "Released",
            "services": self.farewell.services, "released": released, "to": self.args.to,
        })
    }
}
