//! A client of one API server: sends single requests and opens streams of watch events.
//!
//! Invariants: all clients that come from one share its credentials, which are read once (a credential
//! helper takes a second, the system's certificates are hundreds of files), its TLS sessions (RFC 8446,
//! 2.2) and its request counter; each has connections of its own. Requests do not pass kube's own
//! client, which hands every request from task to task; only watches do, since kube decodes their
//! streams.

use super::transport::{Counter, Rights, stack};
use http::{Request, Response};
use hyper::body::Incoming;
use kube::Config;
use kube::client::middleware::{AuthLayer, ExtraHeadersLayer};
use kube::client::{Body, ClientBuilder, ConfigExt};
use std::sync::{Arc, OnceLock};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceExt};

/// A client with connections of its own. Clones share them.
#[derive(Clone)]
pub struct Client {
    setup: Arc<Setup>,
    service: BoxCloneSyncService<Request<Body>, Response<Incoming>, BoxError>,
    kube: Arc<OnceLock<kube::Client>>,
}

/// What connections are made of.
pub(super) struct Setup {
    pub(super) config: Config,
    pub(super) tls: rustls::ClientConfig,
    pub(super) auth: Option<AuthLayer>,
    pub(super) headers: ExtraHeadersLayer,
    pub(super) counter: Counter,
}

impl Client {
    /// A client that only reads.
    ///
    /// # Errors
    /// When certificates or credentials cannot be read.
    pub fn new(config: &Config) -> Result<Self, kube::Error> {
        let setup = Arc::new(Setup {
            tls: config.rustls_client_config()?,
            auth: config.auth_layer()?,
            headers: config.extra_headers_layer()?,
            config: config.clone(),
            counter: Counter::default(),
        });
        Ok(Self::connecting(setup, Rights::ReadOnly))
    }

    /// A client of the same server with connections of its own.
    #[must_use]
    pub fn another(&self, rights: Rights) -> Self {
        Self::connecting(self.setup.clone(), rights)
    }

    fn connecting(setup: Arc<Setup>, rights: Rights) -> Self {
        Self {
            service: BoxCloneSyncService::new(stack(&setup, rights)),
            kube: Arc::default(),
            setup,
        }
    }

    /// Sends a request; its URI needs path and query only.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, BoxError> {
        self.service.clone().oneshot(request).await
    }

    /// kube's client over the same connections.
    #[must_use]
    pub fn kube(&self) -> &kube::Client {
        self.kube
            .get_or_init(|| ClientBuilder::new(self.service.clone(), "default").build())
    }

    /// Counts the requests of this client and of all that share its setup.
    #[must_use]
    pub fn counter(&self) -> &Counter {
        &self.setup.counter
    }

    /// How the server is reached.
    pub(super) fn config(&self) -> &Config {
        &self.setup.config
    }
}
