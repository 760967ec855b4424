//! What is said of a command line that cannot be read, in the words of all other errors: what is
//! wrong, then `hint:` with what to type.

use super::arguments::Cli;
use super::failure::Failure;
use crate::config::nearest;
use crate::config::shape::{ROOT, Shape};
use crate::manifest::catalog::environment_name;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Error, Parser as _};

/// Reads the command line.
///
/// # Errors
/// When it is wrong, or asks for help or the version.
pub fn parse() -> Result<Cli, Error> {
    Cli::try_parse()
}

/// What is wrong with a command line; `None` when it only asked to be shown something.
#[must_use]
pub fn explain(error: &Error) -> Option<Failure> {
    let (message, hint) = match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => return None,
        ErrorKind::InvalidSubcommand => unknown_command(error),
        ErrorKind::UnknownArgument => unknown_argument(error),
        ErrorKind::InvalidValue => wrong_value(error),
        ErrorKind::ValueValidation => refused_value(error),
        ErrorKind::MissingRequiredArgument => missing(error),
        _ => (first_line(error), help_of(error)),
    };
    Some(Failure::usage(message, hint))
}

fn unknown_command(error: &Error) -> (String, String) {
    let given = text(error, ContextKind::InvalidSubcommand);
    let command = Cli::command();
    let above = std::env::args().nth(1).unwrap_or_default();
    let group = command.find_subcommand(above).unwrap_or(&command);
    let known = group.get_subcommands().map(clap::Command::get_name);
    let near = list(error, ContextKind::SuggestedSubcommand)
        .into_iter()
        .next()
        .or_else(|| nearest(&given, known).map(str::to_owned));
    let hint = near.map_or_else(|| help_of(error), |near| format!("did you mean `{near}`?"));
    (format!("unknown command `{given}`"), hint)
}

fn unknown_argument(error: &Error) -> (String, String) {
    let given = text(error, ContextKind::InvalidArg);
    if !given.starts_with('-') {
        return (
            format!("`{}` takes no `{given}`", command_of(error)),
            help_of(error),
        );
    }
    let hint = match list(error, ContextKind::SuggestedArg).first() {
        Some(near) => format!("did you mean `{near}`?"),
        None => setting(&given).unwrap_or_else(|| help_of(error)),
    };
    (format!("unknown flag `{given}`"), hint)
}

/// A flag that is no flag but a key of the configuration.
fn setting(flag: &str) -> Option<String> {
    let Shape::Struct(keys) = ROOT else {
        return None;
    };
    let name = flag.trim_start_matches('-').replace('-', "_");
    let key = keys.iter().find(|key| key.name == name)?;
    Some(format!(
        "`{name}` is set in a configuration file, or as JSORC_{}",
        environment_name(key.name)
    ))
}

/// A value that is not one of the words a flag takes, or none at all.
fn wrong_value(error: &Error) -> (String, String) {
    let flag = flag(error);
    let given = text(error, ContextKind::InvalidValue);
    let words = list(error, ContextKind::ValidValue).join(", ");
    if given.is_empty() {
        let hint = format!("write it as `{}`", text(error, ContextKind::InvalidArg));
        return (format!("{flag} needs a value"), hint);
    }
    let message = format!("{flag}: `{given}` is none of {words}");
    match list(error, ContextKind::SuggestedValue).first() {
        Some(near) => (message, format!("did you mean `{near}`?")),
        None => (message, help_of(error)),
    }
}

fn refused_value(error: &Error) -> (String, String) {
    let why = std::error::Error::source(error).map_or_else(
        || format!("`{}` is not valid", text(error, ContextKind::InvalidValue)),
        ToString::to_string,
    );
    (format!("{}: {why}", flag(error)), help_of(error))
}

fn missing(error: &Error) -> (String, String) {
    let needed = list(error, ContextKind::InvalidArg).join(" ");
    let command = command_of(error);
    let hint = match usage(error) {
        usage if usage.is_empty() => help_of(error),
        usage => format!("write `{usage}`"),
    };
    (format!("`{command}` needs {needed}"), hint)
}

fn help_of(error: &Error) -> String {
    let command = command_of(error);
    let rest = command.strip_prefix("jsorc").unwrap_or_default();
    format!("`jsorc help{rest}` tells what can be written")
}

/// The flag that an error is about, without its value's name.
fn flag(error: &Error) -> String {
    let whole = text(error, ContextKind::InvalidArg);
    whole
        .split_once(" <")
        .map_or(whole.as_str(), |(flag, _)| flag)
        .to_owned()
}

/// `jsorc` and the command that an error is about.
fn command_of(error: &Error) -> String {
    let mut given = std::env::args().skip(1);
    let root = Cli::command();
    let found = given.find_map(|word| root.find_subcommand(word).map(|c| c.get_name().to_owned()));
    match (usage(error), found) {
        (usage, _) if !usage.is_empty() => {
            let words = usage.split(' ');
            let plain = |word: &&str| !word.starts_with(['[', '<', '-']);
            words.take_while(plain).collect::<Vec<_>>().join(" ")
        }
        (_, Some(name)) => format!("jsorc {name}"),
        _ => "jsorc".to_owned(),
    }
}

fn usage(error: &Error) -> String {
    let shown = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => usage.to_string(),
        _ => String::new(),
    };
    let line = shown.strip_prefix("Usage: ").unwrap_or(&shown);
    line.lines().next().unwrap_or_default().trim().to_owned()
}

fn first_line(error: &Error) -> String {
    let shown = error.to_string();
    let line = shown.lines().next().unwrap_or_default();
    line.strip_prefix("error: ")
        .unwrap_or(line)
        .replace('\'', "`")
}

fn text(error: &Error, kind: ContextKind) -> String {
    list(error, kind).into_iter().next().unwrap_or_default()
}

fn list(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}
