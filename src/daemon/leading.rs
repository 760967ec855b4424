//! Whether this process leads: a task of its own that tries for the Lease and keeps it.

use crate::cluster::{Candidate, RETRY_PERIOD};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A holder renews less often than others look: the Lease stands long enough for two failures.
const RENEW_PERIOD: Duration = Duration::from_secs(4);

/// The claim of this process to lead.
pub struct Claim {
    leads: watch::Receiver<bool>,
    task: JoinHandle<()>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Claim {
    /// Tries for the Lease from now on.
    #[must_use]
    pub fn stake(mut candidate: Candidate) -> Self {
        let (sender, leads) = watch::channel(false);
        let (stop, mut stopped) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(async move {
            loop {
                // What lapsed was lost, although it may be won again at once: another process may have
                // led meanwhile.
                if !candidate.leads() {
                    sender.send_if_modified(|known| std::mem::replace(known, false));
                }
                let leads = candidate.step().await;
                sender.send_if_modified(|known| std::mem::replace(known, leads) != leads);
                let wait = if leads { RENEW_PERIOD } else { RETRY_PERIOD };
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    _ = &mut stopped => break,
                }
            }
            candidate.release().await;
        });
        Self {
            leads,
            task,
            stop: Some(stop),
        }
    }

    /// Waits until the claim is won or lost, and says which.
    ///
    /// # Panics
    /// When the task that keeps the Lease did: nobody would try for it any more.
    pub async fn changed(&mut self) -> bool {
        if self.leads.changed().await.is_err()
            && let Err(error) = (&mut self.task).await
            && let Ok(fault) = error.try_into_panic()
        {
            std::panic::resume_unwind(fault);
        }
        *self.leads.borrow_and_update()
    }

    /// Whether it is won, as far as is known.
    #[must_use]
    pub fn leads(&self) -> bool {
        *self.leads.borrow()
    }

    /// Gives the Lease back.
    pub async fn give_up(mut self) {
        if let Some(stop) = self.stop.take() {
            // The task may have ended.
            let _ = stop.send(());
        }
        let _ = (&mut self.task).await;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.stop.is_some() {
            self.task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(task: JoinHandle<()>) -> (watch::Sender<bool>, Claim) {
        let (sender, leads) = watch::channel(false);
        let stop = None;
        (sender, Claim { leads, task, stop })
    }

    #[tokio::test]
    async fn the_end_of_the_task_that_keeps_the_lease_is_not_taken_for_news() {
        let task = tokio::spawn(async { panic!("a bug in the election") });
        let (sender, mut claim) = claim(task);
        drop(sender);
        let waited = tokio::spawn(async move { claim.changed().await });
        let fault = waited.await.unwrap_err().into_panic();
        assert_eq!(fault.downcast_ref(), Some(&"a bug in the election"));
    }

    #[tokio::test]
    async fn news_are_told_once() {
        let (sender, mut claim) = claim(tokio::spawn(async {}));
        sender.send_replace(true);
        assert!(claim.leads() && claim.changed().await);
        let next = claim.changed();
        let silence = tokio::time::timeout(Duration::from_millis(1), next);
        assert!(silence.await.is_err());
    }
}
