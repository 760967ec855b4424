//! The shipped manifests themselves: filled as a cluster would get them.

use std::collections::BTreeMap;

use jsorc::embedded;
use jsorc::manifest::fill::{self, FillError};
use jsorc::manifest::{Service, kinds};
use serde_json::{Value, json};

/// All documents of a service in a namespace, with its defaults and what is given beside them.
fn filled(service: &Service, given: &BTreeMap<&str, Value>) -> Vec<Value> {
    let documents: Vec<Value> = service.manifests().map(|m| m.value().unwrap()).collect();
    let parameter = |name: &str| match name {
        "namespace" => Ok(json!("prod")),
        "instance" => Ok(json!("jsorc")),
        "service" => Ok(json!(service.name)),
        _ => {
            let default = || service.spec.parameters.get(name)?.default.clone();
            let value = given.get(name).cloned().or_else(default);
            value.ok_or_else(|| FillError::new(format!("no value for `{name}`")))
        }
    };
    fill::fill_all(documents, &parameter).unwrap()
}

fn find<'a>(documents: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found =
        |document: &&Value| document["kind"] == kind && document["metadata"]["name"] == name;
    documents
        .iter()
        .find(found)
        .unwrap_or_else(|| panic!("{kind} {name}"))
}

fn shipped() -> Vec<(Service, Vec<Value>)> {
    let given = BTreeMap::from([("password", json!("p"))]);
    let services = embedded::catalog().unwrap().services.into_iter();
    services
        .map(|service| (service.clone(), filled(&service, &given)))
        .collect()
}

/// Every pod template with the name of its workload.
fn pods(documents: &[Value]) -> impl Iterator<Item = (&str, &Value)> {
    documents.iter().filter_map(|document| {
        let name = document["metadata"]["name"].as_str()?;
        Some((name, document.pointer("/spec/template/spec")?))
    })
}

#[test]
fn every_object_is_of_a_kind_that_kubernetes_has_and_carries_our_two_labels_only() {
    for (_, documents) in shipped() {
        for document in documents {
            let text = |path| document.pointer(path).and_then(Value::as_str).unwrap();
            let kind = kinds::builtin(text("/apiVersion"), text("/kind"));
            let name = text("/metadata/name").to_owned();
            assert!(kind.is_some(), "{document}");
            let cluster_scoped = kind.is_some_and(|kind| !kind.namespaced);
            assert_eq!(name.ends_with("-prod"), cluster_scoped, "{name}");
            let labels: Vec<&String> = document["metadata"]["labels"]
                .as_object()
                .unwrap()
                .keys()
                .collect();
            assert_eq!(
                labels,
                ["app.kubernetes.io/name", "app.kubernetes.io/component"],
                "{name}"
            );
        }
    }
}

#[test]
fn no_placeholder_is_left_and_null_leaves_the_storage_class_out() {
    let catalog = embedded::catalog().unwrap();
    let promon = catalog.service("promon").unwrap();
    let plain = filled(promon, &BTreeMap::new());
    assert!(!json!(plain).to_string().contains("$g{"));
    let claim = find(&plain, "PersistentVolumeClaim", "prometheus-server");
    assert_eq!(claim["spec"].get("storageClassName"), None);

    let given = BTreeMap::from([
        ("storage_class", json!("fast")),
        ("server_storage", json!("50Gi")),
    ]);
    let documents = filled(promon, &given);
    let claim = find(&documents, "PersistentVolumeClaim", "prometheus-server");
    assert_eq!(claim["spec"]["storageClassName"], "fast");
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "50Gi");
    let binding = find(&documents, "ClusterRoleBinding", "prometheus-server-prod");
    assert_eq!(binding["roleRef"]["name"], "prometheus-server-prod");
    assert_eq!(binding["subjects"][0]["namespace"], "prod");
}

#[test]
fn pods_are_restricted_except_the_one_that_reads_the_node() {
    for (_, documents) in shipped() {
        for (name, pod) in pods(&documents) {
            assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
            assert_eq!(
                pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault",
                "{name}"
            );
            for container in pod["containers"].as_array().unwrap() {
                let context = &container["securityContext"];
                assert_eq!(context["allowPrivilegeEscalation"], false, "{name}");
                assert_eq!(context["readOnlyRootFilesystem"], true, "{name}");
                assert_eq!(context["capabilities"]["drop"], json!(["ALL"]), "{name}");
            }
            let on_host = pod.get("hostNetwork").is_some() || pod.get("hostPID").is_some();
            assert_eq!(on_host, name == "prometheus-node-exporter", "{name}");
        }
    }
}

#[test]
fn containers_have_probes_requests_limits_and_fixed_images() {
    for (_, documents) in shipped() {
        for (name, pod) in pods(&documents) {
            for container in pod["containers"].as_array().unwrap() {
                for path in [
                    "/readinessProbe",
                    "/livenessProbe",
                    "/resources/requests/memory",
                    "/resources/requests/cpu",
                    "/resources/limits/memory",
                ] {
                    assert!(container.pointer(path).is_some(), "{name} {path}");
                }
                let tag = container["image"]
                    .as_str()
                    .unwrap()
                    .rsplit(':')
                    .next()
                    .unwrap();
                assert!(tag.contains('.'), "{name} {tag}");
            }
        }
    }
}

#[test]
fn workloads_with_a_claim_let_the_old_pod_go_first() {
    for (_, documents) in shipped() {
        for document in &documents {
            let claims = document
                .pointer("/spec/template/spec/volumes")
                .is_some_and(|volumes| {
                    volumes
                        .as_array()
                        .unwrap()
                        .iter()
                        .any(|v| v.get("persistentVolumeClaim").is_some())
                });
            if claims {
                assert_eq!(
                    document["spec"]["strategy"]["type"], "Recreate",
                    "{document}"
                );
            }
        }
    }
}

#[test]
fn redis_reads_its_configuration_and_keeps_its_password_in_the_secret() {
    let (_, documents) = shipped()
        .into_iter()
        .find(|(s, _)| s.name == "redis")
        .unwrap();
    let secret = find(&documents, "Secret", "redis-auth");
    assert_eq!(
        secret["stringData"],
        json!({"password": "p", "auth.conf": "requirepass \"p\"\n"})
    );
    let pod = &find(&documents, "Deployment", "redis")["spec"]["template"]["spec"];
    let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    let paths: Vec<&str> = mounts
        .iter()
        .filter_map(|mount| mount["mountPath"].as_str())
        .collect();
    assert!(paths.contains(&"/etc/redis/redis.conf"), "{paths:?}");
    let limit = &pod["containers"][0]["resources"]["limits"]["memory"];
    assert_eq!(limit, "256Mi");
    let config = find(&documents, "ConfigMap", "redis")["data"]["redis.conf"]
        .as_str()
        .unwrap();
    assert!(config.contains("maxmemory-policy volatile-lru\n"));
    assert!(config.contains("include /etc/redis/auth/auth.conf\n"));
}

#[test]
fn prometheus_watches_with_the_rights_it_needs_and_no_more() {
    let (_, documents) = shipped()
        .into_iter()
        .find(|(s, _)| s.name == "promon")
        .unwrap();
    let rules = find(&documents, "ClusterRole", "prometheus-server-prod")["rules"].to_string();
    for right in ["endpointslices", "nodes/metrics"] {
        assert!(rules.contains(right), "{right}");
    }
    for right in [
        "nodes/proxy",
        "secrets",
        "extensions",
        "\"endpoints\"",
        "\"*\"",
    ] {
        assert!(!rules.contains(right), "{right}");
    }
    let config = &find(&documents, "ConfigMap", "prometheus-server")["data"]["prometheus.yml"];
    let config = config.as_str().unwrap();
    assert!(config.contains("insecure_skip_verify: false"));
    assert!(config.contains("target_label: node"));
}
