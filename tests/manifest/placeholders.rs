//! Placeholders that cannot be filled.

use super::{refused_kube, refused_service};

#[test]
fn parameter_with_a_slip() {
    refused_service(
        r"driver: none
parameters:
  memory: {type: quantity, default: 256Mi}
",
        r"apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  memory: $g{memory}
  other: $g{memroy}
",
        r"error: services/web/kube/web.yaml:6:10: unknown parameter `memroy`
  |
6 |   other: $g{memroy}
  |          ^^^^^^^^^^ not declared in services/web/service.yaml
hint: did you mean `memory`?",
    );
}

#[test]
fn parameter_with_a_slip_in_a_block() {
    refused_service(
        r"driver: none
parameters:
  memory: {type: quantity, default: 256Mi}
",
        r"apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  memory: $g{memory}
  conf: |
    first line
    maxmemory $g{memroy}
",
        r"error: services/web/kube/web.yaml:8:15: unknown parameter `memroy`
  |
8 |     maxmemory $g{memroy}
  |               ^^^^^^^^^^ not declared in services/web/service.yaml
hint: did you mean `memory`?",
    );
}

#[test]
fn placeholder_that_is_not_closed() {
    refused_service(
        r"driver: none
parameters:
  memory: {type: quantity, default: 256Mi}
",
        r"apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  memory: $g{memory}
  x: a $g{memory
",
        r"error: services/web/kube/web.yaml:6:8: `$g{` is not closed by `}`
  |
6 |   x: a $g{memory
  |        ^^^
hint: a literal is written `$$g{` or `$$j{`",
    );
}

#[test]
fn placeholder_with_a_default() {
    refused_service(
        r"driver: none
parameters:
  memory: {type: quantity, default: 256Mi}
",
        r"apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  memory: $g{memory}
  x: $g{memory:1Gi}
",
        r"error: services/web/kube/web.yaml:6:6: `memory:1Gi` is no parameter name
  |
6 |   x: $g{memory:1Gi}
  |      ^^^^^^^^^^^^^^
hint: a literal is written `$$g{` or `$$j{`",
    );
}

#[test]
fn field_of_a_missing_object() {
    refused_kube(
        r#"apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  x: $j{Service["web"].metadata.name}
"#,
        r#"error: services/web/kube/web.yaml:5:6: no Service `web` in this service
  |
5 |   x: $j{Service["web"].metadata.name}
  |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#,
    );
}

#[test]
fn field_that_is_not_there() {
    refused_kube(
        r#"apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  x: $j{ConfigMap["a"].data.y}
"#,
        r#"error: services/web/kube/web.yaml:5:6: `ConfigMap["a"].data.y` has no such field
  |
5 |   x: $j{ConfigMap["a"].data.y}
  |      ^^^^^^^^^^^^^^^^^^^^^^^^^"#,
    );
}

#[test]
fn fields_in_a_circle() {
    refused_kube(
        r#"apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  u: $j{ConfigMap["a"].data.v}
  v: $j{ConfigMap["a"].data.u}
"#,
        r#"error: services/web/kube/web.yaml:5:6: a circle of references: ConfigMap["a"].data.v → ConfigMap["a"].data.u → ConfigMap["a"].data.v
  |
5 |   u: $j{ConfigMap["a"].data.v}
  |      ^^^^^^^^^^^^^^^^^^^^^^^^^

error: services/web/kube/web.yaml:6:6: a circle of references: ConfigMap["a"].data.u → ConfigMap["a"].data.v → ConfigMap["a"].data.u
  |
6 |   v: $j{ConfigMap["a"].data.u}
  |      ^^^^^^^^^^^^^^^^^^^^^^^^^"#,
    );
}

#[test]
fn map_inside_a_text() {
    refused_service(
        r"driver: none
parameters:
  limits: {type: map, default: {}}
",
        r"apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  x: limits are $g{limits}
",
        r"error: services/web/kube/web.yaml:5:17: `$g{limits}` is a mapping, which cannot stand inside a text
  |
5 |   x: limits are $g{limits}
  |                 ^^^^^^^^^^
hint: let the placeholder be the whole value",
    );
}

#[test]
fn null_inside_a_text() {
    refused_service(
        r"driver: none
parameters:
  class: {type: string, default: null}
",
        r"apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  x: class $g{class}
",
        r"error: services/web/kube/web.yaml:5:12: `$g{class}` is null, which cannot stand inside a text
  |
5 |   x: class $g{class}
  |            ^^^^^^^^^
hint: let the placeholder be the whole value",
    );
}
