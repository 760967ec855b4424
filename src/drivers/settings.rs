//! A driver's settings: what there is to set, checked all at once, then read without surprises.
//!
//! A driver lists its settings as data ([`Setting`]); unknown keys and wrong types are found from
//! that list alone. Empty text counts as not given, so that a default can be taken away.

use std::{fmt, path::PathBuf, time::Duration};

use serde_json::{Map, Value};

use super::credential::Credential;

/// One key that a driver understands.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The key.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it means, in one sentence.
    pub help: &'static str,
}

/// What a setting takes. Numbers and flags may be written as text, as the environment gives them.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number between these.
    Number(u64, u64),
    /// true or false.
    Flag,
    /// `500ms`, `10s`, `2m`, or a number of seconds.
    Span,
    /// A value, `{secret: NAME/KEY}`, `{file: PATH}` or `{env: NAME}`.
    Secret,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of texts, or texts with commas between them.
    Texts,
    /// Named credentials or texts.
    Secrets,
    /// More settings.
    Group(&'static [Setting]),
    /// Named lists of texts.
    Lists,
}

/// Something wrong with one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsProblem {
    /// Where, below `config`: `port`, `templates.activation_body`.
    pub path: String,
    /// What.
    pub message: String,
    /// What a person can do.
    pub hint: Option<String>,
}

impl SettingsProblem {
    /// A problem without a hint.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
            hint: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hint = Some(text.into());
        self
    }
}

impl fmt::Display for SettingsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.path, self.message)
    }
}

/// All unknown keys and wrong types of the given settings.
pub(super) fn check(known: &[Setting], given: &Map<String, Value>) -> Vec<SettingsProblem> {
    let mut problems = Vec::new();
    check_group(known, given, "", &mut problems);
    problems
}

fn check_group(
    known: &[Setting],
    given: &Map<String, Value>,
    path: &str,
    problems: &mut Vec<SettingsProblem>,
) {
    for (key, value) in given {
        let path = format!("{path}{key}");
        match known.iter().find(|setting| setting.name == key) {
            None => problems.push(unknown(known, key, path)),
            Some(_) if is_empty(value) => {}
            Some(setting) => check_value(setting.kind, value, &path, problems),
        }
    }
}

fn check_value(kind: Kind, value: &Value, path: &str, problems: &mut Vec<SettingsProblem>) {
    let wrong = match (kind, value) {
        (Kind::Group(known), Value::Object(given)) => {
            check_group(known, given, &format!("{path}."), problems);
            None
        }
        (Kind::Lists, Value::Object(lists)) => {
            for (name, list) in lists {
                check_value(Kind::Texts, list, &format!("{path}.{name}"), problems);
            }
            None
        }
        (Kind::Secrets, Value::Object(secrets)) => {
            for (name, secret) in secrets {
                check_value(Kind::Secret, secret, &format!("{path}.{name}"), problems);
            }
            None
        }
        (Kind::Secret, value) => Credential::parse(value).err(),
        (kind, value) => (!fits(kind, value)).then(|| kind.expected()),
    };
    problems.extend(wrong.map(|message| SettingsProblem::new(path, message)));
}

fn fits(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Text => value.is_string(),
        Kind::Number(least, most) => number(value).is_some_and(|n| (least..=most).contains(&n)),
        Kind::Flag => flag(value).is_some(),
        Kind::Span => span(value).is_some(),
        Kind::Choice(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        Kind::Texts => match value {
            Value::Array(items) => items.iter().all(Value::is_string),
            value => value.is_string(),
        },
        Kind::Secret | Kind::Secrets | Kind::Group(_) | Kind::Lists => false,
    }
}

impl Kind {
    /// What a person reads when the value is something else; the value itself may be a secret.
    fn expected(self) -> String {
        match self {
            Self::Text => "takes a text".to_owned(),
            Self::Number(least, most) => format!("takes a number from {least} to {most}"),
            Self::Flag => "takes true or false".to_owned(),
            Self::Span => "takes a time such as 500ms, 10s or 2m".to_owned(),
            Self::Secret => "takes a credential".to_owned(),
            Self::Choice(words) => format!("takes one of {}", words.join(", ")),
            Self::Texts => "takes a list of texts".to_owned(),
            Self::Secrets | Self::Group(_) | Self::Lists => "takes a mapping".to_owned(),
        }
    }
}

fn unknown(known: &[Setting], key: &str, path: String) -> SettingsProblem {
    let problem = SettingsProblem::new(path, "is not a setting of this driver");
    let near = known
        .iter()
        .map(|setting| (strsim::damerau_levenshtein(setting.name, key), setting));
    match near.min_by_key(|(distance, _)| *distance) {
        Some((distance, setting)) if distance <= 2 => {
            problem.hint(format!("did you mean `{}`?", setting.name))
        }
        _ if known.is_empty() => problem.hint("it has none"),
        _ => {
            let names: Vec<_> = known.iter().map(|setting| setting.name).collect();
            problem.hint(format!("it has {}", names.join(", ")))
        }
    }
}

/// Settings that have passed [`check`]; what does not fit all the same reads as not given.
#[derive(Clone, Copy)]
pub(super) struct Settings<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Settings<'a> {
    pub(super) fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !is_empty(value))
    }

    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str()
    }

    pub(super) fn path(self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    pub(super) fn number(self, name: &str) -> Option<u64> {
        number(self.get(name)?)
    }

    pub(super) fn port(self, name: &str) -> Option<u16> {
        self.number(name).and_then(|port| u16::try_from(port).ok())
    }

    pub(super) fn flag(self, name: &str) -> bool {
        self.get(name).and_then(flag).unwrap_or(false)
    }

    pub(super) fn span(self, name: &str) -> Option<Duration> {
        span(self.get(name)?)
    }

    pub(super) fn secret(self, name: &str) -> Option<Credential> {
        Credential::parse(self.get(name)?).ok()
    }

    pub(super) fn texts(self, name: &str) -> Vec<String> {
        match self.get(name) {
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect(),
            Some(Value::String(text)) => {
                text.split(',').map(|item| item.trim().to_owned()).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn secrets(self, name: &str) -> Vec<(String, Credential)> {
        let all = self
            .get(name)
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        all.filter_map(|(name, value)| Some((name.clone(), Credential::parse(value).ok()?)))
            .collect()
    }

    pub(super) fn group(self, name: &str) -> Option<Settings<'a>> {
        self.get(name)?.as_object().map(Settings)
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty)
}

fn number(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

fn flag(value: &Value) -> Option<bool> {
    value
        .as_bool()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

fn span(value: &Value) -> Option<Duration> {
    if let Some(seconds) = number(value) {
        return Some(Duration::from_secs(seconds));
    }
    let text = value.as_str()?.trim();
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let count: u64 = text[..digits].parse().ok()?;
    match &text[digits..] {
        "ms" => Some(Duration::from_millis(count)),
        "s" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_secs(count.checked_mul(60)?)),
        "h" => Some(Duration::from_secs(count.checked_mul(3600)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KNOWN: &[Setting] = &[
        Setting {
            name: "host",
            kind: Kind::Text,
            help: "",
        },
        Setting {
            name: "port",
            kind: Kind::Number(1, 65535),
            help: "",
        },
        Setting {
            name: "tls",
            kind: Kind::Flag,
            help: "",
        },
        Setting {
            name: "password",
            kind: Kind::Secret,
            help: "",
        },
        Setting {
            name: "grace",
            kind: Kind::Span,
            help: "",
        },
    ];

    fn problems(value: &Value) -> Vec<(String, Option<String>)> {
        let problems = check(KNOWN, value.as_object().unwrap());
        problems
            .into_iter()
            .map(|problem| (problem.to_string(), problem.hint))
            .collect()
    }

    #[test]
    fn all_problems_are_told_at_once_and_no_value() {
        let given = json!({"hots": "x", "port": 70000, "tls": "maybe", "password": ["hunter2"]});
        let found = problems(&given);
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!(found[0].1.as_deref(), Some("did you mean `host`?"));
        assert!(found[1].0.contains("from 1 to 65535"));
        assert!(!format!("{found:?}").contains("hunter2"));
    }

    #[test]
    fn texts_from_the_environment_are_read_by_type_and_empty_ones_are_absent() {
        let given = json!({"host": "", "port": "6379", "tls": "true", "grace": "500ms"});
        assert_eq!(problems(&given), []);
        let settings = Settings(given.as_object().unwrap());
        assert_eq!(settings.text("host"), None);
        assert_eq!(settings.port("port"), Some(6379));
        assert!(settings.flag("tls"));
        assert_eq!(settings.span("grace"), Some(Duration::from_millis(500)));
    }
}
