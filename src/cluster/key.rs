//! The key of all fingerprints of an instance: a Secret that is created once and shared by every
//! process.

use super::hands::{Hands, Reader};
use super::request::{Call, read_reply, send};
use crate::desired::{FingerprintKey, Instance, ObjectKey, Resource};
use crate::engine::WriteError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

/// A key that lives as long as this process: for plans before the first apply, and without a
/// cluster.
///
/// # Errors
/// When the system has no random bytes.
pub fn passing_key() -> Result<FingerprintKey, WriteError> {
    Ok(FingerprintKey::new(random()?))
}

impl Reader {
    /// The instance's key, `None` before its first apply.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn fingerprint_key(
        &self,
        instance: &Instance,
    ) -> Result<Option<FingerprintKey>, WriteError> {
        let key = ObjectKey::new(
            "",
            "Secret",
            Some(&instance.namespace),
            &instance.key_name(),
        );
        let found = self.get(&key, &secrets()).await?;
        Ok(found.as_ref().and_then(read))
    }

    /// One key of a Secret, as text.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn secret_text(
        &self,
        namespace: &str,
        name: &str,
        entry: &str,
    ) -> Result<Option<String>, WriteError> {
        let key = ObjectKey::new("", "Secret", Some(namespace), name);
        let found = self.get(&key, &secrets()).await?;
        let encoded = found
            .as_ref()
            .and_then(|secret| secret.get("data")?.get(entry)?.as_str());
        Ok(encoded
            .and_then(|text| STANDARD.decode(text).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok()))
    }
}

impl Hands {
    /// Whether a namespace is known to be missing. It is asked over the connection that writes, which
    /// is open by the time that there is something to write.
    async fn lacks_namespace(&self, name: &str) -> bool {
        let uri = format!("/api/v1/namespaces/{name}");
        let found = read_reply(self.client(), &uri).await;
        matches!(
            found,
            Err(WriteError::Gone | WriteError::NamespaceMissing(_))
        )
    }

    /// Makes a namespace, if it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    async fn create_namespace(&self, name: &str) -> Result<(), WriteError> {
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        match send(
            self.client(),
            Call::json(Method::POST, "/api/v1/namespaces".into(), &body),
        )
        .await
        {
            Ok(_) | Err(WriteError::AlreadyExists) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Stores a key for an instance that had none, and gives the one that counts: if somebody else was
    /// faster, it is theirs. Its namespace is made too, when `create_namespace` says so.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn store_fingerprint_key(
        &self,
        instance: &Instance,
        key: &FingerprintKey,
        create_namespace: bool,
    ) -> Result<FingerprintKey, WriteError> {
        // A server waits for a missing namespace before it refuses what is put into it.
        if create_namespace && self.lacks_namespace(&instance.namespace).await {
            self.create_namespace(&instance.namespace).await?;
        }
        match self.store(instance, key).await {
            Ok(()) => Ok(key.clone()),
            // Whoever may not look at namespaces learns it here.
            Err(WriteError::NamespaceMissing(_)) if create_namespace => {
                self.create_namespace(&instance.namespace).await?;
                self.store(instance, key).await.map(|()| key.clone())
            }
            Err(WriteError::AlreadyExists) => self
                .reader()
                .fingerprint_key(instance)
                .await?
                .ok_or(WriteError::AlreadyExists),
            Err(error) => Err(error),
        }
    }

    async fn store(&self, instance: &Instance, key: &FingerprintKey) -> Result<(), WriteError> {
        let body = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "jsorc.dev/key",
            "metadata": {"name": instance.key_name(), "namespace": instance.namespace},
            "data": {"key": STANDARD.encode(key.bytes())},
        });
        let uri = secrets().collection_path(Some(&instance.namespace));
        let call = Call {
            secret: true,
            ..Call::json(Method::POST, uri, &body)
        };
        send(self.client(), call).await.map(drop)
    }
}

fn random() -> Result<[u8; 32], WriteError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| WriteError::Unreachable(format!("no random bytes: {error}")))?;
    Ok(bytes)
}

fn secrets() -> Resource {
    Resource {
        group: "".into(),
        version: "v1".into(),
        kind: "Secret".into(),
        plural: "secrets".into(),
        namespaced: true,
    }
}

fn read(secret: &Value) -> Option<FingerprintKey> {
    let bytes = STANDARD
        .decode(secret.pointer("/data/key")?.as_str()?)
        .ok()?;
    Some(FingerprintKey::new(bytes.try_into().ok()?))
}
