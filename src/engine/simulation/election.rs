//! The Lease, its candidates and the fence, by the rules and with the times of `cluster/lease.rs`,
//! `cluster/fence.rs` and `daemon/leading.rs`.

use std::time::Duration;

/// How long a Lease stands without being renewed.
const LEASE_DURATION: Duration = Duration::from_secs(15);
/// A holder that could not renew for this long is one no more.
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// How often others look at it, and its holder renews it.
const RETRY_PERIOD: Duration = Duration::from_secs(2);
const RENEW_PERIOD: Duration = Duration::from_secs(4);
/// What a write takes at most.
const A_WRITE: Duration = Duration::from_secs(8);

/// The Lease as the server holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// The process that holds it; none when it was given back.
    pub holder: Option<usize>,
    /// Changes with every renewal.
    pub version: u64,
}

/// One process that wants to lead.
#[derive(Debug, Default)]
pub struct Candidate {
    seen: Option<(u64, Duration)>,
    renewed: Option<Duration>,
}

/// Says whether a write may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// Nobody shares the work.
    Open,
    /// Open for writes that begin before this moment.
    Until(Duration),
    /// The Lease is not this process's.
    Closed,
}

impl Fence {
    /// Whether a write may begin now.
    pub fn lets_pass(self, now: Duration) -> bool {
        match self {
            Self::Open => true,
            Self::Until(end) => now < end,
            Self::Closed => false,
        }
    }
}

impl Lease {
    /// A candidate looks at the Lease and takes or renews it if it may.
    pub fn reach(&mut self, me: usize, seen: Option<(u64, Duration)>, now: Duration) -> bool {
        let stale = |(version, at): (u64, Duration)| {
            version == self.version && now.saturating_sub(at) > LEASE_DURATION
        };
        let free = self.holder.is_none_or(|holder| holder == me) || seen.is_some_and(stale);
        if free {
            self.holder = Some(me);
            self.version += 1;
        }
        free
    }
}

impl Candidate {
    /// What it knows of the Lease.
    pub fn seen(&self) -> Option<(u64, Duration)> {
        self.seen
    }

    /// Whether it has held the Lease recently enough to write.
    pub fn leads(&self, now: Duration) -> bool {
        self.renewed.is_some_and(|at| now < at + RENEW_DEADLINE)
    }

    /// Takes in what came of a look that began at `begun`; `None` when nothing came of it. Gives
    /// what becomes of the fence.
    pub fn step(
        &mut self,
        outcome: Option<(bool, Lease)>,
        begun: Duration,
        now: Duration,
    ) -> Option<Fence> {
        match outcome {
            Some((true, lease)) => {
                self.seen = Some((lease.version, begun));
                self.renewed = Some(begun);
                Some(Fence::Until(begun + LEASE_DURATION.saturating_sub(A_WRITE)))
            }
            Some((false, lease)) => {
                if self
                    .seen
                    .is_none_or(|(version, _)| version != lease.version)
                {
                    self.seen = Some((lease.version, now));
                }
                self.renewed = None;
                Some(Fence::Closed)
            }
            None => None,
        }
    }

    /// When it looks again.
    pub fn wait(&self, now: Duration) -> Duration {
        if self.leads(now) {
            RENEW_PERIOD
        } else {
            RETRY_PERIOD
        }
    }
}
