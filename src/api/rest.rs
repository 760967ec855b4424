//! `/v1`: what a daemon knows and does; `/js_admin`: the original's names for it.

use crate::daemon::{Ends, Refreshed, Request, Snapshot};
use crate::engine::Phase;
use crate::report::API_VERSION;
use crate::report::status::{StatusView, json as status_json, text as status_text};
use crate::report::style::Palette;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};

/// How a status is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StatusQuery {
    /// Only these services, joined by commas; all when empty.
    pub services: String,
    /// Put the text for people into the field `text` too.
    pub text: bool,
    /// With colours.
    pub colour: bool,
    /// Columns of the terminal; 0 when it goes elsewhere.
    pub width: usize,
    /// With everything.
    pub verbose: bool,
}

/// How a refresh ended, on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshAnswer {
    /// Whether the service runs, or has nothing to run.
    pub success: bool,
    /// Its phase, when there is such a service.
    pub phase: Option<String>,
    /// Why, or what is wrong.
    pub message: String,
}

#[derive(Clone)]
struct Shared {
    snapshots: watch::Receiver<Snapshot>,
    requests: mpsc::Sender<Request>,
}

pub(super) fn router(ends: Ends) -> Router {
    let shared = Shared {
        snapshots: ends.snapshots,
        requests: ends.requests,
    };
    Router::new()
        .route("/v1/instance", get(instance))
        .route("/v1/status", get(status))
        .route("/v1/services/{name}/refresh", post(refresh))
        .route("/js_admin/config_refresh", post(config_refresh))
        .fallback(|| async {
            (
                StatusCode::NOT_FOUND,
                Json(json!({"message": "no such path"})),
            )
        })
        .with_state(shared)
}

/// Whose daemon this is, so that nobody takes another one for it.
async fn instance(State(shared): State<Shared>) -> Json<Value> {
    let instance = shared.snapshots.borrow().instance.clone();
    Json(json!({"apiVersion": API_VERSION, "kind": "Instance", "instance": instance}))
}

async fn status(State(shared): State<Shared>, Query(query): Query<StatusQuery>) -> Json<Value> {
    let mut snapshot = shared.snapshots.borrow().clone();
    if !query.services.is_empty() {
        snapshot
            .status
            .services
            .retain(|service| query.services.split(',').any(|name| *name == *service.name));
    }
    Json(document(&snapshot, &query))
}

/// The status document, with what only a daemon knows.
fn document(snapshot: &Snapshot, query: &StatusQuery) -> Value {
    let view = StatusView {
        interval: Some(snapshot.interval),
        width: (query.width > 0).then_some(query.width),
        verbose: query.verbose,
        palette: if query.colour {
            Palette::COLOURED
        } else {
            Palette::PLAIN
        },
        now: jiff::Timestamp::now(),
        zone: jiff::tz::TimeZone::system(),
        leader: None,
    };
    let mut document = status_json(&snapshot.status, &view);
    document["instance"] = snapshot.instance.clone().into();
    document["target"] = snapshot.target.clone().into();
    document["config_error"] = snapshot.config_error.clone().into();
    document["requests"] = snapshot.requests.into();
    if query.text {
        let mut text = status_text(&snapshot.status, &view);
        if let Some(error) = &snapshot.config_error {
            text = format!("{text}the files as they are now are not in force:\n{error}\n");
        }
        document["text"] = text.into();
    }
    document
}

async fn refresh(State(shared): State<Shared>, Path(name): Path<String>) -> Response {
    ask(&shared, name).await
}

#[derive(Deserialize)]
struct ConfigRefresh {
    name: String,
}

async fn config_refresh(State(shared): State<Shared>, Json(body): Json<ConfigRefresh>) -> Response {
    ask(&shared, body.name).await
}

async fn ask(shared: &Shared, name: String) -> Response {
    let (reply, answer) = oneshot::channel();
    let sent = shared
        .requests
        .send(Request::Refresh(name.clone(), reply))
        .await;
    let refreshed = match sent {
        Ok(()) => answer.await.ok(),
        Err(_) => None,
    };
    let Some(refreshed) = refreshed else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({"message": "the daemon is stopping"})),
        )
            .into_response();
    };
    (
        refresh_code(&refreshed),
        Json(RefreshAnswer::of(&name, refreshed)),
    )
        .into_response()
}

/// The status code of a refresh's end.
#[must_use]
pub fn refresh_code(refreshed: &Refreshed) -> StatusCode {
    match refreshed {
        Refreshed::Unknown(_) => StatusCode::NOT_FOUND,
        Refreshed::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Refreshed::Done(Phase::Failed | Phase::Degraded, _) => StatusCode::BAD_GATEWAY,
        Refreshed::Done(..) => StatusCode::OK,
        Refreshed::Pending(..) => StatusCode::ACCEPTED,
    }
}

impl RefreshAnswer {
    fn of(name: &str, refreshed: Refreshed) -> Self {
        match refreshed {
            Refreshed::Unknown(near) => {
                let near =
                    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                Self {
                    success: false,
                    phase: None,
                    message: format!("unknown service `{name}`{near}"),
                }
            }
            Refreshed::Invalid(why) => Self {
                success: false,
                phase: None,
                message: why,
            },
            Refreshed::Done(phase, message) => Self {
                success: phase.is_settled(),
                phase: Some(phase.to_string()),
                message,
            },
            Refreshed::Pending(phase, message) => Self {
                success: false,
                phase: Some(phase.to_string()),
                message,
            },
        }
    }
}
