//! Refreshes that people ask for: the configuration is read again, the service begins anew, and the
//! answer comes when it has come to rest.

use super::ends::{Refreshed, Request};
use super::keeper::Keeper;
use crate::engine::{Event, Phase};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How long a refresh may take before its asker is told that it goes on.
const REFRESH_PATIENCE: Duration = Duration::from_secs(30);

/// Someone who waits for a refresh.
pub(super) struct Waiting {
    service: Arc<str>,
    reply: oneshot::Sender<Refreshed>,
    until: Instant,
    left: bool,
}

impl Keeper {
    pub(super) async fn on_request(&mut self, request: Request) {
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
    pub(super) fn answer_waiting(&mut self) {
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
}
