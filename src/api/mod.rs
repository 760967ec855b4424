//! HTTP: health and metrics for machines, and what a daemon knows and does for people.
//!
//! Invariants: `health` needs no rights and gives no details; `rest` listens where it is told,
//! loopback by default; an error has an error's status code.

mod health;
pub mod local;
mod metrics;
mod rest;

pub use rest::{RefreshAnswer, StatusQuery, refresh_code};

use crate::daemon::{Ends, Snapshot};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address}: {}",
    crate::manifest::system::words(source)
)]
pub struct ListenError {
    /// The address.
    pub address: String,
    /// What the system said.
    pub source: std::io::Error,
}

/// Binds an address.
///
/// # Errors
/// When it is taken or not ours.
pub async fn listen(address: &str) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ListenError {
            address: address.to_owned(),
            source,
        })
}

/// Serves `/livez`, `/readyz` and `/metrics` until told to stop.
pub async fn serve_health(
    listener: TcpListener,
    snapshots: watch::Receiver<Snapshot>,
    stop: CancellationToken,
) {
    serve(listener, health::router(snapshots), stop).await;
}

/// Serves `/v1` and `/js_admin` until told to stop.
pub async fn serve_rest(listener: TcpListener, ends: Ends, stop: CancellationToken) {
    serve(listener, rest::router(ends), stop).await;
}

/// Serves the same at the instance's local socket. Without one the daemon does all its work; it is
/// then asked at `api.listen`.
pub async fn serve_local(identity: &str, ends: Ends, stop: CancellationToken) {
    match local::open(&local::path_of(identity)) {
        Ok((listener, _file)) => serve(listener, rest::router(ends), stop).await,
        Err(error @ local::LocalError::System { .. }) => {
            tracing::debug!("no local socket: {error}");
        }
        Err(error) => tracing::warn!("no local socket: {error}"),
    }
}

async fn serve<L>(listener: L, router: axum::Router, stop: CancellationToken)
where
    L: axum::serve::Listener,
    L::Addr: std::fmt::Debug,
{
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = served.await {
        tracing::error!("the HTTP server ended: {error}");
    }
}
