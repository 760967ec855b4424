//! No message repeats a secret that someone wrote into a file.

use super::{checked, checked_kube};

const CANARY: &str = "hunter2canary";

#[test]
fn the_data_of_secrets_is_never_shown() {
    let documents = [
        "stringData:\n  a: CANARY\n  a: CANARY\n",
        "stringData:\n  on: CANARY\n",
        "stringData: {a/b: CANARY}\n",
        "stringData:\n  a: [CANARY]\n",
        "stringData:\n  a: |\n    $g{nobody} CANARY\n",
        "stringData:\n  a: CANARY $g{nobody}\n",
        "data:\n  a: CANARY!\n",
        "data: CANARY\n",
        "stringData: {a: CANARY\n",
    ];
    for data in documents {
        let data = data.replace("CANARY", CANARY);
        let text = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n{data}");
        let problems = checked_kube(&text).expect_err(&text);
        assert!(!problems.to_string().contains(CANARY), "{text}\n{problems}");
    }
}

#[test]
fn digits_of_secrets_are_never_shown() {
    for digits in ["0123456", "09876", "12_34__5"] {
        let text = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData:\n  pin: {digits}\n  pin: x\n"
        );
        let problems = checked_kube(&text).expect_err("refused").to_string();
        assert!(!problems.contains(digits), "{problems}");
    }
}

#[test]
fn the_defaults_of_secret_parameters_are_never_shown() {
    let parameters = [
        "  password: {type: secret, default: CANARY}\n",
        "  password: {default: CANARY, type: secret, generate: 3}\n",
        "  password:\n    type: secret\n    default: CANARY\n    default: CANARY\n",
        "  password: {type: secret, default: CANARY\n",
    ];
    for text in parameters {
        let text = format!(
            "driver: none\nparameters:\n{}",
            text.replace("CANARY", CANARY)
        );
        let problems = checked(&[("services/web/service.yaml", &text)]).expect_err(&text);
        assert!(!problems.to_string().contains(CANARY), "{text}\n{problems}");
    }
}

#[test]
fn a_placeholder_is_no_secret_and_stays_visible() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  a: $g{nobody}\n";
    let problems = checked_kube(text).expect_err("refused").to_string();
    assert!(problems.contains("5 |   a: $g{nobody}\n"), "{problems}");
}
