//! The tables as Rust source, for the build script to embed.
//!
//! The source names the types as [`KindTable`](super::KindTable) and its neighbours do; whoever
//! includes it has them in scope. The same catalog always gives the same text.

use std::fmt::{self, Write as _};

use super::catalog::{Catalog, KindTable, Manifest, Service, table_name};

/// Why no source could be written.
#[derive(Debug, thiserror::Error)]
pub enum EmitError {
    /// A `service.yaml` that JSON cannot hold.
    #[error("write the settings of a service as JSON")]
    Json(#[from] serde_json::Error),
    /// Formatting failed.
    #[error("write the tables as Rust")]
    Format(#[from] fmt::Error),
}

/// Writes `NAME_KUBE` for every service with manifests, `SERVICES` and `DIGEST`.
///
/// # Errors
/// When the settings of a service cannot be written as JSON.
pub fn source(catalog: &Catalog) -> Result<String, EmitError> {
    let mut out = String::new();
    for service in catalog
        .services
        .iter()
        .filter(|service| !service.kube.is_empty())
    {
        kube_table(&mut out, service)?;
    }
    out.push_str("/// Every service, sorted by name.\n");
    out.push_str("pub static SERVICES: &[EmbeddedService] = &[\n");
    for service in &catalog.services {
        embedded(&mut out, service)?;
    }
    out.push_str("];\n\n/// SHA-256 over names, settings and manifests.\n");
    writeln!(out, "pub static DIGEST: &str = {:?};", catalog.digest)?;
    Ok(out)
}

fn kube_table(out: &mut String, service: &Service) -> fmt::Result {
    writeln!(out, "/// The kube table of `{}`.", service.name)?;
    writeln!(
        out,
        "pub static {}: &[KindTable] = &[",
        table_name(&service.name)
    )?;
    service
        .kube
        .iter()
        .try_for_each(|table| kind_table(out, table))?;
    out.push_str("];\n\n");
    Ok(())
}

fn kind_table(out: &mut String, table: &KindTable) -> fmt::Result {
    writeln!(out, "    KindTable {{")?;
    writeln!(out, "        kind: Cow::Borrowed({:?}),", table.kind)?;
    writeln!(out, "        manifests: Cow::Borrowed(&[")?;
    table
        .manifests
        .iter()
        .try_for_each(|one| manifest(out, one))?;
    writeln!(out, "        ]),\n    }},")
}

fn manifest(out: &mut String, manifest: &Manifest) -> fmt::Result {
    let namespace = match &manifest.namespace {
        Some(namespace) => format!("Some(Cow::Borrowed({namespace:?}))"),
        None => "None".to_owned(),
    };
    writeln!(out, "            Manifest {{")?;
    for (field, text) in [
        ("api_version", &manifest.api_version),
        ("kind", &manifest.kind),
        ("name", &manifest.name),
        ("file", &manifest.file),
        ("json", &manifest.json),
    ] {
        writeln!(out, "                {field}: Cow::Borrowed({text:?}),")?;
    }
    writeln!(out, "                namespace: {namespace},")?;
    writeln!(out, "                line: {},", manifest.line)?;
    writeln!(out, "            }},")
}

fn embedded(out: &mut String, service: &Service) -> Result<(), EmitError> {
    let spec = serde_json::to_string(&service.spec)?;
    let kube = if service.kube.is_empty() {
        "&[]".to_owned()
    } else {
        table_name(&service.name)
    };
    writeln!(out, "    EmbeddedService {{")?;
    writeln!(out, "        name: {:?},", service.name)?;
    writeln!(out, "        file: {:?},", service.spec_place.file)?;
    writeln!(out, "        spec: {spec:?},")?;
    writeln!(out, "        kube: {kube},\n    }},")?;
    Ok(())
}
