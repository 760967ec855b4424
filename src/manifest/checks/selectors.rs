//! Selectors: each finds pods, and a workload's own finds its own.

use super::super::document::Document;
use super::super::problem::Problem;
use super::super::source::Spot;
use super::super::stand_in;
use super::super::yaml::Node;
use super::Here;
use super::pods;

const OWNERS: [&str; 4] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"];

/// Checks the selector of a document.
pub(super) fn check(document: &Document, here: &Here<'_>, problems: &mut Vec<Problem>) {
    if OWNERS.iter().any(|kind| document.is(kind)) {
        check_owner(document, problems);
    } else if document.is("Service") {
        check_service(document, here, problems);
    } else if document.is("PodDisruptionBudget") {
        let selector = document.body.at(&["spec", "selector"]);
        let spot = selector_spot(document);
        if let Some(selector) = selector.filter(|s| !s.entries().is_empty()) {
            check_finds(
                document,
                spot,
                selector.get("matchLabels"),
                &|labels| matches(selector, labels),
                here,
                problems,
            );
        }
    }
}

fn selector_spot(document: &Document) -> Spot {
    let spec = document.body.get("spec");
    spec.and_then(|spec| spec.entry("selector"))
        .map_or(document.spot, |entry| entry.spot)
}

fn check_owner(document: &Document, problems: &mut Vec<Problem>) {
    let spot = selector_spot(document);
    let Some(selector) = document
        .body
        .at(&["spec", "selector"])
        .filter(|s| !s.is_null())
    else {
        let message = format!("{} has no `spec.selector`", document.title());
        problems.push(document.source.error(document.spot, message));
        return;
    };
    let labels = pods::pod_of(document).and_then(|pod| pod.labels());
    if !matches(selector, labels) {
        let message = format!(
            "the selector of {} does not match its own pods",
            document.title()
        );
        let shown = labels.map_or_else(String::new, described);
        let hint = format!("spec.template.metadata.labels are {{{shown}}}");
        problems.push(document.source.error(spot, message).hint(hint));
    }
}

fn check_service(document: &Document, here: &Here<'_>, problems: &mut Vec<Problem>) {
    let Some(spec) = document.body.get("spec") else {
        return;
    };
    let Some(selector) = spec.get("selector").filter(|s| !s.entries().is_empty()) else {
        return;
    };
    if spec.text_at("type") == Some("ExternalName") {
        return;
    }
    let spot = selector_spot(document);
    check_finds(
        document,
        spot,
        Some(selector),
        &|labels| has_all(selector, labels),
        here,
        problems,
    );
}

fn check_finds(
    document: &Document,
    spot: Spot,
    labels: Option<&Node>,
    found: &dyn Fn(Option<&Node>) -> bool,
    here: &Here<'_>,
    problems: &mut Vec<Problem>,
) {
    let mut pods = here.index.pods_like(labels);
    if pods.any(|pod| found(pod.labels())) {
        return;
    }
    let message = format!("{} selects no pods of any service here", document.title());
    let hint = "its labels must be those of a pod template (spec.template.metadata.labels)";
    problems.push(document.source.error(spot, message).hint(hint));
}

/// Whether a label selector of the newer kind takes pods with these labels.
fn matches(selector: &Node, labels: Option<&Node>) -> bool {
    let exact = selector
        .get("matchLabels")
        .is_none_or(|wanted| has_all(wanted, labels));
    exact
        && selector
            .list("matchExpressions")
            .iter()
            .all(|one| expression(one, labels))
}

fn has_all(wanted: &Node, labels: Option<&Node>) -> bool {
    wanted.entries().iter().all(|entry| {
        let value = labels.and_then(|labels| labels.text_at(&entry.key));
        value.is_some() && value == entry.value.text()
    })
}

fn expression(one: &Node, labels: Option<&Node>) -> bool {
    let key = one.text_at("key").unwrap_or_default();
    let value = labels.and_then(|labels| labels.text_at(key));
    let listed = || one.list("values").iter().any(|item| item.text() == value);
    match one.text_at("operator") {
        Some("In") => value.is_some() && listed(),
        Some("NotIn") => value.is_none() || !listed(),
        Some("Exists") => value.is_some(),
        Some("DoesNotExist") => value.is_none(),
        _ => true,
    }
}

fn described(labels: &Node) -> String {
    let pairs = labels.entries().iter();
    let pairs = pairs.map(|e| format!("{}: {}", e.key, e.value.text().unwrap_or("?")));
    stand_in::shown(&pairs.collect::<Vec<_>>().join(", "))
}
