//! `service.yaml` that is refused.

use super::{CANARY, refused};
use crate::support::Jsorc;

/// Lints two services, `web` with these settings and `db` with those.
#[track_caller]
fn settings(input: &str, web: &str, db: &str, message: &str) {
    let jsorc =
        Jsorc::alone("services").services(&[("web/service.yaml", web), ("db/service.yaml", db)]);
    refused(input, &jsorc, &["render"], 2, message);
}

const DB: &str = "driver: none\n";

#[test]
fn keys_and_their_types() {
    settings(
        "an unknown key",
        "driver: none\nkeep_alve: false\n",
        DB,
        "error: services/web/service.yaml:2:1: unknown key `keep_alve`
  |
2 | keep_alve: false
  | ^^^^^^^^^ not a key of service.yaml
hint: did you mean `keep_alive`?",
    );
    settings(
        "a word where true or false belongs",
        "driver: none\nenabled: maybe\n",
        DB,
        "error: services/web/service.yaml:2:10: `enabled` must be true or false, found a string
  |
2 | enabled: maybe
  |          ^^^^^",
    );
    settings(
        "a word that is none of those known",
        "driver: none\nremedy: reboot\n",
        DB,
        "error: services/web/service.yaml:2:9: `remedy` cannot be `reboot`
  |
2 | remedy: reboot
  |         ^^^^^^
hint: known: none, restart",
    );
    settings(
        "no driver",
        "description: A web server\n",
        DB,
        "error: services/web/service.yaml:1:1: `driver` is missing
  |
1 | description: A web server
  | ^^^^^^^^^^^^^^^^^^^^^^^^^
hint: write `driver: none` for a service that only has manifests",
    );
    settings(
        "a list in place of settings",
        "- driver\n",
        DB,
        "error: services/web/service.yaml:1:1: `service.yaml` must be a mapping, found a list
  |
1 | - driver
  | ^^^^^^^^",
    );
}

#[test]
fn drivers_and_their_settings() {
    settings(
        "an unknown driver",
        "driver: redsi\n",
        DB,
        "error: services/web/service.yaml:1: unknown driver `redsi`
hint: did you mean `redis`?",
    );
    settings(
        "a setting that the driver does not have",
        "driver: redis\nconfig: {prot: 6379}\n",
        DB,
        "error: services/web/service.yaml:2: services.web.config.prot is not a setting of this driver
hint: did you mean `port`?",
    );
    settings(
        "a setting of a wrong type",
        &format!("driver: redis\nconfig: {{host: cache, port: {CANARY}}}\n"),
        DB,
        "error: services/web/service.yaml:2: services.web.config.port takes a number from 1 to 65535",
    );
    settings(
        "a command that is no list",
        "driver: command\nconfig: {command: sleep 100}\n",
        DB,
        "error: services/web/service.yaml:2: services.web.config.command takes a list of texts
hint: for a shell write [sh, -c, …]",
    );
    settings(
        "an unknown driver and a wrong setting",
        "driver: redsi\n",
        "driver: smtp\nconfig: {host: mail, tls: maybe}\n",
        "error: services/db/service.yaml:2: services.db.config.tls takes one of starttls, implicit, none

error: services/web/service.yaml:1: unknown driver `redsi`
hint: did you mean `redis`?

error: 2 problems, nothing was done",
    );
}

#[test]
fn dependencies() {
    settings(
        "a service that is not there",
        "driver: none\ndepends_on: [bd]\n",
        DB,
        "error: services/web/service.yaml:2:14: no service `bd`
  |
2 | depends_on: [bd]
  |              ^^
hint: did you mean `db`?",
    );
    settings(
        "services that wait for each other",
        "driver: none\ndepends_on: [db]\n",
        "driver: none\ndepends_on: [web]\n",
        "error: services/db/service.yaml:2:14: a circle of dependencies: db → web → db
  |
2 | depends_on: [web]
  |              ^^^",
    );
    settings(
        "a service that waits for itself",
        "driver: none\ndepends_on: [web]\n",
        DB,
        "error: services/web/service.yaml:2:14: a service cannot depend on itself
  |
2 | depends_on: [web]
  |              ^^^",
    );
}

#[test]
fn parameters() {
    settings(
        "a type that there is not",
        "driver: none\nparameters: {memory: {type: quantty}}\n",
        DB,
        "error: services/web/service.yaml:2:29: unknown type `quantty`
  |
2 | parameters: {memory: {type: quantty}}
  |                             ^^^^^^^
hint: did you mean `quantity`?",
    );
    settings(
        "a secret with a default",
        &format!("driver: none\nparameters: {{word: {{type: secret, default: {CANARY}}}}}\n"),
        DB,
        "error: services/web/service.yaml:2:35: a secret has no default
hint: leave `default` out, and let it be made by `generate: 24` or given by configuration",
    );
    settings(
        "a default out of its bounds",
        "driver: none\nparameters: {copies: {type: int, default: 9, max: 3}}\n",
        DB,
        "error: services/web/service.yaml:2:43: the default does not fit: 9 is above the maximum 3
  |
2 | parameters: {copies: {type: int, default: 9, max: 3}}
  |                                           ^",
    );
    settings(
        "a parameter that nothing gives a value",
        "driver: none\nparameters:\n  size: {type: quantity}\n",
        DB,
        "error: services/web/service.yaml:3: services.web.parameters.size: nothing gives it a value (a quantity such as 256Mi or 500m)
hint: set it in a configuration file or as JSORC_SERVICES__WEB__PARAMETERS__SIZE",
    );
}
