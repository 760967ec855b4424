use super::*;
use crate::config::{Sources, load};
use crate::manifest::{Catalog, KindTable, Manifest, Place, Service, ServiceSpec};
use serde_json::{Value, json};
use std::borrow::Cow;

/// A catalog of one service `app` with these settings and documents.
fn catalog(more: &Value, documents: &[Value]) -> Catalog {
    let mut spec = json!({
        "driver": "none", "description": "", "enabled": true, "keep_alive": true, "depends_on": [],
        "namespace": null, "config": {}, "env": {}, "parameters": {},
        "probe": {"interval": null, "timeout": "2s", "failures": 3}, "remedy": "none", "policy": {},
        "ignore": [], "protect": [], "external": [], "lines": {},
    });
    spec.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let spec: ServiceSpec = serde_json::from_value(spec).unwrap();
    let text = |value: &Value, pointer: &str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned()
    };
    let manifests: Vec<Manifest> = documents
        .iter()
        .map(|value| Manifest {
            api_version: text(value, "/apiVersion").into(),
            kind: text(value, "/kind").into(),
            name: text(value, "/metadata/name").into(),
            namespace: None,
            file: "services/app/kube/app.yaml".into(),
            line: 1,
            json: value.to_string().into(),
        })
        .collect();
    let kube = vec![KindTable {
        kind: "All".into(),
        manifests: Cow::Owned(manifests),
    }];
    let place = Place {
        file: "services/app/service.yaml".into(),
        line: 1,
        column: 1,
    };
    let service = Service {
        name: "app".into(),
        spec,
        spec_place: place,
        kube: Cow::Owned(kube),
        digest: "0".into(),
    };
    Catalog {
        services: vec![service],
        digest: "0".into(),
    }
}

fn composed(catalog: &Catalog, config: &str) -> Result<DesiredSet, Problems> {
    let files = vec![crate::config::file::parse("jsorc.yaml", config).unwrap()];
    let loaded = load(
        catalog,
        Sources {
            files,
            ..Sources::default()
        },
    )
    .unwrap();
    let instance = Instance {
        name: "jsorc".into(),
        namespace: "prod".into(),
    };
    let key = FingerprintKey::new([1; 32]);
    compose(
        catalog,
        &loaded.config,
        Context {
            instance: &instance,
            key: &key,
            served: &[],
        },
    )
}

fn find<'a>(set: &'a DesiredSet, short: &str) -> &'a DesiredObject {
    set.objects()
        .map(|(_, object)| object)
        .find(|object| object.key.short() == short)
        .unwrap()
}

fn body(set: &DesiredSet, short: &str) -> Value {
    find(set, short).body.value().unwrap()
}

fn config_map(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

fn deployment(name: &str, pods: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
           "spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}},
                    "template": {"metadata": {"labels": {"app": name}}, "spec": pods}}})
}

#[test]
fn objects_get_namespace_labels_and_a_stage_after_their_namespace() {
    let catalog = catalog(&json!({}), &[config_map("settings", &json!({"a": "1"}))]);
    let set = composed(&catalog, "namespace: prod\n").unwrap();
    let settings = body(&set, "ConfigMap/settings");
    assert_eq!(settings["metadata"]["namespace"], "prod");
    assert_eq!(
        settings["metadata"]["labels"]["jsorc.dev/instance"],
        "prod.jsorc"
    );
    assert_eq!(find(&set, "Namespace/prod").mode, WriteMode::Ensure);
    assert_eq!(
        (
            find(&set, "Namespace/prod").stage,
            find(&set, "ConfigMap/settings").stage
        ),
        (0, 1)
    );
    assert_eq!(body(&set, "Namespace/prod")["metadata"].get("labels"), None);
}

#[test]
fn a_kind_of_the_same_name_in_another_group_is_another_kind() {
    let mut theirs = config_map("settings", &json!({"a": "1"}));
    theirs["apiVersion"] = "demo.dev/v1".into();
    theirs["extra"] = json!({"b": "2"});
    let ours = config_map("settings", &json!({"a": "1"}));
    let catalog = catalog(&json!({}), &[theirs, ours]);
    let set = composed(&catalog, "namespace: prod\n").unwrap();
    let keys: Vec<_> = set
        .objects()
        .map(|(_, object)| object)
        .filter(|object| &*object.key.kind == "ConfigMap")
        .map(|object| (&*object.key.group, object.body.value().unwrap()))
        .collect();
    assert_eq!(keys.len(), 2);
    for (group, body) in keys {
        let other = group == "demo.dev";
        assert_eq!(
            body["apiVersion"] == "demo.dev/v1",
            other,
            "{group}: {body}"
        );
        assert_eq!(body.get("extra").is_some(), other, "{group}: {body}");
    }
}

#[test]
fn a_bare_pod_comes_after_what_it_reads() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"},
        "spec": {"containers": [{"name": "c", "image": "c:1",
            "envFrom": [{"configMapRef": {"name": "settings"}}]}]}});
    let settings = config_map("settings", &json!({"a": "1"}));
    let set = composed(&catalog(&json!({}), &[pod, settings]), "namespace: prod\n").unwrap();
    let after = &find(&set, "Pod/one").after;
    let names: Vec<String> = after.iter().map(|first| first.key.short()).collect();
    assert_eq!(names, ["ConfigMap/settings", "Namespace/prod"]);
}

#[test]
fn a_changed_config_map_rolls_its_readers_and_nobody_else() {
    let reader = deployment(
        "reader",
        &json!({"volumes": [{"name": "v", "configMap": {"name": "settings"}}], "containers": []}),
    );
    let other = deployment("other", &json!({"containers": []}));
    let hash = |value: &str| {
        let catalog = catalog(
            &json!({}),
            &[
                config_map("settings", &json!({"a": value})),
                reader.clone(),
                other.clone(),
            ],
        );
        let set = composed(&catalog, "").unwrap();
        assert!(
            body(&set, "Deployment/other")["spec"]["template"]["metadata"]
                .get("annotations")
                .is_none()
        );
        body(&set, "Deployment/reader")["spec"]["template"]["metadata"]["annotations"]["jsorc.dev/config"].clone()
    };
    assert_ne!(hash("1"), hash("2"));
    assert_eq!(hash("1"), hash("1"));
}

#[test]
fn an_autoscaler_of_the_table_owns_the_replicas() {
    let scaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 3}});
    let catalog = catalog(
        &json!({}),
        &[deployment("web", &json!({"containers": []})), scaler],
    );
    let set = composed(&catalog, "").unwrap();
    assert_eq!(body(&set, "Deployment/web")["spec"].get("replicas"), None);
    assert_eq!(find(&set, "Deployment/web").ignored.len(), 1);
    assert!(find(&set, "HorizontalPodAutoscaler/web").stage > find(&set, "Deployment/web").stage);
}

fn secret_service() -> Catalog {
    let parameters = json!({"parameters": {"password": {"type": "secret", "generate": 24}}});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "auth"}, "stringData": {"password": "$g{password}"}});
    catalog(&parameters, &[secret])
}

#[test]
fn a_generated_secret_is_made_once_and_a_given_one_is_applied_as_data() {
    let set = composed(&secret_service(), "").unwrap();
    let made = find(&set, "Secret/auth");
    assert!(matches!(&made.mode, WriteMode::Generate(list) if list[0].length == 24));
    let given = composed(
        &secret_service(),
        "services: {app: {parameters: {password: hunter2}}}\n",
    )
    .unwrap();
    assert_eq!(find(&given, "Secret/auth").mode, WriteMode::Apply);
    assert_eq!(
        body(&given, "Secret/auth")["data"]["password"],
        "aHVudGVyMg=="
    );
    assert_eq!(body(&given, "Secret/auth").get("stringData"), None);
}

#[test]
fn patches_images_and_ignored_fields_come_in() {
    let catalog = catalog(
        &json!({}),
        &[deployment(
            "web",
            &json!({"containers": [{"name": "web", "image": "web:1"}]}),
        )],
    );
    let set = composed(
        &catalog,
        "
images: {rewrite: {docker.io: 'mirror:5000'}, pullSecrets: [login]}
services:
  app:
    patches: [{target: Deployment/web, merge: {spec: {replicas: 5, paused: true}}}]
    ignore: [{kind: Deployment, path: spec.paused}]
",
    )
    .unwrap();
    let web = body(&set, "Deployment/web");
    assert_eq!(web["spec"]["replicas"], 5);
    assert_eq!(web["spec"].get("paused"), None);
    assert_eq!(
        web["spec"]["template"]["spec"]["containers"][0]["image"],
        "mirror:5000/library/web:1"
    );
    assert_eq!(
        web["spec"]["template"]["spec"]["imagePullSecrets"],
        json!([{"name": "login"}])
    );
}

#[test]
fn a_patch_without_a_target_names_the_nearest_object() {
    let catalog = catalog(&json!({}), &[deployment("web", &json!({"containers": []}))]);
    let Err(Problems(problems)) = composed(
        &catalog,
        "services: {app: {patches: [{target: Deployment/wbe, merge: {}}]}}\n",
    ) else {
        panic!("it composed")
    };
    assert_eq!(
        problems[0].to_string(),
        "services.app.patches[0]: no object of app is `Deployment/wbe`"
    );
    assert_eq!(
        problems[0].hint.as_deref(),
        Some("did you mean `Deployment/web`?")
    );
}

#[test]
fn names_that_do_not_fit_a_url_are_refused_after_filling() {
    let parameters = json!({"parameters": {"who": {"type": "string", "default": "../secrets/x"}}});
    let catalog = catalog(&parameters, &[config_map("$g{who}", &json!({}))]);
    assert!(composed(&catalog, "").is_err());
}

#[test]
fn what_a_workload_needs_comes_first() {
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web"}});
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "web"}});
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "web"},
        "roleRef": {"kind": "Role", "name": "web"}, "subjects": [{"kind": "ServiceAccount", "name": "web"}]});
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}}});
    let mut web = deployment(
        "web",
        &json!({"serviceAccountName": "web", "containers": []}),
    );
    web["metadata"]["annotations"] = json!({"jsorc.dev/after": "StatefulSet/db"});
    let mut db = deployment("db", &json!({"containers": []}));
    db["kind"] = "StatefulSet".into();
    let set = composed(
        &catalog(&json!({}), &[web, db, service, binding, role, account]),
        "",
    )
    .unwrap();
    let stage = |short: &str| find(&set, short).stage;
    assert!(
        stage("RoleBinding/web") > stage("Role/web")
            && stage("RoleBinding/web") > stage("ServiceAccount/web")
    );
    for first in ["RoleBinding/web", "Service/web", "StatefulSet/db"] {
        assert!(stage("Deployment/web") > stage(first), "{first}");
    }
    let after = &find(&set, "Deployment/web").after;
    let db = after
        .iter()
        .find(|p| &*p.key.kind == "StatefulSet")
        .unwrap();
    assert_eq!(db.need, Need::Current);
}

#[test]
fn services_that_are_not_kept_alive_want_nothing() {
    let catalog = catalog(&json!({}), &[config_map("settings", &json!({}))]);
    let set = composed(&catalog, "keep_alive: []\n").unwrap();
    assert_eq!(set.objects().count(), 0);
    assert!(!set.services[0].kept);
}

#[test]
fn the_embedded_services_compose_in_any_namespace() {
    let catalog = crate::embedded::catalog().unwrap();
    let set = composed(&catalog, "namespace: somewhere-else\n").unwrap();
    for (service, object) in set.objects() {
        if let Some(namespace) = &object.key.namespace {
            assert_eq!(
                &**namespace, "somewhere-else",
                "{} of {}",
                object.key, service.name
            );
        }
        assert!(
            !object.body.text().contains("$g{") && !object.body.text().contains("$j{"),
            "{}",
            object.key
        );
        assert!(
            !object.body.text().contains("\"namespace\":\"default\""),
            "{}",
            object.key
        );
    }
    let kept: Vec<&str> = set
        .services
        .iter()
        .filter(|s| s.kept)
        .map(|s| &*s.name)
        .collect();
    assert_eq!(kept, ["mail", "promon", "redis", "task"]);
}

#[test]
fn what_is_composed_as_text_is_what_taking_it_apart_gives() {
    let mut settings = config_map("settings", &json!({"a": "1", "b\"": "é\n\u{1}"}));
    settings["metadata"]["labels"] = json!({"app": "x"});
    settings["metadata"]["annotations"] = json!({"why": "because"});
    settings["immutable"] = json!(true);
    let documents = [settings, config_map("bare", &json!({}))];
    let catalog = catalog(&json!({}), &documents);
    let text = composed(&catalog, "namespace: prod\n").unwrap();
    // A rule about a field of one of them has all of them taken apart.
    let rule = "services: {app: {ignore: [{kind: ConfigMap, name: none, path: data.x}]}}\n";
    let tree = composed(&catalog, rule).unwrap();
    for name in ["ConfigMap/settings", "ConfigMap/bare"] {
        let (text, tree) = (find(&text, name), find(&tree, name));
        assert_eq!(
            text.body.text().replace("prod", "default"),
            tree.body.text().replace("prod", "default")
        );
        assert_eq!(text.key.name, tree.key.name);
        assert_eq!(text.after.len(), tree.after.len());
    }
    let key = FingerprintKey::new([1; 32]);
    let digest = find(&text, "ConfigMap/settings").digest;
    assert_eq!(digest, key.of(&body(&text, "ConfigMap/settings")));
}
