//! Secret parameters in the wrong place.

use super::refused_service;

#[test]
fn secret_outside_of_a_secret() {
    refused_service(
        r"driver: none
parameters:
  password: {type: secret, generate: 24}
",
        r#"apiVersion: v1
kind: Secret
metadata: {name: s}
stringData:
  password: $g{password}
---
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      image: a:1
      env:
        - {name: P, value: "$g{password}"}
"#,
        r#"error: services/web/kube/web.yaml:15:29: the secret `password` is used outside of a Secret
   |
15 |         - {name: P, value: "$g{password}"}
   |                             ^^^^^^^^^^^^
hint: put it into the `stringData` of a Secret, and read that with `secretKeyRef`"#,
    );
}

#[test]
fn secret_taken_by_a_field_reference() {
    refused_service(
        r"driver: none
parameters:
  password: {type: secret, generate: 24}
",
        r#"apiVersion: v1
kind: Secret
metadata: {name: s}
stringData:
  password: $g{password}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  url: redis://:$j{Secret["s"].stringData.password}@redis
"#,
        r#"error: services/web/kube/web.yaml:11:8: the secret `password` is used outside of a Secret
   |
11 |   url: redis://:$j{Secret["s"].stringData.password}@redis
   |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
hint: put it into the `stringData` of a Secret, and read that with `secretKeyRef`"#,
    );
}

#[test]
fn secret_in_the_name_of_a_secret() {
    refused_service(
        r"driver: none
parameters:
  password: {type: secret, generate: 24}
",
        r"apiVersion: v1
kind: Secret
metadata: {name: s}
stringData:
  password: $g{password}
---
apiVersion: v1
kind: Secret
metadata:
  name: x-$g{password}
",
        r"error: services/web/kube/web.yaml:10:11: the secret `password` is used outside of a Secret
   |
10 |   name: x-$g{password}
   |           ^^^^^^^^^^^^
hint: put it into the `stringData` of a Secret, and read that with `secretKeyRef`",
    );
}

#[test]
fn generated_secret_as_base64() {
    refused_service(
        r"driver: none
parameters:
  password: {type: secret, generate: 24}
",
        r"apiVersion: v1
kind: Secret
metadata: {name: s}
data:
  password: $g{password}
",
        r"error: services/web/kube/web.yaml:5:13: `data` is base64, the generated secret `password` is not
  |
5 |   password: $g{password}
  |             ^^^^^^^^^^^^
hint: write it under `stringData`",
    );
}

#[test]
fn generated_secret_in_two_places() {
    refused_service(
        r"driver: none
parameters:
  password: {type: secret, generate: 24}
",
        r"apiVersion: v1
kind: Secret
metadata: {name: s}
stringData:
  password: $g{password}
---
apiVersion: v1
kind: Secret
metadata: {name: t}
stringData:
  password: $g{password}
",
        r"error: services/web/kube/web.yaml:9:18: the generated secret `password` is in two Secrets
  |
9 | metadata: {name: t}
  |                  ^
hint: keep it in one, so that one of them cannot be lost alone",
    );
}

#[test]
fn generated_secret_that_nobody_uses() {
    refused_service(
        r"driver: none
parameters:
  password: {type: secret, generate: 24}
",
        r"apiVersion: v1
kind: Secret
metadata: {name: s}
",
        r"error: services/web/service.yaml:3:3: no manifest uses the parameter `password`
  |
3 |   password: {type: secret, generate: 24}
  |   ^^^^^^^^
hint: write `$g{password}` in a Secret",
    );
}
