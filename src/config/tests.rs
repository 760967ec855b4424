use super::*;
use crate::manifest::{Catalog, Place, Service, ServiceSpec};
use serde_json::{Value, json};
use std::borrow::Cow;

fn service(name: &'static str, more: &Value) -> Service {
    let mut spec = json!({
        "driver": "redis", "description": "", "enabled": true, "keep_alive": true, "depends_on": [],
        "namespace": null, "config": {}, "env": {}, "parameters": {},
        "probe": {"interval": null, "timeout": "2s", "failures": 3}, "remedy": "none", "policy": {},
        "ignore": [], "protect": [], "external": [], "lines": {},
    });
    spec.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let spec: ServiceSpec = serde_json::from_value(spec).unwrap();
    let file = Cow::Owned(format!("services/{name}/service.yaml"));
    Service {
        name: name.into(),
        spec,
        spec_place: Place {
            file,
            line: 1,
            column: 1,
        },
        kube: Cow::Borrowed(&[]),
        digest: Cow::Borrowed(""),
    }
}

fn catalog() -> Catalog {
    let redis = json!({
        "config": {"service": "redis:6379", "db": 1},
        "env": {"host": "REDIS_HOST", "port": "REDIS_PORT", "db": "REDIS_DB"},
        "parameters": {"image": {"type": "string", "default": "redis:8"}, "memory": {"type": "quantity", "default": "256Mi"},
                       "password": {"type": "secret", "generate": 24}},
        "lines": {"config.db": 7, "parameters.image": 12},
    });
    let mail = json!({"config": {"host": ""}, "keep_alive": false, "lines": {"config.host": 4}});
    Catalog {
        services: vec![
            service("mail", &mail),
            service("node-pool", &json!({})),
            service("redis", &redis),
        ],
        digest: "0".into(),
    }
}

fn env(pairs: &[(&str, &str)]) -> Sources {
    let variables = pairs
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect();
    Sources {
        variables,
        ..Sources::default()
    }
}

fn file(text: &str) -> Sources {
    let layer = super::file::parse("/etc/jsorc/jsorc.yaml", text).unwrap();
    Sources {
        files: vec![layer],
        ..Sources::default()
    }
}

fn problems(sources: Sources) -> Vec<String> {
    let Err(Problems(problems)) = load(&catalog(), sources) else {
        panic!("it loaded")
    };
    problems
        .into_iter()
        .map(|p| match &p.hint {
            Some(hint) => format!("{p} | {hint}"),
            None => p.to_string(),
        })
        .collect()
}

#[test]
fn the_shipped_configuration_keeps_what_service_yaml_keeps() {
    let loaded = load(&catalog(), Sources::default()).unwrap();
    assert_eq!(loaded.config.keep_alive, ["node-pool", "redis"]);
    assert_eq!(loaded.config.interval.as_secs(), 10);
    assert!(loaded.config.quiet && loaded.config.enabled);
    assert_eq!(
        loaded.origin("services.redis.config.db").to_string(),
        "services/redis/service.yaml:7"
    );
    assert_eq!(loaded.origin("interval").to_string(), "default");
}

#[test]
fn a_higher_layer_wins_and_names_itself() {
    let mut sources = env(&[
        ("JSORC_INTERVAL", "5s"),
        ("JSORC_SERVICES__REDIS__CONFIG__HOST", "cache"),
        ("REDIS_HOST", "old"),
    ]);
    sources.files = file("interval: 30s\nquiet: false\nkeep_alive: [mail]\n").files;
    sources.flags = vec![("--namespace".into(), json!({"namespace": "prod"}))];
    let loaded = load(&catalog(), sources).unwrap();
    assert_eq!(loaded.config.interval.as_secs(), 5);
    assert_eq!(loaded.config.keep_alive, ["mail"]);
    assert_eq!(loaded.config.services["redis"].config["host"], "cache");
    assert_eq!(loaded.config.services["redis"].namespace, "prod");
    assert_eq!(
        loaded.origin("interval").to_string(),
        "environment variable JSORC_INTERVAL"
    );
    assert_eq!(loaded.origin("namespace").to_string(), "--namespace");
}

#[test]
fn variables_are_read_by_the_type_of_their_key() {
    let loaded = load(
        &catalog(),
        env(&[
            ("JSORC_KEEP_ALIVE", "[redis, mail]"),
            ("JSORC_SERVICES__REDIS__PARAMETERS__PASSWORD", "[x"),
            ("JSORC_SERVICES__REDIS__PARAMETERS__IMAGE", "true"),
            ("JSORC_SERVICES__REDIS__CONFIG__DB", "4"),
            ("JSORC_SERVICES__REDIS__CONFIG__HOST", "12345"),
            ("JSORC_SERVICES__NODE_POOL__ENABLED", "false"),
        ]),
    )
    .unwrap();
    let redis = &loaded.config.services["redis"];
    assert_eq!(loaded.config.keep_alive, ["redis", "mail"]);
    assert_eq!(redis.parameters["password"], "[x");
    assert_eq!(redis.parameters["image"], "true");
    assert_eq!(redis.config["db"], 4);
    assert_eq!(redis.config["host"], "12345");
    assert!(!loaded.config.services["node-pool"].enabled);
}

#[test]
fn the_originals_names_still_work_and_service_links_are_no_settings() {
    let loaded = load(
        &catalog(),
        env(&[
            ("REDIS_HOST", "cache"),
            ("REDIS_PORT", "tcp://10.0.0.1:6379"),
            ("REDIS_DB", "2"),
            ("JSORC_PORT", "tcp://10.0.0.2:8585"),
            ("JSORC_PORT_8585_TCP_ADDR", "10.0.0.2"),
            ("JSORC_SERVICE_HOST", "10.0.0.2"),
            ("JSORC_SERVICE_PORT_API", "8585"),
        ]),
    )
    .unwrap();
    let redis = &loaded.config.services["redis"];
    assert_eq!(
        (redis.config["host"].clone(), redis.config["db"].clone()),
        (json!("cache"), json!(2))
    );
    assert!(!redis.config.contains_key("port"));
    assert_eq!(loaded.ignored_variables.len(), 5);
}

#[test]
fn a_variable_can_name_a_file() {
    let path = std::env::temp_dir().join(format!("jsorc-config-{}", std::process::id()));
    std::fs::write(&path, "hunter2\n").unwrap();
    let loaded = load(
        &catalog(),
        env(&[(
            "JSORC_SERVICES__REDIS__PARAMETERS__PASSWORD_FILE",
            path.to_str().unwrap(),
        )]),
    )
    .unwrap();
    std::fs::remove_file(path).unwrap();
    assert_eq!(
        loaded.config.services["redis"].parameters["password"],
        "hunter2"
    );
}

#[test]
fn every_problem_is_named_with_its_layer_and_the_nearest_name() {
    let mut sources = env(&[
        ("JSORC_INTERVALL", "5s"),
        ("JSORC_QUIET", "maybe"),
        ("JSORC_SERVICES__REDDIS__ENABLED", "true"),
        ("JSORC_SERVICES__REDIS__PARAMETERS__MEMROY", "1Gi"),
    ]);
    sources.files = file("intervall: 5s\ninterval: 10ms\nservices:\n  redis:\n    parameters: {memory: lots}\n    policy: {mode: enforced}\n").files;
    assert_eq!(
        problems(sources),
        [
            "environment variable JSORC_INTERVALL: unknown key `intervall` | did you mean `JSORC_INTERVAL`?",
            "environment variable JSORC_QUIET: quiet: expected true or false",
            "environment variable JSORC_SERVICES__REDDIS__ENABLED: unknown service `services.reddis` | did you mean `JSORC_SERVICES__REDIS__ENABLED`?",
            "environment variable JSORC_SERVICES__REDIS__PARAMETERS__MEMROY: unknown parameter `services.redis.parameters.memroy` | did you mean `JSORC_SERVICES__REDIS__PARAMETERS__MEMORY`?",
            "/etc/jsorc/jsorc.yaml:1: unknown key `intervall` | did you mean `interval`?",
            "/etc/jsorc/jsorc.yaml:2: interval: must be at least 1s",
            "/etc/jsorc/jsorc.yaml:5: services.redis.parameters.memory: `lots` is no quantity (write 256Mi, 500m or 2)",
            "/etc/jsorc/jsorc.yaml:6: services.redis.policy.mode: expected one of enforce, report | did you mean `enforce`?",
        ]
    );
}

#[test]
fn unknown_services_in_keep_alive_are_refused() {
    assert_eq!(
        problems(env(&[("JSORC_KEEP_ALIVE", "[redsi]")])),
        [
            "environment variable JSORC_KEEP_ALIVE: keep_alive: unknown service `redsi` | did you mean `redis`?"
        ]
    );
}

#[test]
fn a_secret_never_stands_in_a_message() {
    let said = problems(file(
        "services:\n  redis:\n    parameters: {password: [hunter2]}\n    namespace: hunter2/x\n",
    ))
    .join("\n");
    assert!(said.contains("expected a secret text"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn what_is_no_mapping_and_what_is_no_yaml_is_refused() {
    assert!(super::file::parse("f", "- a\n").is_err());
    let error = super::file::parse("f.yaml", "a: [1,\n").unwrap_err();
    assert!(error.to_string().starts_with("f.yaml:"), "{error}");
    let twice = super::file::parse("f.yaml", "quiet: true\nquiet: false\n").unwrap_err();
    assert!(
        twice
            .to_string()
            .starts_with("f.yaml:2:1: key `quiet` is given twice"),
        "{twice}"
    );
}

#[test]
fn secrets_are_known_by_their_declaration_or_their_name() {
    let catalog = catalog();
    assert!(is_secret("services.redis.parameters.password", &catalog));
    assert!(is_secret("services.mail.config.auth_token", &catalog));
    assert!(!is_secret("services.redis.parameters.image", &catalog));
    assert!(!is_secret("services.redis.config.passport_host", &catalog));
}
