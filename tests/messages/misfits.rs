//! What the server does not take of an object is said in words, and stops no other object.

use crate::support::{Cluster, Jsorc};

const MANIFESTS: &str = r"apiVersion: v1
kind: ConfigMap
metadata: {name: typo}
dat: {a: b}
---
apiVersion: v1
kind: Secret
metadata: {name: shape}
stringData: {a: b}
dat: hunter2
---
apiVersion: v1
kind: ConfigMap
metadata: {name: fine}
data: {a: b}
";

#[test]
fn a_field_that_a_kind_does_not_have_is_named() {
    let jsorc = Jsorc::on(Cluster::shared(), "misfit").services(&[
        ("web/service.yaml", "driver: none\n"),
        ("web/kube/web.yaml", MANIFESTS),
    ]);
    let applied = jsorc.run(&["apply"]).expect(3);
    for object in ["ConfigMap/typo", "Secret/shape"] {
        let line = format!("web: {object}: there is no field `dat` in its kind");
        assert!(applied.stderr.contains(&line), "{}", applied.stderr);
    }
    assert!(!applied.stderr.contains("hunter2"), "{}", applied.stderr);
    assert!(applied.stdout.contains("1 created"), "{}", applied.stdout);
}
