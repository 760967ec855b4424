//! `/livez`, `/readyz` and `/metrics`.

use super::metrics;
use crate::daemon::Snapshot;
use crate::engine::ClusterState;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::sync::watch;

type Snapshots = watch::Receiver<Snapshot>;

pub(super) fn router(snapshots: Snapshots) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(scrape))
        .with_state(snapshots)
}

/// Ready means: the configuration is valid and the watches have named everything; never that the
/// services are well.
async fn ready(State(snapshots): State<Snapshots>) -> impl IntoResponse {
    let snapshot = snapshots.borrow();
    let reason = match (&snapshot.config_error, &snapshot.status.cluster) {
        (Some(_), _) => Some("the configuration is not valid"),
        (None, ClusterState::Connecting | ClusterState::Unreachable(_)) => {
            Some("the cluster is not connected")
        }
        (None, ClusterState::Ready) if !snapshot.status.synced => {
            Some("the watches are not synced")
        }
        _ => None,
    };
    match reason {
        None => (StatusCode::OK, "ok"),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason),
    }
}

async fn scrape(State(snapshots): State<Snapshots>) -> impl IntoResponse {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = metrics::encode(&snapshots.borrow());
    ([(header::CONTENT_TYPE, content_type)], text)
}
