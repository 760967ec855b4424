//! Looks for the cluster until it answers, and takes up work with it.

use super::connected::{Connected, connect};
use super::keeper::Keeper;
use super::leading::Claim;
use super::session::Access;
use crate::cluster::{ConnectError, Target, find};
use crate::desired::rights::Purpose;
use crate::engine::{ClusterState, Event, Mode, WriteError};
use std::pin::pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Between two attempts to connect.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MOST: Duration = Duration::from_secs(30);

/// Services wait for the first answer of a cluster. A wait that takes this long is logged.
const LONG_WAIT: Duration = Duration::from_secs(2);
/// A cluster that has not answered within this time counts as unreachable, and services are run
/// without it. One request has a shorter deadline; a program that supplies credentials has none.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// What came of one attempt to reach the cluster, or of its first seconds.
pub(super) struct Link(Result<Connected, ConnectError>);

impl Keeper {
    /// Looks for the cluster until it answers, in a task of its own.
    pub(super) fn seek_cluster(&self, first_wait: Duration) -> mpsc::Receiver<Link> {
        let (sender, receiver) = mpsc::channel(1);
        let kubernetes = self.settings.loaded.config.kubernetes.clone();
        let identity = self.settings.instance.identity();
        tokio::spawn(async move {
            tokio::time::sleep(first_wait).await;
            let mut wait = RETRY_FIRST;
            // At a start, nothing else says yet that the cluster does not answer.
            let mut is_start = first_wait.is_zero();
            loop {
                let variable = |name: &str| std::env::var(name).ok();
                let found = match find(&kubernetes, &variable).await {
                    Ok(target) => ask(target, &identity, &sender, is_start).await,
                    Err(error) => Err(error),
                };
                is_start = false;
                let last = matches!(
                    found,
                    Ok(_) | Err(ConnectError::Off | ConnectError::NotFound(_))
                );
                if sender.send(Link(found)).await.is_err() || last {
                    return;
                }
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(RETRY_MOST);
            }
        });
        receiver
    }

    /// Takes up work with a cluster that answered; gives a new search when that failed.
    pub(super) async fn on_link(&mut self, link: Link) -> Option<mpsc::Receiver<Link>> {
        match link.0 {
            Ok(connected) => return self.attach(connected).await,
            Err(error @ (ConnectError::Off | ConnectError::NotFound(_))) => {
                tracing::info!("without a cluster: {error}; services are only rerun and probed");
                self.target = "no cluster".into();
                self.send(Event::Cluster(ClusterState::Off(error.to_string())));
            }
            Err(error) => {
                // Later attempts that fail change nothing.
                let meanwhile = match self.session.status().cluster {
                    ClusterState::Connecting => {
                        "; until it answers, services are only rerun and probed"
                    }
                    _ => "",
                };
                tracing::warn!("{error}; tried again{meanwhile}");
                self.send(Event::Cluster(ClusterState::Unreachable(error.to_string())));
            }
        }
        None
    }

    pub(super) async fn attach(&mut self, connected: Connected) -> Option<mpsc::Receiver<Link>> {
        self.counter = connected.counter().clone();
        self.target = format!("{} ({})", connected.target.server(), connected.target.found);
        let user = &connected.greeting.user;
        let version = connected.reader().version().await;
        tracing::info!(
            "connected to {} as {user}, Kubernetes {version}",
            self.target
        );
        let attaching = self.session.attach(&self.settings, &connected, self.access);
        let late = "waits for the cluster: what it stores is still being read";
        let Err(error) = log_if_slow(attaching, late).await else {
            let candidate = self.session.candidate();
            if candidate.is_some() {
                // Until the Lease is won, this process watches and writes nothing.
                self.session.set_mode(Mode::Follow);
            }
            self.name_missing_rights().await;
            if let Some(candidate) = candidate {
                self.claim = Some(Claim::stake(candidate));
            }
            return None;
        };
        tracing::error!("{error}; tried again in {} s", RETRY_MOST.as_secs());
        self.send(Event::Cluster(ClusterState::Unreachable(error.to_string())));
        Some(self.seek_cluster(RETRY_MOST))
    }

    /// Names all missing rights at once, before the first write would find them one by one.
    async fn name_missing_rights(&mut self) {
        if self.session.was_applied_before() || self.access == Access::ReadOnly {
            return;
        }
        // What is wanted is taken in before, so that it need not be composed once more; what follows
        // from it is told after what it may come from.
        let told = self.session.step(Duration::ZERO).await;
        let missing = self
            .session
            .missing_rights(&self.settings, Purpose::Run)
            .await;
        match missing {
            Ok(missing) if missing.is_empty() => {}
            Ok(missing) => {
                let list: Vec<String> = missing.iter().map(ToString::to_string).collect();
                tracing::error!(
                    "rights are missing: {}; `jsorc rbac` prints the roles",
                    list.join("; ")
                );
                self.lacking = missing;
            }
            Err(error) => tracing::warn!("{error}"),
        }
        self.tell(&told);
    }
}

/// Connects. Sends an error as soon as the server has not answered in time, and goes on.
async fn ask(
    target: Target,
    identity: &str,
    sender: &mpsc::Sender<Link>,
    is_start: bool,
) -> Result<Connected, ConnectError> {
    let server = target.server();
    let late = format!(
        "waits for the cluster: {server} has not answered yet; services are started once it does or cannot be reached"
    );
    let mut connecting = pin!(async {
        let connecting = connect(target, identity);
        if is_start {
            log_if_slow(connecting, &late).await
        } else {
            connecting.await
        }
    });
    if let Ok(found) = timeout(ANSWERS_WITHIN, &mut connecting).await {
        return found;
    }
    let source = WriteError::TimedOut(ANSWERS_WITHIN);
    // A receiver that is gone is noticed with the result.
    let _ = sender
        .send(Link(Err(ConnectError::Server { server, source })))
        .await;
    connecting.await
}

/// Does some work. Logs a line when it takes long.
async fn log_if_slow<T>(work: impl Future<Output = T>, late: &str) -> T {
    let mut work = pin!(work);
    if let Ok(done) = timeout(LONG_WAIT, &mut work).await {
        return done;
    }
    tracing::info!("{late}");
    work.await
}
