//! A `service.yaml` that says what it cannot mean.

use super::{refused_files, refused_settings};

#[test]
fn driver_missing() {
    refused_settings(
        r"description: x
",
        r"error: services/web/service.yaml:1:1: `driver` is missing
  |
1 | description: x
  | ^^^^^^^^^^^^^^
hint: write `driver: none` for a service that only has manifests",
    );
}

#[test]
fn empty_settings() {
    refused_settings(
        r"",
        r"error: services/web/service.yaml: `driver` is missing
hint: write `driver: none` for a service that only has manifests",
    );
}

#[test]
fn two_documents() {
    refused_settings(
        r"driver: none
---
driver: none
",
        r"error: services/web/service.yaml:3:1: service.yaml must hold one document
  |
3 | driver: none
  | ^^^^^^^^^^^^",
    );
}

#[test]
fn settings_that_are_a_list() {
    refused_settings(
        r"- driver
",
        r"error: services/web/service.yaml:1:1: `service.yaml` must be a mapping, found a list
  |
1 | - driver
  | ^^^^^^^^",
    );
}

#[test]
fn unknown_key() {
    refused_settings(
        r"driver: none
keepalive: true
",
        r"error: services/web/service.yaml:2:1: unknown key `keepalive`
  |
2 | keepalive: true
  | ^^^^^^^^^ not a key of service.yaml
hint: did you mean `keep_alive`?",
    );
}

#[test]
fn enabled_as_text() {
    refused_settings(
        r#"driver: none
enabled: "yes"
"#,
        r#"error: services/web/service.yaml:2:10: `enabled` must be true or false, found a string
  |
2 | enabled: "yes"
  |          ^^^^^"#,
    );
}

#[test]
fn dependency_on_nobody() {
    refused_files(
        &[
            (
                "services/web/service.yaml",
                r"driver: none
depends_on: [reddis]
",
            ),
            (
                "services/redis/service.yaml",
                r"driver: redis
",
            ),
        ],
        r"error: services/web/service.yaml:2:14: no service `reddis`
  |
2 | depends_on: [reddis]
  |              ^^^^^^
hint: did you mean `redis`?",
    );
}

#[test]
fn dependency_on_itself() {
    refused_settings(
        r"driver: none
depends_on: [web]
",
        r"error: services/web/service.yaml:2:14: a service cannot depend on itself
  |
2 | depends_on: [web]
  |              ^^^",
    );
}

#[test]
fn dependencies_in_a_circle() {
    refused_files(
        &[
            (
                "services/web/service.yaml",
                r"driver: none
depends_on: [cache]
",
            ),
            (
                "services/cache/service.yaml",
                r"driver: none
depends_on:
  - web
",
            ),
        ],
        r"error: services/cache/service.yaml:3:5: a circle of dependencies: cache → web → cache
  |
3 |   - web
  |     ^^^",
    );
}

#[test]
fn namespace_in_upper_case() {
    refused_settings(
        r"driver: none
namespace: Prod
",
        r"error: services/web/service.yaml:2:12: namespace `Prod` must be lower case letters, digits and `-`, beginning and ending with a letter or digit
  |
2 | namespace: Prod
  |            ^^^^",
    );
}

#[test]
fn probe_without_unit() {
    refused_settings(
        r"driver: none
probe: {timeout: 2 s}
",
        r"error: services/web/service.yaml:2:18: `timeout`: `2 s` is no duration (write 2s, 500ms, 5m, 1h or seconds)
  |
2 | probe: {timeout: 2 s}
  |                  ^^^",
    );
}

#[test]
fn probe_interval_too_short() {
    refused_settings(
        r"driver: none
probe: {interval: 500ms}
",
        r"error: services/web/service.yaml:2:19: `interval` must be at least 1s
  |
2 | probe: {interval: 500ms}
  |                   ^^^^^",
    );
}

#[test]
fn probe_key_with_a_slip() {
    refused_settings(
        r"driver: none
probe: {intervall: 5s}
",
        r"error: services/web/service.yaml:2:9: unknown key `intervall`
  |
2 | probe: {intervall: 5s}
  |         ^^^^^^^^^ not a key of probe
hint: did you mean `interval`?",
    );
}

#[test]
fn failures_zero() {
    refused_settings(
        r"driver: none
probe: {failures: 0}
",
        r"error: services/web/service.yaml:2:19: `failures` must be a whole number from 1, found 0
  |
2 | probe: {failures: 0}
  |                   ^",
    );
}

#[test]
fn remedy_unknown() {
    refused_settings(
        r"driver: none
remedy: reboot
",
        r"error: services/web/service.yaml:2:9: `remedy` cannot be `reboot`
  |
2 | remedy: reboot
  |         ^^^^^^
hint: known: none, restart",
    );
}

#[test]
fn policy_word_with_a_slip() {
    refused_settings(
        r"driver: none
policy: {mode: enforced}
",
        r"error: services/web/service.yaml:2:16: `mode` cannot be `enforced`
  |
2 | policy: {mode: enforced}
  |                ^^^^^^^^
hint: did you mean `enforce`?",
    );
}

#[test]
fn policy_key_unknown() {
    refused_settings(
        r"driver: none
policy: {delete: never}
",
        r"error: services/web/service.yaml:2:10: unknown key `delete`
  |
2 | policy: {delete: never}
  |          ^^^^^^ not a key of policy
hint: known: mode, conflicts, adopt, recreate, prune, foreign",
    );
}

#[test]
fn variable_in_lower_case() {
    refused_settings(
        r"driver: none
env: {host: redis_host}
",
        r"error: services/web/service.yaml:2:13: `redis_host` is no name of an environment variable
  |
2 | env: {host: redis_host}
  |             ^^^^^^^^^^
hint: write upper case letters, digits and `_`",
    );
}

#[test]
fn ignore_without_a_path() {
    refused_settings(
        r"driver: none
ignore: [{kind: Deployment}]
",
        r"error: services/web/service.yaml:2:10: `path` is missing
  |
2 | ignore: [{kind: Deployment}]
  |          ^
hint: write {kind: Deployment, name: web, path: spec.replicas}",
    );
}

#[test]
fn protect_with_a_number() {
    refused_settings(
        r"driver: none
protect: [1]
",
        r"error: services/web/service.yaml:2:11: `protect` holds a number, expected strings
  |
2 | protect: [1]
  |           ^
hint: put it in quotes",
    );
}

#[test]
fn external_without_a_kind() {
    refused_settings(
        r"driver: none
external: [login]
",
        r"error: services/web/service.yaml:2:12: `login` names no object
  |
2 | external: [login]
  |            ^^^^^
hint: write KIND/NAME, such as Secret/registry-login",
    );
}

#[test]
fn service_name_with_two_dashes() {
    refused_files(
        &[(
            "services/a--b/service.yaml",
            r"driver: none
",
        )],
        r"error: services/a--b/service.yaml: the name of a service, `a--b`, cannot hold `--`
hint: rename the folder",
    );
}

#[test]
fn service_name_in_upper_case() {
    refused_files(
        &[(
            "services/Web/service.yaml",
            r"driver: none
",
        )],
        r"error: services/Web/service.yaml: the name of a service, `Web`, must be lower case letters, digits and `-`, beginning and ending with a letter or digit
hint: rename the folder",
    );
}

#[test]
fn no_yaml_at_all() {
    refused_settings(
        r"driver: [none
",
        r"error: services/web/service.yaml:1:9: not readable as YAML: unclosed bracket '['
  |
1 | driver: [none
  |         ^",
    );
}
