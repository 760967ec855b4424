//! YAML means what `kubectl` reads; the expected values were taken from it.

use jsorc::manifest::Problem;
use jsorc::manifest::source::Source;
use jsorc::manifest::yaml;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{checked, checked_kube};

fn read(text: &str) -> Vec<Value> {
    let source = Source::new("test.yaml", text);
    let nodes = yaml::parse(&source).unwrap_or_else(|problem| panic!("{problem}"));
    nodes.iter().map(yaml::Node::to_json).collect()
}

#[test]
fn scalars_have_the_types_that_kubectl_gives_them() {
    let rows = [
        ("0644", json!(420)),
        ("-0644", json!(-420)),
        ("0o17", json!(15)),
        ("0o8", json!("0o8")),
        ("0x1F", json!(31)),
        ("0b101", json!(5)),
        ("1_000", json!(1000)),
        ("1e3", json!(1000)),
        ("12e03", json!(12000)),
        ("1e-3", json!(0.001)),
        ("1.0", json!(1)),
        ("5.", json!(5)),
        (".5", json!(0.5)),
        ("+5", json!(5)),
        ("1.5e300", json!(1.5e300)),
        ("9007199254740993", json!(9_007_199_254_740_993_u64)),
        ("on", json!(true)),
        ("y", json!(true)),
        ("Off", json!(false)),
        ("TRUE", json!(true)),
        ("~", json!(null)),
        ("Null", json!(null)),
        ("", json!(null)),
        ("2001-01-01", json!("2001-01-01")),
        ("1:30", json!("1:30")),
        ("\"0644\"", json!("0644")),
        ("'it''s'", json!("it's")),
        ("\"a\\u263a\\tb\"", json!("a☺\tb")),
        ("!!str 5", json!("5")),
        ("!!binary aGk=", json!("hi")),
    ];
    for (text, value) in rows {
        assert_eq!(
            read(&format!("x: {text}\n")),
            [json!({"x": value})],
            "{text}"
        );
    }
}

#[test]
fn blocks_keep_and_fold_their_lines() {
    let text = "a: |\n  x\n   y\nb: >-\n  x\n  y\nc: |+\n  x\n\nd: >\n  folded\n  text\n\n  para\n";
    let value = json!({"a": "x\n y\n", "b": "x y", "c": "x\n\n", "d": "folded text\npara\n"});
    assert_eq!(read(text), [value]);
}

#[test]
fn anchors_and_merge_keys_are_written_out() {
    let text = "base: &m {a: b, c: d}\none: {<<: *m, c: e}\ntwo:\n  <<: [*m, {z: 1, a: q}]\n  w: 2\n\
                three: [*m, *m]\n";
    let value = json!({
        "base": {"a": "b", "c": "d"},
        "one": {"c": "e", "a": "b"},
        "two": {"w": 2, "a": "b", "c": "d", "z": 1},
        "three": [{"a": "b", "c": "d"}, {"a": "b", "c": "d"}],
    });
    assert_eq!(read(text), [value]);
}

#[test]
fn documents_are_told_apart_and_empty_ones_skipped() {
    let text = "# a comment\n---\na: 1\n---\n---\n# nothing\n---\nb: 2\n...\n";
    assert_eq!(read(text), [json!({"a": 1}), json!({"b": 2})]);
    assert_eq!(read(""), Vec::<Value>::new());
}

#[test]
fn byte_order_marks_and_carriage_returns_do_not_show() {
    let text = "\u{feff}a: |\r\n  x\r\n  y\r\nb: 2\r\n---\r\nc: 3\r\n";
    assert_eq!(
        read(text),
        [json!({"a": "x\ny\n", "b": 2}), json!({"c": 3})]
    );
}

#[test]
fn number_keys_are_text() {
    assert_eq!(
        read("8080: a\n\"81\": b\n"),
        [json!({"8080": "a", "81": "b"})]
    );
}

#[test]
fn octal_modes_are_taken() {
    let checked = checked_kube(
        r#"apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers: [{name: a, image: "a:1"}]
  volumes:
    - {name: s, secret: {secretName: s, optional: true, defaultMode: 0440}}
    - {name: t, secret: {secretName: s, optional: true, defaultMode: 420}}
    - {name: u, secret: {secretName: s, optional: true, defaultMode: 0}}
"#,
    );
    let catalog = checked
        .unwrap_or_else(|problems| panic!("{problems}"))
        .catalog;
    let pod = catalog.services[0]
        .manifests()
        .next()
        .unwrap()
        .value()
        .unwrap();
    let modes: Vec<_> = (0..3)
        .map(|n| {
            pod.pointer(&format!("/spec/volumes/{n}/secret/defaultMode"))
                .cloned()
        })
        .collect();
    assert_eq!(
        modes,
        [Some(json!(0o440)), Some(json!(0o644)), Some(json!(0))]
    );
}

#[test]
fn names_that_others_provide_are_taken() {
    let files = [
        (
            "services/web/service.yaml",
            "driver: none\nexternal: [Secret/login]\n",
        ),
        (
            "services/web/kube/web.yaml",
            r#"apiVersion: v1
kind: Pod
metadata:
  name: a
  annotations: {jsorc.dev/external: "ConfigMap/theirs, PersistentVolumeClaim/data"}
spec:
  serviceAccountName: default
  imagePullSecrets: [{name: login}]
  containers:
    - name: a
      image: a@sha256:0000000000000000000000000000000000000000000000000000000000000000
      envFrom:
        - {configMapRef: {name: theirs}}
        - {secretRef: {name: maybe, optional: true}}
  volumes:
    - {name: d, persistentVolumeClaim: {claimName: data}}
    - {name: r, configMap: {name: kube-root-ca.crt}}
"#,
        ),
    ];
    assert!(checked(&files).is_ok_and(|checked| checked.warnings.is_empty()));
}

#[test]
fn services_may_refer_to_each_other() {
    let files = [
        (
            "services/cache/kube/cache.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {user: x}\n",
        ),
        (
            "services/web/kube/web.yaml",
            "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\n\
             imagePullSecrets: [{name: login}]\n",
        ),
    ];
    assert!(checked(&files).is_ok());
}

#[test]
fn custom_resources_are_left_alone() {
    let text = "apiVersion: example.com/v1\nkind: Database\nmetadata: {name: a}\n\
                spec: {replicas: \"three\", fileMode: 0600, port: 99999}\n";
    let checked = checked_kube(text).unwrap_or_else(|problems| panic!("{problems}"));
    let value = checked.catalog.services[0]
        .manifests()
        .next()
        .unwrap()
        .value()
        .unwrap();
    assert_eq!(
        value["spec"],
        json!({"replicas": "three", "fileMode": 384, "port": 99999})
    );
}

#[test]
fn a_fixed_namespace_in_an_address_is_a_warning() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  conf: |\n    \
                a: http://redis.prod.svc:80\n    b: redis.$g{namespace}.svc\n    \
                c: kubernetes.default.svc\n";
    let checked = checked_kube(text).unwrap_or_else(|problems| panic!("{problems}"));
    let warnings: Vec<String> = checked.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "warning: services/web/kube/web.yaml:6:15: `redis.prod.svc` holds in the namespace \
          `prod` only\n  |\n6 |     a: http://redis.prod.svc:80\n  |               ^^^^^^^^^^^^^^\n\
          hint: write `redis.$g{namespace}.svc`"
        ]
    );
}

#[test]
fn a_config_map_over_one_mebibyte_is_refused() {
    let most = 1024 * 1024 - 1;
    let text = |size| {
        let data = "x".repeat(size);
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  k: {data}\n")
    };
    assert!(checked_kube(&text(most)).is_ok());
    let problems = checked_kube(&text(most + 1)).expect_err("refused");
    let message = "ConfigMap `a` has 1048577 bytes, more than 1 MiB";
    assert_eq!(problems.0[0].message, message);
}

#[test]
fn all_problems_of_all_files_are_told_at_once_in_file_order() {
    let files = [
        ("services/web/service.yaml", "driver: none\nprobes: {}\n"),
        (
            "services/web/kube/web.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: 1\n  a: 2\n---\n\
             apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: W}\n",
        ),
        ("services/cache/service.yaml", "driver: [none\n"),
        ("services/cache/kube/a.yaml", "a: [\n"),
    ];
    let problems = checked(&files).expect_err("refused");
    let headlines: Vec<String> = problems.0.iter().map(Problem::headline).collect();
    assert_eq!(
        headlines,
        [
            "services/cache/kube/a.yaml:1:4: not readable as YAML: unclosed bracket '['",
            "services/cache/service.yaml:1:9: not readable as YAML: unclosed bracket '['",
            "services/web/kube/web.yaml:5:6: `data.a` must be a string, found a number",
            "services/web/kube/web.yaml:6:3: key `a` is given twice",
            "services/web/kube/web.yaml:6:6: `data.a` must be a string, found a number",
            "services/web/kube/web.yaml:8:13: Kubernetes 1.16 removed Deployment of apps/v1beta1",
            "services/web/kube/web.yaml:10:18: name `W` must be lower case letters, digits, `-` \
             and `.`, beginning and ending with a letter or digit",
            "services/web/service.yaml:2:1: unknown key `probes`",
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_makes_the_reader_panic(text in "(apiVersion: v1|kind: Pod|  |\n|: |- |\\$g\\{|\\}|&a|\\*a|\\[|\\]|'|\"|é|0644|---\n|\t|x){0,40}") {
        let _ = checked_kube(&text);
        let _ = checked(&[("services/web/service.yaml", &text)]);
    }
}
