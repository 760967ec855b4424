//! The kinds that every Kubernetes 1.36 serves.
//!
//! With this table the URL and the scope of a built-in kind are known without asking a cluster.
//! Only stable versions are in it: alpha and beta ones are off unless someone turns them on.

/// A kind that Kubernetes itself serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltinKind {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The API version asked for.
    pub version: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// The name in URLs.
    pub plural: &'static str,
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
}

/// The built-in kind of that `apiVersion`, if there is one.
#[must_use]
pub fn builtin(api_version: &str, kind: &str) -> Option<BuiltinKind> {
    let (group, version) = split(api_version);
    let group = GROUPS.iter().find(|g| g.name == group)?;
    let version = group.versions.iter().find(|v| **v == version)?;
    let (kind, plural, namespaced) = group.kinds.iter().find(|(name, ..)| *name == kind)?;
    Some(BuiltinKind {
        group: group.name,
        version,
        kind,
        plural,
        namespaced: *namespaced,
    })
}

/// Every built-in kind at every stable version.
pub fn all() -> impl Iterator<Item = BuiltinKind> {
    GROUPS.iter().flat_map(|group| {
        group.versions.iter().flat_map(move |version| {
            group
                .kinds
                .iter()
                .map(move |(kind, plural, namespaced)| BuiltinKind {
                    group: group.name,
                    version,
                    kind,
                    plural,
                    namespaced: *namespaced,
                })
        })
    })
}

/// Whether Kubernetes itself owns the group, at whatever version.
#[must_use]
pub fn is_builtin_group(group: &str) -> bool {
    GROUPS.iter().any(|known| known.name == group)
}

/// `apps/v1` as group and version; the core group is empty.
#[must_use]
pub fn split(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

struct Group {
    name: &'static str,
    versions: &'static [&'static str],
    kinds: &'static [(&'static str, &'static str, bool)],
}

const NAMESPACED: bool = true;
const CLUSTER: bool = false;

const GROUPS: &[Group] = &[
    Group {
        name: "",
        versions: &["v1"],
        kinds: &[
            ("Binding", "bindings", NAMESPACED),
            ("ComponentStatus", "componentstatuses", CLUSTER),
            ("ConfigMap", "configmaps", NAMESPACED),
            ("Endpoints", "endpoints", NAMESPACED),
            ("Event", "events", NAMESPACED),
            ("LimitRange", "limitranges", NAMESPACED),
            ("Namespace", "namespaces", CLUSTER),
            ("Node", "nodes", CLUSTER),
            ("PersistentVolume", "persistentvolumes", CLUSTER),
            (
                "PersistentVolumeClaim",
                "persistentvolumeclaims",
                NAMESPACED,
            ),
            ("Pod", "pods", NAMESPACED),
            ("PodTemplate", "podtemplates", NAMESPACED),
            (
                "ReplicationController",
                "replicationcontrollers",
                NAMESPACED,
            ),
            ("ResourceQuota", "resourcequotas", NAMESPACED),
            ("Secret", "secrets", NAMESPACED),
            ("Service", "services", NAMESPACED),
            ("ServiceAccount", "serviceaccounts", NAMESPACED),
        ],
    },
    Group {
        name: "admissionregistration.k8s.io",
        versions: &["v1"],
        kinds: &[
            (
                "MutatingAdmissionPolicy",
                "mutatingadmissionpolicies",
                CLUSTER,
            ),
            (
                "MutatingAdmissionPolicyBinding",
                "mutatingadmissionpolicybindings",
                CLUSTER,
            ),
            (
                "MutatingWebhookConfiguration",
                "mutatingwebhookconfigurations",
                CLUSTER,
            ),
            (
                "ValidatingAdmissionPolicy",
                "validatingadmissionpolicies",
                CLUSTER,
            ),
            (
                "ValidatingAdmissionPolicyBinding",
                "validatingadmissionpolicybindings",
                CLUSTER,
            ),
            (
                "ValidatingWebhookConfiguration",
                "validatingwebhookconfigurations",
                CLUSTER,
            ),
        ],
    },
    Group {
        name: "apiextensions.k8s.io",
        versions: &["v1"],
        kinds: &[(
            "CustomResourceDefinition",
            "customresourcedefinitions",
            CLUSTER,
        )],
    },
    Group {
        name: "apiregistration.k8s.io",
        versions: &["v1"],
        kinds: &[("APIService", "apiservices", CLUSTER)],
    },
    Group {
        name: "apps",
        versions: &["v1"],
        kinds: &[
            ("ControllerRevision", "controllerrevisions", NAMESPACED),
            ("DaemonSet", "daemonsets", NAMESPACED),
            ("Deployment", "deployments", NAMESPACED),
            ("ReplicaSet", "replicasets", NAMESPACED),
            ("StatefulSet", "statefulsets", NAMESPACED),
        ],
    },
    Group {
        name: "authentication.k8s.io",
        versions: &["v1"],
        kinds: &[
            ("SelfSubjectReview", "selfsubjectreviews", CLUSTER),
            ("TokenReview", "tokenreviews", CLUSTER),
        ],
    },
    Group {
        name: "authorization.k8s.io",
        versions: &["v1"],
        kinds: &[
            (
                "LocalSubjectAccessReview",
                "localsubjectaccessreviews",
                NAMESPACED,
            ),
            (
                "SelfSubjectAccessReview",
                "selfsubjectaccessreviews",
                CLUSTER,
            ),
            ("SelfSubjectRulesReview", "selfsubjectrulesreviews", CLUSTER),
            ("SubjectAccessReview", "subjectaccessreviews", CLUSTER),
        ],
    },
    Group {
        name: "autoscaling",
        versions: &["v1", "v2"],
        kinds: &[(
            "HorizontalPodAutoscaler",
            "horizontalpodautoscalers",
            NAMESPACED,
        )],
    },
    Group {
        name: "batch",
        versions: &["v1"],
        kinds: &[
            ("CronJob", "cronjobs", NAMESPACED),
            ("Job", "jobs", NAMESPACED),
        ],
    },
    Group {
        name: "certificates.k8s.io",
        versions: &["v1"],
        kinds: &[(
            "CertificateSigningRequest",
            "certificatesigningrequests",
            CLUSTER,
        )],
    },
    Group {
        name: "coordination.k8s.io",
        versions: &["v1"],
        kinds: &[("Lease", "leases", NAMESPACED)],
    },
    Group {
        name: "discovery.k8s.io",
        versions: &["v1"],
        kinds: &[("EndpointSlice", "endpointslices", NAMESPACED)],
    },
    Group {
        name: "events.k8s.io",
        versions: &["v1"],
        kinds: &[("Event", "events", NAMESPACED)],
    },
    Group {
        name: "flowcontrol.apiserver.k8s.io",
        versions: &["v1"],
        kinds: &[
            ("FlowSchema", "flowschemas", CLUSTER),
            (
                "PriorityLevelConfiguration",
                "prioritylevelconfigurations",
                CLUSTER,
            ),
        ],
    },
    Group {
        name: "networking.k8s.io",
        versions: &["v1"],
        kinds: &[
            ("IPAddress", "ipaddresses", CLUSTER),
            ("Ingress", "ingresses", NAMESPACED),
            ("IngressClass", "ingressclasses", CLUSTER),
            ("NetworkPolicy", "networkpolicies", NAMESPACED),
            ("ServiceCIDR", "servicecidrs", CLUSTER),
        ],
    },
    Group {
        name: "node.k8s.io",
        versions: &["v1"],
        kinds: &[("RuntimeClass", "runtimeclasses", CLUSTER)],
    },
    Group {
        name: "policy",
        versions: &["v1"],
        kinds: &[("PodDisruptionBudget", "poddisruptionbudgets", NAMESPACED)],
    },
    Group {
        name: "rbac.authorization.k8s.io",
        versions: &["v1"],
        kinds: &[
            ("ClusterRole", "clusterroles", CLUSTER),
            ("ClusterRoleBinding", "clusterrolebindings", CLUSTER),
            ("Role", "roles", NAMESPACED),
            ("RoleBinding", "rolebindings", NAMESPACED),
        ],
    },
    Group {
        name: "resource.k8s.io",
        versions: &["v1"],
        kinds: &[
            ("DeviceClass", "deviceclasses", CLUSTER),
            ("ResourceClaim", "resourceclaims", NAMESPACED),
            (
                "ResourceClaimTemplate",
                "resourceclaimtemplates",
                NAMESPACED,
            ),
            ("ResourceSlice", "resourceslices", CLUSTER),
        ],
    },
    Group {
        name: "scheduling.k8s.io",
        versions: &["v1"],
        kinds: &[("PriorityClass", "priorityclasses", CLUSTER)],
    },
    Group {
        name: "storage.k8s.io",
        versions: &["v1"],
        kinds: &[
            ("CSIDriver", "csidrivers", CLUSTER),
            ("CSINode", "csinodes", CLUSTER),
            ("CSIStorageCapacity", "csistoragecapacities", NAMESPACED),
            ("StorageClass", "storageclasses", CLUSTER),
            ("VolumeAttachment", "volumeattachments", CLUSTER),
            ("VolumeAttributesClass", "volumeattributesclasses", CLUSTER),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_by_its_version_only() {
        let found = builtin("autoscaling/v2", "HorizontalPodAutoscaler").map(|k| k.plural);
        assert_eq!(found, Some("horizontalpodautoscalers"));
        assert_eq!(builtin("v1", "Node").map(|k| k.namespaced), Some(false));
        assert_eq!(builtin("apps/v1beta1", "Deployment"), None);
        assert_eq!(builtin("v1", "Deployment"), None);
    }

    #[test]
    fn no_kind_is_listed_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for kind in all() {
            assert!(
                seen.insert((kind.group, kind.version, kind.kind)),
                "{kind:?}"
            );
            assert_eq!(kind.plural, kind.plural.to_lowercase());
        }
    }
}
