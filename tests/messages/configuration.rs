//! Configuration files that are refused.

use std::os::unix::fs::symlink;

use super::{CANARY, refused};
use crate::support::Jsorc;

/// Lints the embedded services with this configuration file.
#[track_caller]
fn file(input: &str, text: &str, message: &str) {
    let jsorc = Jsorc::alone("configuration");
    jsorc.file("jsorc.yaml", text);
    refused(
        input,
        &jsorc,
        &["--config", "jsorc.yaml", "render"],
        2,
        message,
    );
}

#[test]
fn files_that_are_no_settings() {
    file(
        "not YAML",
        "interval: [5s\n",
        "error: jsorc.yaml:1:11: not readable as YAML: unclosed bracket '['",
    );
    file(
        "a tab in the indentation",
        "log:\n\tlevel: debug\n",
        "error: jsorc.yaml:2:2: not readable as YAML: tabs disallowed within this context (block indentation)",
    );
    file(
        "a list at the top",
        "- interval\n- 5s\n",
        "error: jsorc.yaml: expected one mapping of settings
hint: `jsorc config schema` lists every key",
    );
    file(
        "two documents",
        "interval: 5s\n---\ninterval: 6s\n",
        "error: jsorc.yaml: expected one mapping of settings
hint: `jsorc config schema` lists every key",
    );
    file(
        "a key given twice",
        "interval: 5s\nquiet: true\ninterval: 6s\n",
        "error: jsorc.yaml:3:1: key `interval` is given twice",
    );
}

#[test]
fn keys_and_their_types() {
    file(
        "an unknown key",
        "intervall: 5s\n",
        "error: jsorc.yaml:1: unknown key `intervall`
hint: did you mean `interval`?",
    );
    file(
        "an unknown key deep inside",
        "services:\n  redis:\n    probe: {timout: 2s}\n",
        "error: jsorc.yaml:3: unknown key `services.redis.probe.timout`
hint: did you mean `services.redis.probe.timeout`?",
    );
    file(
        "an interval below a second",
        "interval: 500ms\n",
        "error: jsorc.yaml:1: interval: must be at least 1s",
    );
    file(
        "a list where a duration belongs",
        "interval: [5]\n",
        "error: jsorc.yaml:1: interval: expected a duration such as 10s or 5m, found a list",
    );
    file(
        "text where a list belongs",
        "keep_alive: redis\n",
        "error: jsorc.yaml:1: keep_alive: expected a list of text
hint: a list is written as [a, b]",
    );
    file(
        "a word that is none of those known",
        "policy: {mode: enforced}\n",
        "error: jsorc.yaml:1: policy.mode: expected one of enforce, report
hint: did you mean `enforce`?",
    );
    file(
        "an address without its host",
        "api: {listen: 8585}\n",
        "error: jsorc.yaml:1: api.listen: expected HOST:PORT, found a number
hint: write it as 127.0.0.1:8585, with any address and port",
    );
    file(
        "a level that the log does not have",
        "log: {level: loud}\n",
        "error: jsorc.yaml:1: log.level: expected one of error, warn, info, debug, trace, or a filter such as jsorc=debug",
    );
    file(
        "a namespace that cannot be one",
        "namespace: My_Team\n",
        "error: jsorc.yaml:1: namespace: expected a name of lower-case letters, digits and `-`",
    );
    file(
        "everything at once",
        "interval: 0\nenabled: sure\nservices:\n  redes: {enabled: false}\n",
        "error: jsorc.yaml:1: interval: must be at least 1s

error: jsorc.yaml:2: enabled: expected true or false

error: jsorc.yaml:4: unknown service `services.redes`
hint: did you mean `services.redis`?

error: 3 problems, nothing was done",
    );
}

#[test]
fn services_and_what_they_declare() {
    file(
        "an unknown service",
        "services: {redes: {enabled: false}}\n",
        "error: jsorc.yaml:1: unknown service `services.redes`
hint: did you mean `services.redis`?",
    );
    file(
        "an unknown service to keep alive",
        "keep_alive: [redes]\n",
        "error: jsorc.yaml:1: keep_alive: unknown service `redes`
hint: did you mean `redis`?",
    );
    file(
        "a parameter that nobody declared",
        "services: {redis: {parameters: {memry: 1Gi}}}\n",
        "error: jsorc.yaml:1: unknown parameter `services.redis.parameters.memry`
hint: did you mean `services.redis.parameters.memory`?",
    );
    file(
        "a parameter out of its bounds",
        "services: {redis: {parameters: {memory: 1Mi}}}\n",
        "error: jsorc.yaml:1: services.redis.parameters.memory: 1Mi is below the minimum 32Mi",
    );
    file(
        "a secret that is no text",
        &format!("services: {{redis: {{parameters: {{password: [{CANARY}]}}}}}}\n"),
        "error: jsorc.yaml:1: services.redis.parameters.password: expected a secret text",
    );
    file(
        "a patch without a target",
        "services:\n  redis:\n    patches: [{merge: {spec: {replicas: 2}}}]\n",
        "error: jsorc.yaml:2: services.redis.patches[0]: needs `target`
hint: `target` is KIND/NAME of an object of the service",
    );
    file(
        "a patch of an object that is not there",
        "services:\n  redis:\n    patches: [{target: Deployment/redus, merge: {spec: {replicas: 2}}}]\n",
        "error: jsorc.yaml:3: services.redis.patches[0]: no object of redis is `Deployment/redus`
hint: did you mean `Deployment/redis`?",
    );
    file(
        "a setting that the driver does not have",
        "services: {redis: {config: {prot: 6379}}}\n",
        "error: jsorc.yaml:1: services.redis.config.prot is not a setting of this driver
hint: did you mean `port`?",
    );
    file(
        "a credential written in a wrong way",
        &format!("services: {{redis: {{config: {{password: {{secrt: {CANARY}}}}}}}}}\n"),
        "error: jsorc.yaml:1: services.redis.config.password takes a text, {secret: NAME/KEY}, {file: PATH} or {env: NAME}",
    );
}

#[test]
fn files_that_cannot_be_read() {
    let jsorc = Jsorc::alone("configuration");
    let command = ["--config", "jsorc.yaml", "render"];
    refused(
        "a file that is not there",
        &jsorc,
        &command,
        2,
        "error: jsorc.yaml: cannot read the configuration file: no such file or directory
hint: --config, or JSORC_CONFIG, names the file",
    );
    std::fs::create_dir(jsorc.folder().join("jsorc.yaml")).unwrap();
    refused(
        "a folder",
        &jsorc,
        &command,
        2,
        "error: jsorc.yaml: cannot read the configuration file: is a directory
hint: --config, or JSORC_CONFIG, names the file",
    );
    std::fs::remove_dir(jsorc.folder().join("jsorc.yaml")).unwrap();
    std::fs::write(jsorc.folder().join("jsorc.yaml"), b"namespace: \xff\n").unwrap();
    refused(
        "a file that is not UTF-8",
        &jsorc,
        &command,
        2,
        "error: jsorc.yaml: cannot read the configuration file: it is not UTF-8 text
hint: save it as UTF-8",
    );
    std::fs::remove_file(jsorc.folder().join("jsorc.yaml")).unwrap();
    symlink("jsorc.yaml", jsorc.folder().join("jsorc.yaml")).unwrap();
    refused(
        "a link that leads to itself",
        &jsorc,
        &command,
        2,
        "error: jsorc.yaml: cannot read the configuration file: too many levels of symbolic links",
    );
}

#[test]
fn a_drop_in_is_named_and_so_is_the_file_that_it_lies_over() {
    let jsorc = Jsorc::alone("configuration");
    jsorc.file("jsorc.yaml", "quiet: 1\n");
    jsorc.file("jsorc.d/10-team.yaml", "interval: fast\n");
    let command = ["--config", "jsorc.yaml", "render"];
    refused(
        "a file and its drop-in",
        &jsorc,
        &command,
        2,
        "error: jsorc.yaml:1: quiet: expected true or false, found a number

error: jsorc.d/10-team.yaml:1: interval: expected a duration such as 10s or 5m

error: 2 problems, nothing was done",
    );
}
