//! Whether this process leads: a task of its own that tries for the Lease and keeps it.

use crate::cluster::{Candidate, RETRY_PERIOD, Standing};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A holder renews less often than others look: the Lease stands long enough for two failures.
const RENEW_PERIOD: Duration = Duration::from_secs(4);

/// The claim of this process to lead.
pub struct Claim {
    standing: watch::Receiver<Standing>,
    task: JoinHandle<()>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Claim {
    /// Tries for the Lease from now on.
    #[must_use]
    pub fn stake(mut candidate: Candidate) -> Self {
        let (sender, standing) = watch::channel(candidate.standing());
        let (stop, mut stopped) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(async move {
            loop {
                // What lapsed was lost, although it may be won again at once: another process may have
                // led meanwhile.
                tell(&sender, candidate.standing());
                let standing = candidate.step().await;
                let leads = standing.leads();
                tell(&sender, standing);
                let wait = if leads { RENEW_PERIOD } else { RETRY_PERIOD };
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    _ = &mut stopped => break,
                }
            }
            candidate.release().await;
        });
        Self {
            standing,
            task,
            stop: Some(stop),
        }
    }

    /// Waits until the claim is won or lost, and says where it stands.
    ///
    /// # Panics
    /// When the task that keeps the Lease did: nobody would try for it any more.
    pub async fn changed(&mut self) -> Standing {
        if self.standing.changed().await.is_err()
            && let Err(error) = (&mut self.task).await
            && let Ok(fault) = error.try_into_panic()
        {
            std::panic::resume_unwind(fault);
        }
        self.standing.borrow_and_update().clone()
    }

    /// Whether it is won, as far as is known.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.standing.borrow().leads()
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

/// News are that it is won or lost; why it is not won may change meanwhile.
fn tell(sender: &watch::Sender<Standing>, standing: Standing) {
    sender.send_if_modified(|known| {
        let news = known.leads() != standing.leads();
        *known = standing;
        news
    });
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

    fn claim(task: JoinHandle<()>) -> (watch::Sender<Standing>, Claim) {
        let (sender, standing) = watch::channel(Standing::Waits("another".into()));
        let stop = None;
        let claim = Claim {
            standing,
            task,
            stop,
        };
        (sender, claim)
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
        tell(&sender, Standing::Fails("refused".into()));
        tell(&sender, Standing::Leads);
        assert!(claim.leads() && claim.changed().await.leads());
        tell(&sender, Standing::Leads);
        let next = claim.changed();
        let silence = tokio::time::timeout(Duration::from_millis(1), next);
        assert!(silence.await.is_err());
    }
}
