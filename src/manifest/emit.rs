//! The tables as Rust source, for the build script to embed.
//!
//! The same catalog always gives the same text. The types are named by the path at which the
//! including crate has this room.

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
pub fn source(catalog: &Catalog, room: &str) -> Result<String, EmitError> {
    let mut out = String::new();
    for service in catalog
        .services
        .iter()
        .filter(|service| !service.kube.is_empty())
    {
        kube_table(&mut out, service, room)?;
    }
    out.push_str("/// Every service, sorted by name.\n");
    writeln!(out, "pub static SERVICES: &[{room}::EmbeddedService] = &[")?;
    for service in &catalog.services {
        embedded(&mut out, service, room)?;
    }
    out.push_str("];\n\n/// SHA-256 over the digests of the services.\n");
    writeln!(out, "pub static DIGEST: &str = {:?};", catalog.digest)?;
    Ok(out)
}

fn kube_table(out: &mut String, service: &Service, room: &str) -> fmt::Result {
    writeln!(out, "/// The kube table of `{}`.", service.name)?;
    writeln!(
        out,
        "pub static {}: &[{room}::KindTable] = &[",
        table_name(&service.name)
    )?;
    service
        .kube
        .iter()
        .try_for_each(|table| kind_table(out, table, room))?;
    out.push_str("];\n\n");
    Ok(())
}

fn kind_table(out: &mut String, table: &KindTable, room: &str) -> fmt::Result {
    writeln!(out, "    {room}::KindTable {{")?;
    writeln!(
        out,
        "        kind: std::borrow::Cow::Borrowed({:?}),",
        table.kind
    )?;
    writeln!(out, "        manifests: std::borrow::Cow::Borrowed(&[")?;
    table
        .manifests
        .iter()
        .try_for_each(|one| manifest(out, one, room))?;
    writeln!(out, "        ]),\n    }},")
}

fn manifest(out: &mut String, manifest: &Manifest, room: &str) -> fmt::Result {
    let namespace = match &manifest.namespace {
        Some(namespace) => format!("Some(std::borrow::Cow::Borrowed({namespace:?}))"),
        None => "None".to_owned(),
    };
    writeln!(out, "            {room}::Manifest {{")?;
    for (field, text) in [
        ("api_version", &manifest.api_version),
        ("kind", &manifest.kind),
        ("name", &manifest.name),
        ("file", &manifest.file),
        ("json", &manifest.json),
    ] {
        writeln!(
            out,
            "                {field}: std::borrow::Cow::Borrowed({text:?}),"
        )?;
    }
    writeln!(out, "                namespace: {namespace},")?;
    writeln!(out, "                line: {},", manifest.line)?;
    writeln!(out, "            }},")
}

fn embedded(out: &mut String, service: &Service, room: &str) -> Result<(), EmitError> {
    let spec = serde_json::to_string(&service.spec)?;
    let kube = if service.kube.is_empty() {
        "&[]".to_owned()
    } else {
        table_name(&service.name)
    };
    writeln!(out, "    {room}::EmbeddedService {{")?;
    writeln!(out, "        name: {:?},", service.name)?;
    writeln!(out, "        file: {:?},", service.spec_place.file)?;
    writeln!(out, "        spec: {spec:?},")?;
    writeln!(out, "        digest: {:?},", service.digest)?;
    writeln!(out, "        kube: {kube},\n    }},")?;
    Ok(())
}
