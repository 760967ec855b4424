//! What the server says of an apply that does not fit its kind, in words for people.
//!
//! The merge of server-side apply (structured-merge-diff) names each field that the kind does not have,
//! or that takes something else, and prints Go values among them.

/// How such a refusal begins; the object follows in brackets, and then one fault or more.
const BEGINNING: &str = "failed to create typed patch object (";
const UNKNOWN: &str = "field not declared in schema";
const GO_VALUE: &str = "&value.valueUnstructured{Value:";

/// The faults that the server found in the form of an object; nothing of another refusal. Of a Secret
/// no value is repeated, only which fields it has too many.
pub(super) fn faults(message: &str, secret: bool) -> Option<String> {
    let (_, faults) = message.strip_prefix(BEGINNING)?.split_once("): ")?;
    let faults = faults.strip_prefix("errors:").unwrap_or(faults);
    let said = faults
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let said: Vec<String> = said.map(|fault| in_words(fault, secret)).collect();
    Some(said.join("; "))
}

fn in_words(fault: &str, secret: bool) -> String {
    let Some((path, what)) = fault.split_once(": ") else {
        return if secret {
            "a field does not fit".into()
        } else {
            fault.into()
        };
    };
    let path = path.trim_start_matches('.');
    if what == UNKNOWN {
        format!("there is no field `{path}` in its kind")
    } else if secret {
        format!("`{path}` does not fit")
    } else {
        format!("`{path}`: {}", without_go(what))
    }
}

/// `expected string, got &value.valueUnstructured{Value:true}` without the Go around the value.
fn without_go(what: &str) -> String {
    match what.split_once(GO_VALUE) {
        Some((before, value)) => format!("{before}{}", value.strip_suffix('}').unwrap_or(value)),
        None => what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "failed to create typed patch object (prod/a; /v1, Kind=ConfigMap): .dat: field not declared in schema";
    const TWO: &str = "failed to create typed patch object (prod/u; apps/v1, Kind=Deployment): errors:\n  .spec.template.spec.containers[name=\"x\"].image: expected string, got &value.valueUnstructured{Value:true}\n  .spec.replcas: field not declared in schema";

    #[test]
    fn each_fault_is_named_by_its_field() {
        assert_eq!(
            faults(ONE, false).unwrap(),
            "there is no field `dat` in its kind"
        );
        assert_eq!(
            faults(TWO, false).unwrap(),
            "`spec.template.spec.containers[name=\"x\"].image`: expected string, got true; \
             there is no field `spec.replcas` in its kind"
        );
        assert_eq!(faults("etcdserver: request timed out", false), None);
    }

    #[test]
    fn no_value_of_a_secret_is_repeated() {
        assert_eq!(
            faults(&TWO.replace("true", "hunter2"), true).unwrap(),
            "`spec.template.spec.containers[name=\"x\"].image` does not fit; \
             there is no field `spec.replcas` in its kind"
        );
        let odd = "failed to create typed patch object (a/b; /v1, Kind=Secret): hunter2";
        assert_eq!(faults(odd, true).unwrap(), "a field does not fit");
    }
}
