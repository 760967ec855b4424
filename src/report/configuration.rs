//! The configuration with the origin of each value.
//!
//! Secrets are bullets: what the configuration room calls a secret, whatever is named like one
//! inside lists and mappings, the data of a patched Secret, and passwords inside URLs.

use super::document;
use super::layout::{safe, shorten, width};
use super::style::{Meaning, Palette};
use super::table::{Cell, Table};
use crate::config::{Loaded, flatten, is_secret};
use crate::desired::path::plain;
use crate::manifest::Catalog;
use serde_json::{Map, Value, json};

const BULLETS: &str = "••••";
/// A value has at least so many columns, whatever the terminal's width.
const LEAST: usize = 16;

/// The values with dotted keys; with `origin`, each with the layer that set it. Ends with a line
/// feed. Where the terminal's width is known, long values give way to the origins, which are never
/// cut.
#[must_use]
pub fn text(
    loaded: &Loaded,
    catalog: &Catalog,
    origin: bool,
    palette: Palette,
    terminal: Option<usize>,
) -> String {
    let rows: Vec<[String; 3]> = flatten(&loaded.values)
        .into_iter()
        .map(|(path, value)| {
            let shown = safe(&spoken(&guarded(&path, value, catalog))).into_owned();
            let from = loaded.origin(&path).to_string();
            [path, shown, from]
        })
        .collect();
    let mut table = Table::new(0);
    if !origin {
        for [path, shown, _] in &rows {
            table.row([Cell::from(path), shown.into()]);
        }
        return table.render(palette, None);
    }
    let room = terminal.map_or(usize::MAX, |columns| room_for_values(&rows, columns));
    let mut cut = false;
    for [path, shown, from] in &rows {
        cut |= width(shown) > room;
        table.row([
            Cell::from(path),
            shorten(shown, room).as_ref().into(),
            Cell::new(Meaning::Faint, from),
        ]);
    }
    let mut text = table.render(palette, None);
    if cut {
        text.push_str("Values with … are shortened; -v shows them whole.\n");
    }
    text
}

/// The columns that keys and origins leave for values.
fn room_for_values(rows: &[[String; 3]], columns: usize) -> usize {
    let widest = |column: usize| rows.iter().map(|row| width(&row[column])).max();
    let taken = widest(0).unwrap_or(0) + widest(2).unwrap_or(0) + 4;
    columns.saturating_sub(taken).max(LEAST)
}

/// The configuration for programs: `kind: Config`, each value with its dotted key and origin.
#[must_use]
pub fn json(loaded: &Loaded, catalog: &Catalog) -> Value {
    let values: Vec<Value> = flatten(&loaded.values)
        .into_iter()
        .map(|(path, value)| {
            json!({
                "key": path,
                "value": guarded(&path, value, catalog),
                "origin": loaded.origin(&path).to_string(),
            })
        })
        .collect();
    document::new(
        "Config",
        json!({"values": values, "ignored_variables": loaded.ignored_variables}),
    )
}

/// One value as it may be shown, for `config get`.
#[must_use]
pub fn one(path: &str, value: &Value, catalog: &Catalog) -> String {
    spoken(&guarded(path, value, catalog))
}

fn spoken(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        other => plain(other),
    }
}

/// The value without secrets.
fn guarded(path: &str, value: &Value, catalog: &Catalog) -> Value {
    if is_secret(path, catalog) {
        return Value::String(BULLETS.into());
    }
    match value {
        Value::Object(map) => Value::Object(mapping(path, map, catalog)),
        Value::Array(items) => items
            .iter()
            .map(|item| guarded(path, item, catalog))
            .collect(),
        Value::String(text) => Value::String(without_password(text)),
        other => other.clone(),
    }
}

fn mapping(path: &str, map: &Map<String, Value>, catalog: &Catalog) -> Map<String, Value> {
    let target = map.get("target").and_then(Value::as_str);
    let of_secret = target.is_some_and(|target| target.starts_with("Secret/"));
    map.iter()
        .map(|(name, inner)| {
            let secret = (of_secret && name == "merge") || is_secret(name, catalog);
            let shown = if secret {
                Value::String(BULLETS.into())
            } else {
                guarded(&format!("{path}.{name}"), inner, catalog)
            };
            (name.clone(), shown)
        })
        .collect()
}

/// `redis://user:••••@host`: a URL keeps its user and loses its password.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    // A password may hold unescaped signs; the last `@` ends it.
    let end = authority.rfind('@').or_else(|| rest.rfind('@'));
    match end.and_then(|end| rest[..end].split_once(':').map(|(user, _)| (user, end))) {
        Some((user, end)) => format!("{scheme}://{user}:{BULLETS}{}", &rest[end..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};
    use crate::report::samples::catalog;

    const CANARY: &str = "canary-hunter2";

    fn loaded(catalog: &Catalog, variables: &[(&str, &str)]) -> Loaded {
        let variables = variables
            .iter()
            .chain(&[("JSORC_SERVICES__REDIS__PARAMETERS__MODE", "aof")])
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let sources = Sources {
            variables: variables.collect(),
            ..Sources::default()
        };
        load(catalog, sources).unwrap()
    }

    #[test]
    fn every_value_names_its_layer() {
        let catalog = catalog();
        let loaded = loaded(
            &catalog,
            &[("JSORC_INTERVAL", "5s"), ("REDIS_HOST", "cache")],
        );
        let shown = text(&loaded, &catalog, true, Palette::PLAIN, None);
        let lines: Vec<&str> = shown
            .lines()
            .filter(|line| {
                [
                    "interval ",
                    "namespace ",
                    "keep_alive ",
                    "services.redis.config",
                ]
                .iter()
                .any(|start| line.starts_with(start))
            })
            .collect();
        assert_eq!(
            lines,
            [
                "interval                          5s                environment variable JSORC_INTERVAL",
                "keep_alive                        [\"mail\",\"redis\"]  default",
                "namespace                         default           default",
                "services.redis.config.db          1                 services/redis/service.yaml:4",
                "services.redis.config.host        cache             environment variable REDIS_HOST",
            ]
        );
        let without = text(&loaded, &catalog, false, Palette::PLAIN, None);
        assert!(
            without.contains("\ninterval                          5s\n"),
            "{without}"
        );
    }

    #[test]
    fn on_a_terminal_long_values_are_cut_and_origins_are_not() {
        let catalog = catalog();
        let long = format!("cache.{}.example.com", "x".repeat(200));
        let url = format!("redis://admin:{CANARY}@{long}");
        let loaded = loaded(
            &catalog,
            &[
                ("REDIS_HOST", &long),
                ("JSORC_SERVICES__REDIS__CONFIG__BROKER", &url),
            ],
        );
        let shown = text(&loaded, &catalog, true, Palette::PLAIN, Some(140));
        for line in shown.lines() {
            assert!(width(line) <= 140, "{line}");
        }
        let host = shown.lines().find(|line| line.contains("config.host"));
        let host = host.unwrap();
        assert!(host.contains("cache.xxx") && host.contains('…'), "{host}");
        assert!(host.ends_with("environment variable REDIS_HOST"), "{host}");
        assert!(shown.contains("redis://admin:••••@"), "{shown}");
        assert!(!shown.contains(CANARY), "{shown}");
        assert!(shown.ends_with("; -v shows them whole.\n"), "{shown}");
        let whole = text(&loaded, &catalog, true, Palette::PLAIN, None);
        assert!(whole.contains(&long) && !whole.contains('…'), "{whole}");
    }

    #[test]
    fn no_secret_leaves_in_any_form() {
        let catalog = catalog();
        let patches = format!(
            r#"[{{"target": "Secret/x", "merge": {{"stringData": {{"a": "{CANARY}"}}}}}}, {{"target": "Deployment/x", "merge": {{"spec": {{"token": "{CANARY}"}}}}}}]"#
        );
        let url = format!("redis://admin:{CANARY}@cache:6379/1");
        let loaded = loaded(
            &catalog,
            &[
                ("JSORC_SERVICES__REDIS__PARAMETERS__AUTH", CANARY),
                ("JSORC_SERVICES__REDIS__CONFIG__PASSWORD", CANARY),
                ("JSORC_SERVICES__REDIS__CONFIG__BROKER", &url),
                ("JSORC_SERVICES__REDIS__PATCHES", &patches),
            ],
        );
        let shown = text(&loaded, &catalog, true, Palette::PLAIN, None);
        let document = json(&loaded, &catalog);
        for form in [&shown, &document.to_string()] {
            assert!(!form.contains(CANARY), "{form}");
            assert!(form.contains("redis://admin:••••@cache:6379/1"), "{form}");
        }
        let value = Value::String(url);
        assert_eq!(
            one("services.redis.config.broker", &value, &catalog),
            "redis://admin:••••@cache:6379/1"
        );
    }

    #[test]
    fn urls_lose_their_password_only() {
        let rows = [
            ("http://host:9090/a@b", "http://host:••••@b"),
            ("redis://:p@ss@host/0", "redis://:••••@host/0"),
            ("smtp://user@host", "smtp://user@host"),
            ("amqp://u:p/w@host", "amqp://u:••••@host"),
            ("http://host:9090/path", "http://host:9090/path"),
            ("plain", "plain"),
        ];
        for (given, shown) in rows {
            assert_eq!(without_password(given), shown);
        }
    }

    #[test]
    fn programs_get_the_values_themselves() {
        let catalog = catalog();
        let document = json(&loaded(&catalog, &[("JSORC_QUIET", "false")]), &catalog);
        assert_eq!(document["kind"], "Config");
        let values = document["values"].as_array().unwrap();
        let quiet = values.iter().find(|value| value["key"] == "quiet");
        assert_eq!(
            quiet,
            Some(
                &json!({"key": "quiet", "value": false, "origin": "environment variable JSORC_QUIET"})
            )
        );
    }
}
