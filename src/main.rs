//! Start-up only: the allocator, the TLS provider, the runtime, and how a command's end becomes an exit
//! code.

use jsorc::cli::{Exit, dispatch, usage};
use jsorc::drivers::guard;
use std::process::ExitCode;

/// The C library's keeps what a start has freed, several times what a daemon at rest needs. How this
/// one is set up, `.cargo/config.toml` says.
#[cfg(target_os = "linux")]
#[global_allocator]
static MEMORY: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    if let Some(code) = guard::stand() {
        return code;
    }
    guard::arm();
    // Only fails when a provider is there already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // A fault of ours is said on one line, like everything else.
    std::panic::set_hook(Box::new(|fault| {
        let payload = fault.payload();
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let said = text
            .or_else(|| payload.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        let place = fault
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        eprintln!("error: internal fault at {place}: {said}");
    }));
    let cli = match usage::parse() {
        Ok(cli) => cli,
        Err(error) => return unread(&error),
    };
    // It waits more than it computes: a second thread costs more in handing over than it brings.
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return code(Exit::Failed);
        }
    };
    let ended = runtime.block_on(dispatch(cli));
    runtime.shutdown_background();
    match ended {
        Ok(exit) => code(exit),
        Err(failure) => {
            eprintln!("{}", failure.render());
            code(failure.exit)
        }
    }
}

/// The end of a command line that was not a command: help, the version, or a mistake.
fn unread(error: &clap::Error) -> ExitCode {
    if let Some(failure) = usage::explain(error) {
        eprintln!("{}", failure.render());
        return code(failure.exit);
    }
    // A reader that went away is no failure.
    let _ = error.print();
    code(if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Fine
    })
}

fn code(exit: Exit) -> ExitCode {
    ExitCode::from(exit as u8)
}
