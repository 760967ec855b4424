//! Every flag and command, as people type them.

mod changing;
mod looking;
mod values;

pub use changing::{
    AdoptArgs, ApplyArgs, DeleteArgs, PlanArgs, RefreshArgs, ReleaseArgs, ResumeArgs, RunArgs,
    SuspendArgs,
};
pub use looking::{
    CompletionsArgs, ConfigArgs, ConfigCommand, GraphArgs, HistoryArgs, RbacArgs, RbacFor,
    RenderArgs, ServicesArgs, ServicesCommand, StatusArgs,
};

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
    /// Show what was applied, healed, rerun and ordered, when and by whom
    History(HistoryArgs),
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
