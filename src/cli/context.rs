//! What every command has: its inputs, the way to the cluster, and how to print.

use super::arguments::{Color, Globals, Output};
use super::failure::Failure;
use crate::cluster::{self, ConnectError, Target};
use crate::daemon::{Connected, Inputs, Settings, connect, loading};
use crate::report::style::{Palette, When};
use serde_json::{Value, json};
use std::io::{IsTerminal as _, Write as _};

/// The namespace of the pod's service account.
const POD_NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// What every command has.
#[derive(Clone)]
pub struct Context {
    /// The global flags.
    pub globals: Globals,
    /// Where configuration and services come from.
    pub inputs: Inputs,
    /// The form of results.
    pub output: Output,
    /// Colours of stdout.
    pub palette: Palette,
    /// Colours of stderr.
    pub err_palette: Palette,
    /// Columns of the terminal; `None` when results go elsewhere.
    pub width: Option<usize>,
}

impl Context {
    /// Collects what the command line and the environment say.
    #[must_use]
    pub fn new(globals: Globals) -> Self {
        let (variables, unreadable) = variables();
        let inputs = Inputs {
            config_file: globals.config.clone(),
            services: globals.services.clone(),
            variables,
            unreadable,
            flags: flags(&globals),
            pod_namespace: std::fs::read_to_string(POD_NAMESPACE)
                .ok()
                .map(|text| text.trim().to_owned()),
        };
        Self {
            output: globals.output,
            palette: palette(globals.color, std::io::stdout().is_terminal()),
            err_palette: palette(globals.color, std::io::stderr().is_terminal()),
            width: width(),
            inputs,
            globals,
        }
    }

    /// Reads services and configuration, for these services or all.
    ///
    /// # Errors
    /// Everything that is wrong with either.
    pub fn settings(&self, services: &[String]) -> Result<Settings, Failure> {
        let settings = loading::load(&self.inputs)?;
        if !self.globals.quiet {
            for warning in &settings.warnings {
                eprintln!("{warning}");
            }
        }
        if self.globals.verbose > 0 {
            for name in &settings.loaded.ignored_variables {
                eprintln!("ignored: {name} is a service link that Kubernetes made");
            }
        }
        Ok(if services.is_empty() {
            settings
        } else {
            settings.select(services)?
        })
    }

    /// Finds the cluster that flags, environment and configuration mean.
    ///
    /// # Errors
    /// When there is none.
    pub async fn target(&self, settings: &Settings) -> Result<Target, Failure> {
        let variable = |name: &str| std::env::var(name).ok();
        let found = cluster::find(&settings.loaded.config.kubernetes, &variable).await;
        found.map_err(|error| match error {
            ConnectError::Off => Failure {
                message: format!("{error} ({})", settings.loaded.origin("kubernetes.mode")),
                ..error.into()
            },
            error => error.into(),
        })
    }

    /// Connects to the cluster.
    ///
    /// # Errors
    /// When there is none, or it does not let us in.
    pub async fn connect(&self, settings: &Settings) -> Result<Connected, Failure> {
        let target = self.target(settings).await?;
        Ok(connect(target, &settings.instance.identity()).await?)
    }

    /// Prints a result in the form that was asked for; `text` is made only when it is needed.
    ///
    /// # Errors
    /// When stdout is closed.
    pub fn print(
        &self,
        json: impl FnOnce() -> Value,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        let printed = match self.output {
            Output::Json => format!("{:#}", json()),
            Output::Yaml => yaml(&json()),
            Output::Text | Output::Markdown | Output::Dot | Output::Mermaid => text(),
        };
        print_whole(&printed)
    }
}

/// Prints text to stdout; a reader that went away is no failure.
///
/// # Errors
/// When stdout cannot be written for another reason.
pub fn print_whole(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let end = if text.ends_with('\n') || text.is_empty() {
        ""
    } else {
        "\n"
    };
    match write!(out, "{text}{end}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Documents as one YAML stream.
#[must_use]
pub fn documents_text(documents: &[Value]) -> String {
    documents.iter().fold(String::new(), |text, document| {
        text + "---\n" + yaml(document).trim_end() + "\n"
    })
}

/// A value as YAML.
#[must_use]
pub fn yaml(value: &Value) -> String {
    serde_saphyr::to_string(value).unwrap_or_else(|_| format!("{value:#}"))
}

/// The environment: variables with their values, and the names of those that are not text.
fn variables() -> (Vec<(String, String)>, Vec<String>) {
    let mut unreadable = Vec::new();
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let Ok(value) = value.into_string() else {
                unreadable.push(name);
                return None;
            };
            Some((name, value))
        })
        .collect();
    (variables, unreadable)
}

/// The flags that are keys of the configuration.
fn flags(globals: &Globals) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let mut add = |flag: &str, values: Value| found.push((flag.to_owned(), values));
    if let Some(namespace) = &globals.namespace {
        add("--namespace", json!({"namespace": namespace}));
    }
    if let Some(instance) = &globals.instance {
        add("--instance", json!({"instance": {"name": instance}}));
    }
    if let Some(file) = &globals.kubeconfig {
        add(
            "--kubeconfig",
            json!({"kubernetes": {"kubeconfig": file.display().to_string()}}),
        );
    }
    if let Some(context) = &globals.context {
        add("--context", json!({"kubernetes": {"context": context}}));
    }
    found
}

fn palette(color: Color, terminal: bool) -> Palette {
    let when = match color {
        Color::Always => When::Always,
        Color::Never => When::Never,
        Color::Auto => When::Auto,
    };
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Palette::choose(when, no_color, terminal)
}

fn width() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(columns, _)| usize::from(columns.0))
}
