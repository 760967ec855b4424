//! The intruder: raw requests under any manager's name.

use http::{Method, Request};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::{Value, json};

use super::world::{Kind, name};
use crate::support::Cluster;

/// Someone with all rights in one namespace.
pub struct Actor {
    client: Client,
    namespace: String,
    runtime: tokio::runtime::Runtime,
}

/// One object.
pub struct Target {
    pub kind: Kind,
    pub name: String,
    /// jsorc's own manager name.
    pub ours: String,
    path: String,
}

/// Who the intruder says it is, unless a case says otherwise.
pub const INTRUDER: &str = "intruder";

impl Actor {
    pub fn new(cluster: &Cluster, namespace: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        // A test may be the first of the process to use TLS.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let file = Kubeconfig::read_from(cluster.kubeconfig()).unwrap();
        let client = runtime.block_on(async {
            let options = KubeConfigOptions::default();
            let config = Config::from_custom_kubeconfig(file, &options)
                .await
                .unwrap();
            Client::try_from(config).unwrap()
        });
        Self {
            client,
            namespace: namespace.to_owned(),
            runtime,
        }
    }

    pub fn target(&self, kind: Kind, number: usize) -> Target {
        let version = kind.api_version();
        let root = if version == "v1" { "api" } else { "apis" };
        let name = name(number);
        Target {
            kind,
            path: format!(
                "/{root}/{version}/namespaces/{}/{}/{name}",
                self.namespace,
                kind.plural()
            ),
            name,
            ours: format!("jsorc.{}.it", self.namespace),
        }
    }

    pub fn get(&self, target: &Target) -> Option<Value> {
        self.send(&Method::GET, &target.path, "application/json", Vec::new())
            .ok()
    }

    /// The object as it is; a case that begins has one.
    pub fn live(&self, target: &Target) -> Value {
        self.get(target).unwrap()
    }

    /// Changes fields, as `kubectl patch` and most controllers do.
    pub fn merge(&self, target: &Target, patch: &Value) {
        self.patch_as(INTRUDER, target, "application/merge-patch+json", "", patch);
    }

    /// The same, but lists are merged by their keys.
    pub fn strategic(&self, target: &Target, patch: &Value) {
        let kind = "application/strategic-merge-patch+json";
        self.patch_as(INTRUDER, target, kind, "", patch);
    }

    /// A JSON patch.
    pub fn json(&self, target: &Target, patch: &Value) {
        self.patch_as(INTRUDER, target, "application/json-patch+json", "", patch);
    }

    /// A merge patch under another manager's name.
    pub fn merge_as(&self, manager: &str, target: &Target, patch: &Value) {
        self.patch_as(manager, target, "application/merge-patch+json", "", patch);
    }

    /// A server-side apply.
    pub fn apply(&self, manager: &str, target: &Target, fields: &Value) {
        let mut body = json!({"apiVersion": target.kind.api_version(), "kind": target.kind.name(),
            "metadata": {"name": target.name}});
        for (field, value) in fields.as_object().unwrap() {
            if field == "metadata" {
                let wanted = body["metadata"].as_object_mut().unwrap();
                wanted.extend(value.as_object().unwrap().clone());
            } else {
                body[field] = value.clone();
            }
        }
        let uri = format!("{}?fieldManager={manager}&force=true", target.path);
        self.must(&Method::PATCH, &uri, "application/apply-patch+yaml", &body);
    }

    /// A patch of a subresource.
    pub fn patch_part(&self, target: &Target, part: &str, patch: &Value) {
        self.patch_as(
            INTRUDER,
            target,
            "application/merge-patch+json",
            part,
            patch,
        );
    }

    /// Replaces the object, or a part of it.
    pub fn put(&self, target: &Target, part: &str, object: &Value) {
        let uri = format!("{}{part}?fieldManager={INTRUDER}", target.path);
        self.must(&Method::PUT, &uri, "application/json", object);
    }

    /// Reads, edits and replaces, as `kubectl edit` does.
    pub fn edit(&self, target: &Target, edit: impl Fn(&mut Value)) {
        for _ in 0..10 {
            let mut object = self.live(target);
            edit(&mut object);
            let uri = format!("{}?fieldManager={INTRUDER}", target.path);
            let body = object.to_string().into_bytes();
            if self
                .send(&Method::PUT, &uri, "application/json", body)
                .is_ok()
            {
                return;
            }
        }
        panic!("{} changes all the time", target.path);
    }

    pub fn delete(&self, target: &Target) {
        self.must(
            &Method::DELETE,
            &target.path,
            "application/json",
            &json!({}),
        );
    }

    /// Makes an object of the target's name, at most as soon as there is none.
    pub fn create(&self, target: &Target, object: &Value) {
        let collection = target.path.rsplit_once('/').unwrap().0;
        let uri = format!("{collection}?fieldManager={INTRUDER}");
        let _ = self.send(
            &Method::POST,
            &uri,
            "application/json",
            object.to_string().into_bytes(),
        );
    }

    /// The path of the object under another version of its group.
    pub fn as_version(target: &Target, version: &str) -> Target {
        Target {
            kind: target.kind,
            name: target.name.clone(),
            ours: target.ours.clone(),
            path: target.path.replacen(target.kind.api_version(), version, 1),
        }
    }

    fn patch_as(&self, manager: &str, target: &Target, kind: &str, part: &str, patch: &Value) {
        let uri = format!("{}{part}?fieldManager={manager}", target.path);
        self.must(&Method::PATCH, &uri, kind, patch);
    }

    fn must(&self, method: &Method, uri: &str, kind: &str, body: &Value) -> Value {
        let sent = self.send(method, uri, kind, body.to_string().into_bytes());
        sent.unwrap_or_else(|why| panic!("{method} {uri}: {why}"))
    }

    fn send(&self, method: &Method, uri: &str, kind: &str, body: Vec<u8>) -> Result<Value, String> {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header("content-type", kind)
            .body(body)
            .unwrap();
        let answer = self.runtime.block_on(self.client.request::<Value>(request));
        answer.map_err(|error| error.to_string())
    }
}
