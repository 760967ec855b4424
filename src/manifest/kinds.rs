//! The kinds that every Kubernetes 1.36 serves.
//!
//! With this table the URL and the scope of a built-in kind are known without asking a cluster.

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
