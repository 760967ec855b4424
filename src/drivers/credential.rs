//! A credential as it is written, and as it is used.

use std::{fmt, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{
    driver::Reach,
    error::{DriverError, io_message},
};

/// Where a credential comes from.
#[derive(Clone)]
pub enum Credential {
    /// It is written there.
    Value(SecretString),
    /// The key of a Secret in the cluster.
    Secret {
        /// The Secret's name.
        name: String,
        /// Its key.
        key: String,
    },
    /// A file, without the line end that editors add.
    File(PathBuf),
    /// An environment variable.
    Env(String),
}

const FORMS: &str = "takes a text, {secret: NAME/KEY}, {file: PATH} or {env: NAME}";

impl Credential {
    /// Reads one form; the error never repeats what was given.
    ///
    /// # Errors
    /// Says which forms there are.
    pub fn parse(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Ok(Self::Value(text.clone().into())),
            Value::Number(number) => Ok(Self::Value(number.to_string().into())),
            Value::Object(map) if map.len() == 1 => {
                let (form, text) = map.iter().next().ok_or(FORMS)?;
                let text = text.as_str().filter(|text| !text.is_empty()).ok_or(FORMS)?;
                Self::named(form, text)
            }
            _ => Err(FORMS.to_owned()),
        }
    }

    fn named(form: &str, text: &str) -> Result<Self, String> {
        match form {
            "secret" => match text.split_once('/') {
                Some((name, key)) if !name.is_empty() && !key.is_empty() => Ok(Self::Secret {
                    name: name.to_owned(),
                    key: key.to_owned(),
                }),
                _ => Err("takes {secret: NAME/KEY}, with a `/` between name and key".to_owned()),
            },
            "file" => Ok(Self::File(text.into())),
            "env" => Ok(Self::Env(text.to_owned())),
            _ => Err(FORMS.to_owned()),
        }
    }

    /// Gets it. Without a cluster a Secret's key is not there, which is no error here: the server
    /// says whether it wants one.
    ///
    /// # Errors
    /// The file or variable cannot be read, or the cluster does not give the Secret.
    pub async fn resolve(&self, reach: &dyn Reach) -> Result<Option<SecretString>, DriverError> {
        let missing = |what: String| DriverError::refused("credential", what, "check its source");
        let found = match self {
            Self::Value(value) => value.clone(),
            Self::Secret { name, key } => match reach.secret(name, key).await {
                Err(error) if error.is_not_configured() => return Ok(None),
                found => found?,
            },
            Self::File(path) => {
                let text = tokio::fs::read_to_string(path).await;
                let text = text.map_err(|error| {
                    missing(format!("{}: {}", path.display(), io_message(&error)))
                })?;
                text.trim_end_matches(['\r', '\n']).into()
            }
            Self::Env(name) => {
                let text = std::env::var(name);
                text.map_err(|_| missing(format!("environment variable {name} is not set")))?
                    .into()
            }
        };
        Ok(Some(found).filter(|found| !found.expose_secret().is_empty()))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(_) => f.write_str("Value(••••)"),
            Self::Secret { name, key } => write!(f, "Secret({name}/{key})"),
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Env(name) => write!(f, "Env({name})"),
        }
    }
}

/// Gets a credential that may not be given at all.
pub(super) async fn resolve(
    given: Option<Credential>,
    reach: &dyn Reach,
) -> Result<Option<SecretString>, DriverError> {
    match given {
        Some(credential) => credential.resolve(reach).await,
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_is_read_and_none_is_shown() {
        for (given, shown) in [
            (json!("hunter2"), "Value(••••)"),
            (json!(12345), "Value(••••)"),
            (
                json!({"secret": "redis-auth/password"}),
                "Secret(redis-auth/password)",
            ),
            (json!({"file": "/run/secret"}), "File(/run/secret)"),
            (json!({"env": "TOKEN"}), "Env(TOKEN)"),
        ] {
            assert_eq!(format!("{:?}", Credential::parse(&given).unwrap()), shown);
        }
    }

    #[test]
    fn other_forms_are_refused_without_repeating_them() {
        for given in [
            json!(["hunter2"]),
            json!({"secret": "hunter2"}),
            json!({"hunter2": "x"}),
        ] {
            assert!(!Credential::parse(&given).unwrap_err().contains("hunter2"));
        }
    }
}
