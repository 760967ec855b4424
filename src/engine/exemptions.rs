//! What never counts as somebody's addition, whoever wrote it: the fields and the managers that
//! belong to the cluster, and the wishes that people express on an object.
//!
//! A name that could be a controller's is taken for one: what a controller added it adds again.

use crate::desired::path::{Path, Segment};

/// Whether a manager is a part of the cluster, a controller, or one of ours.
#[must_use]
pub fn is_of_cluster(manager: &str) -> bool {
    const BEGIN: [&str; 6] = ["kube-", "kubelet", "kubeadm", "cloud-", "system:", "jsorc"];
    const WITHIN: [&str; 18] = [
        "controller",
        "operator",
        "autoscaler",
        "scheduler",
        "injector",
        "webhook",
        "admission",
        // Controllers that are called otherwise.
        "cert-manager",
        "external-dns",
        "external-secrets",
        "istio",
        "pilot-discovery",
        "linkerd",
        "cilium",
        "kyverno",
        "gatekeeper",
        "crossplane",
        "reloader",
    ];
    // Who is named so is not known: the first is the server's name for whoever wrote before
    // anybody applied, the last what controllers are built as when nobody names them.
    const WHOLE: [&str; 8] = [
        "",
        "before-first-apply",
        "unknown",
        "k3s",
        "rke2",
        "k0s",
        "keda",
        "manager",
    ];
    let name = manager.to_ascii_lowercase();
    WHOLE.contains(&&*name)
        || BEGIN.iter().any(|part| name.starts_with(part))
        || WITHIN.iter().any(|part| name.contains(part))
}

/// Whether a field is left alone, with all below it.
///
/// The number of replicas that a manifest does not say is left to whoever scales. A certificate
/// bundle is filled in by the controller that made the certificate. Finalizers and owners decide
/// over the life of the object.
#[must_use]
pub fn is_exempt(path: &Path) -> bool {
    let name = |position: usize| match path.0.get(position) {
        Some(Segment::Field(name)) => name.as_str(),
        _ => "",
    };
    let last = path.0.len().saturating_sub(1);
    match (name(0), name(1), path.0.len()) {
        ("apiVersion" | "kind" | "status", ..) | ("spec", "replicas", 2) => return true,
        ("metadata", inner, 2..) if !matches!(inner, "labels" | "annotations") => return true,
        _ => {}
    }
    let mark = last > 0 && matches!(name(last - 1), "labels" | "annotations");
    name(last) == "caBundle" || (mark && is_of_kubernetes(name(last)))
}

/// Whether the key of a label or an annotation is one of Kubernetes itself, which reserves these
/// domains (`kubectl rollout restart` writes there as well), or an instruction to jsorc.
fn is_of_kubernetes(key: &str) -> bool {
    let Some((domain, _)) = key.split_once('/') else {
        return false;
    };
    let within = |root: &str| {
        let rest = domain.strip_suffix(root);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    // The recommended labels are for people.
    domain != "app.kubernetes.io"
        && ["kubernetes.io", "k8s.io", "jsorc.dev"]
            .into_iter()
            .any(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_cluster_and_controllers_are_no_guests() {
        let cluster = [
            "kube-controller-manager",
            "kube-scheduler",
            "kubelet",
            "cainjector",
            "cert-manager-challenges",
            "cluster-autoscaler",
            "kustomize-controller",
            "postgres-operator",
            "before-first-apply",
            "manager",
            "jsorc.prod.jsorc",
            "jsorc-rerun",
        ];
        for manager in cluster {
            assert!(is_of_cluster(manager), "{manager}");
        }
        for manager in ["kubectl-edit", "kubectl", "helm", "Mozilla", "intruder"] {
            assert!(!is_of_cluster(manager), "{manager}");
        }
    }

    #[test]
    fn the_life_of_an_object_and_the_marks_of_kubernetes_are_left_alone() {
        let exempt = [
            "status.replicas",
            "metadata.finalizers",
            "metadata.ownerReferences[x]",
            "spec.replicas",
            "webhooks[a].clientConfig.caBundle",
            r#"metadata.annotations["deployment.kubernetes.io/revision"]"#,
            r#"metadata.annotations["jsorc.dev/suspend"]"#,
            r#"spec.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]"#,
        ];
        for path in exempt {
            assert!(is_exempt(&Path::parse(path).unwrap()), "{path}");
        }
        let counted = [
            "metadata",
            "metadata.labels.tier",
            r#"metadata.labels["app.kubernetes.io/tier"]"#,
            r#"metadata.annotations["example.com/kubernetes.io"]"#,
            r#"metadata.annotations["notkubernetes.io/x"]"#,
            "spec.template.spec.replicas",
            "data.status",
        ];
        for path in counted {
            assert!(!is_exempt(&Path::parse(path).unwrap()), "{path}");
        }
    }
}
