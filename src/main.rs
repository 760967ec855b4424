//! Start-up only: the TLS provider, the runtime, and how a command's end becomes an exit code.

use clap::Parser as _;
use jsorc::cli::{Cli, Exit, dispatch};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Only fails when a provider is there already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
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

fn code(exit: Exit) -> ExitCode {
    ExitCode::from(exit as u8)
}
