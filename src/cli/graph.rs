//! `jsorc graph`: what needs what, without a cluster.

use super::arguments::{GraphArgs, Output};
use super::context::{Context, print_whole};
use super::failure::{Exit, Failure};
use crate::cluster::passing_key;
use crate::report::graph;

pub(super) fn command(context: &Context, args: &GraphArgs) -> Result<Exit, Failure> {
    let settings = context.settings(&args.services)?;
    let key = passing_key().map_err(|error| Failure::failed(error.to_string(), None))?;
    let set = settings.desired(&key, &[])?;
    match context.output {
        Output::Dot => print_whole(&graph::dot(&set))?,
        Output::Mermaid => print_whole(&graph::mermaid(&set))?,
        Output::Markdown => {
            print_whole(&format!("```mermaid\n{}```\n", graph::mermaid(&set)))?;
        }
        Output::Text | Output::Json | Output::Yaml => {
            context.print(|| graph::json(&set), || graph::text(&set))?;
        }
    }
    Ok(Exit::Fine)
}
