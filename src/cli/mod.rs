//! The command line: one file per command. Results go to stdout, all else to stderr.
//!
//! Exit codes: 0 fine; 1 "differs", "not healthy", timed out waiting, blocked steps; 2 usage or
//! configuration; 3 failed or partly applied; 130 interrupted.

mod adopt;
mod apply;
mod apply_plan;
mod arguments;
mod completions;
mod config;
mod context;
mod delete;
mod export;
mod failure;
mod farewell;
mod finding;
mod graph;
mod history;
mod interrupt;
mod logging;
mod plan;
mod prompt;
mod rbac;
mod refresh;
mod release;
mod render;
mod rights;
mod run;
mod saving;
mod server;
mod services;
mod status;
mod suspend;
mod tally;
pub mod usage;
mod version;

pub use arguments::Cli;
pub use failure::{Exit, Failure};

use arguments::Command;
use context::Context;

/// Runs one command to its end.
///
/// # Errors
/// What went wrong, with the exit code that it has.
pub async fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    let context = Context::new(cli.globals);
    if context.output.is_drawing() && !matches!(cli.command, Command::Graph(_)) {
        return Err(Failure::usage(
            "-o dot and -o mermaid are drawings, and this is none",
            "`jsorc graph` draws; -o takes text, json, yaml or markdown here",
        ));
    }
    match cli.command {
        Command::Run(args) => Box::pin(run::command(context, args)).await,
        Command::Plan(args) => Box::pin(plan::command(&context, args)).await,
        Command::Apply(args) => Box::pin(apply::command(&context, args)).await,
        Command::Status(args) => Box::pin(status::command(&context, args)).await,
        Command::History(args) => history::command(&context, args).await,
        Command::Refresh(args) => refresh::command(&context, args).await,
        Command::Adopt(args) => Box::pin(adopt::command(&context, args)).await,
        Command::Delete(args) => Box::pin(delete::command(&context, args)).await,
        Command::Release(args) => Box::pin(release::command(&context, args)).await,
        Command::Suspend(args) => suspend::suspend(&context, args).await,
        Command::Resume(args) => suspend::resume(&context, args).await,
        Command::Render(args) => render::command(&context, &args),
        Command::Graph(args) => graph::command(&context, &args),
        Command::Services(args) => services::command(&context, &args),
        Command::Config(args) => config::command(&context, &args),
        Command::Rbac(args) => rbac::command(&context, &args),
        Command::Version => version::command(&context),
        Command::Completions(args) => completions::command(&args),
    }
}
