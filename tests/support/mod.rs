//! The real programs that tests and the demo run against: a Kubernetes control plane with KWOK
//! nodes, redis-server, Prometheus, an SMTP server and a Celery worker.
//!
//! Everything is found or installed by `tests/install`, listens on free ports of the loopback
//! address, and ends with its guard, or with the process that holds it, however that ends.
#![allow(
    dead_code,
    reason = "each program that includes this uses its own part of it"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a rig that does not start is the end of the test that asked for it"
)]

mod audit;
mod celery;
mod certs;
mod cluster;
mod fault;
pub mod inventory;
mod jsorc;
mod kubectl;
mod line;
mod process;
mod prometheus;
mod redis;
mod servers;
mod smtp;
mod users;

#[allow(
    unused_imports,
    reason = "each program that includes this uses its own part of it"
)]
pub use self::{
    audit::{Audit, AuditEntry, Mark},
    celery::{CeleryWorker, send_task},
    certs::Certs,
    cluster::Cluster,
    fault::{Call, Fault, FaultProxy},
    jsorc::{Daemon, Jsorc, Ran, http},
    kubectl::Kubectl,
    line::Line,
    process::{Process, Scratch, eventually, free_port, install},
    prometheus::{Prometheus, PrometheusOptions},
    redis::{Redis, RedisOptions},
    servers::{ApiServer, Store},
    smtp::{Smtp, SmtpOptions, SmtpTls},
    users::User,
};

/// A services folder with one service, `one`, which is one `ConfigMap` and is not run.
pub const ONE_MAP: &[(&str, &str)] = &[
    ("one/service.yaml", "driver: none\n"),
    (
        "one/kube/one.yaml",
        "apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {a: \"1\"}
",
    ),
];
