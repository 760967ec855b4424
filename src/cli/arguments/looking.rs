//! Flags of the commands that only look.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Services to show; all when none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Go on showing
    #[arg(long)]
    pub watch: bool,
    /// Exit with 1 when a service is not healthy
    #[arg(long)]
    pub exit_code: bool,
    /// Address of the daemon
    #[arg(long, env = "JSORC_SERVER", hide_env_values = true, value_name = "URL")]
    pub server: Option<String>,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Services to show; all when none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Arguments of `render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// Services to render; all that are kept alive when none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Print the values of Secrets too
    #[arg(long)]
    pub with_secrets: bool,
}

/// Arguments of `graph`.
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// Services to show; all that are kept alive when none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

/// Arguments of `services`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ServicesArgs {
    /// One service, in full
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// What to do instead of showing them
    #[command(subcommand)]
    pub command: Option<ServicesCommand>,
}

/// What to do with the services.
#[derive(Debug, Subcommand)]
pub enum ServicesCommand {
    /// Write the embedded services as files, to be edited and used with --services
    Export {
        /// A folder; files that are in it already are never touched
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
}

/// Arguments of `config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// What to do with it
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print every value
    Show {
        /// Say which layer set each value
        #[arg(long)]
        origin: bool,
    },
    /// Print one value
    Get {
        /// Its key, such as services.redis.config.host
        key: String,
    },
    /// Print a JSON Schema of the configuration file
    Schema,
}

/// Arguments of `rbac`.
#[derive(Debug, Args)]
pub struct RbacArgs {
    /// Whose rights
    #[arg(long = "for", value_enum, default_value_t = RbacFor::Run)]
    pub purpose: RbacFor,
}

/// Whose rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RbacFor {
    /// The daemon's.
    #[value(help = None::<&str>)]
    Run,
    /// Those of a reader who plans.
    #[value(help = None::<&str>)]
    Plan,
    /// Those of a person who applies.
    #[value(help = None::<&str>)]
    Cli,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
