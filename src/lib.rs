//! jsorc keeps an application's backing services alive on Kubernetes.

pub mod embedded;
pub mod manifest;
