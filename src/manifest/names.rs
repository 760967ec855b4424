//! The rules of Kubernetes for names, labels and ports, as pure functions.
//!
//! Each returns what is wrong as a lowercase fragment. None of them knows about placeholders:
//! callers put a stand-in where a placeholder was.

/// What a name has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRule {
    /// An RFC 1123 subdomain: most kinds.
    Subdomain,
    /// An RFC 1123 label: namespaces, containers, volumes.
    Label,
    /// An RFC 1035 label: services.
    Label1035,
    /// Anything that can be one segment of a URL: roles and bindings.
    PathSegment,
}

/// The rule and the greatest length for the names of a kind.
#[must_use]
pub fn rule_for(group: &str, kind: &str) -> (NameRule, usize) {
    match (group, kind) {
        ("rbac.authorization.k8s.io", _) => (NameRule::PathSegment, 253),
        ("", "Service") => (NameRule::Label1035, 63),
        ("", "Namespace") => (NameRule::Label, 63),
        ("batch", "CronJob") => (NameRule::Subdomain, 52),
        ("batch", "Job") => (NameRule::Subdomain, 63),
        _ => (NameRule::Subdomain, 253),
    }
}

/// Checks a name against a rule and a length.
///
/// # Errors
/// What is wrong.
pub fn check(name: &str, rule: NameRule, most: usize) -> Result<(), String> {
    match rule {
        NameRule::Subdomain => subdomain(name)?,
        NameRule::Label => label(name)?,
        NameRule::Label1035 => label_1035(name)?,
        NameRule::PathSegment => path_segment(name)?,
    }
    at_most(name, most)
}

/// An RFC 1123 subdomain: labels joined by dots.
///
/// # Errors
/// What is wrong.
pub fn subdomain(name: &str) -> Result<(), String> {
    let right = !name.is_empty() && name.split('.').all(is_label);
    if !right {
        return Err("must be lower case letters, digits, `-` and `.`, \
             beginning and ending with a letter or digit"
            .to_owned());
    }
    at_most(name, 253)
}

/// An RFC 1123 label.
///
/// # Errors
/// What is wrong.
pub fn label(name: &str) -> Result<(), String> {
    if !is_label(name) {
        return Err("must be lower case letters, digits and `-`, \
             beginning and ending with a letter or digit"
            .to_owned());
    }
    at_most(name, 63)
}

/// An RFC 1035 label: as RFC 1123, but beginning with a letter.
///
/// # Errors
/// What is wrong.
pub fn label_1035(name: &str) -> Result<(), String> {
    label(name)?;
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("must begin with a letter".to_owned());
    }
    Ok(())
}

/// A name that can stand in a URL.
///
/// # Errors
/// What is wrong.
pub fn path_segment(name: &str) -> Result<(), String> {
    let right = !matches!(name, "" | "." | "..") && !name.contains(['/', '%']);
    let plain = !name.chars().any(|c| c.is_control() || c.is_whitespace());
    if right && plain {
        Ok(())
    } else {
        Err("must be one segment of a URL, without `/` or `%`".to_owned())
    }
}

/// The key of a label or annotation: `name` or `prefix/name`.
///
/// # Errors
/// What is wrong.
pub fn qualified(key: &str) -> Result<(), String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if let Some(prefix) = prefix {
        subdomain(prefix).map_err(|why| format!("its prefix {why}"))?;
    }
    if !is_word(name) || name.len() > 63 {
        return Err("must be at most 63 letters, digits, `-`, `_` and `.`, \
             beginning and ending with a letter or digit, with a DNS name and `/` before it or not"
            .to_owned());
    }
    Ok(())
}

/// The value of a label.
///
/// # Errors
/// What is wrong.
pub fn label_value(value: &str) -> Result<(), String> {
    if value.is_empty() || (is_word(value) && value.len() <= 63) {
        return Ok(());
    }
    Err("must be at most 63 letters, digits, `-`, `_` and `.`, \
         beginning and ending with a letter or digit"
        .to_owned())
}

/// The name of a port: at most 15 characters, with a letter in it.
///
/// # Errors
/// What is wrong.
pub fn port_name(name: &str) -> Result<(), String> {
    let right =
        is_label(name) && !name.contains("--") && name.contains(|c: char| c.is_ascii_lowercase());
    if right && name.len() <= 15 {
        return Ok(());
    }
    Err(
        "must be at most 15 lower case letters, digits and single `-`, with at least one letter"
            .to_owned(),
    )
}

/// The name of a parameter: lower case, usable in an environment variable.
///
/// # Errors
/// What is wrong.
pub fn parameter(name: &str) -> Result<(), String> {
    let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let right = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(rest);
    if right && !name.contains("__") && !name.ends_with('_') {
        return Ok(());
    }
    Err("must be lower case letters, digits and single `_`, beginning with a letter".to_owned())
}

/// The key of a ConfigMap or Secret.
///
/// # Errors
/// What is wrong.
pub fn config_key(key: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let right = !key.is_empty() && key != "." && !key.starts_with("..") && key.chars().all(plain);
    if right && key.len() <= 253 {
        return Ok(());
    }
    Err("must be letters, digits, `-`, `_` and `.`".to_owned())
}

fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_word(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let edge = |c: char| c.is_ascii_alphanumeric();
    text.chars().all(inner) && text.starts_with(edge) && text.ends_with(edge)
}

fn at_most(name: &str, most: usize) -> Result<(), String> {
    if name.len() <= most {
        return Ok(());
    }
    Err(format!(
        "must be at most {most} characters, not {}",
        name.len()
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_follow_the_rule_of_their_kind() {
        let rows = [
            ("redis", true, true, true, true),
            ("redis.main", false, false, true, true),
            ("9redis", true, false, true, true),
            ("Redis", false, false, false, true),
            ("system:auth", false, false, false, true),
            ("-redis", false, false, false, true),
            ("redis-", false, false, false, true),
            ("a..b", false, false, false, true),
            ("", false, false, false, false),
            ("..", false, false, false, false),
            ("../secrets", false, false, false, false),
            ("a%2fb", false, false, false, false),
            ("é", false, false, false, true),
        ];
        for (name, is_label, is_1035, is_subdomain, is_segment) in rows {
            assert_eq!(label(name).is_ok(), is_label, "label {name}");
            assert_eq!(label_1035(name).is_ok(), is_1035, "1035 {name}");
            assert_eq!(subdomain(name).is_ok(), is_subdomain, "subdomain {name}");
            assert_eq!(path_segment(name).is_ok(), is_segment, "segment {name}");
        }
    }

    #[test]
    fn lengths_are_those_of_the_kind() {
        let (rule, most) = rule_for("batch", "CronJob");
        assert_eq!(check(&"a".repeat(52), rule, most), Ok(()));
        let refused = check(&"a".repeat(53), rule, most);
        assert_eq!(
            refused,
            Err("must be at most 52 characters, not 53".to_owned())
        );
    }

    #[test]
    fn ports_labels_and_keys_have_their_own_rules() {
        assert!(port_name("http-metrics").is_ok());
        for bad in ["", "8080", "http--x", "HTTP", "a-very-long-port-name"] {
            assert!(port_name(bad).is_err(), "{bad}");
        }
        assert!(qualified("app.kubernetes.io/name").is_ok());
        for bad in ["", "/name", "App/", "a/b/c", "app kubernetes", "UPPER.io/x"] {
            assert!(qualified(bad).is_err(), "{bad}");
        }
        assert!(label_value("").is_ok() && label_value("A_b.c-1").is_ok());
        assert!(label_value("-x").is_err() && label_value("a b").is_err());
        assert!(config_key("redis.conf").is_ok());
        assert!(config_key("a/b").is_err() && config_key("..data").is_err());
    }

    proptest! {
        #[test]
        fn a_label_is_a_subdomain_and_a_segment(name in "[a-zA-Z0-9.-]{0,70}") {
            if label(&name).is_ok() {
                prop_assert!(subdomain(&name).is_ok());
                prop_assert!(path_segment(&name).is_ok());
                prop_assert!(label_value(&name).is_ok());
            }
        }
    }
}
