//! Finds the daemon of an instance: where `--server` says, else at its local socket, at
//! `api.listen`, or through the cluster in the pod that holds the Lease.
//!
//! Only `--server` is believed as it stands; whoever is found otherwise has to be the daemon of this
//! very instance.

use super::context::Context;
use super::failure::Failure;
use super::server::{Answer, Door, nobody};
use crate::api::local;
use crate::cluster::{Forward, Forwarder, Lease};
use crate::daemon::{Connected, Settings};
use http::Method;

/// Where `api.listen` is unless somebody moved it.
const DEFAULT_PORT: u16 = 8585;

/// What came of a search.
pub(super) enum Found {
    /// A daemon, and what keeps the way to it open.
    Daemon(Door, Option<Forward>),
    /// Nobody answers.
    Nobody(Box<Absence>),
}

/// Where nobody answered, and the cluster that was asked on the way.
pub(super) struct Absence {
    tried: Vec<String>,
    /// The connection, or why there is none.
    pub(super) connected: Result<Connected, Failure>,
}

impl Absence {
    /// Where nobody answered: `(tried A, B and C)`.
    pub(super) fn places(&self) -> String {
        match self.tried.split_last() {
            Some((last, [])) => format!("(tried {last})"),
            Some((last, first)) => format!("(tried {} and {last})", first.join(", ")),
            None => String::new(),
        }
    }
}

/// Looks for the daemon.
///
/// # Errors
/// When `--server` is no address, or nobody listens there.
pub(super) async fn find(
    context: &Context,
    settings: &Settings,
    given: Option<&str>,
) -> Result<Found, Failure> {
    if let Some(given) = given {
        return Ok(Found::Daemon(Door::given(given)?, None));
    }
    let identity = settings.instance.identity();
    let listen = &settings.loaded.config.api_listen;
    let near = [
        Door::Socket(local::path_of(&identity)),
        Door::Http(format!("http://{listen}")),
    ];
    let mut tried = Vec::new();
    for door in near {
        if door.leads_to(&identity).await {
            return Ok(Found::Daemon(door, None));
        }
        tried.push(door.to_string());
    }
    let connected = context.connect(settings).await;
    if let Ok(connected) = &connected {
        match through_the_cluster(settings, connected).await {
            Ok((door, forward)) => return Ok(Found::Daemon(door, Some(forward))),
            Err(why) => tried.push(why),
        }
    }
    Ok(Found::Nobody(Box::new(Absence { tried, connected })))
}

/// Asks the daemon, wherever it is.
///
/// # Errors
/// When nobody answers, or not as a daemon does.
pub(super) async fn ask(
    context: &Context,
    settings: &Settings,
    given: Option<&str>,
    method: Method,
    path: &str,
) -> Result<Result<Answer, Box<Absence>>, Failure> {
    match find(context, settings, given).await? {
        // The way stays open until the answer is here.
        Found::Daemon(door, _way) => match door.call(method, path).await? {
            Some(answer) => Ok(Ok(answer)),
            None => Err(nobody(&format!("at {door}"))),
        },
        Found::Nobody(absence) => Ok(Err(absence)),
    }
}

/// The daemon in the pod that holds the Lease; else what was tried.
async fn through_the_cluster(
    settings: &Settings,
    connected: &Connected,
) -> Result<(Door, Forward), String> {
    let (reader, instance) = (connected.reader(), &settings.instance);
    let identity = instance.identity();
    let lease = reader.lease(instance).await.ok().flatten();
    let pod = lease
        .filter(Lease::looks_alive)
        .and_then(|lease| lease.host(&identity).map(str::to_owned))
        .ok_or("the Lease, which nobody holds")?;
    // Who may not read the leader's configuration takes the port that it has unless it is moved.
    let stored = reader.effective_configuration(instance).await;
    let port = stored
        .ok()
        .flatten()
        .and_then(|values| port_of(values.pointer("/api/listen")?.as_str()?));
    let told = |why: String| format!("{pod}, which holds the Lease ({why})");
    let forward = Forwarder::new(reader)
        .to_running_pod(&instance.namespace, &pod, port.unwrap_or(DEFAULT_PORT))
        .await
        .map_err(|error| told(error.to_string()))?
        .ok_or_else(|| told("no pod of this cluster".to_owned()))?;
    let door = Door::Http(format!("http://{}", forward.address));
    if door.leads_to(&identity).await {
        Ok((door, forward))
    } else {
        Err(told("it does not answer".to_owned()))
    }
}

fn port_of(listen: &str) -> Option<u16> {
    listen.rsplit_once(':')?.1.parse().ok()
}
