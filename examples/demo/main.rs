//! The story of a day with jsorc, on a real API server: `make demo`.
//!
//! It brings a cluster up, has jsorc put an application's backing services onto it, breaks what
//! can be broken and shows how that is put right. Every line is real: a command that was run, a
//! line of jsorc's log, a figure that was measured. It ends with 1 when something of it does not
//! come true.
//!
//! `DEMO_KEEP=1` goes on until Ctrl-C; `DEMO_CONTEXT=NAME` plays on the cluster of that context.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a server that does not start is the end of the story"
)]

#[path = "../../tests/support/mod.rs"]
mod support;

mod harm;
mod keeper;
mod patience;
mod stage;
mod story;
mod terminal;

use std::process::ExitCode;

use patience::Trouble;
use terminal::Terminal;

fn main() -> ExitCode {
    patience::listen_for_stop();
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let wishes = story::Wishes {
        context: set("DEMO_CONTEXT"),
        keep: set("DEMO_KEEP").is_some(),
    };
    match story::tell(&mut Terminal::new(), &wishes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("\ndemo: {trouble}");
            ExitCode::from(match trouble {
                Trouble::Untrue(_) => 1,
                Trouble::Unwilling(_) => 2,
                Trouble::Interrupted => 130,
            })
        }
    }
}
