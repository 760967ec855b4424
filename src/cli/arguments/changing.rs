//! Flags of the commands that change something, and of the plan before them.

use super::values::{duration, kind_and_name, manager};
use clap::Args;

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Services to plan; all that are kept alive when none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Save the plan, to be carried out by `jsorc apply FILE`
    #[arg(long, value_name = "FILE")]
    pub out: Option<std::path::PathBuf>,
    /// Plan deletions too that need a yes
    #[arg(short, long)]
    pub yes: bool,
    /// Plan to delete this object although its kind is protected
    #[arg(long, value_parser = kind_and_name, value_name = "KIND/NAME")]
    pub allow_delete: Vec<String>,
    /// Exit with 1 when anything would change
    #[arg(long)]
    pub exit_code: bool,
    /// Use this shell's configuration even where a daemon leads with its own
    #[arg(long)]
    pub local_config: bool,
}

/// Arguments of `apply`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub struct ApplyArgs {
    /// Services to apply, all that are kept alive when none is named; or one saved plan
    #[arg(value_name = "SERVICE|FILE")]
    pub services: Vec<String>,
    /// Only show what would be changed
    #[arg(long)]
    pub dry_run: bool,
    /// Wait until every service runs and answers
    #[arg(long)]
    pub wait: bool,
    /// How long to work and wait
    #[arg(long, default_value = "5m", value_parser = duration, value_name = "TIME")]
    pub timeout: std::time::Duration,
    /// Delete and recreate without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Apply although a daemon leads: it may put its own back
    #[arg(long)]
    pub takeover: bool,
    /// Delete this object although its kind is protected
    #[arg(long, value_parser = kind_and_name, value_name = "KIND/NAME")]
    pub allow_delete: Vec<String>,
}

/// Arguments of `refresh`.
#[derive(Debug, Args)]
pub struct RefreshArgs {
    /// The service, or the name of its configuration: `redis` or `REDIS_CONFIG`
    #[arg(value_name = "SERVICE")]
    pub service: String,
    /// Address of the daemon
    #[arg(long, env = "JSORC_SERVER", hide_env_values = true, value_name = "URL")]
    pub server: Option<String>,
}

/// Arguments of `adopt`.
#[derive(Debug, Args)]
pub struct AdoptArgs {
    /// The objects, as the plan names them
    #[arg(value_name = "KIND/NAME", required = true, value_parser = kind_and_name)]
    pub objects: Vec<String>,
    /// Take them from a Helm release, an Argo CD application or Flux without asking
    #[arg(short, long)]
    pub yes: bool,
}

/// Arguments of `delete`.
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// Services to delete, also those that services/ no longer has
    #[arg(value_name = "SERVICE", required = true)]
    pub services: Vec<String>,
    /// Delete without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Delete this object although its kind is protected
    #[arg(long, value_parser = kind_and_name, value_name = "KIND/NAME")]
    pub allow_delete: Vec<String>,
    /// How long to wait until everything is gone
    #[arg(long, default_value = "1m", value_parser = duration, value_name = "TIME")]
    pub timeout: std::time::Duration,
}

/// Arguments of `release`.
#[derive(Debug, Args)]
pub struct ReleaseArgs {
    /// Services to release; all when none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// The field manager that owns from now on what jsorc owned
    #[arg(long, value_parser = manager, value_name = "MANAGER")]
    pub to: Option<String>,
}

/// Arguments of `suspend`.
#[derive(Debug, Args)]
pub struct SuspendArgs {
    /// Services to leave alone
    #[arg(value_name = "SERVICE", required_unless_present = "all")]
    pub services: Vec<String>,
    /// Every service, also those that are yet to come
    #[arg(long, conflicts_with = "services")]
    pub all: bool,
    /// For how long; until `jsorc resume` when it is not given
    #[arg(long = "for", value_parser = duration, value_name = "TIME")]
    pub time: Option<std::time::Duration>,
    /// Why, for those who look at the status
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Arguments of `resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Services to work on again
    #[arg(value_name = "SERVICE", required_unless_present = "all")]
    pub services: Vec<String>,
    /// Every service that is suspended
    #[arg(long, conflicts_with = "services")]
    pub all: bool,
}
