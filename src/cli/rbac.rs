//! `jsorc rbac`: the roles that the services need, as manifests.

use super::arguments::{Output, RbacArgs, RbacFor};
use super::context::{Context, documents_text, print_whole};
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
        RbacFor::Cli => Purpose::Manage,
    };
    let documents = roles(&set, purpose);
    if context.output == Output::Json {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": documents});
        print_whole(&format!("{list:#}"))?;
    } else {
        print_whole(&documents_text(&documents))?;
    }
    Ok(Exit::Fine)
}
