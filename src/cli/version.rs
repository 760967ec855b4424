//! `jsorc version`: of the program, and of the services in it.

use super::context::Context;
use super::failure::{Exit, Failure};
use crate::embedded;
use serde_json::json;

pub(super) fn command(context: &Context) -> Result<Exit, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let services: Vec<&str> = embedded::SERVICES
        .iter()
        .map(|service| service.name)
        .collect();
    context.print(
        || json!({"apiVersion": "jsorc.dev/v1alpha1", "kind": "Version", "version": version, "digest": embedded::DIGEST, "services": services}),
        || format!("jsorc {version}\nservices {} (digest {})", services.join(", "), &embedded::DIGEST[..12.min(embedded::DIGEST.len())]),
    )?;
    Ok(Exit::Fine)
}
