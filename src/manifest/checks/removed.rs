//! API versions that Kubernetes no longer serves, and kinds that it never did.

use super::super::document::Document;
use super::super::kinds;
use super::super::nearest;
use super::super::problem::Problem;
use super::super::source::Spot;

/// Group version, the kinds it is about (empty: all), the release that dropped it, what to write.
const REMOVED: &[(&str, &[&str], &str, &str)] = &[
    (
        "extensions/v1beta1",
        &["Deployment", "DaemonSet", "ReplicaSet"],
        "1.16",
        "apps/v1",
    ),
    (
        "extensions/v1beta1",
        &["Ingress", "NetworkPolicy"],
        "1.22",
        "networking.k8s.io/v1",
    ),
    ("extensions/v1beta1", &["PodSecurityPolicy"], "1.16", ""),
    ("apps/v1beta1", &[], "1.16", "apps/v1"),
    ("apps/v1beta2", &[], "1.16", "apps/v1"),
    (
        "policy/v1beta1",
        &["PodDisruptionBudget"],
        "1.25",
        "policy/v1",
    ),
    ("policy/v1beta1", &["PodSecurityPolicy"], "1.25", ""),
    ("batch/v1beta1", &[], "1.25", "batch/v1"),
    ("batch/v2alpha1", &[], "1.21", "batch/v1"),
    ("autoscaling/v2beta1", &[], "1.25", "autoscaling/v2"),
    ("autoscaling/v2beta2", &[], "1.26", "autoscaling/v2"),
    (
        "networking.k8s.io/v1beta1",
        &["Ingress", "IngressClass"],
        "1.22",
        "networking.k8s.io/v1",
    ),
    (
        "rbac.authorization.k8s.io/v1alpha1",
        &[],
        "1.22",
        "rbac.authorization.k8s.io/v1",
    ),
    (
        "rbac.authorization.k8s.io/v1beta1",
        &[],
        "1.22",
        "rbac.authorization.k8s.io/v1",
    ),
    (
        "apiextensions.k8s.io/v1beta1",
        &[],
        "1.22",
        "apiextensions.k8s.io/v1",
    ),
    (
        "apiregistration.k8s.io/v1beta1",
        &[],
        "1.22",
        "apiregistration.k8s.io/v1",
    ),
    (
        "admissionregistration.k8s.io/v1beta1",
        &[
            "MutatingWebhookConfiguration",
            "ValidatingWebhookConfiguration",
        ],
        "1.22",
        "admissionregistration.k8s.io/v1",
    ),
    (
        "authentication.k8s.io/v1beta1",
        &["TokenReview"],
        "1.22",
        "authentication.k8s.io/v1",
    ),
    (
        "authorization.k8s.io/v1beta1",
        &[],
        "1.22",
        "authorization.k8s.io/v1",
    ),
    (
        "certificates.k8s.io/v1beta1",
        &["CertificateSigningRequest"],
        "1.22",
        "certificates.k8s.io/v1",
    ),
    (
        "coordination.k8s.io/v1beta1",
        &["Lease"],
        "1.22",
        "coordination.k8s.io/v1",
    ),
    (
        "discovery.k8s.io/v1beta1",
        &[],
        "1.25",
        "discovery.k8s.io/v1",
    ),
    ("events.k8s.io/v1beta1", &[], "1.25", "events.k8s.io/v1"),
    ("node.k8s.io/v1beta1", &[], "1.25", "node.k8s.io/v1"),
    (
        "scheduling.k8s.io/v1beta1",
        &["PriorityClass"],
        "1.22",
        "scheduling.k8s.io/v1",
    ),
    (
        "storage.k8s.io/v1beta1",
        &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"],
        "1.22",
        "storage.k8s.io/v1",
    ),
    (
        "storage.k8s.io/v1beta1",
        &["CSIStorageCapacity"],
        "1.27",
        "storage.k8s.io/v1",
    ),
    (
        "flowcontrol.apiserver.k8s.io/v1alpha1",
        &[],
        "1.21",
        "flowcontrol.apiserver.k8s.io/v1",
    ),
    (
        "flowcontrol.apiserver.k8s.io/v1beta1",
        &[],
        "1.26",
        "flowcontrol.apiserver.k8s.io/v1",
    ),
    (
        "flowcontrol.apiserver.k8s.io/v1beta2",
        &[],
        "1.29",
        "flowcontrol.apiserver.k8s.io/v1",
    ),
    (
        "flowcontrol.apiserver.k8s.io/v1beta3",
        &[],
        "1.32",
        "flowcontrol.apiserver.k8s.io/v1",
    ),
];

/// Checks that the document's API version and kind are served.
pub(super) fn check(document: &Document, problems: &mut Vec<Problem>) {
    if let Some((_, _, release, replacement)) = removed(&document.api_version, &document.kind) {
        problems.push(gone(document, release, replacement));
    } else if kinds::builtin(&document.api_version, &document.kind).is_none() {
        problems.extend(unknown(document));
    }
}

fn removed(
    api_version: &str,
    kind: &str,
) -> Option<&'static (
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
)> {
    REMOVED.iter().find(|(version, kinds, ..)| {
        *version == api_version && (kinds.is_empty() || kinds.contains(&kind))
    })
}

fn spot_of(document: &Document, key: &str) -> Spot {
    document
        .raw
        .get(key)
        .map_or(document.spot, |node| node.spot)
}

fn gone(document: &Document, release: &str, replacement: &str) -> Problem {
    let message = format!(
        "Kubernetes {release} removed {} of {}",
        document.kind, document.api_version
    );
    let hint = if replacement.is_empty() {
        "label the namespace for Pod Security admission instead".to_owned()
    } else {
        format!("write `apiVersion: {replacement}` and check the fields that changed")
    };
    document
        .source
        .error(spot_of(document, "apiVersion"), message)
        .hint(hint)
}

/// A kind or version that a group of Kubernetes itself does not have.
fn unknown(document: &Document) -> Option<Problem> {
    let (group, version) = kinds::split(&document.api_version);
    if !kinds::is_builtin_group(group) || version.contains("alpha") || version.contains("beta") {
        return None;
    }
    let there: Vec<&str> = kinds::all()
        .filter(|kind| kind.group == group && kind.version == version)
        .map(|kind| kind.kind)
        .collect();
    if there.is_empty() {
        let message = format!("Kubernetes serves no `{}`", document.api_version);
        let right = kinds::all().find(|kind| kind.kind == document.kind);
        let hint = right.map(|kind| format!("{} is in `{}`", kind.kind, api_version(&kind)));
        return Some(
            document
                .source
                .error(spot_of(document, "apiVersion"), message)
                .maybe_hint(hint),
        );
    }
    let message = format!("`{}` has no kind `{}`", document.api_version, document.kind);
    let elsewhere = kinds::all().find(|kind| kind.kind == document.kind);
    let hint = match elsewhere {
        Some(kind) => Some(format!("{} is in `{}`", kind.kind, api_version(&kind))),
        None => {
            nearest::nearest(&document.kind, there).map(|kind| format!("did you mean `{kind}`?"))
        }
    };
    Some(
        document
            .source
            .error(spot_of(document, "kind"), message)
            .maybe_hint(hint),
    )
}

fn api_version(kind: &kinds::BuiltinKind) -> String {
    if kind.group.is_empty() {
        kind.version.to_owned()
    } else {
        format!("{}/{}", kind.group, kind.version)
    }
}
