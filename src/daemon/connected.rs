//! A cluster that answered, before any session works with it.

use super::session::SessionError;
use crate::cluster::{Client, ConnectError, Counter, Greeting, Hands, Reader, Target, credentials};
use crate::desired::Resource;

/// A cluster that answered.
pub struct Connected {
    /// Where it is.
    pub target: Target,
    /// What it said.
    pub greeting: Greeting,
    pub(super) reader: Reader,
}

/// Connects and asks who we are.
///
/// # Errors
/// When the server does not answer or does not accept us.
pub async fn connect(target: Target, identity: &str) -> Result<Connected, ConnectError> {
    let client = Client::new(&target.config).map_err(|error| ConnectError::Credentials {
        found: target.found.clone(),
        reason: credentials(&error),
    })?;
    let reader = Reader::new(client, identity);
    let greeting = reader.greet(&target.server()).await?;
    Ok(Connected {
        target,
        greeting,
        reader,
    })
}

impl Connected {
    /// The reader of this connection.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Hands on the same cluster, for a command that writes by itself.
    #[must_use]
    pub fn hands(&self) -> Hands {
        Hands::new(self.reader.clone())
    }

    /// Counts the requests to it.
    #[must_use]
    pub fn counter(&self) -> &Counter {
        self.reader.client().counter()
    }

    /// The kinds of these `apiVersion`s that the cluster serves.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn served(&self, api_versions: &[String]) -> Result<Vec<Resource>, SessionError> {
        let mut served = Vec::new();
        for api_version in api_versions {
            let kinds = self.reader.served(api_version).await;
            served.extend(kinds.map_err(|source| SessionError::Prepare {
                action: "list the kinds of the cluster",
                source,
            })?);
        }
        Ok(served)
    }
}
