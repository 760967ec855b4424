//! `jsorc rbac`: the roles that the services need, as manifests.

use super::arguments::{Output, RbacArgs, RbacFor};
use super::context::{Context, print_whole, yaml};
use super::failure::{Exit, Failure};
use crate::cluster::passing_key;
use crate::desired::rights::{Purpose, roles};
use serde_json::json;

pub(super) fn command(context: &Context, args: &RbacArgs) -> Result<Exit, Failure> {
    let settings = context.settings(&[])?;
    let key = passing_key().map_err(|error| Failure::failed(error.to_string(), None))?;
    let set = settings.desired(&key, &[])?;
    let purpose = match args.purpose {
        RbacFor::Run => Purpose::Run,
        RbacFor::Plan => Purpose::Plan,
        RbacFor::Cli => Purpose::Apply,
    };
    let documents = roles(&set, purpose);
    if context.output == Output::Json {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": documents});
        print_whole(&format!("{list:#}"))?;
    } else {
        let texts: Vec<String> = documents
            .iter()
            .map(|value| format!("---\n{}\n", yaml(value).trim_end()))
            .collect();
        print_whole(&texts.concat())?;
    }
    Ok(Exit::Fine)
}
