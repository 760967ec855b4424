//! Medians, worst cases and how they are written.

use std::time::Duration;

/// Measured times of one thing.
#[derive(Clone, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Adds one.
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
        self.0.sort_unstable();
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The one that so many of a hundred do not exceed.
    pub fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100).max(1) - 1;
        self.0.get(rank).copied().unwrap_or_default()
    }

    /// The middle one.
    pub fn median(&self) -> Duration {
        self.percentile(50)
    }

    /// The longest.
    pub fn worst(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }

    /// Median and worst, for a table.
    pub fn shown(&self) -> String {
        if self.0.is_empty() {
            return "–".to_owned();
        }
        format!(
            "{} ({})",
            milliseconds(self.median()),
            milliseconds(self.worst())
        )
    }

    /// How many times as long as another's median this one's is.
    pub fn ratio(&self, other: &Self) -> String {
        if self.0.is_empty() || other.0.is_empty() {
            return "–".to_owned();
        }
        times(self.median().as_secs_f64() / other.median().as_secs_f64())
    }
}

/// A factor, for a table.
pub fn times(factor: f64) -> String {
    if factor >= 10.0 {
        format!("{factor:.0}×")
    } else {
        format!("{factor:.2}×")
    }
}

/// A time in milliseconds, with as many digits as mean something.
pub fn milliseconds(time: Duration) -> String {
    let value = time.as_secs_f64() * 1000.0;
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// Kilobytes of the kernel as megabytes.
pub fn megabytes(kilobytes: u64) -> String {
    let tenths = (kilobytes * 10).div_ceil(1024);
    format!("{}.{}", tenths / 10, tenths % 10)
}
