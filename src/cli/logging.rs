//! The daemon's log: one readable line per event on a terminal, JSON in a pod.

use super::context::Context;
use crate::config::{Config, LogFormat};
use crate::engine::Occurrence;
use crate::report::occurrence;
use std::io::IsTerminal as _;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::prelude::*;

/// Sets the log up as configuration and flags say.
pub(super) fn start(context: &Context, config: &Config) {
    let level = match (context.globals.quiet, context.globals.verbose) {
        (true, _) => "warn",
        (_, 0) => config.log_level.as_str(),
        (_, 1) => "debug",
        _ => "trace",
    };
    // kube logs whole bodies that it cannot read; nothing of it is needed here.
    let filter = if level.contains('=') {
        level.to_owned()
    } else {
        format!("{level},kube=off,kube_client=off,hyper=warn,rustls=warn,h2=warn,tower=warn")
    };
    let filter: Targets = filter
        .parse()
        .unwrap_or_else(|_| Targets::new().with_default(Level::INFO));
    let in_pod = context.inputs.pod_namespace.is_some();
    let json = match config.log_format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => in_pod && !std::io::stderr().is_terminal(),
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = if json {
        layer.json().flatten_event(true).with_target(false).boxed()
    } else {
        layer
            .with_ansi(context.err_palette.is_coloured())
            .with_target(false)
            .with_timer(Clock)
            .boxed()
    };
    // A second start in one process keeps the first log.
    let _ = tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .try_init();
}

/// Writes an occurrence to the log, at the level that it has.
pub(super) fn record(occurrence: &Occurrence, config: &Config) {
    let text = occurrence::line(occurrence);
    match occurrence::level(occurrence, config.quiet) {
        Level::ERROR => tracing::error!("{text}"),
        Level::WARN => tracing::warn!("{text}"),
        Level::INFO => tracing::info!("{text}"),
        _ => tracing::debug!("{text}"),
    }
}

/// The time of day to the millisecond.
struct Clock;

impl FormatTime for Clock {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        let now = jiff::Zoned::now();
        write!(writer, "{}", now.strftime("%H:%M:%S%.3f"))
    }
}
