//! HTTP: health and metrics for machines, and what a daemon knows and does for people.
//!
//! Invariants: `health` needs no rights and gives no details; `rest` listens where it is told,
//! loopback by default; an error has an error's status code.

mod health;
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

async fn serve(listener: TcpListener, router: axum::Router, stop: CancellationToken) {
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = served.await {
        tracing::error!("the HTTP server ended: {error}");
    }
}
