//! Waiting for what the story promises, and ending when it does not come or somebody says stop.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Why the story ends before its end.
#[derive(Debug)]
pub enum Trouble {
    /// Something that was promised did not happen.
    Untrue(String),
    /// What was asked for cannot be done, and what to do instead.
    Unwilling(String),
    /// Somebody said stop.
    Interrupted,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untrue(what) => write!(f, "the story did not come true: {what}"),
            Self::Unwilling(why) => f.write_str(why),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

static STOP: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C and SIGTERM end the next wait, so that everything is taken down in order.
pub fn listen_for_stop() {
    thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let mut terminate = signal(SignalKind::terminate()).unwrap();
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        });
        STOP.store(true, Ordering::Relaxed);
    });
}

/// Whether somebody said stop.
pub fn is_stopped() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// Looks again and again until something is found.
pub fn wait<T>(
    what: &str,
    timeout: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> Result<T, Trouble> {
    let end = Instant::now() + timeout;
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if is_stopped() {
            return Err(Trouble::Interrupted);
        }
        if Instant::now() > end {
            let seconds = timeout.as_secs();
            return Err(Trouble::Untrue(format!("{what}: not within {seconds} s")));
        }
        thread::sleep(Duration::from_millis(10));
    }
}
