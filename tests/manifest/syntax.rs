//! Texts that are no YAML, or YAML that means something else than it looks like.

use super::refused_kube;

#[test]
fn key_twice() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  name: b
",
        r"error: services/web/kube/web.yaml:5:3: key `name` is given twice
  |
5 |   name: b
  |   ^^^^ first on line 4",
    );
}

#[test]
fn key_that_is_a_bool() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  on: x
",
        r"error: services/web/kube/web.yaml:5:3: YAML reads this key as `true`
  |
5 |   on: x
  |   ^^
hint: put it in quotes",
    );
}

#[test]
fn key_that_is_null() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data:
  ~: x
",
        r"error: services/web/kube/web.yaml:5:3: YAML reads this key as null
  |
5 |   ~: x
  |   ^
hint: put it in quotes",
    );
}

#[test]
fn key_that_is_a_list() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata: {name: a}
? [x, y]
: z
",
        r"error: services/web/kube/web.yaml:4:3: a key cannot be a list or a mapping
  |
4 | ? [x, y]
  |   ^",
    );
}

#[test]
fn no_yaml() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata: {name: a
",
        r"error: services/web/kube/web.yaml:3:11: not readable as YAML: unclosed bracket '{'
  |
3 | metadata: {name: a
  |           ^",
    );
}

#[test]
fn placeholder_without_quotes_in_a_flow_mapping() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata: {name: $g{instance}}
",
        r#"error: services/web/kube/web.yaml:3:20: not readable as YAML: while parsing a flow mapping, did not find expected ',' or '}'
  |
3 | metadata: {name: $g{instance}}
  |                    ^
hint: inside {…} or […] a placeholder is put in quotes: "$g{name}""#,
    );
}

#[test]
fn alias_without_anchor() {
    refused_kube(
        r"apiVersion: v1
kind: ConfigMap
metadata: *m
",
        r"error: services/web/kube/web.yaml:3:11: not readable as YAML: alias references unknown anchor
  |
3 | metadata: *m
  |           ^",
    );
}

#[test]
fn infinity() {
    refused_kube(
        r"apiVersion: example.com/v1
kind: Thing
metadata: {name: a}
spec: {ratio: .inf}
",
        r"error: services/web/kube/web.yaml:4:15: not readable as YAML: JSON has no infinity and no nan
  |
4 | spec: {ratio: .inf}
  |               ^^^^",
    );
}

#[test]
fn alias_bomb() {
    refused_kube(
        r"a: &a [x, x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]
e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]
f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]
g: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f, *f]
h: &h [*g, *g, *g, *g, *g, *g, *g, *g, *g, *g]
i: &i [*h, *h, *h, *h, *h, *h, *h, *h, *h, *h]
",
        r"error: services/web/kube/web.yaml:6:12: not readable as YAML: too much of it, too deep, or too many aliases
  |
6 | f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]
  |            ^^",
    );
}

#[test]
fn a_line_of_only_a_tab() {
    let refused = |text: &str, expected: &str| refused_kube(text, expected);
    refused(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n\t\ndata: {x: a}\n",
        "error: services/web/kube/web.yaml:5:1: a tab at the beginning of a line without content
  |
5 | 	
  | ^
hint: remove it: kubectl refuses the file",
    );
    refused(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n\t# said\ndata: {x: a}\n",
        "error: services/web/kube/web.yaml:5:1: a tab at the beginning of a line without content
  |
5 | 	# said
  | ^
hint: remove it: kubectl refuses the file",
    );
    for fine in [
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a,\n\t\n  labels: {}}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: \"a\n\t\n    b\"\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: a\t# said\n",
    ] {
        assert!(super::checked_kube(fine).is_ok(), "{fine:?}");
    }
}
