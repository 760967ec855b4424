//! Environment variables that are refused, and those that are none of ours.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

use super::{CANARY, refused};
use crate::support::Jsorc;

/// Lints the embedded services with these variables.
#[track_caller]
fn variables(input: &str, set: &[(&str, &str)], message: &str) {
    let jsorc = set
        .iter()
        .fold(Jsorc::alone("environment"), |jsorc, (name, value)| {
            jsorc.set(name, value)
        });
    refused(input, &jsorc, &["render"], 2, message);
}

#[test]
fn names_and_types() {
    variables(
        "an unknown key",
        &[("JSORC_INTERVALL", CANARY)],
        "error: environment variable JSORC_INTERVALL: unknown key `intervall`
hint: did you mean `JSORC_INTERVAL`?",
    );
    variables(
        "an unknown service",
        &[("JSORC_SERVICES__REDES__ENABLED", "false")],
        "error: environment variable JSORC_SERVICES__REDES__ENABLED: unknown service `services.redes`
hint: did you mean `JSORC_SERVICES__REDIS__ENABLED`?",
    );
    variables(
        "an unknown parameter",
        &[("JSORC_SERVICES__REDIS__PARAMETERS__PASWORD", CANARY)],
        "error: environment variable JSORC_SERVICES__REDIS__PARAMETERS__PASWORD: unknown parameter `services.redis.parameters.pasword`
hint: did you mean `JSORC_SERVICES__REDIS__PARAMETERS__PASSWORD`?",
    );
    variables(
        "a level too deep",
        &[("JSORC_INTERVAL__SECONDS", "5")],
        "error: environment variable JSORC_INTERVAL__SECONDS: `interval` has no keys below it
hint: write JSORC_INTERVAL",
    );
    variables(
        "no duration",
        &[("JSORC_INTERVAL", CANARY)],
        "error: environment variable JSORC_INTERVAL: interval: expected a duration such as 10s or 5m",
    );
    variables(
        "neither true nor false",
        &[("JSORC_ENABLED", CANARY)],
        "error: environment variable JSORC_ENABLED: enabled: expected true or false",
    );
    variables(
        "text where a list belongs",
        &[("JSORC_KEEP_ALIVE", "redis")],
        "error: environment variable JSORC_KEEP_ALIVE: keep_alive: expected a list of text
hint: a list is written as [a, b]",
    );
    variables("a setting of a wrong type", &[("REDIS_PORT", CANARY)], "error: environment variable REDIS_PORT: services.redis.config.port takes a number from 1 to 65535

error: environment variable REDIS_PORT: services.task.config.port takes a number from 1 to 65535

error: 2 problems, nothing was done");
    variables(
        "everything at once",
        &[
            ("JSORC_FOO", CANARY),
            ("JSORC_ENABLED", "1"),
            ("JSORC_CREATE_NAMESPACE", CANARY),
        ],
        "error: environment variable JSORC_CREATE_NAMESPACE: create_namespace: expected true or false

error: environment variable JSORC_ENABLED: enabled: expected true or false

error: environment variable JSORC_FOO: unknown key `foo`
hint: `jsorc config schema` lists every key; levels are joined by two underscores

error: 3 problems, nothing was done",
    );
}

#[test]
fn files_that_variables_name() {
    variables(
        "a _FILE that is not there",
        &[(
            "JSORC_SERVICES__REDIS__PARAMETERS__PASSWORD_FILE",
            "/nonexistent/password",
        )],
        "error: environment variable JSORC_SERVICES__REDIS__PARAMETERS__PASSWORD_FILE: cannot read the file it names: no such file or directory
hint: JSORC_SERVICES__REDIS__PARAMETERS__PASSWORD_FILE takes the path of a file with the value",
    );
    variables(
        "the secret itself in place of its file",
        &[("JSORC_SERVICES__REDIS__PARAMETERS__PASSWORD_FILE", CANARY)],
        "error: environment variable JSORC_SERVICES__REDIS__PARAMETERS__PASSWORD_FILE: cannot read the file it names: no such file or directory
hint: JSORC_SERVICES__REDIS__PARAMETERS__PASSWORD_FILE takes the path of a file with the value",
    );
    variables(
        "a configuration file that is not there",
        &[("JSORC_CONFIG", "/nonexistent/jsorc.yaml")],
        "error: /nonexistent/jsorc.yaml: cannot read the configuration file: no such file or directory
hint: --config, or JSORC_CONFIG, names the file",
    );
}

#[test]
fn values_that_are_no_text() {
    let bytes = OsStr::from_bytes(b"caf\xe9");
    let jsorc = Jsorc::alone("environment")
        .set("JSORC_LOG__LEVEL", bytes)
        .set("REDIS_HOST", bytes)
        .set("SOMETHING_ELSE", bytes);
    refused(
        "values that are not UTF-8",
        &jsorc,
        &["render"],
        2,
        "error: environment variable JSORC_LOG__LEVEL: its value is not UTF-8 text
hint: set it again in UTF-8

error: environment variable REDIS_HOST: its value is not UTF-8 text
hint: set it again in UTF-8

error: 2 problems, nothing was done",
    );
}

#[test]
fn names_that_would_be_one_variable() {
    let jsorc = Jsorc::alone("environment").services(&[
        ("web--api/service.yaml", "driver: none\n"),
        ("web/service.yaml", "driver: none\n"),
        ("a_b/service.yaml", "driver: none\n"),
    ]);
    refused(
        "names of services that collide",
        &jsorc,
        &["render"],
        2,
        "error: services/a_b/service.yaml: the name of a service, `a_b`, must be lower case letters, digits and `-`, beginning and ending with a letter or digit
hint: rename the folder

error: services/web--api/service.yaml: the name of a service, `web--api`, cannot hold `--`
hint: rename the folder

error: 2 problems, nothing was done",
    );
}

#[test]
fn what_kubernetes_injects_is_no_error_and_listed_when_asked_for() {
    let jsorc = Jsorc::alone("environment")
        .set("REDIS_PORT", "tcp://10.0.0.7:6379")
        .set("REDIS_SERVICE_HOST", "10.0.0.7")
        .set("JSORC_PORT", "tcp://10.0.0.8:8585")
        .set("JSORC_PORT_8585_TCP", "tcp://10.0.0.8:8585")
        .set("JSORC_PORT_8585_TCP_ADDR", "10.0.0.8")
        .set("JSORC_SERVICE_PORT_API", "8585");
    let quiet = jsorc
        .run(&["config", "get", "services.redis.config"])
        .expect(0);
    assert_eq!(quiet.stderr, "");
    assert!(!quiet.stdout.contains("10.0.0"), "{}", quiet.stdout);
    let loud = jsorc.run(&["-v", "config", "get", "interval"]).expect(0);
    let listed: Vec<&str> = loud
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("ignored: ")?.split(' ').next())
        .collect();
    assert_eq!(
        listed,
        [
            "JSORC_PORT",
            "JSORC_PORT_8585_TCP",
            "JSORC_PORT_8585_TCP_ADDR",
            "JSORC_SERVICE_PORT_API",
            "REDIS_PORT",
        ]
    );
}
