//! Labels, annotations, variables and data that are not text.

use super::{refused_kube, refused_service};

#[test]
fn label_that_is_a_number() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  labels: {tier: 1}
",
        r"error: services/web/kube/web.yaml:5:18: label `tier` must be a string, found a number
  |
5 |   labels: {tier: 1}
  |                  ^
hint: put it in quotes",
    );
}

#[test]
fn label_with_a_bad_value() {
    refused_kube(
        r#"apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  labels: {tier: "a b"}
"#,
        r#"error: services/web/kube/web.yaml:5:18: the value of label `tier` must be at most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit
  |
5 |   labels: {tier: "a b"}
  |                  ^^^^^"#,
    );
}

#[test]
fn label_with_a_bad_key() {
    refused_kube(
        r#"apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  labels: {"a/b/c": x}
"#,
        r#"error: services/web/kube/web.yaml:5:12: the key of a label must be at most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit, with a DNS name and `/` before it or not
  |
5 |   labels: {"a/b/c": x}
  |            ^^^^^^^"#,
    );
}

#[test]
fn annotation_that_is_a_bool() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  annotations:
    prometheus.io/scrape: true
",
        r"error: services/web/kube/web.yaml:6:27: annotation `prometheus.io/scrape` must be a string, found a bool
  |
6 |     prometheus.io/scrape: true
  |                           ^^^^
hint: put it in quotes",
    );
}

#[test]
fn annotation_that_is_nothing() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  annotations:
    note:
",
        r"error: services/web/kube/web.yaml:6:9: annotation `note` must be a string, found null
  |
6 |     note:
  |         ^",
    );
}

#[test]
fn label_from_an_int_parameter() {
    refused_service(
        r"driver: none
parameters:
  tier: {type: int, default: 3}
",
        r"apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  labels:
    tier: $g{tier}
",
        r"error: services/web/kube/web.yaml:6:11: label `tier` must be a string, found a number
  |
6 |     tier: $g{tier}
  |           ^^^^^^^^
hint: put it in quotes",
    );
}

#[test]
fn variable_that_is_a_number() {
    refused_kube(
        r"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: a:1
      env:
        - {name: WORKERS, value: 4}
",
        r"error: services/web/kube/web.yaml:9:34: the value of `WORKERS` must be a string, found a number
  |
9 |         - {name: WORKERS, value: 4}
  |                                  ^
hint: put it in quotes",
    );
}

#[test]
fn argument_that_is_a_number() {
    refused_kube(
        r"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: a:1
      args: [--port, 8080]
",
        r"error: services/web/kube/web.yaml:8:22: an item of `args` must be a string, found a number
  |
8 |       args: [--port, 8080]
  |                      ^^^^
hint: put it in quotes",
    );
}

#[test]
fn config_value_that_is_a_bool() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  debug: no
",
        r"error: services/web/kube/web.yaml:5:10: `data.debug` must be a string, found a bool
  |
5 |   debug: no
  |          ^^
hint: put it in quotes",
    );
}

#[test]
fn config_key_with_a_slash() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  a/b: x
",
        r"error: services/web/kube/web.yaml:5:3: the key `a/b` must be letters, digits, `-`, `_` and `.`
  |
5 |   a/b: x
  |   ^^^",
    );
}

#[test]
fn secret_data_that_is_plain() {
    refused_kube(
        r"apiVersion: v1
kind: Secret
metadata: {name: a}
data:
  user: admin!
",
        r"error: services/web/kube/web.yaml:5:9: `data.user` is not base64
hint: write plain text under `stringData`",
    );
}

#[test]
fn secret_value_that_is_a_number() {
    refused_kube(
        r"apiVersion: v1
kind: Secret
metadata: {name: a}
stringData:
  pin: 1234
",
        r"error: services/web/kube/web.yaml:5:8: `stringData.pin` must be a string, found a number
hint: put it in quotes",
    );
}
