//! One page of a list as a watch reads it: its objects stay text, and its version says how far the
//! store has come.

use crate::engine::Body;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// Versions are numbers that grow; of anything else nothing is said.
pub(super) fn is_before(version: &str, other: &str) -> bool {
    let number = |version: &str| version.parse::<u128>();
    matches!((number(version), number(other)), (Ok(a), Ok(b)) if a < b)
}

/// One page of a list. What is compared with what watches say is not written anew.
#[derive(Deserialize)]
pub(super) struct Page<'a> {
    #[serde(borrow, default)]
    pub(super) items: Option<Vec<&'a RawValue>>,
    pub(super) metadata: PageMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageMetadata {
    pub(super) resource_version: String,
    #[serde(rename = "continue", default)]
    pub(super) next: String,
}

/// The items of a list of a built-in kind do not say their kind.
pub(super) fn with_kind(item: &str, api_version: &str, kind: &str) -> Body {
    #[derive(Deserialize)]
    struct Said {
        #[serde(default)]
        kind: Option<IgnoredAny>,
    }
    if serde_json::from_str::<Said>(item).is_ok_and(|said| said.kind.is_some()) {
        return Body::from(Box::<str>::from(item));
    }
    let fields = item.trim_start().strip_prefix('{').unwrap_or("}");
    let text = format!("{{\"apiVersion\":\"{api_version}\",\"kind\":\"{kind}\",{fields}");
    Body::from(text.into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_of_nothing_may_have_no_items_at_all() {
        for text in [
            r#"{"metadata":{"resourceVersion":"7"},"items":null}"#,
            r#"{"metadata":{"resourceVersion":"7"}}"#,
        ] {
            let page: Page<'_> = serde_json::from_str(text).unwrap();
            assert!(page.items.is_none_or(|items| items.is_empty()));
            assert_eq!(page.metadata.resource_version, "7");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(is_before("9", "10") && !is_before("10", "9") && !is_before("10", "10"));
        assert!(!is_before("", "10") && !is_before("9", "x"));
    }

    #[test]
    fn an_item_of_a_list_says_its_kind_once() {
        let bare = with_kind("{\"metadata\":{\"name\":\"a\"}}", "v1", "ConfigMap");
        let whole = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
        assert_eq!(bare.value(), whole);
        let said = with_kind(&whole.to_string(), "v1", "ConfigMap");
        assert_eq!(said.text(), whole.to_string());
    }
}
