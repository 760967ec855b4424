use super::super::samples::catalog;
use super::*;

#[test]
fn all_services_one_a_line() {
    assert_eq!(
        text(&catalog(), Palette::PLAIN),
        "\
SERVICE  DRIVER  OBJECTS  PARAMETERS  BY KIND
mail     smtp          0           0  no manifests, rerun only
redis    redis         3           3  1 ConfigMap, 2 Deployment
2 services, 3 objects · digest 5e1f
"
    );
}

#[test]
fn one_service_with_tables_parameters_and_variables() {
    let catalog = catalog();
    assert_eq!(
        detail(catalog.service("redis").unwrap(), Palette::PLAIN),
        "\
redis · driver redis · Cache and message broker · services/redis/service.yaml
needs mail

REDIS_KUBE · 3 objects
  ConfigMap   redis                  services/redis/kube/redis.yaml:1
  Deployment  redis                  services/redis/kube/redis.yaml:1
  Deployment  $g{instance}-exporter  services/redis/kube/redis.yaml:11

parameters
  auth    secret           generated, 24 characters  JSORC_SERVICES__REDIS__PARAMETERS__AUTH
  memory  quantity 32Mi..  256Mi                     JSORC_SERVICES__REDIS__PARAMETERS__MEMORY  limit of the pod
  mode    enum aof|rdb     to be given               JSORC_SERVICES__REDIS__PARAMETERS__MODE

settings
  config.host  JSORC_SERVICES__REDIS__CONFIG__HOST  or REDIS_HOST
"
    );
    assert_eq!(
        detail(catalog.service("mail").unwrap(), Palette::PLAIN),
        "mail · driver smtp · services/mail/service.yaml\n\nno manifests, rerun only\n"
    );
}

#[test]
fn the_services_for_programs() {
    let catalog = catalog();
    let document = json(&catalog, &["mail"]);
    assert_eq!(
        document,
        json!({
            "apiVersion": "jsorc.dev/v1alpha1", "kind": "Services", "digest": "5e1f",
            "services": [{
                "name": "mail", "description": "", "driver": "smtp", "enabled": true,
                "keep_alive": true, "depends_on": [], "table": null, "kinds": [],
                "parameters": [], "env": {},
            }],
        })
    );
    let all: [&str; 0] = [];
    let redis = &json(&catalog, &all)["services"][1];
    assert_eq!(
        redis["parameters"][1],
        json!({
            "name": "memory", "type": "quantity", "default": "256Mi", "required": false,
            "generate": null, "values": [], "min": "32Mi", "max": null,
            "description": "limit of the pod",
            "variable": "JSORC_SERVICES__REDIS__PARAMETERS__MEMORY",
        })
    );
    assert_eq!(redis["table"], "REDIS_KUBE");
    assert_eq!(
        redis["kinds"][0],
        json!({"kind": "ConfigMap", "objects": [{
            "apiVersion": "v1", "name": "redis", "namespace": null,
            "file": "services/redis/kube/redis.yaml", "line": 1,
        }]})
    );
}

#[test]
fn a_secret_parameters_default_is_not_shown() {
    let mut catalog = catalog();
    let auth = catalog.services[1].spec.parameters.get_mut("auth").unwrap();
    auth.generate = None;
    auth.default = Some("canary-hunter2".into());
    let all: [&str; 0] = [];
    let shown = detail(&catalog.services[1], Palette::PLAIN);
    for form in [shown, json(&catalog, &all).to_string()] {
        assert!(!form.contains("canary-hunter2"), "{form}");
    }
}
