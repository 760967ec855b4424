//! Which rights are missing, asked before the first write, so that they are all named at once.
//!
//! A rules review tells everything about one namespace in one request, but shows rights there that
//! cluster-scoped writes do not have; those are asked one by one.

use super::hands::Reader;
use super::request::{Call, send};
use crate::desired::rights::Right;
use crate::engine::WriteError;
use futures::future::try_join_all;
use http::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

impl Reader {
    /// The rights among `needed` that we do not have.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn missing_rights(&self, needed: &[Right]) -> Result<Vec<Right>, WriteError> {
        let namespaces: BTreeSet<&str> = needed
            .iter()
            .filter_map(|right| right.namespace.as_deref())
            .collect();
        let asked = namespaces.iter().map(|namespace| self.rules_in(namespace));
        let anywhere = needed.iter().filter(|right| right.namespace.is_none());
        let checked = anywhere.map(|right| self.lacking_cluster_wide(right));
        let (rules, missing) = tokio::try_join!(try_join_all(asked), try_join_all(checked))?;
        let rules: BTreeMap<&str, Vec<Value>> = namespaces.iter().copied().zip(rules).collect();
        let within = needed.iter().filter_map(|right| {
            let namespace = right.namespace.as_deref()?;
            lacking(right, &rules[namespace])
        });
        Ok(missing.into_iter().flatten().chain(within).collect())
    }

    async fn rules_in(&self, namespace: &str) -> Result<Vec<Value>, WriteError> {
        let body = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": namespace}});
        let uri = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews".to_owned();
        let reply = send(self.client(), Call::json(Method::POST, uri, &body)).await?;
        let review = reply.value()?;
        let rules = review
            .pointer("/status/resourceRules")
            .and_then(Value::as_array);
        Ok(rules.cloned().unwrap_or_default())
    }

    async fn lacking_cluster_wide(&self, right: &Right) -> Result<Option<Right>, WriteError> {
        let asked = right.verbs.iter().map(|verb| self.may(right, verb));
        let allowed = try_join_all(asked).await?;
        let verbs: BTreeSet<&'static str> = right
            .verbs
            .iter()
            .copied()
            .zip(allowed)
            .filter(|(_, allowed)| !allowed)
            .map(|(verb, _)| verb)
            .collect();
        Ok((!verbs.is_empty()).then(|| Right {
            verbs,
            ..right.clone()
        }))
    }

    async fn may(&self, right: &Right, verb: &str) -> Result<bool, WriteError> {
        let mut attributes =
            json!({"verb": verb, "group": right.group, "resource": right.resource});
        if let Some(name) = right.names.first() {
            attributes["name"] = name.clone().into();
        }
        let body = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}});
        let uri = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews".to_owned();
        let reply = send(self.client(), Call::json(Method::POST, uri, &body)).await?;
        Ok(reply
            .value()?
            .pointer("/status/allowed")
            .and_then(Value::as_bool)
            .unwrap_or(false))
    }
}

/// What of a right the rules of its namespace do not give.
fn lacking(right: &Right, rules: &[Value]) -> Option<Right> {
    let given = |verb: &str| {
        let names: Vec<Option<&str>> = if right.names.is_empty() {
            vec![None]
        } else {
            right.names.iter().map(|name| Some(name.as_str())).collect()
        };
        names
            .into_iter()
            .all(|name| rules.iter().any(|rule| grants(rule, right, verb, name)))
    };
    let verbs: BTreeSet<&'static str> = right
        .verbs
        .iter()
        .copied()
        .filter(|verb| !given(verb))
        .collect();
    (!verbs.is_empty()).then(|| Right {
        verbs,
        ..right.clone()
    })
}

fn grants(rule: &Value, right: &Right, verb: &str, name: Option<&str>) -> bool {
    let has = |field: &str, wanted: &str| {
        let list = rule.get(field).and_then(Value::as_array);
        list.is_some_and(|list| list.iter().any(|item| item == "*" || item == wanted))
    };
    let named = rule
        .get("resourceNames")
        .and_then(Value::as_array)
        .filter(|names| !names.is_empty());
    has("verbs", verb)
        && has("apiGroups", &right.group)
        && has("resources", &right.resource)
        && named
            .is_none_or(|names| name.is_some_and(|name| names.iter().any(|given| given == name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn right(verbs: &[&'static str], names: &[&str]) -> Right {
        Right {
            namespace: Some("prod".into()),
            group: "apps".into(),
            resource: "deployments".into(),
            verbs: verbs.iter().copied().collect(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn what_is_missing_is_told_verb_by_verb() {
        let rules = [json!({"verbs": ["get", "list"], "apiGroups": ["apps"], "resources": ["*"]})];
        let missing = lacking(&right(&["get", "patch"], &[]), &rules).unwrap();
        assert_eq!(missing.verbs, BTreeSet::from(["patch"]));
        assert_eq!(lacking(&right(&["get"], &[]), &rules), None);
    }

    #[test]
    fn a_right_by_name_is_enough_only_for_that_name() {
        let rules = [
            json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["deployments"], "resourceNames": ["a"]}),
        ];
        assert_eq!(lacking(&right(&["get"], &["a"]), &rules), None);
        assert!(lacking(&right(&["get"], &["a", "b"]), &rules).is_some());
        assert!(lacking(&right(&["get"], &[]), &rules).is_some());
    }
}
