//! What is wanted in the simulation: two services in two namespaces, of several kinds and of every
//! way to be written that matters, in sets that differ.

use super::dice::Dice;
use super::fields::ITEM;
use crate::config::Policy;
use crate::desired::instance::{INSTANCE_LABEL, PART_OF_LABEL};
use crate::desired::{
    DesiredObject, DesiredService, DesiredSet, FingerprintKey, Generated, Instance, Need,
    ObjectBody, ObjectKey, Prerequisite, Resource, WriteMode,
};
use crate::manifest::spec::{Adopt, Conflicts, Foreign, Mode, Prune, Recreate};
use crate::manifest::{Probe, Remedy};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Whose everything is.
pub fn instance() -> Instance {
    Instance {
        name: "jsorc".into(),
        namespace: "prod".into(),
    }
}

/// The key of all hashes.
pub fn fingerprints() -> FingerprintKey {
    FingerprintKey::new([5; 32])
}

/// Where `ConfigMap`s are served.
pub fn config_maps() -> Arc<Resource> {
    resource("", "ConfigMap", "configmaps", true)
}

/// A kind of the core group, or of another one.
pub fn resource(group: &str, kind: &str, plural: &str, namespaced: bool) -> Arc<Resource> {
    Arc::new(Resource {
        group: group.into(),
        version: "v1".into(),
        kind: kind.into(),
        plural: plural.into(),
        namespaced,
    })
}

/// The key of a `ConfigMap` in the namespace of the instance.
pub fn map_key(name: &str) -> ObjectKey {
    ObjectKey::new("", "ConfigMap", Some("prod"), name)
}

/// A `ConfigMap` of service `one`.
pub fn map(name: &str, value: &str, after: &[&str]) -> DesiredObject {
    let after: Vec<ObjectKey> = after.iter().map(|name| map_key(name)).collect();
    object(
        config_maps(),
        "one",
        map_key(name),
        json!({"a": value, "b": "1"}),
        &after,
    )
}

fn object(
    resource: Arc<Resource>,
    service: &str,
    key: ObjectKey,
    data: Value,
    after: &[ObjectKey],
) -> DesiredObject {
    let mut metadata = json!({"name": *key.name,
        "labels": {INSTANCE_LABEL: instance().label(), PART_OF_LABEL: instance().apply_set_id(service)}});
    if let Some(namespace) = &key.namespace {
        metadata["namespace"] = (**namespace).into();
    }
    let mut body = json!({"apiVersion": resource.api_version(), "kind": *resource.kind,
        "metadata": metadata});
    if !data.is_null() {
        body["data"] = data;
    }
    let needs = |key: &ObjectKey| Prerequisite {
        key: key.clone(),
        need: Need::Applied,
    };
    DesiredObject {
        key,
        resource,
        digest: fingerprints().of(&body),
        body: ObjectBody::of(&body),
        mode: WriteMode::Apply,
        after: after.iter().map(needs).collect(),
        stage: 0,
        ignored: Box::default(),
        wants_endpoint: false,
        implied: false,
    }
}

/// A service of these objects.
pub fn service(name: &str, namespace: &str, objects: Vec<DesiredObject>) -> DesiredService {
    let digests = objects
        .iter()
        .map(|object| json!([object.key.to_string(), object.digest.0]));
    let source = fingerprints().of(&digests.collect());
    DesiredService {
        name: name.into(),
        kept: true,
        namespace: namespace.into(),
        driver: "none".into(),
        settings: Map::new(),
        probe: Probe {
            interval: Some(Duration::from_secs(60)),
            ..Probe::default()
        },
        remedy: Remedy::None,
        policy: Policy {
            mode: Mode::Enforce,
            conflicts: Conflicts::Report,
            adopt: Adopt::Never,
            recreate: Recreate::Never,
            prune: Prune::Auto,
            foreign: Foreign::Report,
        },
        depends_on: Vec::new(),
        protect: Vec::new(),
        source: Some(source),
        objects,
    }
}

/// A set of these services.
pub fn set(services: Vec<DesiredService>) -> DesiredSet {
    DesiredSet {
        instance: instance(),
        services,
        enabled: true,
    }
}

/// A set of one service, in the namespace of the instance.
pub fn one(objects: Vec<DesiredObject>) -> DesiredSet {
    set(vec![service("one", "prod", objects)])
}

/// Three `ConfigMap`s, each after the one before.
pub fn three() -> Vec<DesiredObject> {
    vec![
        map("a", "1", &[]),
        map("b", "1", &["a"]),
        map("c", "1", &["b"]),
    ]
}

/// One of the sets that two services can have.
pub fn any(dice: &mut Dice) -> DesiredSet {
    let value = |dice: &mut Dice| ["1", "2", "3"][dice.roll(3)];
    let other = |kind: &str, name: &str| ObjectKey::new("", kind, Some("other"), name);
    let home = ObjectKey::new("", "Namespace", None, "other");
    let (mut first, mut second) = (vec![map("a", value(dice), &[])], Vec::new());
    if dice.chance(700) {
        first.push(map("b", value(dice), &["a"]));
    }
    if dice.chance(600) {
        first.push(secret());
    }
    let namespaces = resource("", "Namespace", "namespaces", false);
    let mut namespace = object(namespaces, "two", home.clone(), Value::Null, &[]);
    namespace.mode = WriteMode::Ensure;
    namespace.implied = true;
    second.push(namespace);
    let widgets = resource("demo.dev", "Widget", "widgets", true);
    let key = ObjectKey::new("demo.dev", "Widget", Some("other"), "w");
    let volumes = json!([{"name": ITEM, "emptyDir": {}}]);
    let data = json!({"size": value(dice), "room": {}, "volumes": volumes});
    let widget = object(
        widgets,
        "two",
        key.clone(),
        data,
        std::slice::from_ref(&home),
    );
    second.push(widget);
    if dice.chance(700) {
        let data = json!({"a": value(dice)});
        let after = [home.clone(), key];
        second.push(object(
            config_maps(),
            "two",
            other("ConfigMap", "c"),
            data,
            &after,
        ));
    }
    if dice.chance(500) {
        // It wanders between the services.
        let (service, to) = [("one", &mut first), ("two", &mut second)]
            .into_iter()
            .nth(dice.roll(2))
            .unwrap();
        let data = json!({"a": value(dice)});
        to.push(object(
            config_maps(),
            service,
            other("ConfigMap", "m"),
            data,
            &[home],
        ));
    }
    let mut two = service("two", "other", second);
    two.depends_on = vec!["one".into()];
    set(vec![service("one", "prod", first), two])
}

/// A Service in front of pods, which no pod of the set is behind.
pub fn front(service: &str, name: &str) -> DesiredObject {
    let key = ObjectKey::new("", "Service", Some("prod"), name);
    let services = resource("", "Service", "services", true);
    DesiredObject {
        wants_endpoint: true,
        ..object(services, service, key, Value::Null, &[])
    }
}

/// A `Deployment`, of which no pod gets ready by itself.
pub fn deployment(name: &str) -> DesiredObject {
    let key = ObjectKey::new("apps", "Deployment", Some("prod"), name);
    let deployments = resource("apps", "Deployment", "deployments", true);
    object(deployments, "one", key, Value::Null, &[])
}

/// The key of the Secret with a made-up value.
pub fn secret_key() -> ObjectKey {
    ObjectKey::new("", "Secret", Some("prod"), "s")
}

/// A Secret with a value that is made up when it is created.
pub fn secret() -> DesiredObject {
    let marker = crate::desired::secret::marker("password");
    let data = json!({"password": marker});
    let secrets = resource("", "Secret", "secrets", true);
    let mut secret = object(secrets, "one", secret_key(), data, &[map_key("a")]);
    secret.mode = WriteMode::Generate(vec![Generated { marker, length: 6 }]);
    secret
}
