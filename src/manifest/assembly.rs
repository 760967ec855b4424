//! From the texts of a services folder to a catalog, or to everything that is wrong with it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::catalog::{Catalog, Checked, KindTable, Manifest, Service};
use super::checks;
use super::document::{Document, ServiceTable};
use super::fill::Table;
use super::hidden::Hidden;
use super::problem::{Place, Problem, Problems, Severity};
use super::source::Source;
use super::{placeholder, spec_reader, stand_in, yaml};

/// The texts of one service.
#[derive(Debug)]
pub struct ServiceTexts {
    /// The folder's name.
    pub name: String,
    /// Its `service.yaml`.
    pub spec: Source,
    /// Its kube files, sorted by name.
    pub kube: Vec<Source>,
}

/// Checks all services together and makes the catalog of them.
///
/// # Errors
/// Every error in every file, in file order.
pub fn assemble(texts: Vec<ServiceTexts>, found: Vec<Problem>) -> Result<Checked, Problems> {
    let mut problems = found;
    let mut hidden = Hidden::default();
    let mut tables: Vec<ServiceTable> = Vec::with_capacity(texts.len());
    for service in texts {
        tables.push(read_service(service, &mut hidden, &mut problems));
    }
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    checks::run(&tables, &mut problems);
    hidden.redact(&mut problems);
    sort(&mut problems);
    if problems
        .iter()
        .any(|problem| problem.severity == Severity::Error)
    {
        // A warning may follow from an error; it is told once there are none.
        problems.retain(|problem| problem.severity == Severity::Error);
        return Err(Problems(problems));
    }
    let services: Result<Vec<Service>, _> = tables.into_iter().map(service).collect();
    let services = services.map_err(|error| Problems(vec![unwritable(&error)]))?;
    let digest = digest(services.iter().map(|service| &service.digest));
    Ok(Checked {
        catalog: Catalog {
            services,
            digest: Cow::Owned(digest),
        },
        warnings: problems,
    })
}

fn sort(problems: &mut Vec<Problem>) {
    problems.sort_by(|a, b| {
        (&a.place, a.severity, &a.message).cmp(&(&b.place, b.severity, &b.message))
    });
    problems.dedup();
}

fn read_service(
    texts: ServiceTexts,
    hidden: &mut Hidden,
    problems: &mut Vec<Problem>,
) -> ServiceTable {
    let spec_source = Rc::new(texts.spec);
    let before = problems.len();
    let spec = read_spec(&spec_source, hidden, problems);
    let spec_partial = problems.len() > before;
    let mut documents = Vec::new();
    let mut partial = false;
    let refers = texts
        .kube
        .iter()
        .any(|source| placeholder::refers(&source.text));
    for source in texts.kube {
        partial |= !read_kube(&Rc::new(source), &mut documents, hidden, problems);
    }
    let mut table = ServiceTable {
        name: texts.name,
        spec,
        spec_source,
        documents,
        partial,
        spec_partial,
    };
    fill(&mut table, refers, problems);
    table
}

fn read_spec(
    source: &Rc<Source>,
    hidden: &mut Hidden,
    problems: &mut Vec<Problem>,
) -> super::ServiceSpec {
    let parsed = yaml::parse(source);
    let readable = parsed.is_ok();
    let roots = parsed.unwrap_or_else(|problem| {
        hidden.note_unread(source);
        problems.push(*problem);
        Vec::new()
    });
    for root in &roots {
        hidden.note_parameters(source, root);
        checks::keys::check(source, root, problems);
    }
    if let Some(second) = roots.get(1) {
        let spot = yaml::first_line(source, second);
        problems.push(source.error(spot, "service.yaml must hold one document"));
    }
    match roots.first() {
        Some(root) => spec_reader::read(source, root, problems),
        // Either there is nothing in it, or what is wrong has been said.
        None => spec_reader::nothing(source, readable, problems),
    }
}

/// Reads the documents of a file; false when some of it could not be read.
fn read_kube(
    source: &Rc<Source>,
    documents: &mut Vec<Document>,
    hidden: &mut Hidden,
    problems: &mut Vec<Problem>,
) -> bool {
    let roots = match yaml::parse(source) {
        Ok(roots) => roots,
        Err(problem) => {
            hidden.note_unread(source);
            problems.push(*problem);
            return false;
        }
    };
    hidden.note_secrets(source, &roots);
    let mut whole = true;
    for root in roots {
        checks::keys::check(source, &root, problems);
        let document = Document::read(source, root, problems);
        whole &= document.is_some();
        documents.extend(document);
    }
    whole
}

/// Fills all documents with defaults and stand-ins, and reports what cannot be filled.
fn fill(table: &mut ServiceTable, refers: bool, problems: &mut Vec<Problem>) {
    // Only a reference from one document to another looks into them.
    let looked_into = table.documents.iter().filter(|_| refers);
    let bodies: Vec<Value> = looked_into.map(|doc| doc.raw.to_json()).collect();
    let parameter = |name: &str| stand_in::value(&table.spec, name);
    let references = Table::new(&bodies, &parameter);
    for document in &mut table.documents {
        checks::placeholders::check(document, &table.spec_source, &references, problems);
        document.fill(&|reference| references.resolve(reference));
    }
}

fn service(table: ServiceTable) -> Result<Service, serde_json::Error> {
    let mut kinds: BTreeMap<String, Vec<Manifest>> = BTreeMap::new();
    for document in table.documents {
        kinds
            .entry(document.kind.clone())
            .or_default()
            .push(manifest(&document));
    }
    let tables = kinds.into_iter().map(|(kind, manifests)| KindTable {
        kind: kind.into(),
        manifests: manifests.into(),
    });
    let mut service = Service {
        name: table.name.into(),
        spec: table.spec,
        spec_place: Place {
            file: table.spec_source.file.clone(),
            line: 1,
            column: 1,
        },
        kube: tables.collect::<Vec<_>>().into(),
        digest: Cow::Borrowed(""),
    };
    service.digest = Cow::Owned(digest_of(&service)?);
    Ok(service)
}

fn manifest(document: &Document) -> Manifest {
    Manifest {
        api_version: document.api_version.clone().into(),
        kind: document.kind.clone().into(),
        name: document.name.clone().into(),
        namespace: document.namespace.clone().map(Cow::Owned),
        file: document.source.file.clone(),
        line: document.spot.line,
        json: document.raw.to_json().to_string().into(),
    }
}

/// SHA-256 over the parts of something, each kept apart from the next, in hex.
fn digest<T: AsRef<str>>(parts: impl Iterator<Item = T>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        let part = part.as_ref();
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut digest = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

/// The digest of what a service means; comments, line numbers and file names do not count.
fn digest_of(service: &Service) -> Result<String, serde_json::Error> {
    let mut spec = serde_json::to_value(&service.spec)?;
    if let Some(spec) = spec.as_object_mut() {
        spec.remove("lines");
    }
    let spec = spec.to_string();
    let own = [&*service.name, &*spec];
    let manifests = service.manifests().map(|manifest| &*manifest.json);
    Ok(digest(own.into_iter().chain(manifests)))
}

fn unwritable(error: &serde_json::Error) -> Problem {
    let place = Place {
        file: Cow::Borrowed("services"),
        line: 0,
        column: 0,
    };
    Problem {
        severity: Severity::Error,
        place,
        message: format!("cannot be written as JSON: {error}"),
        snippet: None,
        hint: None,
    }
}
