//! Where credentials come from, and how often they are asked for.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::support::{Cluster, Jsorc, ONE_MAP};

/// The text behind `NAME-data` in a user's entry.
fn decoded(user: &Value, name: &str) -> String {
    let data = user[format!("{name}-data")].as_str().unwrap();
    String::from_utf8(STANDARD.decode(data).unwrap()).unwrap()
}

/// A kubeconfig whose user comes from a program, and the file that gets a line each time it runs.
fn with_a_helper(jsorc: &Jsorc, cluster: &Cluster) -> (std::path::PathBuf, std::path::PathBuf) {
    let view = cluster.kubectl(["config", "view", "--raw", "-o", "json"]);
    let mut kubeconfig: Value = serde_json::from_str(&view).unwrap();
    let user = &mut kubeconfig["users"][0]["user"];
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {
            "clientCertificateData": decoded(user, "client-certificate"),
            "clientKeyData": decoded(user, "client-key"),
        },
    });
    let credential = jsorc.file("credential.json", &credential.to_string());
    let runs = jsorc.file("runs", "");
    let script = format!(
        "echo run >> '{}'; cat '{}'",
        runs.display(),
        credential.display()
    );
    *user = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
        "command": "sh", "args": ["-c", script],
    }});
    (jsorc.file("kube.json", &kubeconfig.to_string()), runs)
}

/// It can take a second, and may ask a person. Reads, writes and watches have connections of their own,
/// and each asked anew.
#[test]
fn a_credential_helper_is_not_run_for_each_connection() {
    let cluster = Cluster::shared();
    let jsorc = Jsorc::on(cluster, "helper").services(ONE_MAP);
    let (kubeconfig, runs) = with_a_helper(&jsorc, cluster);
    let jsorc = jsorc.set("KUBECONFIG", kubeconfig);
    jsorc.run(&["apply"]).expect(0);
    let count = || std::fs::read_to_string(&runs).unwrap().lines().count();
    // Once for TLS, and once to learn that it gives no token.
    assert_eq!(count(), 2);
}
