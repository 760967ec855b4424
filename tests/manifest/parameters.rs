//! Parameters that are declared wrongly.

use super::refused_settings;

#[test]
fn parameter_without_type() {
    refused_settings(
        r"driver: none
parameters:
  size: {default: 1}
",
        r"error: services/web/service.yaml:3:3: parameter `size` has no type
  |
3 |   size: {default: 1}
  |   ^^^^
hint: known: string, int, bool, quantity, duration, enum, list, map, secret",
    );
}

#[test]
fn parameter_type_with_a_slip() {
    refused_settings(
        r"driver: none
parameters:
  size: {type: sting, default: x}
",
        r"error: services/web/service.yaml:3:16: unknown type `sting`
  |
3 |   size: {type: sting, default: x}
  |                ^^^^^
hint: did you mean `string`?",
    );
}

#[test]
fn parameter_named_as_built_in() {
    refused_settings(
        r"driver: none
parameters:
  namespace: {type: string, default: x}
",
        r"error: services/web/service.yaml:3:3: `namespace` is built in and cannot be declared
  |
3 |   namespace: {type: string, default: x}
  |   ^^^^^^^^^
hint: take another name",
    );
}

#[test]
fn parameter_with_a_dash() {
    refused_settings(
        r"driver: none
parameters:
  storage-class: {type: string, default: x}
",
        r"error: services/web/service.yaml:3:3: parameter `storage-class` must be lower case letters, digits and single `_`, beginning with a letter
  |
3 |   storage-class: {type: string, default: x}
  |   ^^^^^^^^^^^^^",
    );
}

#[test]
fn default_of_another_type() {
    refused_settings(
        r"driver: none
parameters:
  tag: {type: string, default: 8.2}
",
        r"error: services/web/service.yaml:3:32: the default does not fit: expected a string, found a fraction
  |
3 |   tag: {type: string, default: 8.2}
  |                                ^^^
hint: put it in quotes",
    );
}

#[test]
fn default_that_is_no_quantity() {
    refused_settings(
        r"driver: none
parameters:
  size: {type: quantity, default: 1GB}
",
        r"error: services/web/service.yaml:3:35: the default does not fit: `1GB` is no quantity (write 256Mi, 500m or 2)
  |
3 |   size: {type: quantity, default: 1GB}
  |                                   ^^^",
    );
}

#[test]
fn default_below_the_minimum() {
    refused_settings(
        r"driver: none
parameters:
  size: {type: int, min: 3, default: 1}
",
        r"error: services/web/service.yaml:3:38: the default does not fit: 1 is below the minimum 3
  |
3 |   size: {type: int, min: 3, default: 1}
  |                                      ^",
    );
}

#[test]
fn default_not_among_the_values() {
    refused_settings(
        r"driver: none
parameters:
  mode: {type: enum, values: [a, b], default: c}
",
        r"error: services/web/service.yaml:3:47: the default does not fit: expected one of a, b
  |
3 |   mode: {type: enum, values: [a, b], default: c}
  |                                               ^",
    );
}

#[test]
fn enum_without_values() {
    refused_settings(
        r"driver: none
parameters:
  mode: {type: enum}
",
        r"error: services/web/service.yaml:3:3: enum `mode` has no `values`
  |
3 |   mode: {type: enum}
  |   ^^^^
hint: write values: [a, b]",
    );
}

#[test]
fn secret_with_a_default() {
    refused_settings(
        r"driver: none
parameters:
  password: {type: secret, default: hunter2}
",
        r"error: services/web/service.yaml:3:28: a secret has no default
hint: leave `default` out, and let it be made by `generate: 24` or given by configuration",
    );
}

#[test]
fn generate_for_a_string() {
    refused_settings(
        r"driver: none
parameters:
  name: {type: string, generate: 8}
",
        r"error: services/web/service.yaml:3:24: `generate` belongs to a secret only
  |
3 |   name: {type: string, generate: 8}
  |                        ^^^^^^^^",
    );
}

#[test]
fn generated_secret_too_short() {
    refused_settings(
        r"driver: none
parameters:
  password: {type: secret, generate: 4}
",
        r"error: services/web/service.yaml:3:38: a generated secret has 8 to 1024 characters
  |
3 |   password: {type: secret, generate: 4}
  |                                      ^",
    );
}

#[test]
fn minimum_above_the_maximum() {
    refused_settings(
        r"driver: none
parameters:
  size: {type: int, min: 5, max: 3}
",
        r"error: services/web/service.yaml:3:26: `min` is above `max`
  |
3 |   size: {type: int, min: 5, max: 3}
  |                          ^",
    );
}
