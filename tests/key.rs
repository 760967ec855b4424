//! The key of the fingerprints: every process of an instance uses the one that is stored.

use std::time::Duration;

use crate::support::{Call, Cluster, Fault, FaultProxy, Jsorc, ONE_MAP};

/// A jsorc that reaches the cluster through a proxy.
fn through(proxy: &FaultProxy, cluster: &Cluster, prefix: &str) -> Jsorc {
    Jsorc::on(cluster, prefix)
        .services(ONE_MAP)
        .set("KUBECONFIG", proxy.kubeconfig())
}

/// Another process stores the key between our look for it and our own request.
fn be_faster(proxy: &FaultProxy, cluster: &'static Cluster, jsorc: &Jsorc) {
    let manifest = format!(
        "apiVersion: v1
kind: Secret
type: jsorc.dev/key
metadata: {{name: it-key, namespace: {}}}
data: {{key: AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=}}
",
        jsorc.namespace
    );
    let mut stored = false;
    proxy.plan(move |call: &Call| {
        if call.method == "POST" && call.uri.contains("/secrets") && !stored {
            stored = true;
            cluster.apply(&manifest);
        }
        Fault::Pass
    });
}

fn status_of_the_key(proxy: &FaultProxy) -> Option<u16> {
    let calls = proxy.calls();
    let mut posts = calls
        .iter()
        .filter(|call| call.method == "POST" && call.uri.contains("/secrets"));
    posts.next().map(|call| call.status)
}

/// What was recorded under another key would be looked at, and rehearsed.
fn assert_recorded_under_the_stored_key(proxy: &FaultProxy, jsorc: &Jsorc) {
    proxy.plan(|_| Fault::Pass);
    jsorc.run(&["apply"]).expect(0);
    let calls = proxy.calls();
    assert!(
        calls.iter().all(|call| call.method != "PATCH") && calls.len() <= 5,
        "{calls:#?}"
    );
}

#[test]
fn an_apply_compares_with_the_key_of_whoever_was_faster() {
    let cluster = Cluster::shared();
    let proxy = FaultProxy::to(cluster.kubeconfig());
    let jsorc = through(&proxy, cluster, "faster");
    be_faster(&proxy, cluster, &jsorc);
    jsorc.run(&["apply"]).expect(0);
    assert_eq!(status_of_the_key(&proxy), Some(409));
    assert_recorded_under_the_stored_key(&proxy, &jsorc);
}

#[test]
fn so_does_a_daemon() {
    let cluster = Cluster::shared();
    let proxy = FaultProxy::to(cluster.kubeconfig());
    let jsorc = through(&proxy, cluster, "behind");
    be_faster(&proxy, cluster, &jsorc);
    let daemon = jsorc.daemon();
    daemon.wait_for("one", "Running", Duration::from_secs(60));
    assert_eq!(status_of_the_key(&proxy), Some(409));
    assert_eq!(daemon.stop(), 0);
    assert_recorded_under_the_stored_key(&proxy, &jsorc);
}

#[test]
fn no_key_is_stored_beside_somebody_who_leads() {
    let cluster = Cluster::shared();
    let proxy = FaultProxy::to(cluster.kubeconfig());
    let jsorc = through(&proxy, cluster, "beside");
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ");
    let namespace = &jsorc.namespace;
    cluster.apply(&format!(
        "apiVersion: v1
kind: Namespace
metadata: {{name: {namespace}}}
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {{name: it, namespace: {namespace}}}
spec: {{holderIdentity: somebody, leaseDurationSeconds: 3600, renewTime: \"{now}\"}}
"
    ));
    let refused = jsorc.run(&["apply"]);
    assert!(
        refused.stderr.contains("somebody keeps this instance"),
        "{refused:?}"
    );
    let calls = proxy.calls();
    assert!(calls.iter().all(|call| !call.is_write()), "{calls:#?}");
}
