use super::super::sight::Sight;
use super::*;
use serde_json::json;

/// What is judged of the value and of its text, which have to agree.
fn health(live: &Value) -> Health {
    let judged = super::health(live);
    let text = live.to_string();
    assert_eq!(Sight::read(&text).unwrap().health(), judged, "{text}");
    judged
}

fn current() -> Health {
    Health::Current
}
fn wait(reason: &str) -> Health {
    Health::InProgress(reason.to_owned())
}
fn failed(reason: &str) -> Health {
    Health::Failed(reason.to_owned())
}

fn object(api_version: &str, kind: &str, spec: &Value, status: &Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"generation": 2}, "spec": spec, "status": status})
}

fn rows(api_version: &str, kind: &str, table: &[(Value, Value, Health)]) {
    for (spec, status, expected) in table {
        let live = object(api_version, kind, spec, status);
        assert_eq!(&health(&live), expected, "{kind} with {status}");
    }
}

#[test]
fn deployments() {
    let available = json!([{"type": "Available", "status": "True"}]);
    rows(
        "apps/v1",
        "Deployment",
        &[
            (
                json!({"replicas": 2}),
                json!({}),
                wait("not seen by its controller yet"),
            ),
            (
                json!({"replicas": 2}),
                json!({"observedGeneration": 1, "availableReplicas": 2}),
                wait("generation 2 not seen by its controller yet"),
            ),
            (
                json!({"replicas": 2}),
                json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 1}),
                wait("1/2 updated"),
            ),
            (
                json!({"replicas": 2}),
                json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2}),
                wait("1 old pods still there"),
            ),
            (
                json!({"replicas": 2}),
                json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1}),
                wait("1/2 available"),
            ),
            (
                json!({}),
                json!({"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "conditions": available}),
                current(),
            ),
            (
                json!({"replicas": 0}),
                json!({"observedGeneration": 2}),
                current(),
            ),
            (
                json!({}),
                json!({"observedGeneration": 2, "conditions": [{"type": "Progressing", "status": "False",
            "reason": "ProgressDeadlineExceeded", "message": "too slow"}]}),
                failed("ProgressDeadlineExceeded: too slow"),
            ),
        ],
    );
}

#[test]
fn stateful_sets() {
    let seen = |more: Value| {
        let mut status = json!({"observedGeneration": 2});
        status
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        status
    };
    rows(
        "apps/v1",
        "StatefulSet",
        &[
            (json!({}), json!({}), wait("not seen by its controller yet")),
            (
                json!({"replicas": 3}),
                seen(json!({"readyReplicas": 2, "replicas": 3})),
                wait("2/3 ready"),
            ),
            (
                json!({"replicas": 1}),
                seen(json!({"readyReplicas": 2, "replicas": 2})),
                wait("1 pods too many"),
            ),
            (
                json!({}),
                seen(
                    json!({"readyReplicas": 1, "replicas": 1, "currentRevision": "a", "updateRevision": "b"}),
                ),
                wait("0/1 updated"),
            ),
            (
                json!({}),
                seen(
                    json!({"readyReplicas": 1, "replicas": 1, "currentRevision": "b", "updateRevision": "b"}),
                ),
                current(),
            ),
            (
                json!({"updateStrategy": {"type": "OnDelete"}}),
                seen(json!({})),
                current(),
            ),
            (
                json!({"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}}),
                seen(
                    json!({"readyReplicas": 3, "replicas": 3, "updatedReplicas": 1, "currentRevision": "a", "updateRevision": "b"}),
                ),
                current(),
            ),
            (
                json!({"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}}),
                seen(
                    json!({"readyReplicas": 3, "replicas": 3, "currentRevision": "a", "updateRevision": "b"}),
                ),
                wait("0/1 of the partition updated"),
            ),
        ],
    );
}

#[test]
fn daemon_sets_replica_sets_and_jobs() {
    rows(
        "apps/v1",
        "DaemonSet",
        &[
            (
                json!({}),
                json!({"observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 1}),
                wait("1/2 nodes updated"),
            ),
            (
                json!({}),
                json!({"observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1}),
                wait("1/2 nodes available"),
            ),
            (json!({}), json!({"observedGeneration": 2}), current()),
        ],
    );
    rows(
        "apps/v1",
        "ReplicaSet",
        &[
            (
                json!({"replicas": 2}),
                json!({"observedGeneration": 2, "replicas": 2, "availableReplicas": 1}),
                wait("1/2 available"),
            ),
            (
                json!({"replicas": 1}),
                json!({"observedGeneration": 2, "replicas": 2}),
                wait("1 pods too many"),
            ),
            (
                json!({}),
                json!({"observedGeneration": 2, "conditions": [{"type": "ReplicaFailure", "status": "True", "message": "quota"}]}),
                wait("quota"),
            ),
        ],
    );
    rows(
        "batch/v1",
        "Job",
        &[
            (json!({}), json!({}), wait("0/1 completed, 0 running")),
            (
                json!({"completions": 3}),
                json!({"succeeded": 1, "active": 1}),
                wait("1/3 completed, 1 running"),
            ),
            (
                json!({}),
                json!({"conditions": [{"type": "Complete", "status": "True"}]}),
                current(),
            ),
            (
                json!({}),
                json!({"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "gave up"}]}),
                failed("BackoffLimitExceeded: gave up"),
            ),
            (
                json!({}),
                json!({"conditions": [{"type": "Suspended", "status": "True"}]}),
                wait("suspended"),
            ),
        ],
    );
}

#[test]
fn pods_say_which_container_is_stuck() {
    let waiting = |reason: &str, message: &str| {
        json!({"phase": "Pending", "containerStatuses": [
        {"name": "a", "state": {"waiting": {"reason": reason, "message": message}},
         "lastState": {"terminated": {"exitCode": 3, "reason": "Error"}}}]})
    };
    rows(
        "v1",
        "Pod",
        &[
            (json!({}), json!({}), wait("not scheduled yet")),
            (json!({}), json!({"phase": "Succeeded"}), current()),
            (
                json!({}),
                json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}),
                current(),
            ),
            (
                json!({}),
                json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "False", "message": "containers with unready status: [a]"}]}),
                wait("containers with unready status: [a]"),
            ),
            (
                json!({}),
                json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False",
            "reason": "Unschedulable", "message": "0/1 nodes are available"}]}),
                wait("Unschedulable: 0/1 nodes are available"),
            ),
            (
                json!({}),
                waiting("ImagePullBackOff", "no such image"),
                wait("ImagePullBackOff: no such image"),
            ),
            (
                json!({}),
                waiting("CrashLoopBackOff", ""),
                failed("CrashLoopBackOff, last exit code 3 (Error)"),
            ),
            (json!({}), waiting("ContainerCreating", ""), wait("pending")),
            (
                json!({}),
                json!({"phase": "Failed", "reason": "Evicted"}),
                failed("Evicted"),
            ),
        ],
    );
}

#[test]
fn claims_services_namespaces_and_definitions() {
    rows(
        "v1",
        "PersistentVolumeClaim",
        &[
            (json!({}), json!({"phase": "Bound"}), current()),
            (
                json!({}),
                json!({"phase": "Pending"}),
                wait("not bound to a volume yet"),
            ),
            (
                json!({}),
                json!({"phase": "Lost"}),
                failed("its volume is lost"),
            ),
        ],
    );
    rows(
        "v1",
        "Service",
        &[
            (json!({"type": "ClusterIP"}), json!({}), current()),
            (
                json!({"type": "LoadBalancer"}),
                json!({}),
                wait("no load balancer address yet"),
            ),
            (
                json!({"type": "LoadBalancer"}),
                json!({"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}),
                current(),
            ),
        ],
    );
    rows(
        "v1",
        "Namespace",
        &[
            (json!({}), json!({"phase": "Active"}), current()),
            (
                json!({}),
                json!({"phase": "Terminating"}),
                Health::Terminating,
            ),
        ],
    );
    rows(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        &[
            (json!({}), json!({}), wait("not established yet")),
            (
                json!({}),
                json!({"conditions": [{"type": "Established", "status": "True"}]}),
                current(),
            ),
            (
                json!({}),
                json!({"conditions": [{"type": "NamesAccepted", "status": "False", "reason": "KindConflict", "message": "taken"}]}),
                failed("KindConflict: taken"),
            ),
        ],
    );
}

#[test]
fn api_services_autoscalers_and_budgets() {
    rows(
        "apiregistration.k8s.io/v1",
        "APIService",
        &[
            (json!({}), json!({}), wait("not available yet")),
            (
                json!({}),
                json!({"conditions": [{"type": "Available", "status": "False", "message": "no endpoints"}]}),
                wait("no endpoints"),
            ),
            (
                json!({}),
                json!({"conditions": [{"type": "Available", "status": "True"}]}),
                current(),
            ),
        ],
    );
    rows(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        &[
            (
                json!({}),
                json!({"conditions": [{"type": "AbleToScale", "status": "False", "reason": "FailedGetScale", "message": "not found"}]}),
                wait("FailedGetScale: not found"),
            ),
            (
                json!({}),
                json!({"conditions": [{"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric"}]}),
                current(),
            ),
        ],
    );
    rows(
        "policy/v1",
        "PodDisruptionBudget",
        &[
            (json!({}), json!({}), wait("not seen by its controller yet")),
            (
                json!({}),
                json!({"observedGeneration": 2, "currentHealthy": 1, "desiredHealthy": 2}),
                wait("1/2 pods healthy"),
            ),
            (json!({}), json!({"observedGeneration": 2}), current()),
        ],
    );
}

#[test]
fn other_kinds_follow_the_standard_conditions() {
    let custom = |conditions: Value| {
        object(
            "example.com/v1",
            "Thing",
            &json!({}),
            &json!({"conditions": conditions}),
        )
    };
    assert_eq!(health(&custom(json!([]))), Health::Current);
    assert_eq!(
        health(&custom(
            json!([{"type": "Ready", "status": "False", "reason": "Busy"}])
        )),
        wait("Busy")
    );
    assert_eq!(
        health(&custom(json!([{"type": "Ready", "status": "Unknown"}]))),
        wait("Ready is Unknown")
    );
    assert_eq!(
        health(&custom(
            json!([{"type": "Stalled", "status": "True", "message": "no way"}])
        )),
        failed("no way")
    );
    assert_eq!(
        health(&custom(
            json!([{"type": "Reconciling", "status": "True", "message": "soon"}])
        )),
        wait("soon")
    );
    let leaving = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
    assert_eq!(health(&leaving), Health::Terminating);
}
