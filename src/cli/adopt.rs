//! `jsorc adopt`: takes an object over that somebody else made, without a value of it changing.

use super::arguments::AdoptArgs;
use super::context::Context;
use super::failure::{Exit, Failure};
use super::prompt::{ask, can_ask};
use crate::cluster::{Hands, Reader, passing_key};
use crate::config::nearest;
use crate::daemon::{Connected, Settings};
use crate::desired::{DesiredObject, DesiredSet, WriteMode};
use crate::engine::adopting::{Claim, claim, inheriting, marking};
use crate::engine::{Verb, Write, WriteError, Written};
use serde_json::{Value, json};
use std::sync::Arc;

/// Others may change the object between a look and a patch.
const TRIES: usize = 5;

/// An object that a service wants, and the service.
type Wanted<'a> = (&'a str, &'a DesiredObject);

pub(super) async fn command(context: &Context, args: AdoptArgs) -> Result<Exit, Failure> {
    let settings = context.settings(&[])?;
    let connected = context.connect(&settings).await?;
    let served = connected.served(&settings.foreign_api_versions()).await?;
    let key = passing_key().map_err(|error| Failure::failed(error.to_string(), None))?;
    let set = settings.desired(&key, &served)?;
    let wanted: Vec<Wanted<'_>> = args
        .objects
        .iter()
        .map(|name| find(&set, name))
        .collect::<Result<_, _>>()?;
    let mut claims = Vec::new();
    for (service, object) in wanted {
        let found = look(connected.reader(), service, object).await?;
        let claim = claim(
            &found,
            &settings.instance.identity(),
            &settings.instance.label(),
        );
        claims.push((service, object, claim));
    }
    confirm(&args, &claims).await?;
    let hands = connected.hands();
    for (service, object, claim) in claims.iter().filter(|(_, _, claim)| !claim.ours) {
        take(&hands, &settings, service, object).await?;
        if !context.globals.quiet {
            eprintln!("adopted {} {}", object.key.short(), whose(claim));
        }
    }
    context.print(|| document(&claims), || told(&claims, &connected))?;
    Ok(Exit::Fine)
}

/// The object that a service wants under this name.
fn find<'a>(set: &'a DesiredSet, name: &str) -> Result<Wanted<'a>, Failure> {
    let all = || {
        set.objects()
            .map(|(service, object)| (&*service.name, object))
    };
    let same = |(_, object): &Wanted<'_>| object.key.short().eq_ignore_ascii_case(name);
    let found: Vec<Wanted<'a>> = all().filter(same).collect();
    let object = match found.as_slice() {
        [one] => *one,
        [] => {
            let names: Vec<String> = all().map(|(_, object)| object.key.short()).collect();
            let near = nearest(name, names.iter().map(String::as_str));
            let hint = near.map_or_else(
                || "`jsorc render` prints every object that a service wants".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(Failure::usage(format!("no service wants {name}"), hint));
        }
        several => {
            let places: Vec<String> = several.iter().map(|(_, o)| o.key.to_string()).collect();
            return Err(Failure::usage(
                format!(
                    "{name} is the name of several objects: {}",
                    places.join(", ")
                ),
                "-n NAMESPACE chooses the namespace of objects that name none",
            ));
        }
    };
    match object.1.mode {
        WriteMode::Ensure => Err(Failure::usage(
            format!("{name}: a namespace that is there is used as it is"),
            "there is nothing to adopt",
        )),
        WriteMode::Generate(_) => Err(Failure::usage(
            format!("{name}: a Secret with generated values is used as it is, whoever made it"),
            "there is nothing to adopt",
        )),
        WriteMode::Apply | WriteMode::Job(_) => Ok(object),
    }
}

async fn look(reader: &Reader, service: &str, object: &DesiredObject) -> Result<Value, Failure> {
    let found = reader.get(&object.key, &object.resource).await;
    let found = found.map_err(|error| refused(object, &error))?;
    found.ok_or_else(|| {
        Failure::usage(
            format!("{} is not there", object.key),
            format!("`jsorc apply {service}` creates it"),
        )
    })
}

/// Asks where a tool would put its own back, or does without on `--yes`.
async fn confirm(
    args: &AdoptArgs,
    claims: &[(&str, &DesiredObject, Claim)],
) -> Result<(), Failure> {
    for (_, object, claim) in claims {
        let Some(owner) = claim.owner.as_ref().filter(|_| !claim.ours && !args.yes) else {
            continue;
        };
        let object = object.key.short();
        let fear = format!("{object} belongs to {owner}, which may put its own back");
        if can_ask() && ask(&format!("{fear}. Adopt it all the same?")).await? {
            continue;
        }
        return Err(Failure {
            exit: Exit::Differs,
            ..Failure::failed(
                format!("{fear}; nothing was adopted"),
                Some(format!(
                    "take it out there first; `jsorc adopt {object} --yes` adopts it all the same"
                )),
            )
        });
    }
    Ok(())
}

/// Marks the object as ours, then takes its former keepers' fields over.
async fn take(
    hands: &Hands,
    settings: &Settings,
    service: &str,
    object: &DesiredObject,
) -> Result<(), Failure> {
    let wanted: Value = serde_json::from_str(object.body.text())
        .map_err(|error| Failure::failed(format!("{}: {error}", object.key), None))?;
    let manager = settings.instance.identity();
    for _ in 0..TRIES {
        let mut live = look(hands.reader(), service, object).await?;
        if let Some(patch) = marking(&live, &wanted) {
            match amend(hands, object, &patch).await {
                Ok(marked) => live = marked,
                Err(WriteError::Changed) => continue,
                Err(error) => return Err(refused(object, &error)),
            }
        }
        let Some(patch) = inheriting(&live, &manager) else {
            return Ok(());
        };
        match amend(hands, object, &patch).await {
            Ok(_) => return Ok(()),
            Err(WriteError::Changed) => {}
            Err(error) => return Err(refused(object, &error)),
        }
    }
    Err(refused(object, &WriteError::Changed))
}

async fn amend(hands: &Hands, object: &DesiredObject, patch: &Value) -> Result<Value, WriteError> {
    let write = Write {
        key: object.key.clone(),
        resource: Arc::clone(&object.resource),
        attempt: 0,
        verb: Verb::Amend {
            patch: patch.to_string().into(),
            dry_run: false,
        },
    };
    match hands.write(&write).await? {
        Written::Object { object, .. } => Ok(object.value()),
        Written::Deleted | Written::Accepted => Err(WriteError::Gone),
    }
}

fn refused(object: &DesiredObject, error: &WriteError) -> Failure {
    let hint = match error {
        WriteError::Forbidden(_) => "`jsorc rbac --for cli` prints the rights that are needed",
        WriteError::Changed => "somebody keeps changing it; try again",
        _ => return Failure::failed(format!("{}: {error}", object.key), None),
    };
    Failure::failed(format!("{}: {error}", object.key), Some(hint.into()))
}

/// From whom an object was taken over.
fn whose(claim: &Claim) -> String {
    match (&claim.owner, claim.from.as_slice()) {
        (Some(owner), []) => format!("from {owner}"),
        (Some(owner), from) => format!("from {owner} ({})", from.join(", ")),
        (None, []) => "which nobody kept".to_owned(),
        (None, from) => format!("from {}", from.join(", ")),
    }
}

fn told(claims: &[(&str, &DesiredObject, Claim)], connected: &Connected) -> String {
    let mut services: Vec<&str> = claims.iter().map(|(service, ..)| *service).collect();
    services.sort_unstable();
    services.dedup();
    let mut text = String::new();
    for (_, object, claim) in claims {
        let said = if claim.ours {
            "was adopted before".to_owned()
        } else {
            format!("is ours now, taken over {}", whose(claim))
        };
        text = format!("{text}{} {said}\n", object.key.short());
    }
    format!(
        "{text}No value was changed on {}. What differs from the manifests shows: jsorc plan {}\n",
        connected.target.server(),
        services.join(" ")
    )
}

fn document(claims: &[(&str, &DesiredObject, Claim)]) -> Value {
    let one = |(service, object, claim): &(&str, &DesiredObject, Claim)| {
        json!({
            "service": service,
            "object": {
                "group": &*object.key.group, "kind": &*object.key.kind,
                "namespace": object.key.namespace.as_deref(), "name": &*object.key.name,
            },
            "owner": claim.owner, "from": claim.from, "adopted": !claim.ours,
        })
    };
    let objects: Vec<Value> = claims.iter().map(one).collect();
    json!({"apiVersion": crate::report::API_VERSION, "kind": "Adopted", "objects": objects})
}
