//! `jsorc render`: the final manifests, without a cluster. The lint for CI.

use super::arguments::{Output, RenderArgs};
use super::context::{Context, documents_text, print_whole};
use super::failure::{Exit, Failure};
use crate::cluster::passing_key;
use crate::desired::{DesiredObject, WriteMode};
use serde_json::{Value, json};

pub(super) fn command(context: &Context, args: &RenderArgs) -> Result<Exit, Failure> {
    let settings = context.settings(&args.services)?;
    let key = passing_key().map_err(|error| Failure::failed(error.to_string(), None))?;
    let set = settings.desired(&key, &[])?;
    let documents: Vec<Value> = set
        .objects()
        .map(|(_, object)| document(object, args.with_secrets))
        .collect::<Result<_, _>>()?;
    if context.output == Output::Json {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": documents});
        print_whole(&format!("{list:#}"))?;
    } else {
        print_whole(&documents_text(&documents))?;
    }
    if context.globals.verbose > 0 {
        eprintln!("digest {}", settings.catalog.digest);
    }
    Ok(Exit::Fine)
}

fn document(object: &DesiredObject, with_secrets: bool) -> Result<Value, Failure> {
    let mut value: Value = serde_json::from_str(object.body.text())
        .map_err(|error| Failure::failed(format!("{}: {error}", object.key), None))?;
    let generated = match &object.mode {
        WriteMode::Generate(generated) => generated.as_slice(),
        _ => &[],
    };
    if object.key.is_secret() {
        for field in ["data", "stringData"] {
            let Some(entries) = value.get_mut(field).and_then(Value::as_object_mut) else {
                continue;
            };
            for entry in entries.values_mut() {
                let made = generated
                    .iter()
                    .any(|g| entry.as_str().is_some_and(|text| text.contains(&g.marker)));
                if made {
                    *entry = "(generated when the Secret is created)".into();
                } else if !with_secrets {
                    *entry = "••••".into();
                }
            }
        }
    }
    Ok(value)
}
