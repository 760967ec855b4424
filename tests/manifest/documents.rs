//! Documents that are no objects, or objects that no cluster would take.

use super::{refused_files, refused_kube};

#[test]
fn api_version_missing() {
    refused_kube(
        r"kind: ConfigMap
metadata: {name: a}
",
        r"error: services/web/kube/web.yaml:1:1: `apiVersion` is missing
  |
1 | kind: ConfigMap
  | ^^^^^^^^^^^^^^^",
    );
}

#[test]
fn kind_missing() {
    refused_kube(
        r"apiVersion: v1
metadata: {name: a}
",
        r"error: services/web/kube/web.yaml:1:1: `kind` is missing
  |
1 | apiVersion: v1
  | ^^^^^^^^^^^^^^",
    );
}

#[test]
fn name_missing() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata: {labels: {a: b}}
",
        r"error: services/web/kube/web.yaml:1:1: `metadata.name` is missing
  |
1 | apiVersion: v1
  | ^^^^^^^^^^^^^^",
    );
}

#[test]
fn kind_is_a_number() {
    refused_kube(
        r"apiVersion: v1
kind: 5
metadata: {name: a}
",
        r"error: services/web/kube/web.yaml:2:7: `kind` must be a string, found a number
  |
2 | kind: 5
  |       ^
hint: put it in quotes",
    );
}

#[test]
fn name_is_a_bool() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata: {name: on}
",
        r"error: services/web/kube/web.yaml:3:18: `metadata.name` must be a string, found a bool
  |
3 | metadata: {name: on}
  |                  ^^
hint: put it in quotes",
    );
}

#[test]
fn name_is_empty() {
    refused_kube(
        r#"apiVersion: v1
kind: ConfigMap
metadata: {name: ""}
"#,
        r#"error: services/web/kube/web.yaml:3:18: `metadata.name` must be a string, found an empty one
  |
3 | metadata: {name: ""}
  |                  ^^"#,
    );
}

#[test]
fn generated_name() {
    refused_kube(
        r"apiVersion: batch/v1
kind: Job
metadata:
  generateName: job-
",
        r"error: services/web/kube/web.yaml:4:3: `generateName` makes a new object each time
  |
4 |   generateName: job-
  |   ^^^^^^^^^^^^
hint: give it a fixed `name`",
    );
}

#[test]
fn list_of_objects() {
    refused_kube(
        r"apiVersion: v1
kind: List
items: []
",
        r"error: services/web/kube/web.yaml:2:7: a list is no object
  |
2 | kind: List
  |       ^^^^
hint: write its items as documents, with `---` between them",
    );
}

#[test]
fn document_is_a_list() {
    refused_kube(
        r"- a
- b
",
        r"error: services/web/kube/web.yaml:1:1: a document must be a mapping, found a list
  |
1 | - a
  | ^^^",
    );
}

#[test]
fn document_is_text() {
    refused_kube(
        r"just words
",
        r"error: services/web/kube/web.yaml:1:1: a document must be a mapping, found a string
  |
1 | just words
  | ^^^^^^^^^^",
    );
}

#[test]
fn name_in_upper_case() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata:
  name: Web
",
        r"error: services/web/kube/web.yaml:4:9: name `Web` must be lower case letters, digits, `-` and `.`, beginning and ending with a letter or digit
  |
4 |   name: Web
  |         ^^^",
    );
}

#[test]
fn service_name_begins_with_a_digit() {
    refused_kube(
        r"apiVersion: v1
kind: Service
metadata:
  name: 9web
",
        r"error: services/web/kube/web.yaml:4:9: name `9web` must begin with a letter
  |
4 |   name: 9web
  |         ^^^^",
    );
}

#[test]
fn role_name_with_a_slash() {
    refused_kube(
        r"apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: a/b
",
        r"error: services/web/kube/web.yaml:4:9: name `a/b` must be one segment of a URL, without `/` or `%`
  |
4 |   name: a/b
  |         ^^^",
    );
}

#[test]
fn name_with_bad_text_around_a_placeholder() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata:
  name: Web_$g{instance}
",
        r"error: services/web/kube/web.yaml:4:9: name `Web_$g{instance}` must be lower case letters, digits, `-` and `.`, beginning and ending with a letter or digit
  |
4 |   name: Web_$g{instance}
  |         ^^^^^^^^^^^^^^^^",
    );
}

#[test]
fn cron_job_name_too_long() {
    refused_kube(
        r"apiVersion: batch/v1
kind: CronJob
metadata:
  name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
",
        r"error: services/web/kube/web.yaml:4:9: name `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` must be at most 52 characters, not 53
  |
4 |   name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
    );
}

#[test]
fn what_only_the_server_gives() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  creationTimestamp: null
  uid: 0b0f3f3c-8f0e-4d6b-9c70-0f4a0e5f9d11
",
        r"error: services/web/kube/web.yaml:6:8: `metadata.uid` is given by the server
  |
6 |   uid: 0b0f3f3c-8f0e-4d6b-9c70-0f4a0e5f9d11
  |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
hint: remove `uid`",
    );
}

#[test]
fn namespace_of_a_cluster_scoped_object() {
    refused_kube(
        r"apiVersion: v1
kind: Namespace
metadata:
  name: a
  namespace: b
",
        r"error: services/web/kube/web.yaml:5:14: a Namespace is in no namespace
  |
5 |   namespace: b
  |              ^
hint: remove `namespace`",
    );
}

#[test]
fn namespace_is_no_label() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  namespace: B!
",
        r"error: services/web/kube/web.yaml:5:14: namespace `B!` must be lower case letters, digits and `-`, beginning and ending with a letter or digit
  |
5 |   namespace: B!
  |              ^^",
    );
}

#[test]
fn object_twice() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata:
  name: a
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
",
        r"error: services/web/kube/web.yaml:9:9: ConfigMap `a` is there twice
  |
9 |   name: a
  |         ^ first in services/web/kube/web.yaml:4:9",
    );
}

#[test]
fn object_in_two_services() {
    refused_files(
        &[
            (
                "services/web/kube/web.yaml",
                r"apiVersion: v1
kind: ConfigMap
metadata:
  name: a
",
            ),
            (
                "services/cache/kube/cache.yaml",
                r"apiVersion: v1
kind: ConfigMap
metadata: {name: a}
",
            ),
        ],
        r"error: services/web/kube/web.yaml:4:9: ConfigMap `a` is there twice
  |
4 |   name: a
  |         ^ first in services/cache/kube/cache.yaml:3:18",
    );
}
