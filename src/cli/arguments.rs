//! Every flag and command, as people type them.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Keeps an application's backing services alive on Kubernetes.
#[derive(Debug, Parser)]
#[command(
    name = "jsorc",
    version,
    max_term_width = 100,
    after_help = "Begin with `jsorc services` and `jsorc plan`; `jsorc apply --wait` brings everything up once,\n\
                  `jsorc run` keeps it alive. `jsorc help COMMAND` tells more."
)]
pub struct Cli {
    /// Flags that every command takes.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// Configuration file; drop-ins are read from the folder `NAME.d` beside it
    #[arg(
        long,
        global = true,
        env = "JSORC_CONFIG",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub config: Option<PathBuf>,
    /// Read services from this folder instead of the embedded ones
    #[arg(
        id = "services_dir",
        long = "services",
        global = true,
        env = "JSORC_SERVICES_DIR",
        hide_env_values = true,
        value_name = "DIR"
    )]
    pub services: Option<PathBuf>,
    /// Kubeconfig file
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// Name of this installation
    #[arg(long, global = true, value_name = "NAME")]
    pub instance: Option<String>,
    /// Namespace that objects live in when their manifest names none
    #[arg(short, long, global = true, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Form of the result
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Text)]
    pub output: Output,
    /// Colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Say less
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more; twice for even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The form of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    #[value(help = None::<&str>)]
    Text,
    /// For programs.
    #[value(help = None::<&str>)]
    Json,
    /// For programs that like YAML better.
    #[value(help = None::<&str>)]
    Yaml,
    /// For reviews.
    #[value(help = None::<&str>)]
    Markdown,
    /// A drawing for Graphviz.
    #[value(help = None::<&str>)]
    Dot,
    /// A drawing for Mermaid.
    #[value(help = None::<&str>)]
    Mermaid,
}

impl Output {
    /// Whether only a drawing has this form.
    #[must_use]
    pub fn is_drawing(self) -> bool {
        matches!(self, Self::Dot | Self::Mermaid)
    }
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    #[value(help = None::<&str>)]
    Auto,
    /// Always.
    #[value(help = None::<&str>)]
    Always,
    /// Never.
    #[value(help = None::<&str>)]
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Keep the services alive until told to stop
    Run(RunArgs),
    /// Show what would be changed
    Plan(PlanArgs),
    /// Change it
    Apply(ApplyArgs),
    /// Show where the services stand
    Status(StatusArgs),
    /// Have the daemon read a service's configuration again and rerun it
    Refresh(RefreshArgs),
    /// Take over objects that somebody else made, without changing a value of them
    Adopt(AdoptArgs),
    /// Delete services from the cluster, and keep them from coming back
    Delete(DeleteArgs),
    /// Leave services running as they are and forget them
    Release(ReleaseArgs),
    /// Leave services alone for a while: nothing is written, probes go on
    Suspend(SuspendArgs),
    /// Work on services again that were suspended, deleted or released
    Resume(ResumeArgs),
    /// Print the final manifests; needs no cluster
    Render(RenderArgs),
    /// Show what needs what; needs no cluster
    Graph(GraphArgs),
    /// Show the services there are
    Services(ServicesArgs),
    /// Show the configuration
    Config(ConfigArgs),
    /// Print the rights that jsorc needs, as Kubernetes roles
    Rbac(RbacArgs),
    /// Print versions
    Version,
    /// Print completions for a shell
    Completions(CompletionsArgs),
}

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
    /// Services to apply; all that are kept alive when none is named
    #[arg(value_name = "SERVICE")]
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
pub struct ServicesArgs {
    /// One service, in full
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
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

fn duration(text: &str) -> Result<std::time::Duration, String> {
    crate::manifest::duration::parse(text)
}

fn manager(text: &str) -> Result<String, String> {
    let plain = |c: char| !c.is_control();
    if !text.is_empty() && text.len() <= 128 && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("a field manager has 1 to 128 printable characters".into())
    }
}

fn kind_and_name(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('/').collect();
    if parts.len() == 2 && parts.iter().all(|part| !part.is_empty()) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` names no object (write KIND/NAME, such as PersistentVolumeClaim/redis-data)"
        ))
    }
}
