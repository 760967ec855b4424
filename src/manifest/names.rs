//! The rules of Kubernetes for names.
