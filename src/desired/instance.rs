//! One installation of jsorc: who it is to the cluster.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The label by which an instance finds its objects.
pub const INSTANCE_LABEL: &str = "jsorc.dev/instance";
/// The label by which kubectl knows the members of an `ApplySet` (KEP-3659). Each service is one, so that
/// it names the service as well.
pub const PART_OF_LABEL: &str = "applyset.kubernetes.io/part-of";
/// The annotation on a pod template that changes when what the pods read changes.
pub const CONFIG_ANNOTATION: &str = "jsorc.dev/config";
/// The annotation that puts an object after others of its service.
pub const AFTER_ANNOTATION: &str = "jsorc.dev/after";
/// The annotation that says how often a Job runs.
pub const RUN_ANNOTATION: &str = "jsorc.dev/run";

/// The annotation by which a live object asks to be left alone; its value is the reason.
pub const SUSPEND_ANNOTATION: &str = "jsorc.dev/suspend";

/// An installation: its name and the namespace that holds its inventories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// Where its inventories and its Lease live.
    pub namespace: String,
}

impl Instance {
    /// The identity: field manager and Lease holder. At most 128 bytes, the limit of a field
    /// manager, because both parts are RFC 1123 labels.
    #[must_use]
    pub fn identity(&self) -> String {
        let whole = format!("jsorc.{}.{}", self.namespace, self.name);
        if whole.len() <= 128 {
            whole
        } else {
            format!("jsorc.{}", short_hash(&whole))
        }
    }

    /// The value of [`INSTANCE_LABEL`]: the identity, or a hash of it beyond the 63 bytes that a
    /// label value may have.
    #[must_use]
    pub fn label(&self) -> String {
        let whole = format!("{}.{}", self.namespace, self.name);
        if whole.len() <= 63 {
            whole
        } else {
            short_hash(&whole)
        }
    }

    /// The name of the `ConfigMap` that records what jsorc applied for a service.
    #[must_use]
    pub fn inventory_name(&self, service: &str) -> String {
        format!("{}.{service}", self.name)
    }

    /// The name of the `ConfigMap` that holds what people ordered about services.
    #[must_use]
    pub fn orders_name(&self) -> String {
        format!("{}-orders", self.name)
    }

    /// The `ApplySet` id of a service's inventory (KEP-3659: a hash of name, namespace, kind and
    /// group of the parent).
    #[must_use]
    pub fn apply_set_id(&self, service: &str) -> String {
        let parent = format!(
            "{}.{}.ConfigMap.",
            self.inventory_name(service),
            self.namespace
        );
        let digest = Sha256::digest(parent.as_bytes());
        format!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(digest))
    }

    /// The name of the Secret that holds the key of all fingerprints.
    #[must_use]
    pub fn key_name(&self) -> String {
        format!("{}-key", self.name)
    }
}

fn short_hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    URL_SAFE_NO_PAD
        .encode(&digest[..15])
        .to_lowercase()
        .replace('_', "x")
        .replace('-', "y")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_within_their_limits() {
        let long = Instance {
            name: "n".repeat(63),
            namespace: "m".repeat(63),
        };
        assert!(long.identity().len() <= 128);
        assert!(long.label().len() <= 63);
        let plain = Instance {
            name: "jsorc".into(),
            namespace: "prod".into(),
        };
        assert_eq!(plain.identity(), "jsorc.prod.jsorc");
        assert_eq!(plain.label(), "prod.jsorc");
    }

    #[test]
    fn two_instances_of_one_name_are_two_managers() {
        let one = Instance {
            name: "jsorc".into(),
            namespace: "a".into(),
        };
        let other = Instance {
            namespace: "b".into(),
            ..one.clone()
        };
        assert_ne!(one.identity(), other.identity());
        assert_ne!(one.apply_set_id("redis"), other.apply_set_id("redis"));
        assert_eq!(one.apply_set_id("redis").len(), 55);
    }
}
