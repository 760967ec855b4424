//! Reads and writes of single objects. [`Reader`] has no method that writes, and its connection
//! refuses to; [`Hands`] can do both.

use super::body::body_with;
use super::client::Client;
use super::fence::Fence;
use super::request::{Call, WHOLE, read, send};
use super::transport::Rights;
use crate::desired::path::Path;
use crate::desired::secret::generate;
use crate::desired::{ObjectKey, Resource};
use crate::engine::amending::releasing;
use crate::engine::{Verb, Write, WriteError, Written};
use http::Method;
use serde_json::{Value, json};

/// Eyes on a cluster that cannot change it.
#[derive(Clone)]
pub struct Reader {
    client: Client,
    manager: String,
}

/// Hands on a cluster.
#[derive(Clone)]
pub struct Hands {
    client: Client,
    reader: Reader,
    fence: Fence,
}

impl Reader {
    /// A reader under the name of a field manager.
    #[must_use]
    pub fn new(client: Client, manager: &str) -> Self {
        Self {
            client,
            manager: manager.to_owned(),
        }
    }

    /// Its client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// One object, `None` when it is not there.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn get(
        &self,
        key: &ObjectKey,
        resource: &Resource,
    ) -> Result<Option<Value>, WriteError> {
        let uri = resource.object_path(key.namespace.as_deref(), &key.name);
        match read(&self.client, &uri).await {
            Ok(value) => Ok(Some(value)),
            Err(WriteError::Gone | WriteError::KindNotServed | WriteError::NamespaceMissing(_)) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What an apply would make of an object, with nothing changed.
    ///
    /// # Errors
    /// Why the server would refuse it.
    pub async fn rehearse(&self, write: &Write) -> Result<Written, WriteError> {
        match &write.verb {
            Verb::Apply { dry_run: true, .. } => apply(&self.client, &self.manager, write).await,
            Verb::Amend {
                patch,
                dry_run: true,
            } => amend(&self.client, &self.manager, write, patch, true).await,
            Verb::Prove { body } => prove(&self.client, &self.manager, write, body.text()).await,
            _ => Err(WriteError::Forbidden("a reader only rehearses".into())),
        }
    }
}

impl Hands {
    /// Hands with a connection of their own beside that of a reader.
    #[must_use]
    pub fn new(reader: Reader) -> Self {
        Self {
            client: reader.client.another(Rights::ReadWrite),
            reader,
            fence: Fence::default(),
        }
    }

    /// The part that only reads.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// What keeps a leader that was deposed from writing.
    #[must_use]
    pub fn fence(&self) -> &Fence {
        &self.fence
    }

    /// The connection, for other writes of this room.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Writes one object.
    ///
    /// # Errors
    /// Why the server did not.
    pub async fn write(&self, write: &Write) -> Result<Written, WriteError> {
        self.fence.check()?;
        match &write.verb {
            Verb::Apply { .. } => apply(&self.client, &self.reader.manager, write).await,
            Verb::Create { body, generated } => {
                let body = generate(body.text(), generated, &mut |bytes| getrandom::fill(bytes))
                    .map_err(|error| {
                        WriteError::Unreachable(format!("no random bytes: {error}"))
                    })?;
                self.create(write, body).await
            }
            Verb::Amend { patch, dry_run } => {
                amend(&self.client, &self.reader.manager, write, patch, *dry_run).await
            }
            Verb::Release { paths } => self.release(write, paths).await,
            Verb::Prove { body } => {
                prove(&self.client, &self.reader.manager, write, body.text()).await
            }
            Verb::Restart => self.restart(write).await,
            Verb::Delete {
                uid,
                resource_version,
            } => self.delete(write, uid, resource_version.as_deref()).await,
        }
    }

    async fn create(&self, write: &Write, body: String) -> Result<Written, WriteError> {
        let path = write
            .resource
            .collection_path(write.key.namespace.as_deref());
        let uri = format!(
            "{path}?fieldManager={}&fieldValidation=Strict",
            self.reader.manager
        );
        let call = Call {
            method: Method::POST,
            uri,
            content_type: "application/json",
            body: body.into_bytes(),
            secret: write.key.is_secret(),
            accept: WHOLE,
        };
        let reply = send(&self.client, call).await?;
        Ok(Written::Object {
            created: true,
            object: reply.body,
        })
    }

    /// Looks at the object first: which of the fields are ours, only its body tells.
    async fn release(&self, write: &Write, paths: &[Path]) -> Result<Written, WriteError> {
        let found = self.reader.get(&write.key, &write.resource).await?;
        let live = found.ok_or(WriteError::Gone)?;
        match releasing(&live, &self.reader.manager, paths) {
            Some(patch) => {
                let patch = patch.to_string();
                amend(&self.client, &self.reader.manager, write, &patch, false).await
            }
            None => Ok(Written::Object {
                created: false,
                object: live.into(),
            }),
        }
    }

    async fn restart(&self, write: &Write) -> Result<Written, WriteError> {
        let now = jiff::Timestamp::now().to_string();
        let body = json!({"spec": {"template": {"metadata": {"annotations": {"jsorc.dev/restarted-at": now}}}}});
        let path = write
            .resource
            .object_path(write.key.namespace.as_deref(), &write.key.name);
        let call = Call {
            content_type: "application/merge-patch+json",
            ..Call::json(
                Method::PATCH,
                format!("{path}?fieldManager=jsorc-rerun"),
                &body,
            )
        };
        let reply = send(&self.client, call).await?;
        Ok(Written::Object {
            created: false,
            object: reply.body,
        })
    }

    async fn delete(
        &self,
        write: &Write,
        uid: &str,
        version: Option<&str>,
    ) -> Result<Written, WriteError> {
        let mut preconditions = json!({"uid": uid});
        if let Some(version) = version {
            preconditions["resourceVersion"] = version.into();
        }
        let options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions",
            "propagationPolicy": "Background", "preconditions": preconditions,
        });
        let uri = write
            .resource
            .object_path(write.key.namespace.as_deref(), &write.key.name);
        send(&self.client, Call::json(Method::DELETE, uri, &options)).await?;
        Ok(Written::Deleted)
    }
}

async fn amend(
    client: &Client,
    manager: &str,
    write: &Write,
    patch: &str,
    dry_run: bool,
) -> Result<Written, WriteError> {
    let object = write
        .resource
        .object_path(write.key.namespace.as_deref(), &write.key.name);
    let dry = if dry_run { "&dryRun=All" } else { "" };
    let call = Call {
        method: Method::PATCH,
        uri: format!("{object}?fieldManager={manager}&fieldValidation=Strict{dry}"),
        content_type: "application/json-patch+json",
        body: patch.as_bytes().to_vec(),
        secret: write.key.is_secret(),
        accept: WHOLE,
    };
    let reply = send(client, call).await?;
    Ok(Written::Object {
        created: false,
        object: reply.body,
    })
}

/// Dry-runs the creation of an object under a name of its own: the real one is still taken.
async fn prove(
    client: &Client,
    manager: &str,
    write: &Write,
    body: &str,
) -> Result<Written, WriteError> {
    let mut value: Value =
        serde_json::from_str(body).map_err(|error| WriteError::Invalid(error.to_string()))?;
    let stem: String = write.key.name.chars().take(40).collect();
    value["metadata"]["name"] = format!("{}-anew", stem.trim_end_matches(['-', '.'])).into();
    let path = write
        .resource
        .collection_path(write.key.namespace.as_deref());
    let uri = format!("{path}?fieldManager={manager}&fieldValidation=Strict&dryRun=All");
    let call = Call {
        secret: write.key.is_secret(),
        ..Call::json(Method::POST, uri, &value)
    };
    send(client, call).await?;
    Ok(Written::Accepted)
}

async fn apply(client: &Client, manager: &str, write: &Write) -> Result<Written, WriteError> {
    let Verb::Apply {
        body,
        uid,
        force,
        without,
        dry_run,
    } = &write.verb
    else {
        return Err(WriteError::Invalid("not an apply".into()));
    };
    let path = write
        .resource
        .object_path(write.key.namespace.as_deref(), &write.key.name);
    // An apply is refused for fields that its kind does not have whatever is asked for here. All that
    // more validation would do is to parse it once more for keys that are given twice, and nothing
    // that is written from a tree has any.
    let mut uri = format!("{path}?fieldManager={manager}&fieldValidation=Ignore");
    if *force {
        uri.push_str("&force=true");
    }
    if *dry_run {
        uri.push_str("&dryRun=All");
    }
    let call = Call {
        method: Method::PATCH,
        uri,
        content_type: "application/apply-patch+yaml",
        body: body_with(body.text(), uid.as_deref(), without)?,
        secret: write.key.is_secret(),
        accept: WHOLE,
    };
    let reply = send(client, call).await?;
    Ok(Written::Object {
        created: reply.created,
        object: reply.body,
    })
}
