//! Command lines that are refused.

use super::refused;
use crate::support::Jsorc;

#[track_caller]
fn line(line: &str, message: &str) {
    let arguments: Vec<&str> = line.split(' ').collect();
    let input = format!("`jsorc {line}`");
    refused(&input, &Jsorc::alone("flags"), &arguments, 2, message);
}

#[test]
fn commands_and_flags() {
    line(
        "aply",
        "error: unknown command `aply`
hint: did you mean `apply`?",
    );
    line(
        "frobnicate",
        "error: unknown command `frobnicate`
hint: `jsorc help` tells what can be written",
    );
    line(
        "help aply",
        "error: unknown command `aply`
hint: did you mean `apply`?",
    );
    line(
        "config gte interval",
        "error: unknown command `gte`
hint: did you mean `get`?",
    );
    line(
        "plan --exitcode",
        "error: unknown flag `--exitcode`
hint: did you mean `--exit-code`?",
    );
    line(
        "plan --interval 5s",
        "error: unknown flag `--interval`
hint: `interval` is set in a configuration file, or as JSORC_INTERVAL",
    );
    line(
        "version now",
        "error: `jsorc version` takes no `now`
hint: `jsorc help version` tells what can be written",
    );
    line(
        "refresh",
        "error: `jsorc refresh` needs <SERVICE>
hint: write `jsorc refresh <SERVICE>`",
    );
    line(
        "--config",
        "error: --config needs a value
hint: write it as `--config <FILE>`",
    );
}

#[test]
fn values() {
    line(
        "apply --timeout soon",
        "error: --timeout: `soon` is no duration (write 2s, 500ms, 5m, 1h or seconds)
hint: `jsorc help apply` tells what can be written",
    );
    line("apply --allow-delete redis-data", "error: --allow-delete: `redis-data` names no object (write KIND/NAME, such as PersistentVolumeClaim/redis-data)
hint: `jsorc help apply` tells what can be written");
    line(
        "-o xml services",
        "error: --output: `xml` is none of text, json, yaml, markdown, dot, mermaid
hint: did you mean `yaml`?",
    );
    line(
        "--color blue services",
        "error: --color: `blue` is none of auto, always, never
hint: `jsorc help services` tells what can be written",
    );
    line(
        "completions tcsh",
        "error: <SHELL>: `tcsh` is none of bash, elvish, fish, powershell, zsh
hint: did you mean `zsh`?",
    );
    line(
        "rbac --for everyone",
        "error: --for: `everyone` is none of run, plan, cli
hint: `jsorc help rbac` tells what can be written",
    );
}

#[test]
fn names() {
    line(
        "render redes",
        "error: command line: unknown service `redes`
hint: did you mean `redis`?",
    );
    line(
        "plan redes maill",
        "error: command line: unknown service `redes`
hint: did you mean `redis`?

error: command line: unknown service `maill`
hint: did you mean `mail`?

error: 2 problems, nothing was done",
    );
    line(
        "services nothing-like-it",
        "error: command line: unknown service `nothing-like-it`
hint: services: mail, promon, redis, task",
    );
    line(
        "config get intervall",
        "error: unknown key `intervall`
hint: did you mean `interval`?",
    );
    line(
        "-n My_Team render",
        "error: --namespace: namespace: expected a name of lower-case letters, digits and `-`",
    );
    line(
        "--instance UPPER render",
        "error: --instance: instance.name: expected a name of lower-case letters, digits and `-`",
    );
}
