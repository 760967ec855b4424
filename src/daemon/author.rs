//! Who this process is, for the history: a person at a machine, or a pod.

use crate::engine::Author;
use crate::manifest::Catalog;

/// So much of a digest tells one build from another.
const DIGEST: usize = 12;

/// Who works with these services; `inside` a cluster it is a pod.
pub(super) fn author(catalog: &Catalog, inside: bool) -> Author {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let host = host();
    let user = variable("USER").or_else(|| variable("LOGNAME"));
    Author {
        who: match user {
            _ if inside => format!("pod {host}"),
            Some(user) => format!("{user}@{host}"),
            None => format!("uid {}@{host}", nix::unistd::geteuid()),
        },
        version: env!("CARGO_PKG_VERSION").to_owned(),
        services: catalog.digest.chars().take(DIGEST).collect(),
    }
}

/// The machine's name; in a cluster it is the pod's.
pub(super) fn host() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    host.trim().to_owned()
}
