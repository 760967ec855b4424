//! How drivers reach their services: cluster DNS inside a cluster, a port-forward through the API
//! server outside, and without a cluster only what an address says itself.

use crate::cluster::{Forwarder, Reader};
use crate::drivers::{DriverError, Endpoint, Reach, SettingsProblem};
use crate::engine::WriteError;
use futures::future::BoxFuture;
use secrecy::SecretString;

/// What grants a right that every daemon needs.
const INSIDE: &str = "`jsorc rbac` prints the roles that grant it";
/// Nobody forwards ports but who works from outside the cluster.
const OUTSIDE: &str = "`jsorc rbac --for cli` prints the roles that grant it";

/// The way to addresses and credentials of one service.
#[derive(Clone)]
pub struct Route {
    /// The cluster, if there is one.
    pub cluster: Option<ClusterRoute>,
    /// Where the service's Services and Secrets are.
    pub namespace: String,
    /// Whether the service has manifests; without any, `localhost` stands in for a missing cluster.
    pub has_objects: bool,
}

/// The way through a cluster.
#[derive(Clone)]
pub struct ClusterRoute {
    /// Reads Secrets.
    pub reader: Reader,
    /// Opens ports from outside; `None` inside the cluster.
    pub forwarder: Option<Forwarder>,
}

impl Reach for Route {
    fn address<'a>(&'a self, service: &'a str) -> BoxFuture<'a, Result<Endpoint, DriverError>> {
        Box::pin(async move {
            let (name, port) = service.split_once(':').unwrap_or((service, ""));
            let Some(cluster) = &self.cluster else {
                return self.local(service, port);
            };
            let Some(forwarder) = &cluster.forwarder else {
                return numbered(&format!("{name}.{}.svc", self.namespace), port, service);
            };
            let forward = forwarder
                .open(&self.namespace, service)
                .await
                .map_err(|error| refused(service.to_owned(), &error, OUTSIDE))?;
            Ok(Endpoint {
                host: forward.address.ip().to_string(),
                port: forward.address.port(),
                keep: Some(Box::new(forward)),
            })
        })
    }

    fn secret<'a>(
        &'a self,
        name: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<SecretString, DriverError>> {
        Box::pin(async move {
            let Some(cluster) = &self.cluster else {
                return if self.has_objects {
                    Err(DriverError::NotConfigured(format!(
                        "Secret {name} needs a cluster, and there is none"
                    )))
                } else {
                    Ok(SecretString::from(String::new()))
                };
            };
            let found = cluster.reader.secret_text(&self.namespace, name, key).await;
            let place = format!("Secret {name}");
            match found {
                Ok(Some(text)) => Ok(SecretString::from(text)),
                Ok(None) => Err(DriverError::Unreachable {
                    place,
                    message: format!("has no key `{key}` in namespace {}", self.namespace),
                    source: None,
                }),
                Err(error) => Err(refused(place, &error, INSIDE)),
            }
        })
    }
}

impl Route {
    fn local(&self, service: &str, port: &str) -> Result<Endpoint, DriverError> {
        if self.has_objects {
            return Err(DriverError::NotConfigured(format!(
                "service {service} needs a cluster, and there is none"
            )));
        }
        numbered("localhost", port, service)
    }
}

/// What the cluster said; who may not is told what would help.
fn refused(place: String, error: &WriteError, hint: &str) -> DriverError {
    let message = error.to_string();
    match error {
        WriteError::Forbidden(_) => DriverError::Refused {
            place,
            message,
            hint: hint.to_owned(),
        },
        _ => DriverError::Unreachable {
            place,
            message,
            source: None,
        },
    }
}

fn numbered(host: &str, port: &str, service: &str) -> Result<Endpoint, DriverError> {
    let Ok(port) = port.parse() else {
        let wrong = format!("takes NAME:PORT with a number as PORT, not {service}");
        let problem = SettingsProblem::new("service", wrong);
        return Err(DriverError::Settings(vec![problem]));
    };
    Ok(Endpoint {
        host: host.to_owned(),
        port,
        keep: None,
    })
}
