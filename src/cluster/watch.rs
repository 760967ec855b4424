//! One watch: what is there, then what changes, for ever.
//!
//! A small step function of its own instead of kube-runtime's watcher, because that one asks for
//! version 0, which any cache may answer from the past; here the first read is consistent (no
//! version given). A server without streamed lists is asked for a paged list.
//! Between the two steps nothing is lost: the watch goes on from the version that the read ended with.
//! After a break it asks first whether the store still has the history that this version is of.

use super::client::Client;
use super::freshness::FreshVersion;
use super::page::{Page, is_before, with_kind};
use super::request::{parsed, read_text, unanswered};
use crate::engine::{Body, Event, WatchChange, WatchKey, WriteError};
use futures::TryStreamExt;
use http::Request;
use kube::core::WatchEvent;
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Sender;

/// The server ends a watch after this time, and it is opened again from where it was.
const TIMEOUT_SECONDS: u32 = 290;
/// No watch stays silent for longer than its server-side timeout.
const SILENCE: Duration = Duration::from_secs(300);
/// After a longer rest the server may be another.
const REST: Duration = Duration::from_secs(10);
/// Less than the server's timeout, by what a clock may be off.
const WHOLE: Duration = Duration::from_secs(285);
const PAGE: u32 = 500;

/// Whether what changes is followed. Watches that need not be are closed while it is not, once they
/// have read what is there, and then go on from where they were.
pub type Attention = tokio::sync::watch::Receiver<bool>;

/// What all watches of an instance have in common.
#[derive(Debug)]
pub struct Scope {
    /// The server's address, for people.
    pub server: String,
    /// Selects the objects of the instance, ready for a query.
    pub selector: String,
}

/// Watches until the receiver is gone.
pub async fn watch(
    client: Client,
    key: WatchKey,
    scope: Arc<Scope>,
    events: Sender<Event>,
    attention: Attention,
    fresh: FreshVersion,
) {
    let mut watching = Watching {
        client,
        attention: key.may_rest().then_some(attention),
        key,
        scope,
        events,
        streamed: true,
        fresh,
        lost: false,
    };
    let (mut failures, mut broke) = (0, false);
    let mut version = None;
    loop {
        let resting = Instant::now();
        if version.is_some() && !watching.attends(true).await {
            return;
        }
        broke |= resting.elapsed() > REST;
        let (begun, followed) = (Instant::now(), version.is_some());
        let ended = watching.step(&mut version, broke).await;
        // A server that ends a watch before its time is about to go.
        broke = match ended {
            Ok(()) => followed && begun.elapsed() < WHOLE,
            Err(Ended::Failed(_)) => true,
            Err(_) => false,
        };
        match ended {
            Ok(()) | Err(Ended::Unattended) => failures = 0,
            Err(Ended::Expired) => version = None,
            Err(Ended::Receiver) => return,
            Err(Ended::Failed(reason)) => {
                watching.lost = true;
                if !watching.send(WatchChange::Lost(reason)).await {
                    return;
                }
                failures += 1;
                tokio::time::sleep(pause(failures, &watching.key)).await;
            }
        }
    }
}

enum Ended {
    /// The version is too old: start over.
    Expired,
    /// Nobody listens any more.
    Receiver,
    /// Nobody wants to know for now.
    Unattended,
    /// Try again.
    Failed(String),
}

struct Watching {
    client: Client,
    key: WatchKey,
    scope: Arc<Scope>,
    events: Sender<Event>,
    streamed: bool,
    /// Set at the end of each first read.
    fresh: FreshVersion,
    /// `None` where changes are always followed.
    attention: Option<Attention>,
    /// Whether it was told to be interrupted, and not yet to go on.
    lost: bool,
}

impl Watching {
    /// Waits until changes are followed, or are not. Whether anybody is left who could say.
    async fn attends(&mut self, wanted: bool) -> bool {
        match &mut self.attention {
            Some(attention) => attention
                .wait_for(|followed| *followed == wanted)
                .await
                .is_ok(),
            None if wanted => true,
            None => std::future::pending().await,
        }
    }

    /// Reads everything if there is no version yet, then follows the changes until the stream ends.
    async fn step(&mut self, version: &mut Option<String>, broke: bool) -> Result<(), Ended> {
        if let Some(from) = version.as_ref().filter(|_| broke)
            && self.is_behind(from).await?
        {
            *version = None;
            self.tell(WatchChange::Rewound).await?;
        }
        if let Some(from) = version.clone() {
            return self
                .follow(&format!("&resourceVersion={from}"), version)
                .await;
        }
        if self.streamed {
            let query = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
            match self.follow(query, version).await {
                Err(Ended::Failed(reason)) if reason.contains("sendInitialEvents") => {
                    self.streamed = false;
                }
                other => return other,
            }
        }
        self.list(version).await
    }

    /// Whether the store, asked consistently, has not come as far as a version that it once showed.
    /// It was put back to an older state then, and a watch from that version would be silent until
    /// it comes by. A server that lags behind its store does not answer.
    async fn is_behind(&self, version: &str) -> Result<bool, Ended> {
        let read = read_text(&self.client, &format!("{}limit=1", self.base())).await;
        let read = match read {
            Err(WriteError::Forbidden(_)) => return Ok(false),
            other => other.map_err(|error| self.refused(&error))?,
        };
        let page: Page<'_> = parsed(&read).map_err(|error| self.refused(&error))?;
        Ok(is_before(&page.metadata.resource_version, version))
    }

    async fn follow(&mut self, query: &str, version: &mut Option<String>) -> Result<(), Ended> {
        let uri = format!(
            "{}watch=true&allowWatchBookmarks=true&timeoutSeconds={TIMEOUT_SECONDS}{query}",
            self.base()
        );
        let request = Request::get(uri)
            .body(Vec::new())
            .map_err(|error| Ended::Failed(error.to_string()))?;
        let stream = self
            .client
            .kube()
            .request_events::<Box<RawValue>>(request)
            .await
            .map_err(|error| self.failed(&error))?;
        let mut stream = std::pin::pin!(stream);
        if version.is_none() {
            self.tell(WatchChange::Restarted).await?;
        }
        if std::mem::take(&mut self.lost) {
            self.tell(WatchChange::Resumed).await?;
        }
        loop {
            let next = tokio::select! {
                next = tokio::time::timeout(SILENCE, stream.try_next()) => next,
                _ = self.attends(false), if version.is_some() => return Err(Ended::Unattended),
            };
            let Ok(next) = next else {
                return Err(Ended::Failed("the watch fell silent".into()));
            };
            let Some(event) = next.map_err(|error| self.failed(&error))? else {
                return Ok(());
            };
            self.pass_on(event, version).await?;
        }
    }

    async fn pass_on(
        &self,
        event: WatchEvent<Box<RawValue>>,
        version: &mut Option<String>,
    ) -> Result<(), Ended> {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                let object = body(object);
                advance(&object, version);
                self.tell(WatchChange::Applied(object)).await
            }
            WatchEvent::Deleted(object) => {
                let object = body(object);
                advance(&object, version);
                self.tell(WatchChange::Deleted(object)).await
            }
            WatchEvent::Bookmark(bookmark) => {
                let annotations = &bookmark.metadata.annotations;
                let newest = version.insert(bookmark.metadata.resource_version);
                match annotations
                    .get("k8s.io/initial-events-end")
                    .map(String::as_str)
                {
                    Some("true") => {
                        self.fresh.set(newest);
                        self.tell(WatchChange::Synced).await
                    }
                    _ => Ok(()),
                }
            }
            WatchEvent::Error(status) if status.code == 410 => Err(Ended::Expired),
            WatchEvent::Error(status) => Err(Ended::Failed(status.message)),
        }
    }

    async fn list(&self, version: &mut Option<String>) -> Result<(), Ended> {
        self.tell(WatchChange::Restarted).await?;
        let mut token = String::new();
        loop {
            let uri = format!("{}limit={PAGE}{token}", self.base());
            let read = read_text(&self.client, &uri)
                .await
                .map_err(|error| self.refused(&error))?;
            let page: Page<'_> = parsed(&read).map_err(|error| self.refused(&error))?;
            let (kind, api_version) = (&self.key.resource.kind, self.key.resource.api_version());
            for item in page.items.into_iter().flatten() {
                let object = with_kind(item.get(), &api_version, kind);
                self.tell(WatchChange::Applied(object)).await?;
            }
            if page.metadata.next.is_empty() {
                self.fresh
                    .set(version.insert(page.metadata.resource_version));
                return self.tell(WatchChange::Synced).await;
            }
            token = format!("&continue={}", page.metadata.next);
        }
    }

    /// The collection and what is selected of it, ready for more query.
    fn base(&self) -> String {
        let path = self
            .key
            .resource
            .collection_path(self.key.namespace.as_deref());
        match &self.key.name {
            Some(name) => format!(
                "{path}?fieldSelector=metadata.name%3D{name}&labelSelector={}&",
                self.scope.selector
            ),
            None => format!("{path}?labelSelector={}&", self.scope.selector),
        }
    }

    fn failed(&self, error: &kube::Error) -> Ended {
        match error {
            kube::Error::Api(status) if status.code == 410 => Ended::Expired,
            kube::Error::Api(status) => Ended::Failed(status.message.clone()),
            other => self.refused(&unanswered(other)),
        }
    }

    /// Which server it is that does not answer is worth knowing.
    fn refused(&self, error: &WriteError) -> Ended {
        Ended::Failed(match error {
            WriteError::Unreachable(_) | WriteError::TimedOut(_) => {
                format!("{}: {error}", self.scope.server)
            }
            _ => error.to_string(),
        })
    }

    async fn tell(&self, change: WatchChange) -> Result<(), Ended> {
        if self.send(change).await {
            Ok(())
        } else {
            Err(Ended::Receiver)
        }
    }

    async fn send(&self, change: WatchChange) -> bool {
        let event = Event::Watch(self.key.clone(), change);
        self.events.send(event).await.is_ok()
    }
}

/// While the first read is streamed, its objects' versions are no place to resume from.
fn advance(object: &Body, version: &mut Option<String>) {
    if version.is_some() {
        *version = object.resource_version();
    }
}

fn body(object: Box<RawValue>) -> Body {
    Box::<str>::from(object).into()
}

/// From twenty milliseconds, because the storage of a kind is up that long after its definition is
/// established, to five seconds; a little different for each watch.
fn pause(failures: u32, key: &WatchKey) -> Duration {
    let doubled = Duration::from_millis(20).saturating_mul(1 << failures.saturating_sub(1).min(8));
    let base = doubled.min(Duration::from_secs(5));
    let spread =
        u32::try_from(key.resource.kind.bytes().map(usize::from).sum::<usize>() % 100).unwrap_or(0);
    base + base / 4 * spread / 100
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::WatchKey;
    use std::sync::Arc;

    #[test]
    fn the_first_pauses_are_short_and_the_last_ones_are_long() {
        let resource = crate::desired::Resource {
            group: "example.com".into(),
            version: "v1".into(),
            kind: "Thing".into(),
            plural: "things".into(),
            namespaced: true,
        };
        let key = WatchKey {
            resource: Arc::new(resource),
            namespace: None,
            name: None,
        };
        let first: Duration = (1..=2).map(|failures| pause(failures, &key)).sum();
        assert!(first < Duration::from_millis(80), "{first:?}");
        assert!(pause(9, &key) >= Duration::from_secs(5));
        assert_eq!(pause(9, &key), pause(u32::MAX, &key));
    }
}
