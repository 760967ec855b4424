//! `jsorc completions`: for the shell of the person who asks.

use super::arguments::{Cli, CompletionsArgs};
use super::context::print_whole;
use super::failure::{Exit, Failure};
use clap::CommandFactory as _;

pub(super) fn command(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "jsorc", &mut script);
    print_whole(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Fine)
}
