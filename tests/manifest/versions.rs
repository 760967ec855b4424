//! API versions that are gone, and kinds that never were.

use super::refused_kube;

#[test]
fn deployment_of_extensions() {
    refused_kube(
        r"apiVersion: extensions/v1beta1
kind: Deployment
metadata: {name: a}
",
        r"error: services/web/kube/web.yaml:1:13: Kubernetes 1.16 removed Deployment of extensions/v1beta1
  |
1 | apiVersion: extensions/v1beta1
  |             ^^^^^^^^^^^^^^^^^^
hint: write `apiVersion: apps/v1` and check the fields that changed",
    );
}

#[test]
fn autoscaler_of_a_removed_beta() {
    refused_kube(
        r"apiVersion: autoscaling/v2beta2
kind: HorizontalPodAutoscaler
metadata: {name: a}
",
        r"error: services/web/kube/web.yaml:1:13: Kubernetes 1.26 removed HorizontalPodAutoscaler of autoscaling/v2beta2
  |
1 | apiVersion: autoscaling/v2beta2
  |             ^^^^^^^^^^^^^^^^^^^
hint: write `apiVersion: autoscaling/v2` and check the fields that changed",
    );
}

#[test]
fn pod_security_policy() {
    refused_kube(
        r"apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {name: a}
",
        r"error: services/web/kube/web.yaml:1:13: Kubernetes 1.25 removed PodSecurityPolicy of policy/v1beta1
  |
1 | apiVersion: policy/v1beta1
  |             ^^^^^^^^^^^^^^
hint: label the namespace for Pod Security admission instead",
    );
}

#[test]
fn kind_with_a_slip() {
    refused_kube(
        r"apiVersion: apps/v1
kind: Deploymnet
metadata: {name: a}
",
        r"error: services/web/kube/web.yaml:2:7: `apps/v1` has no kind `Deploymnet`
  |
2 | kind: Deploymnet
  |       ^^^^^^^^^^
hint: did you mean `Deployment`?",
    );
}

#[test]
fn kind_in_the_wrong_group() {
    refused_kube(
        r"apiVersion: v1
kind: Deployment
metadata: {name: a}
",
        r"error: services/web/kube/web.yaml:2:7: `v1` has no kind `Deployment`
  |
2 | kind: Deployment
  |       ^^^^^^^^^^
hint: Deployment is in `apps/v1`",
    );
}

#[test]
fn version_that_never_was() {
    refused_kube(
        r"apiVersion: apps/v2
kind: Deployment
metadata: {name: a}
",
        r"error: services/web/kube/web.yaml:1:13: Kubernetes serves no `apps/v2`
  |
1 | apiVersion: apps/v2
  |             ^^^^^^^
hint: Deployment is in `apps/v1`",
    );
}
