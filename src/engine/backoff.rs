//! Waiting longer after each failure, a little differently for each subject, so that many that
//! failed together do not come back together. Deterministic: the jitter comes from the subject.

use std::hash::{Hash, Hasher};
use std::time::Duration;

/// How long the first wait is, and the longest.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The wait after the first failure.
    pub first: Duration,
    /// No wait is longer, jitter included.
    pub most: Duration,
}

/// For writes and reads of the cluster.
pub const CLUSTER: Pace = Pace {
    first: Duration::from_millis(500),
    most: Duration::from_secs(60),
};
/// For starting services.
pub const SERVICE: Pace = Pace {
    first: Duration::from_secs(1),
    most: Duration::from_secs(60),
};

impl Pace {
    /// The wait after the `failures`-th failure in a row, three quarters of it at least.
    #[must_use]
    pub fn wait(self, failures: u32, subject: &impl Hash) -> Duration {
        let doubled = self.first.saturating_mul(
            1_u32
                .checked_shl(failures.saturating_sub(1).min(31))
                .unwrap_or(u32::MAX),
        );
        let full = doubled.min(self.most);
        let mut hasher = Fnv::default();
        subject.hash(&mut hasher);
        hasher.write_u32(failures);
        let share = u32::try_from(hasher.finish() % 256).unwrap_or(0);
        full * 3 / 4 + full / 4 * share / 256
    }
}

/// FNV-1a: stable across builds, unlike the standard library's hasher.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_limit_and_differ_by_subject() {
        let waits: Vec<Duration> = (1..=12).map(|n| CLUSTER.wait(n, &"redis")).collect();
        assert!(waits[0] >= Duration::from_millis(375) && waits[0] <= Duration::from_millis(500));
        assert!(
            waits
                .windows(2)
                .all(|pair| pair[1] >= pair[0].mul_f64(0.74))
        );
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(60)));
        assert_ne!(CLUSTER.wait(5, &"redis"), CLUSTER.wait(5, &"mail"));
        assert_eq!(CLUSTER.wait(5, &"redis"), CLUSTER.wait(5, &"redis"));
    }
}
