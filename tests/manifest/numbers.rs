//! Numbers that are not what they look like.

use super::refused_kube;

#[test]
fn leading_zero_that_is_not_octal() {
    refused_kube(
        r#"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers: [{name: a, image: "a:1"}]
  volumes: [{name: v, secret: {secretName: s, optional: true, defaultMode: 0888}}]
"#,
        r"error: services/web/kube/web.yaml:6:76: `0888` looks octal, but is read as 888
  |
6 |   volumes: [{name: v, secret: {secretName: s, optional: true, defaultMode: 0888}}]
  |                                                                            ^^^^
hint: octal digits are 0 to 7",
    );
}

#[test]
fn octal_where_nobody_means_it() {
    refused_kube(
        r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  replicas: 010
  selector: {matchLabels: {a: b}}
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: "a:1"}]}}
"#,
        r#"error: services/web/kube/web.yaml:5:13: `010` is octal, it is read as 8
  |
5 |   replicas: 010
  |             ^^^
hint: write `10`, or `"010"` for text"#,
    );
}

#[test]
fn mode_that_lost_its_zero() {
    refused_kube(
        r#"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers: [{name: a, image: "a:1"}]
  volumes: [{name: v, secret: {secretName: s, optional: true, defaultMode: 644}}]
"#,
        r"error: services/web/kube/web.yaml:6:76: `defaultMode` 644 is 01204, more than 0777
  |
6 |   volumes: [{name: v, secret: {secretName: s, optional: true, defaultMode: 644}}]
  |                                                                            ^^^
hint: octal begins with a zero: write `0644`",
    );
}

#[test]
fn underscores_in_digits() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  x: 1__0
",
        r"error: services/web/kube/web.yaml:5:6: `1__0` is a number to some readers of YAML
  |
5 |   x: 1__0
  |      ^^^^
hint: put it in quotes",
    );
}

#[test]
fn port_that_is_a_fraction() {
    refused_kube(
        r"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: a:1
      ports: [{containerPort: 80.5}]
",
        r"error: services/web/kube/web.yaml:8:31: `containerPort` must be a whole number, found 80.5
  |
8 |       ports: [{containerPort: 80.5}]
  |                               ^^^^",
    );
}

#[test]
fn port_out_of_range() {
    refused_kube(
        r"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: a:1
      ports: [{containerPort: 70000}]
",
        r"error: services/web/kube/web.yaml:8:31: `containerPort` must be from 1 to 65535, found 70000
  |
8 |       ports: [{containerPort: 70000}]
  |                               ^^^^^",
    );
}

#[test]
fn replicas_as_text() {
    refused_kube(
        r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  replicas: "3"
  selector: {matchLabels: {a: b}}
  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: "a:1"}]}}
"#,
        r#"error: services/web/kube/web.yaml:5:13: `replicas` must be a whole number, found a string
  |
5 |   replicas: "3"
  |             ^^^"#,
    );
}
