//! How a cluster is reached: its address, and our credentials, read once for all connections.
//!
//! A credential helper takes a second, and the system's certificates are hundreds of files. So further
//! connections are set up with what the first one was. They share its TLS sessions as well (RFC 8446, 2.2):
//! an API server hands out one ticket for each connection, and a ticket is used once, so of two that are
//! opened at the same time one shows its certificate again.

use super::connect::server_of;
use super::transport::Counter;
use kube::Config;
use kube::client::ConfigExt;
use kube::client::middleware::{AuthLayer, ExtraHeadersLayer};
use std::sync::Arc;

/// The way to a cluster. Copies share it.
#[derive(Clone)]
pub struct Road(Arc<Parts>);

struct Parts {
    config: Config,
    tls: rustls::ClientConfig,
    authority: Option<AuthLayer>,
    headers: ExtraHeadersLayer,
    counter: Counter,
}

impl Road {
    /// The way to the cluster of a configuration.
    ///
    /// # Errors
    /// When certificates or credentials cannot be read.
    pub fn new(config: &Config) -> Result<Self, kube::Error> {
        Ok(Self(Arc::new(Parts {
            tls: config.rustls_client_config()?,
            authority: config.auth_layer()?,
            headers: config.extra_headers_layer()?,
            config: config.clone(),
            counter: Counter::default(),
        })))
    }

    /// Counts the requests that go this way.
    #[must_use]
    pub fn counter(&self) -> &Counter {
        &self.0.counter
    }

    /// The server's address, for people.
    pub(super) fn server(&self) -> String {
        server_of(self.config())
    }

    pub(super) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(super) fn tls(&self) -> rustls::ClientConfig {
        self.0.tls.clone()
    }

    pub(super) fn authority(&self) -> Option<&AuthLayer> {
        self.0.authority.as_ref()
    }

    pub(super) fn headers(&self) -> &ExtraHeadersLayer {
        &self.0.headers
    }
}
