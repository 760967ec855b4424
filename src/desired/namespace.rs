//! Puts objects, and references that carry a namespace, into the service's namespace where a
//! manifest names none.

use serde_json::{Value, json};

/// Sets `metadata.namespace` of a namespaced object that has none.
pub fn settle(object: &mut Value, namespace: &str) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
        && metadata.get("namespace").is_none_or(Value::is_null)
    {
        metadata.insert("namespace".into(), namespace.into());
    }
}

/// Sets the namespace of references from cluster-scoped objects to namespaced ones: subjects of
/// bindings, Services behind webhooks, API services and CRD conversions.
pub fn settle_references(object: &mut Value, namespace: &str) {
    let kind = object
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or("")
        .to_owned();
    match kind.as_str() {
        "RoleBinding" | "ClusterRoleBinding" => {
            for subject in list(object, "/subjects") {
                if subject.get("kind").and_then(Value::as_str) == Some("ServiceAccount") {
                    fill_in(subject, namespace);
                }
            }
        }
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => {
            for hook in list(object, "/webhooks") {
                hook.pointer_mut("/clientConfig/service")
                    .into_iter()
                    .for_each(|s| fill_in(s, namespace));
            }
        }
        "APIService" => object
            .pointer_mut("/spec/service")
            .into_iter()
            .for_each(|s| fill_in(s, namespace)),
        "CustomResourceDefinition" => {
            let pointer = "/spec/conversion/webhook/clientConfig/service";
            object
                .pointer_mut(pointer)
                .into_iter()
                .for_each(|s| fill_in(s, namespace));
        }
        _ => {}
    }
}

fn list<'a>(object: &'a mut Value, pointer: &str) -> impl Iterator<Item = &'a mut Value> {
    object
        .pointer_mut(pointer)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

fn fill_in(reference: &mut Value, namespace: &str) {
    if reference.is_object() && reference.get("namespace").is_none_or(Value::is_null) {
        reference["namespace"] = json!(namespace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_is_written_is_kept() {
        let mut written = json!({"metadata": {"name": "a", "namespace": "own"}});
        settle(&mut written, "prod");
        assert_eq!(written["metadata"]["namespace"], "own");
        let mut bare = json!({"metadata": {"name": "a"}});
        settle(&mut bare, "prod");
        assert_eq!(bare["metadata"]["namespace"], "prod");
    }

    #[test]
    fn references_of_cluster_scoped_objects_follow() {
        let mut binding = json!({"kind": "ClusterRoleBinding", "subjects": [
            {"kind": "ServiceAccount", "name": "a"}, {"kind": "User", "name": "b"},
            {"kind": "ServiceAccount", "name": "c", "namespace": "own"}]});
        settle_references(&mut binding, "prod");
        assert_eq!(binding["subjects"][0]["namespace"], "prod");
        assert_eq!(binding["subjects"][1].get("namespace"), None);
        assert_eq!(binding["subjects"][2]["namespace"], "own");
        let mut hook = json!({"kind": "MutatingWebhookConfiguration", "webhooks": [{"clientConfig": {"service": {"name": "h"}}}]});
        settle_references(&mut hook, "prod");
        assert_eq!(
            hook["webhooks"][0]["clientConfig"]["service"]["namespace"],
            "prod"
        );
    }
}
