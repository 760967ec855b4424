//! The texts of the mails that an application sends: checked when they are loaded, not when the
//! first person waits for a mail without a link in it.

use super::settings::{Kind, Setting, Settings, SettingsProblem};

pub(super) const TEMPLATES: Setting = Setting {
    name: "templates",
    kind: Kind::Group(&[
        text(
            "activation_subj",
            "Subject of the mail that confirms an address",
        ),
        text("activation_body", "Its text, with {{code}} and {{link}}"),
        text(
            "activation_html_body",
            "Its HTML, with {{code}} and {{link}}",
        ),
        text(
            "resetpass_subj",
            "Subject of the mail that resets a password",
        ),
        text("resetpass_body", "Its text, with {{token}}"),
        text("resetpass_html_body", "Its HTML, with {{token}}"),
    ]),
    help: "Texts of the mails that the application sends",
};

const fn text(name: &'static str, help: &'static str) -> Setting {
    Setting {
        name,
        kind: Kind::Text,
        help,
    }
}

/// What each template must hold.
const NEEDED: &[(&str, &[&str])] = &[
    ("activation_body", &["code", "link"]),
    ("activation_html_body", &["code", "link"]),
    ("resetpass_body", &["token"]),
    ("resetpass_html_body", &["token"]),
];

/// Placeholders that are missing.
pub(super) fn review(settings: Settings<'_>) -> Vec<SettingsProblem> {
    let Some(templates) = settings.group("templates") else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    for (name, placeholders) in NEEDED {
        let Some(text) = templates.text(name) else {
            continue;
        };
        for placeholder in *placeholders {
            if !holds(text, placeholder) {
                let message = format!("does not hold {{{{{placeholder}}}}}");
                problems.push(SettingsProblem::new(format!("templates.{name}"), message));
            }
        }
    }
    problems
}

/// Whether `{{NAME}}` is in the text, with or without spaces inside the braces.
fn holds(text: &str, name: &str) -> bool {
    let inner = |part: &str| {
        part.split_once("}}")
            .is_some_and(|(inner, _)| inner.trim() == name)
    };
    text.split("{{").skip(1).any(inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_missing_placeholder_is_told() {
        let given = json!({"templates": {
            "activation_subj": "no placeholder is needed here",
            "activation_body": "{{ code }} and {{link}}",
            "activation_html_body": "{{cod}} {link}",
            "resetpass_body": "{{token",
        }});
        let problems = review(Settings(given.as_object().unwrap()));
        let shown: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "`templates.activation_html_body` does not hold {{code}}",
                "`templates.activation_html_body` does not hold {{link}}",
                "`templates.resetpass_body` does not hold {{token}}",
            ]
        );
    }
}
