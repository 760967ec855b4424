//! How each kind of service is run and probed: one file per driver.
//!
//! A new driver is one file with a [`Driver`] and one line in `ALL`. The room knows neither the
//! engine nor Kubernetes: addresses and credentials come through [`Reach`], settings as JSON.
//!
//! Invariants:
//! - a check does no IO, and tells all problems at once;
//! - every start and every probe ends within the deadline that it was given;
//! - no message, log line or `Debug` output holds a credential.

mod address;
mod celery;
mod command;
mod credential;
mod driver;
mod error;
mod get;
pub mod guard;
mod http;
mod none;
mod pidbox;
mod process;
mod prometheus;
mod redis;
mod resp;
mod settings;
mod smtp;
mod smtp_dialogue;
mod smtp_templates;
mod stream;
mod tcp;
mod tls;

pub use self::{
    credential::Credential,
    driver::{Answer, Driver, Endpoint, Log, Reach, Running, Start},
    error::DriverError,
    prometheus::{PrometheusClient, Sample},
    settings::{Kind, Setting, SettingsProblem},
};

/// Every driver there is.
static ALL: &[&dyn Driver] = &[
    &celery::Celery,
    &command::Command,
    &http::Http,
    &none::Nothing,
    &prometheus::Prometheus,
    &redis::Redis,
    &smtp::Smtp,
    &tcp::Tcp,
];

/// The driver of this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Driver> {
    ALL.iter().copied().find(|driver| driver.name() == name)
}

/// The names of all drivers, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|driver| driver.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_are_found_by_their_names_which_are_sorted() {
        let names: Vec<_> = names().collect();
        assert!(names.is_sorted(), "{names:?}");
        for name in names {
            assert_eq!(by_name(name).map(Driver::name), Some(name));
        }
        assert!(by_name("oracle").is_none());
    }

    #[test]
    fn every_setting_says_what_it_is_for() {
        for driver in ALL {
            for setting in driver.settings() {
                assert!(
                    !setting.help.is_empty(),
                    "{}: {}",
                    driver.name(),
                    setting.name
                );
            }
        }
    }
}
