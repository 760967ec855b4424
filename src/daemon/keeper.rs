//! The daemon: one session for ever, with the interval, the files, the cluster's coming and going
//! and people's requests as further sources of events.

use super::ends::{Ends, Request, Snapshot};
use super::files::Files;
use super::inputs::{Inputs, Paths};
use super::leading::Claim;
use super::loading::Settings;
use super::refreshing::Waiting;
use super::session::{Access, Session, SessionError};
use crate::cluster::{Counter, Standing};
use crate::config::Config;
use crate::desired::rights::Right;
use crate::engine::{ClusterState, Event, Mode, Occurrence, Phase};
use crate::report::occurrence::line;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Between two attempts to read what the last leader left.
const TAKE_OVER_AGAIN: Duration = Duration::from_secs(1);

/// How long the inventories may take to be stored when the daemon ends.
const PUT_AWAY: Duration = Duration::from_secs(3);

/// Takes occurrences as they come.
pub type Sink = Box<dyn FnMut(&Occurrence, &Config) + Send + Sync>;

/// The daemon.
pub struct Keeper {
    pub(super) inputs: Inputs,
    pub(super) settings: Settings,
    pub(super) session: Session,
    pub(super) access: Access,
    pub(super) sink: Sink,
    pub(super) counter: Counter,
    pub(super) target: String,
    pub(super) config_error: Option<String>,
    pub(super) snapshots: watch::Sender<Snapshot>,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) waiting: Vec<Waiting>,
    pub(super) healed: u64,
    pub(super) applied: u64,
    pub(super) claim: Option<Claim>,
    pub(super) leads: bool,
    lost: bool,
    takes_over: Option<Instant>,
    /// Rights whose lack was named: what is refused for want of them needs no line of its own.
    pub(super) lacking: Vec<Right>,
}

impl Keeper {
    /// A daemon over settings that were just read.
    ///
    /// # Errors
    /// When settings and services do not fit.
    pub fn new(
        inputs: Inputs,
        settings: Settings,
        dry_run: bool,
        sink: Sink,
    ) -> Result<(Self, Ends), SessionError> {
        let (access, mode) = if dry_run {
            (Access::ReadOnly, Mode::Observe { rehearse: true })
        } else {
            (Access::ReadWrite, Mode::Enforce { run: true })
        };
        let session = Session::new(&settings, ClusterState::Connecting, mode)?;
        let snapshot = Snapshot {
            instance: settings.instance.identity(),
            status: session.status(),
            interval: settings.loaded.config.interval,
            config_error: None,
            target: String::new(),
            requests: 0,
            healed: 0,
            applied: 0,
        };
        let (snapshots, receiver) = watch::channel(snapshot);
        let (sender, requests) = mpsc::channel(16);
        let keeper = Self {
            inputs,
            settings,
            session,
            access,
            sink,
            counter: Counter::default(),
            target: String::new(),
            config_error: None,
            snapshots,
            requests,
            waiting: Vec::new(),
            healed: 0,
            applied: 0,
            claim: None,
            leads: false,
            lost: false,
            takes_over: None,
            lacking: Vec::new(),
        };
        Ok((
            keeper,
            Ends {
                snapshots: receiver,
                requests: sender,
            },
        ))
    }

    /// Keeps everything alive until told to stop; while another process leads, it watches.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut files = self.watch_files();
        let mut links = self.seek_cluster(Duration::ZERO);
        let mut ticks = self.ticks();
        let mut interval = self.settings.loaded.config.interval;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                occurrences = self.session.step(Duration::from_secs(3600)) => self.tell(&occurrences),
                _ = ticks.tick() => self.send(Event::Tick),
                () = files.changed() => if !self.reload().await {
                    files.read_again();
                },
                standing = changed(&mut self.claim) => self.on_claim(&standing).await,
                () = due(self.takes_over) => self.take_over().await,
                Some(link) = links.recv() => {
                    if let Some(again) = self.on_link(link).await {
                        links = again;
                    }
                }
                Some(request) = self.requests.recv() => self.on_request(request).await,
            }
            if let Err(error) = self.session.refit(&self.settings) {
                tracing::error!("{error}");
            }
            self.answer_waiting();
            self.publish();
            if self.settings.loaded.config.interval != interval {
                interval = self.settings.loaded.config.interval;
                ticks = self.ticks();
            }
        }
        self.session.put_away(PUT_AWAY).await;
        self.session.close().await;
        if let Some(claim) = self.claim.take() {
            claim.give_up().await;
        }
    }

    /// The Lease was won or lost. Whoever lost it goes on watching, and stands for it again.
    async fn on_claim(&mut self, standing: &Standing) {
        let led = std::mem::replace(&mut self.leads, standing.leads());
        self.takes_over = None;
        if led {
            tracing::warn!("the Lease was lost: {}", lost(standing));
            self.session.step_down();
            self.lost = !standing.leads();
        }
        if standing.leads() {
            if std::mem::take(&mut self.lost) {
                tracing::info!("the Lease was won again");
            }
            self.take_over().await;
        }
    }

    /// What the last leader left is read, and work begins; not before it was read.
    async fn take_over(&mut self) {
        let read = self.session.take_over().await;
        self.takes_over = read.is_err().then(|| Instant::now() + TAKE_OVER_AGAIN);
        if let Err(error) = read {
            return tracing::error!("{error}; tried again");
        }
        if !self.claim.as_ref().is_some_and(Claim::leads) {
            // It was lost while that was read; the news of it comes next.
            return;
        }
        self.session.set_mode(Mode::Enforce { run: true });
        if let Err(error) = self.session.store_configuration(&self.settings).await {
            let said = error.to_string();
            if self.is_named(&said) {
                tracing::debug!("{said}");
            } else {
                tracing::error!("{said}");
            }
        }
    }

    fn ticks(&self) -> tokio::time::Interval {
        let interval = self.settings.loaded.config.interval;
        let mut ticks = tokio::time::interval_at(Instant::now() + interval, interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    }

    fn watch_files(&self) -> Files {
        let files = Files::watch(Paths::of(&self.inputs), self.settings.stamp);
        if let Some(problem) = files.problem() {
            tracing::warn!("cannot watch files ({problem}); they are looked at every minute");
        }
        files
    }

    pub(super) fn tell(&mut self, occurrences: &[Occurrence]) {
        for occurrence in occurrences {
            match occurrence {
                Occurrence::Healed(_) => self.healed += 1,
                Occurrence::Applied { .. } => self.applied += 1,
                _ => {}
            }
            match occurrence {
                Occurrence::Refused { reason, .. }
                | Occurrence::Unwatched { reason, .. }
                | Occurrence::Phase {
                    from: Phase::Failed,
                    to: Phase::Failed,
                    reason,
                    ..
                } if self.is_named(reason) => {
                    tracing::debug!("{}", line(occurrence));
                }
                _ => (self.sink)(occurrence, &self.settings.loaded.config),
            }
        }
    }

    /// Whether something was refused for want of a right that was named already.
    fn is_named(&self, reason: &str) -> bool {
        let refused = |right: &Right, verb: &str| {
            let said = format!("cannot {verb} resource \"{}\"", right.resource);
            reason.contains(&said)
        };
        let mut lacking = self.lacking.iter();
        lacking.any(|right| right.verbs.iter().any(|verb| refused(right, verb)))
    }

    fn publish(&self) {
        self.snapshots.send_replace(Snapshot {
            instance: self.settings.instance.identity(),
            status: self.session.status(),
            interval: self.settings.loaded.config.interval,
            config_error: self.config_error.clone(),
            target: self.target.clone(),
            requests: self.counter.count(),
            healed: self.healed,
            applied: self.applied,
        });
    }

    pub(super) fn send(&self, event: Event) {
        // The session holds the receiving end as long as it lives.
        let _ = self.session.events().send(event);
    }
}

/// What became of a Lease that this process held.
fn lost(standing: &Standing) -> String {
    match standing {
        // Before anybody looked.
        Standing::Leads => {
            "it had run out, and is won again: another process may have led between".into()
        }
        Standing::Waits(holder) => {
            format!("{holder} holds it; nothing is written before it is won again")
        }
        Standing::Fails(why) => format!(
            "it was not renewed in time ({why}), another process may lead; nothing is written before it is won again"
        ),
    }
}

/// Waits for a moment; for ever without one.
async fn due(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Waits for news of a claim; for ever without one.
async fn changed(claim: &mut Option<Claim>) -> Standing {
    match claim {
        Some(claim) => claim.changed().await,
        None => std::future::pending().await,
    }
}
