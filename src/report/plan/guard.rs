//! What may never leave: values of Secrets, and what steers a terminal.

use super::samples::*;
use super::tests::one;
use super::*;
use crate::desired::path::Path;
use crate::engine::diff::{FieldChange, Shown};
use crate::engine::{Action, Blame};
use proptest::prelude::*;
use serde_json::json;

#[test]
fn a_secrets_value_is_in_no_form() {
    let leaking = |path: Path| FieldChange {
        path,
        from: Some(Shown::Plain(json!(CANARY))),
        to: Some(Shown::Plain(
            json!({"inner": format!("{CANARY}\nsecond line")}),
        )),
    };
    let annotation = r#"metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]"#;
    let paths = [
        "data.password",
        "stringData.password",
        "metadata",
        annotation,
    ];
    let mut update = step(Action::Update, "Secret", "redis", "was changed");
    let fields = paths.map(|path| (leaking(Path::parse(path).unwrap()), Blame::Unknown));
    update.fields = fields.into();
    let label = change("metadata.labels.app", json!("a"), json!("b"));
    update.fields.push((label, Blame::Unknown));
    let plan = one(vec![update]);
    for verbose in [false, true] {
        let view = PlanView { verbose, ..view() };
        let forms = [
            text(&plan, &view),
            json(&plan, &view).to_string(),
            markdown(&plan, &view),
        ];
        for form in forms {
            assert!(
                !form.contains(CANARY) && !form.contains("second line"),
                "{form}"
            );
            assert!(
                form.contains("••••") && form.contains("metadata.labels.app"),
                "{form}"
            );
        }
    }
}

proptest! {
    #[test]
    fn no_value_steers_the_terminal(from in "\\PC{0,20}[\u{0}-\u{1f}\u{7f}-\u{9f}\u{202e}]{1,4}\\PC{0,20}", lines in ".{0,9}\n.{0,9}\n") {
        let mut update = step(Action::Update, "ConfigMap", "x", &from);
        update.fields = vec![
            (change("data.a", json!(from), json!("b")), Blame::Manager(from.clone(), None)),
            (change("data.b", json!(lines), json!("b\n")), Blame::Unknown),
        ];
        let text = text(&one(vec![update]), &view());
        let odd = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        prop_assert!(!text.contains(odd), "{:?}", text);
    }
}
