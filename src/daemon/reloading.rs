//! Takes changed files as what ought to be: whole and valid, or not at all.

use super::keeper::Keeper;
use super::loading::{LoadError, Settings, load};
use super::session::SessionError;

impl Keeper {
    /// Reads everything again. What is valid is taken as what ought to be; what is not changes
    /// nothing and is said. Whether it was valid.
    pub(super) async fn reload(&mut self) -> bool {
        let outcome = load(&self.inputs).and_then(|settings| self.take(settings));
        let valid = outcome.is_ok();
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
        valid
    }

    pub(super) async fn store_configuration(&self) {
        if self.leads
            && let Err(error) = self.session.store_configuration(&self.settings).await
        {
            tracing::warn!("{error}");
        }
    }

    /// Takes settings, unless they are those in force already.
    pub(super) fn take(&mut self, settings: Settings) -> Result<bool, LoadError> {
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
}
