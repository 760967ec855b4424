//! Kinds that are not built in: asked of the cluster, one group at a time, only for groups in use.

use super::hands::Reader;
use super::request::read;
use crate::desired::Resource;
use crate::engine::WriteError;
use serde_json::Value;

impl Reader {
    /// The kinds that the cluster serves under an `apiVersion`; none when it does not serve it.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn served(&self, api_version: &str) -> Result<Vec<Resource>, WriteError> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let list = match read(self.client(), &format!("/apis/{api_version}")).await {
            Err(WriteError::KindNotServed | WriteError::Gone) => return Ok(Vec::new()),
            other => other?,
        };
        let text = |entry: &Value, name: &str| {
            entry
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or("")
                .to_owned()
        };
        let entries = list
            .get("resources")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        Ok(entries
            .filter(|entry| !text(entry, "name").contains('/'))
            .map(|entry| Resource {
                group: group.into(),
                version: version.into(),
                kind: text(entry, "kind").into(),
                plural: text(entry, "name").into(),
                namespaced: entry
                    .get("namespaced")
                    .and_then(Value::as_bool)
                    .unwrap_or(true),
            })
            .collect())
    }
}
