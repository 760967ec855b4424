//! `jsorc services`: what is embedded, or in a folder.

use super::arguments::{ServicesArgs, ServicesCommand};
use super::context::Context;
use super::export;
use super::failure::{Exit, Failure};
use crate::report::services as report;

pub(super) fn command(context: &Context, args: &ServicesArgs) -> Result<Exit, Failure> {
    if let Some(ServicesCommand::Export { dir }) = &args.command {
        return export::command(context, dir);
    }
    let names: Vec<String> = args.name.iter().cloned().collect();
    let settings = context.settings(&names)?;
    match args
        .name
        .as_deref()
        .and_then(|name| settings.catalog.service(name))
    {
        Some(service) => context.print(
            || report::json(&settings.catalog, &names),
            || report::detail(service, context.palette),
        )?,
        None => context.print(
            || report::json(&settings.catalog, &names),
            || report::text(&settings.catalog, context.palette),
        )?,
    }
    Ok(Exit::Fine)
}
