//! Leader election by client-go's rules: whoever holds the Lease writes, all others watch.
//!
//! Whether a Lease has run out is judged by our own monotonic clock since we last saw it change,
//! never by comparing clocks of two machines. Every write carries the version that was read, so
//! that of two who reach for it one fails. An election is no mutual exclusion (client-go,
//! "leaderelection"): a write that is on its way when the Lease is lost still arrives.

use super::hands::{Hands, Reader};
use super::request::{Call, read_reply, send};
use crate::desired::Instance;
use crate::engine::WriteError;
use http::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long a Lease stands without being renewed.
pub const LEASE_DURATION: Duration = Duration::from_secs(15);
/// How often its holder renews it, and others look at it.
pub const RETRY_PERIOD: Duration = Duration::from_secs(2);
/// A holder that could not renew for this long is one no more.
pub const RENEW_DEADLINE: Duration = Duration::from_secs(10);

/// A Lease as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it; empty when it was given back.
    pub holder: String,
    /// How long it stands without being renewed.
    pub duration: Duration,
    /// Changes with every renewal.
    pub renewed: String,
    /// When it was read, by the server's clock: that of a laptop may be anything.
    pub read_at: jiff::Timestamp,
    version: String,
    transitions: i64,
}

/// What a candidate should do about a Lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Take it, or renew it.
    Write,
    /// Leave it to its holder.
    Wait,
}

/// Decides what a candidate does: a Lease is taken when it is its own, given back, or was not
/// renewed for its duration since it was last seen to change.
#[must_use]
pub fn decide(lease: Option<&Lease>, me: &str, unchanged_for: Duration) -> Move {
    match lease {
        None => Move::Write,
        Some(lease) if lease.holder.is_empty() || lease.holder == me => Move::Write,
        Some(lease) if unchanged_for > lease.duration => Move::Write,
        Some(_) => Move::Wait,
    }
}

/// Where a candidate stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It leads.
    Leads,
    /// Another process holds the Lease.
    Waits(String),
    /// It could not take the Lease, or not renew it in time; why.
    Fails(String),
}

impl Standing {
    /// Whether it leads.
    #[must_use]
    pub fn leads(&self) -> bool {
        *self == Self::Leads
    }
}

/// One process that wants to lead.
pub struct Candidate {
    hands: Hands,
    instance: Instance,
    me: String,
    seen: Option<(Lease, Instant)>,
    renewed: Option<Instant>,
    trouble: Option<String>,
}

impl Reader {
    /// The Lease of an instance.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn lease(&self, instance: &Instance) -> Result<Option<Lease>, WriteError> {
        match read_reply(self.client(), &uri(instance)).await {
            Ok(reply) => {
                let lease = Lease::of(&reply.value()?);
                Ok(Some(Lease {
                    read_at: reply.at().unwrap_or(lease.read_at),
                    ..lease
                }))
            }
            Err(WriteError::Gone | WriteError::NamespaceMissing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Candidate {
    /// A candidate named `me`, unlike every other process. Its hands write from now on only while
    /// it leads.
    #[must_use]
    pub fn new(hands: Hands, instance: Instance, me: String) -> Self {
        hands.fence().close();
        Self {
            hands,
            instance,
            me,
            seen: None,
            renewed: None,
            trouble: None,
        }
    }

    /// Looks at the Lease and takes or renews it if it may; where it stands now. A holder leads on until
    /// its deadline, whatever fails: the Lease stands longer than that.
    pub async fn step(&mut self) -> Standing {
        let tried = self.try_step().await;
        self.trouble = tried.err().map(|error| error.to_string());
        if let Some(trouble) = &self.trouble {
            tracing::debug!("lease: {trouble}");
        }
        self.standing()
    }

    /// Where it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        if self.leads() {
            return Standing::Leads;
        }
        if let Some(trouble) = &self.trouble {
            return Standing::Fails(trouble.clone());
        }
        match &self.seen {
            Some((lease, _)) if lease.holder != self.me => Standing::Waits(lease.holder.clone()),
            _ => Standing::Fails("this process or the server stood still".into()),
        }
    }

    /// Whether it has held the Lease recently enough to write.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.renewed.is_some_and(|at| at.elapsed() < RENEW_DEADLINE)
    }

    /// Gives the Lease back, so that another takes it at once.
    pub async fn release(&mut self) {
        let Some((lease, _)) = self
            .seen
            .clone()
            .filter(|(lease, _)| lease.holder == self.me)
        else {
            return;
        };
        self.hands.fence().close();
        let mut given_back = self.body(Some(&lease));
        given_back["spec"]["holderIdentity"] = "".into();
        given_back["spec"]["leaseDurationSeconds"] = 1.into();
        let _ = send(
            self.hands.client(),
            Call::json(Method::PUT, uri(&self.instance), &given_back),
        )
        .await;
        self.renewed = None;
    }

    async fn try_step(&mut self) -> Result<(), WriteError> {
        // The holder renews what it wrote last; reading first would double its requests.
        let own = self
            .seen
            .as_ref()
            .map(|(lease, _)| lease)
            .filter(|lease| lease.holder == self.me && self.leads())
            .cloned();
        let lease = match own {
            Some(lease) => Some(lease),
            None => self.look().await?,
        };
        let unchanged = self
            .seen
            .as_ref()
            .map_or(Duration::ZERO, |(_, at)| at.elapsed());
        if decide(lease.as_ref(), &self.me, unchanged) == Move::Wait {
            self.renewed = None;
            self.hands.fence().close();
            return Ok(());
        }
        let begun = Instant::now();
        match self.write(lease.as_ref()).await {
            Ok(written) => {
                self.seen = Some((written, begun));
                self.renewed = Some(begun);
                self.hands.fence().renewed(begun);
                Ok(())
            }
            Err(error) => {
                self.seen = None;
                Err(error)
            }
        }
    }

    async fn look(&mut self) -> Result<Option<Lease>, WriteError> {
        let lease = self.hands.reader().lease(&self.instance).await?;
        let changed = match (&lease, &self.seen) {
            (Some(now), Some((then, _))) => now.version != then.version,
            _ => true,
        };
        if changed {
            self.seen = lease.clone().map(|lease| (lease, Instant::now()));
        }
        Ok(lease)
    }

    async fn write(&self, lease: Option<&Lease>) -> Result<Lease, WriteError> {
        let body = self.body(lease);
        let call = match lease {
            Some(_) => Call::json(Method::PUT, uri(&self.instance), &body),
            None => Call::json(Method::POST, collection(&self.instance), &body),
        };
        let reply = send(self.hands.client(), call).await?;
        Ok(Lease::of(&reply.value()?))
    }

    fn body(&self, lease: Option<&Lease>) -> Value {
        let now = jiff::Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
            .to_string();
        let changes_hands = lease.is_some_and(|lease| lease.holder != self.me);
        let mut metadata =
            json!({"name": self.instance.name, "namespace": self.instance.namespace});
        if let Some(lease) = lease {
            metadata["resourceVersion"] = lease.version.clone().into();
        }
        json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata,
            "spec": {
                "holderIdentity": self.me,
                "leaseDurationSeconds": LEASE_DURATION.as_secs(),
                "renewTime": now,
                "leaseTransitions": lease.map_or(0, |lease| lease.transitions + i64::from(changes_hands)),
            },
        })
    }
}

impl Lease {
    fn of(value: &Value) -> Self {
        let text = |pointer: &str| {
            value
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or("")
                .to_owned()
        };
        let number = |pointer: &str| value.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
        Self {
            holder: text("/spec/holderIdentity"),
            duration: Duration::from_secs(number("/spec/leaseDurationSeconds").unsigned_abs()),
            renewed: text("/spec/renewTime"),
            read_at: jiff::Timestamp::now(),
            version: text("/metadata/resourceVersion"),
            transitions: number("/spec/leaseTransitions"),
        }
    }

    /// The host of its holder, when that is a process of this instance: a pod's name, where it
    /// runs in one.
    #[must_use]
    pub fn host(&self, identity: &str) -> Option<&str> {
        let rest = self.holder.strip_prefix(identity)?.strip_prefix('_')?;
        rest.rsplit_once('_').map(|(host, _)| host)
    }

    /// Whether its holder renewed it recently, or at a time that is still to come, as holders do whose
    /// clocks are ahead. For display and for advice only: whoever writes judges by `decide`.
    #[must_use]
    pub fn looks_alive(&self) -> bool {
        let renewed = self.renewed.parse::<jiff::Timestamp>();
        let ago = renewed.map(|at| self.read_at.duration_since(at));
        !self.holder.is_empty()
            && ago.is_ok_and(|ago| ago.is_negative() || ago.unsigned_abs() < self.duration * 2)
    }
}

fn collection(instance: &Instance) -> String {
    format!(
        "/apis/coordination.k8s.io/v1/namespaces/{}/leases",
        instance.namespace
    )
}

fn uri(instance: &Instance) -> String {
    format!("{}/{}", collection(instance), instance.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(holder: &str) -> Lease {
        Lease {
            holder: holder.into(),
            duration: Duration::from_secs(15),
            renewed: "2026-01-01T00:00:00Z".into(),
            read_at: "2026-01-01T00:00:20Z".parse().unwrap(),
            version: "1".into(),
            transitions: 0,
        }
    }

    #[test]
    fn a_lease_is_left_to_a_holder_that_renews_it() {
        let fresh = Duration::from_secs(15);
        assert_eq!(decide(Some(&lease("other")), "me", fresh), Move::Wait);
        assert_eq!(
            decide(
                Some(&lease("other")),
                "me",
                fresh + Duration::from_millis(1)
            ),
            Move::Write
        );
        assert_eq!(
            decide(Some(&lease("me")), "me", Duration::ZERO),
            Move::Write
        );
        assert_eq!(decide(Some(&lease("")), "me", Duration::ZERO), Move::Write);
        assert_eq!(decide(None, "me", Duration::ZERO), Move::Write);
    }

    #[test]
    fn an_old_lease_does_not_look_alive() {
        let at = |text: &str| Lease {
            read_at: text.parse().unwrap(),
            ..lease("other")
        };
        assert!(at("2026-01-01T00:00:20Z").looks_alive());
        assert!(!at("2026-01-01T00:01:00Z").looks_alive());
        assert!(at("2025-12-31T23:00:00Z").looks_alive());
        assert!(!lease("").looks_alive());
    }
}
