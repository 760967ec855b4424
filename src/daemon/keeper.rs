//! The daemon: one session for ever, with the interval, the files, the cluster's coming and going
//! and people's requests as further sources of events.

use super::connected::{Connected, connect};
use super::files::Files;
use super::leading::Claim;
use super::loading::{Inputs, LoadError, Settings, load};
use super::session::{Access, Session, SessionError};
use crate::cluster::{ConnectError, Counter, find};
use crate::config::Config;
use crate::desired::rights::Purpose;
use crate::engine::{ClusterState, Event, Mode, Occurrence, Phase, Status};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How long a refresh may take before its asker is told that it goes on.
const REFRESH_PATIENCE: Duration = Duration::from_secs(30);
/// Between two attempts to connect.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MOST: Duration = Duration::from_secs(30);

/// What a daemon tells whoever asks.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Where everything stands.
    pub status: Status,
    /// How often every service is looked at.
    pub interval: Duration,
    /// Why the files as they are now are not in force.
    pub config_error: Option<String>,
    /// What the cluster is called.
    pub target: String,
    /// How many requests were sent to the cluster.
    pub requests: u64,
    /// Heals and applies since the start.
    pub healed: u64,
    /// Objects written because their manifest said so.
    pub applied: u64,
}

/// Something that people ask of a daemon.
#[derive(Debug)]
pub enum Request {
    /// Read the configuration again and rerun a service; the answer comes when it is done.
    Refresh(String, oneshot::Sender<Refreshed>),
}

/// How a refresh ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// No such service; the nearest name.
    Unknown(Option<String>),
    /// The configuration is not valid; what was in force stays.
    Invalid(String),
    /// The service's phase and why.
    Done(Phase, String),
    /// It goes on.
    Pending(Phase, String),
}

/// Takes occurrences as they come.
pub type Sink = Box<dyn FnMut(&Occurrence, &Config) + Send>;

/// The daemon.
pub struct Keeper {
    inputs: Inputs,
    settings: Settings,
    session: Session,
    access: Access,
    sink: Sink,
    counter: Counter,
    target: String,
    config_error: Option<String>,
    snapshots: watch::Sender<Snapshot>,
    requests: mpsc::Receiver<Request>,
    waiting: Vec<Waiting>,
    healed: u64,
    applied: u64,
    claim: Option<Claim>,
    leads: bool,
}

/// Someone who waits for a refresh.
struct Waiting {
    service: Arc<str>,
    reply: oneshot::Sender<Refreshed>,
    until: Instant,
    left: bool,
}

/// The two ends by which others talk to a daemon.
pub struct Ends {
    /// What it tells.
    pub snapshots: watch::Receiver<Snapshot>,
    /// What it is asked.
    pub requests: mpsc::Sender<Request>,
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
        let session = Session::new(
            &settings,
            ClusterState::Unreachable("not connected yet".into()),
            mode,
        )?;
        let snapshot = Snapshot {
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
        };
        Ok((
            keeper,
            Ends {
                snapshots: receiver,
                requests: sender,
            },
        ))
    }

    /// Keeps everything alive until told to stop, or until another process leads.
    ///
    /// # Errors
    /// When the Lease was lost: whoever led must not go on as if it still did.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), LeaseLost> {
        let mut files = self.watch_files();
        let mut links = self.seek_cluster(Duration::ZERO);
        let mut ticks = self.ticks();
        let mut interval = self.settings.loaded.config.interval;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                occurrences = self.session.step(Duration::from_secs(3600)) => self.tell(&occurrences),
                _ = ticks.tick() => self.send(Event::Tick),
                () = files.changed() => self.reload().await,
                leads = changed(&mut self.claim) => {
                    if self.leads && !leads {
                        self.session.close().await;
                        return Err(LeaseLost);
                    }
                    self.on_claim(leads).await;
                }
                Some(link) = links.recv() => {
                    if let Some(again) = self.on_link(link).await {
                        links = again;
                    }
                }
                Some(request) = self.requests.recv() => self.on_request(request).await,
            }
            self.answer_waiting();
            self.publish();
            if self.settings.loaded.config.interval != interval {
                interval = self.settings.loaded.config.interval;
                ticks = self.ticks();
            }
        }
        self.session.close().await;
        if let Some(claim) = self.claim.take() {
            claim.give_up().await;
        }
        Ok(())
    }

    /// The Lease was won: what the last leader left is read, and work begins.
    async fn on_claim(&mut self, leads: bool) {
        self.leads = leads;
        if !leads {
            return;
        }
        if let Err(error) = self.session.take_over(&self.settings).await {
            tracing::error!("{error}");
        }
        self.session.set_mode(Mode::Enforce { run: true });
    }

    /// Names all missing rights at once, before the first write would find them one by one.
    async fn name_missing_rights(&self) {
        if self.session.was_applied_before() || self.access == Access::ReadOnly {
            return;
        }
        match self
            .session
            .missing_rights(&self.settings, Purpose::Run)
            .await
        {
            Ok(missing) if missing.is_empty() => {}
            Ok(missing) => {
                let list: Vec<String> = missing.iter().map(ToString::to_string).collect();
                tracing::error!(
                    "rights are missing: {}; `jsorc rbac` prints the roles",
                    list.join("; ")
                );
            }
            Err(error) => tracing::warn!("{error}"),
        }
    }

    fn ticks(&self) -> tokio::time::Interval {
        let interval = self.settings.loaded.config.interval;
        let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + interval, interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    }

    fn watch_files(&self) -> Files {
        let default = PathBuf::from(crate::config::file::DEFAULT_FILE);
        let file = self.inputs.config_file.clone().unwrap_or(default);
        let files = Files::watch(&file, self.inputs.services.as_deref());
        if let Some(problem) = files.problem() {
            tracing::warn!("cannot watch files ({problem}); they are read every minute");
        }
        files
    }

    /// Looks for the cluster until it answers, in a task of its own.
    fn seek_cluster(&self, first_wait: Duration) -> mpsc::Receiver<Link> {
        let (sender, receiver) = mpsc::channel(1);
        let kubernetes = self.settings.loaded.config.kubernetes.clone();
        let identity = self.settings.instance.identity();
        tokio::spawn(async move {
            tokio::time::sleep(first_wait).await;
            let mut wait = RETRY_FIRST;
            loop {
                let variable = |name: &str| std::env::var(name).ok();
                let found = match find(&kubernetes, &variable).await {
                    Ok(target) => connect(target, &identity).await,
                    Err(error) => Err(error),
                };
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
    async fn on_link(&mut self, link: Link) -> Option<mpsc::Receiver<Link>> {
        match link.0 {
            Ok(connected) => return self.attach(connected).await,
            Err(error @ (ConnectError::Off | ConnectError::NotFound(_))) => {
                tracing::info!("without a cluster: {error}; services are only rerun and probed");
                self.target = "no cluster".into();
                self.send(Event::Cluster(ClusterState::Off(error.to_string())));
            }
            Err(error) => {
                tracing::warn!("{error}; tried again");
                self.send(Event::Cluster(ClusterState::Unreachable(error.to_string())));
            }
        }
        None
    }

    async fn attach(&mut self, connected: Connected) -> Option<mpsc::Receiver<Link>> {
        self.counter = connected.counter.clone();
        self.target = format!("{} ({})", connected.target.server(), connected.target.found);
        let user = &connected.greeting.user;
        let version = connected.reader().version().await;
        tracing::info!(
            "connected to {} as {user}, Kubernetes {version}",
            self.target
        );
        let Err(error) = self
            .session
            .attach(&self.settings, &connected, self.access)
            .await
        else {
            self.name_missing_rights().await;
            if let Some(candidate) = self.session.candidate() {
                // Until the Lease is won, this process watches and writes nothing.
                self.session.set_mode(Mode::Observe { rehearse: false });
                self.claim = Some(Claim::stake(candidate));
            }
            return None;
        };
        tracing::error!("{error}; tried again in {} s", RETRY_MOST.as_secs());
        self.send(Event::Cluster(ClusterState::Unreachable(error.to_string())));
        Some(self.seek_cluster(RETRY_MOST))
    }

    /// Reads everything again. What is valid is taken as what ought to be; what is not changes
    /// nothing and is said.
    async fn reload(&mut self) {
        let outcome = load(&self.inputs).and_then(|settings| self.take(settings));
        match outcome {
            Ok(false) => {}
            Ok(true) => {
                tracing::info!("files changed: they are in force now");
                self.store_configuration().await;
            }
            Err(error) => {
                let text = error.render();
                if self.config_error.as_ref() != Some(&text) {
                    tracing::error!(
                        "files changed and are not valid; what was in force stays\n{text}"
                    );
                }
                self.config_error = Some(text);
            }
        }
    }

    async fn store_configuration(&self) {
        if self.leads
            && let Err(error) = self.session.store_configuration(&self.settings).await
        {
            tracing::warn!("{error}");
        }
    }

    /// Takes settings, unless they are those in force already.
    fn take(&mut self, settings: Settings) -> Result<bool, LoadError> {
        let same = settings.catalog.digest == self.settings.catalog.digest
            && settings.loaded.config == self.settings.loaded.config;
        let recovered = self.config_error.take().is_some();
        if same {
            if recovered {
                tracing::info!("files are valid again");
            }
            return Ok(false);
        }
        if settings.instance != self.settings.instance
            || settings.loaded.config.kubernetes != self.settings.loaded.config.kubernetes
        {
            tracing::warn!("a changed instance or cluster takes effect at the next start");
        }
        self.session.give(&settings).map_err(|error| match error {
            SessionError::Load(error) => error,
            other => LoadError::Config(vec![crate::config::Problem {
                place: "configuration".into(),
                message: other.to_string(),
                hint: None,
            }]),
        })?;
        self.settings = settings;
        Ok(true)
    }

    async fn on_request(&mut self, request: Request) {
        let Request::Refresh(name, reply) = request;
        let name = name
            .strip_suffix("_CONFIG")
            .map_or(name.clone(), |name| name.to_lowercase().replace('_', "-"));
        let Some(service) = self
            .settings
            .catalog
            .service(&name)
            .map(|service| service.name.as_ref().into())
        else {
            let near =
                crate::config::nearest(&name, self.settings.catalog.names()).map(str::to_owned);
            // The asker may have gone.
            let _ = reply.send(Refreshed::Unknown(near));
            return;
        };
        self.reload().await;
        if let Some(error) = &self.config_error {
            let _ = reply.send(Refreshed::Invalid(error.clone()));
            return;
        }
        self.send(Event::Refresh(Arc::clone(&service)));
        let until = Instant::now() + REFRESH_PATIENCE;
        self.waiting.push(Waiting {
            service,
            reply,
            until,
            left: false,
        });
    }

    /// Answers those whose service has come to rest after it began anew.
    fn answer_waiting(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let status = self.session.status();
        for mut waiting in std::mem::take(&mut self.waiting) {
            let Some(service) = status
                .services
                .iter()
                .find(|service| service.name == waiting.service)
            else {
                continue;
            };
            let resting = service.phase.is_settled()
                || matches!(service.phase, Phase::Failed | Phase::Waiting);
            waiting.left |= service.phase == Phase::Starting;
            let answer = (service.phase, service.reason.clone());
            if resting && (waiting.left || service.phase != Phase::Running) {
                let _ = waiting.reply.send(Refreshed::Done(answer.0, answer.1));
            } else if Instant::now() > waiting.until {
                let _ = waiting.reply.send(Refreshed::Pending(answer.0, answer.1));
            } else {
                self.waiting.push(waiting);
            }
        }
    }

    fn tell(&mut self, occurrences: &[Occurrence]) {
        for occurrence in occurrences {
            match occurrence {
                Occurrence::Healed(_) => self.healed += 1,
                Occurrence::Applied { .. } => self.applied += 1,
                _ => {}
            }
            (self.sink)(occurrence, &self.settings.loaded.config);
        }
    }

    fn publish(&self) {
        self.snapshots.send_replace(Snapshot {
            status: self.session.status(),
            interval: self.settings.loaded.config.interval,
            config_error: self.config_error.clone(),
            target: self.target.clone(),
            requests: self.counter.count(),
            healed: self.healed,
            applied: self.applied,
        });
    }

    fn send(&self, event: Event) {
        // The session holds the receiving end as long as it lives.
        let _ = self.session.events().send(event);
    }
}

/// Another process may lead now.
#[derive(Debug, thiserror::Error)]
#[error("the Lease was lost: another process may lead now")]
pub struct LeaseLost;

/// Waits for news of a claim; for ever without one.
async fn changed(claim: &mut Option<Claim>) -> bool {
    match claim {
        Some(claim) => claim.changed().await,
        None => std::future::pending().await,
    }
}

/// One attempt to reach the cluster.
struct Link(Result<Connected, ConnectError>);
