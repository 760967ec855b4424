//! Restricted users: `ServiceAccounts` of one namespace, so that they work on any cluster.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::kubectl::Kubectl;

const NAMESPACE: &str = "jsorc-test-users";

/// A user who may do nothing but what is bound to it.
pub struct User {
    /// The `ServiceAccount`'s name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its kubeconfig.
    pub kubeconfig: PathBuf,
}

impl User {
    /// Makes the account, asks for a token and writes a kubeconfig with it into the folder.
    pub(super) fn create(admin: &Kubectl, name: &str, folder: &Path) -> Self {
        admin.output(&["create", "namespace", NAMESPACE]);
        admin.output(&["create", "serviceaccount", name, "-n", NAMESPACE]);
        let token = admin.run(&["create", "token", name, "-n", NAMESPACE, "--duration=8h"]);
        let view = admin.run(&[
            "config",
            "view",
            "--raw",
            "--flatten",
            "--minify",
            "-o",
            "json",
        ]);
        let mut config: Value = serde_json::from_str(&view).unwrap();
        config["users"] = json!([{"name": name, "user": {"token": token.trim()}}]);
        config["contexts"][0]["context"]["user"] = json!(name);
        let kubeconfig = folder.join(format!("{name}.kubeconfig"));
        std::fs::write(&kubeconfig, config.to_string()).unwrap();
        Self {
            name: name.to_owned(),
            namespace: NAMESPACE.to_owned(),
            kubeconfig,
        }
    }

    /// How the audit log and the API server name it.
    pub fn subject(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.name)
    }
}
