//! Signals that end a command: SIGINT and SIGTERM end it in order, a second one at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Waits for the first SIGINT or SIGTERM.
pub(super) async fn interrupted() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Cancels the token at the first signal, and ends the process at the second.
pub(super) fn stop_on_signal(stop: CancellationToken) {
    tokio::spawn(async move {
        interrupted().await;
        tracing::info!("stopping; once more stops at once");
        stop.cancel();
        interrupted().await;
        std::process::exit(130);
    });
}
