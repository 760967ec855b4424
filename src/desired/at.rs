//! Steps into JSON values by pointer, without the strings that `Value::pointer` makes of each step:
//! thousands of objects are read before a verdict.

use serde_json::Value;
use std::borrow::Cow;

/// What a JSON pointer (RFC 6901) of field names leads to.
pub trait At {
    /// The value at `pointer`, such as `/metadata/name`; `None` where a step leads nowhere.
    fn at(&self, pointer: &str) -> Option<&Value>;
}

impl At for Value {
    fn at(&self, pointer: &str) -> Option<&Value> {
        if pointer.is_empty() {
            return Some(self);
        }
        let steps = pointer.strip_prefix('/')?.split('/');
        steps
            .map(unescaped)
            .try_fold(self, |value, step| value.get(&*step))
    }
}

fn unescaped(step: &str) -> Cow<'_, str> {
    if step.contains('~') {
        step.replace("~1", "/").replace("~0", "~").into()
    } else {
        step.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_leads_where_a_pointer_does() {
        let value = json!({"a": {"b/c": {"d~1": 1}}, "": 2});
        for pointer in [
            "/a",
            "/a/b~1c",
            "/a/b~1c/d~01",
            "/a/x",
            "/x/b",
            "/",
            "a",
            "",
        ] {
            assert_eq!(value.at(pointer), value.pointer(pointer), "{pointer}");
        }
    }
}
