//! A way to the server that sends single requests.
//!
//! kube's own client hands each request to a task that hands it on, for services that cannot be
//! copied. Ours can: thousands of writes do without the detour. Only watches go by kube's, which
//! takes their streams apart.

use super::road::Road;
use super::transport::{Rights, stack};
use http::{Request, Response};
use hyper::body::Incoming;
use kube::client::{Body, ClientBuilder};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use tower::{BoxError, Service, ServiceExt};

type Answer = Pin<Box<dyn Future<Output = Result<Response<Incoming>, BoxError>> + Send>>;

/// Connections of one purpose. Copies share them.
#[derive(Clone)]
pub struct Client {
    way: Arc<dyn Way>,
    streaming: Arc<OnceLock<kube::Client>>,
}

/// A stack of layers whose type nobody can write down.
trait Way: Send + Sync {
    fn send(&self, request: Request<Body>) -> Answer;
    fn streaming(&self) -> kube::Client;
}

impl<S> Way for S
where
    S: Service<Request<Body>, Response = Response<Incoming>, Error = BoxError>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    fn send(&self, request: Request<Body>) -> Answer {
        Box::pin(self.clone().oneshot(request))
    }

    fn streaming(&self) -> kube::Client {
        ClientBuilder::new(self.clone(), "default").build()
    }
}

impl Client {
    /// A client with connections of its own.
    #[must_use]
    pub fn new(road: &Road, rights: Rights) -> Self {
        Self {
            way: Arc::new(stack(road, rights)),
            streaming: Arc::default(),
        }
    }

    /// Sends a request; the path and query are enough of an address.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, BoxError> {
        self.way.send(request).await
    }

    /// kube's client over the same connections.
    #[must_use]
    pub fn streaming(&self) -> &kube::Client {
        self.streaming.get_or_init(|| self.way.streaming())
    }
}
