//! Images of all workloads: registry mirrors and pull secrets.

use super::workload::pod_spec_mut;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The registry that an image without one comes from.
const DEFAULT_REGISTRY: &str = "docker.io";

/// Rewrites the images of a workload and adds the pull secrets to its pods.
pub fn adjust(object: &mut Value, rewrite: &BTreeMap<String, String>, pull_secrets: &[String]) {
    let Some(pods) = pod_spec_mut(object) else {
        return;
    };
    for list in ["initContainers", "containers"] {
        for container in pods
            .get_mut(list)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(image) = container.get("image").and_then(Value::as_str) {
                let rewritten = rewritten(image, rewrite);
                container["image"] = rewritten.into();
            }
        }
    }
    if pull_secrets.is_empty() {
        return;
    }
    if let Some(pods) = pods.as_object_mut() {
        let secrets = pods.entry("imagePullSecrets").or_insert_with(|| json!([]));
        if let Some(list) = secrets.as_array_mut() {
            let missing: Vec<Value> = pull_secrets
                .iter()
                .map(|name| json!({"name": name}))
                .filter(|entry| !list.contains(entry))
                .collect();
            list.extend(missing);
        }
    }
}

/// The image with the longest matching prefix (registry, or registry and path) replaced.
#[must_use]
pub fn rewritten(image: &str, rewrite: &BTreeMap<String, String>) -> String {
    let full = full_name(image);
    let best = rewrite
        .iter()
        .filter(|(prefix, _)| {
            full.strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.starts_with(['/', ':', '@']))
        })
        .max_by_key(|(prefix, _)| prefix.len());
    match best {
        Some((prefix, instead)) => {
            format!("{}{}", instead.trim_end_matches('/'), &full[prefix.len()..])
        }
        None => image.to_owned(),
    }
}

/// The image with its registry spelled out, by the rules of Docker's reference format.
fn full_name(image: &str) -> String {
    match image.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => image.to_owned(),
        Some(_) => format!("{DEFAULT_REGISTRY}/{image}"),
        None => format!("{DEFAULT_REGISTRY}/library/{image}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_go_to_the_mirror_of_their_registry() {
        let rewrite = BTreeMap::from([
            ("docker.io".to_owned(), "mirror:5000".to_owned()),
            (
                "docker.io/prom".to_owned(),
                "mirror:5000/prometheus/".to_owned(),
            ),
        ]);
        let to = |image: &str| rewritten(image, &rewrite);
        assert_eq!(to("redis:8.2"), "mirror:5000/library/redis:8.2");
        assert_eq!(
            to("prom/prometheus:v3"),
            "mirror:5000/prometheus/prometheus:v3"
        );
        assert_eq!(to("promotion/x:1"), "mirror:5000/promotion/x:1");
        assert_eq!(to("quay.io/a/b:1"), "quay.io/a/b:1");
    }

    #[test]
    fn pull_secrets_are_added_once() {
        let mut pod = json!({"kind": "Deployment", "spec": {"template": {"spec": {
            "imagePullSecrets": [{"name": "a"}], "containers": [{"name": "x", "image": "x:1"}]}}}});
        adjust(&mut pod, &BTreeMap::new(), &["a".into(), "b".into()]);
        assert_eq!(
            pod["spec"]["template"]["spec"]["imagePullSecrets"],
            json!([{"name": "a"}, {"name": "b"}])
        );
        assert_eq!(
            pod["spec"]["template"]["spec"]["containers"][0]["image"],
            "x:1"
        );
    }
}
