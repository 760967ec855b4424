//! `jsorc config`: values, origins and the schema.

use super::arguments::{ConfigArgs, ConfigCommand};
use super::context::{Context, print_whole};
use super::failure::{Exit, Failure};
use crate::config::{flatten, is_secret, nearest, shape};
use crate::report::configuration as report;
use serde_json::Value;

pub(super) fn command(context: &Context, args: &ConfigArgs) -> Result<Exit, Failure> {
    if let ConfigCommand::Schema = args.command {
        print_whole(&format!("{:#}", shape::schema()))?;
        return Ok(Exit::Fine);
    }
    let settings = context.settings(&[])?;
    let (loaded, catalog) = (&settings.loaded, &settings.catalog);
    match &args.command {
        ConfigCommand::Show { origin } => context.print(
            || report::json(loaded, catalog),
            || {
                let width = context.width.filter(|_| context.globals.verbose == 0);
                report::text(loaded, catalog, *origin, context.palette, width)
            },
        )?,
        ConfigCommand::Get { key } => {
            let pointer = format!("/{}", key.replace('.', "/"));
            let Some(value) = loaded.values.pointer(&pointer) else {
                let known: Vec<String> = flatten(&loaded.values)
                    .into_iter()
                    .map(|(path, _)| path)
                    .collect();
                let near = nearest(key, known.iter().map(String::as_str));
                let hint = near.map_or_else(
                    || "`jsorc config show` lists every key".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                return Err(Failure::usage(format!("unknown key `{key}`"), hint));
            };
            let shown = if is_secret(key, catalog) {
                Value::from("••••")
            } else {
                value.clone()
            };
            context.print(
                || shown.clone(),
                || {
                    shown
                        .as_str()
                        .map_or_else(|| shown.to_string(), str::to_owned)
                },
            )?;
        }
        ConfigCommand::Schema => {}
    }
    Ok(Exit::Fine)
}
