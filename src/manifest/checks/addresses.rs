//! Addresses in configuration texts that only hold in one namespace.

use super::super::document::Document;
use super::super::problem::Problem;
use super::super::stand_in;
use super::super::yaml::Node;

/// Warns of `NAME.NAMESPACE.svc` with a namespace that is written out.
pub(super) fn check(document: &Document, problems: &mut Vec<Problem>) {
    if !document.is("ConfigMap") {
        return;
    }
    for entry in document.body.get("data").map_or(&[][..], Node::entries) {
        let Some(text) = entry.value.text() else {
            continue;
        };
        for (address, namespace) in fixed(text) {
            let spot = document.source.find(entry.value.spot, address, 0);
            let message = format!("`{address}` holds in the namespace `{namespace}` only");
            let problem = document.source.warning(spot, message);
            let name = address.split('.').next().unwrap_or_default();
            problems.push(problem.hint(format!("write `{name}.$g{{namespace}}.svc`")));
        }
    }
}

/// The addresses of a text with their namespaces, each once.
fn fixed(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(".svc") {
        let rest = text.get(at + 4..).unwrap_or_default();
        if rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
            continue;
        }
        let before = text.get(..at).unwrap_or_default();
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        let start = before.rfind(|c: char| !part(c)).map_or(0, |i| {
            i + before[i..].chars().next().map_or(1, char::len_utf8)
        });
        let Some(address) = text.get(start..at + 4) else {
            continue;
        };
        let mut labels = address.rsplit('.').skip(1);
        let (Some(namespace), Some(name)) = (labels.next(), labels.next()) else {
            continue;
        };
        let api_server = (name, namespace) == ("kubernetes", "default");
        let open = namespace.is_empty() || name.is_empty() || stand_in::within(address);
        if !api_server && !open && !found.contains(&(address, namespace)) {
            found.push((address, namespace));
        }
    }
    found
}
