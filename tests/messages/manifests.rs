//! Manifests that are refused. More of each class is in `tests/manifest`, without the binary.

use super::{CANARY, refused};
use crate::support::Jsorc;

const SETTINGS: &str =
    "driver: none\nparameters: {memory: {type: quantity, default: 64Mi}, word: {type: secret}}\n";

/// Lints a service of one manifest.
#[track_caller]
fn manifest(input: &str, text: &str, message: &str) {
    let jsorc = Jsorc::alone("manifests")
        .services(&[("web/service.yaml", SETTINGS), ("web/kube/web.yaml", text)])
        .set("JSORC_SERVICES__WEB__PARAMETERS__WORD", CANARY);
    refused(input, &jsorc, &["render"], 2, message);
}

#[test]
fn yaml_that_means_something_else_than_it_looks_like() {
    manifest(
        "a bracket that is not closed",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a\n",
        "error: services/web/kube/web.yaml:3:11: not readable as YAML: unclosed bracket '{'
  |
3 | metadata: {name: a
  |           ^",
    );
    manifest(
        "a tab in the indentation",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: a\n",
        "error: services/web/kube/web.yaml:4:2: not readable as YAML: tabs disallowed within this context (block indentation)
  |
4 | 	name: a
  | 	^",
    );
    manifest(
        "a key given twice",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  name: b\n",
        "error: services/web/kube/web.yaml:5:3: key `name` is given twice
  |
5 |   name: b
  |   ^^^^ first on line 4",
    );
    manifest(
        "a number where Kubernetes wants text",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {port: 8080}\n",
        "error: services/web/kube/web.yaml:4:14: `data.port` must be a string, found a number
  |
4 | data: {port: 8080}
  |              ^^^^
hint: put it in quotes",
    );
    manifest(
        "file permissions that are not octal",
        "apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers: [{name: a, image: \"a:1\", volumeMounts: [{name: a, mountPath: /a}]}]
  volumes: [{name: a, secret: {secretName: a, optional: true, defaultMode: 644}}]
",
        "error: services/web/kube/web.yaml:6:76: `defaultMode` 644 is 01204, more than 0777
  |
6 |   volumes: [{name: a, secret: {secretName: a, optional: true, defaultMode: 644}}]
  |                                                                            ^^^
hint: octal begins with a zero: write `0644`",
    );
}

#[test]
fn objects_that_no_cluster_takes() {
    manifest(
        "no kind",
        "apiVersion: v1\nmetadata: {name: a}\n",
        "error: services/web/kube/web.yaml:1:1: `kind` is missing
  |
1 | apiVersion: v1
  | ^^^^^^^^^^^^^^",
    );
    manifest(
        "a name with capitals",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Web}\n",
        "error: services/web/kube/web.yaml:3:18: name `Web` must be lower case letters, digits, `-` and `.`, beginning and ending with a letter or digit
  |
3 | metadata: {name: Web}
  |                  ^^^",
    );
    manifest(
        "an API version that is gone",
        "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: web}\n",
        "error: services/web/kube/web.yaml:1:13: Kubernetes 1.22 removed Ingress of extensions/v1beta1
  |
1 | apiVersion: extensions/v1beta1
  |             ^^^^^^^^^^^^^^^^^^
hint: write `apiVersion: networking.k8s.io/v1` and check the fields that changed",
    );
    manifest(
        "a Secret whose data is not base64",
        &format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\ndata: {{password: {CANARY}}}\n"
        ),
        "error: services/web/kube/web.yaml:4:18: `data.password` is not base64
hint: write plain text under `stringData`",
    );
    manifest(
        "the same object twice",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        "error: services/web/kube/web.yaml:7:18: ConfigMap `a` is there twice
  |
7 | metadata: {name: a}
  |                  ^ first in services/web/kube/web.yaml:3:18",
    );
}

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: LABEL}}
    spec:
      containers:
      - name: web
        image: web:1
        envFrom: [{configMapRef: {name: MAP}}]
        ports: [{name: http, containerPort: 80}, {name: PORT, containerPort: 81}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
";

#[test]
fn objects_that_do_not_fit_each_other() {
    let deployment = |label: &str, map: &str, port: &str| {
        DEPLOYMENT
            .replace("LABEL", label)
            .replace("MAP", map)
            .replace("PORT", port)
    };
    manifest(
        "a selector that no pod has",
        &deployment("wed", "web", "admin"),
        "error: services/web/kube/web.yaml:5:3: the selector of Deployment `web` does not match its own pods
  |
5 |   selector: {matchLabels: {app: web}}
  |   ^^^^^^^^
hint: spec.template.metadata.labels are {app: wed}",
    );
    manifest(
        "a ConfigMap that is not there",
        &deployment("web", "wbe", "admin"),
        "error: services/web/kube/web.yaml:12:41: no ConfigMap `wbe` in any service here
   |
12 |         envFrom: [{configMapRef: {name: wbe}}]
   |                                         ^^^
hint: did you mean `web`?",
    );
    manifest(
        "a port name given twice",
        &deployment("web", "web", "http"),
        "error: services/web/kube/web.yaml:13:57: port `http` is there twice
   |
13 |         ports: [{name: http, containerPort: 80}, {name: http, containerPort: 81}]
   |                                                         ^^^^ first on line 13",
    );
    manifest("everything at once", &deployment("wed", "wbe", "http"), "error: services/web/kube/web.yaml:5:3: the selector of Deployment `web` does not match its own pods
  |
5 |   selector: {matchLabels: {app: web}}
  |   ^^^^^^^^
hint: spec.template.metadata.labels are {app: wed}

error: services/web/kube/web.yaml:12:41: no ConfigMap `wbe` in any service here
   |
12 |         envFrom: [{configMapRef: {name: wbe}}]
   |                                         ^^^
hint: did you mean `web`?

error: services/web/kube/web.yaml:13:57: port `http` is there twice
   |
13 |         ports: [{name: http, containerPort: 80}, {name: http, containerPort: 81}]
   |                                                         ^^^^ first on line 13

error: 3 problems, nothing was done");
}

#[test]
fn placeholders_that_lead_nowhere() {
    let map = |value: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  memory: {value}\n"
        )
    };
    manifest(
        "a parameter that nobody declared",
        &map("$g{memroy}"),
        "error: services/web/kube/web.yaml:5:11: unknown parameter `memroy`
  |
5 |   memory: $g{memroy}
  |           ^^^^^^^^^^ not declared in services/web/service.yaml
hint: did you mean `memory`?",
    );
    manifest(
        "a field of an object that is not there",
        &map("$j{Service[\"web\"].metadata.name}"),
        r#"error: services/web/kube/web.yaml:5:11: no Service `web` in this service
  |
5 |   memory: $j{Service["web"].metadata.name}
  |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#,
    );
    manifest(
        "a secret parameter outside a Secret",
        &map("$g{word}"),
        "error: services/web/kube/web.yaml:5:11: the secret `word` is used outside of a Secret
  |
5 |   memory: $g{word}
  |           ^^^^^^^^
hint: put it into the `stringData` of a Secret, and read that with `secretKeyRef`",
    );
}
