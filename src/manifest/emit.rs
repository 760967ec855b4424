//! The tables as Rust source, for the build script to embed.
//!
//! The same catalog always gives the same text. The types are named by the path at which the
//! including crate has this module.

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
    let mut tables = Tables {
        out: String::new(),
        room,
    };
    let mut services = catalog.services.iter();
    services.try_for_each(|service| tables.kube(service))?;
    tables.services(catalog)?;
    Ok(tables.out)
}

/// The tables while they are written.
struct Tables<'a> {
    out: String,
    room: &'a str,
}

impl Tables<'_> {
    fn kube(&mut self, service: &Service) -> fmt::Result {
        if service.kube.is_empty() {
            return Ok(());
        }
        let (name, room) = (table_name(&service.name), self.room);
        writeln!(self.out, "/// The kube table of `{}`.", service.name)?;
        writeln!(self.out, "pub static {name}: &[{room}::KindTable] = &[")?;
        let mut tables = service.kube.iter();
        tables.try_for_each(|table| self.kind(table))?;
        self.out.push_str("];\n\n");
        Ok(())
    }

    fn kind(&mut self, table: &KindTable) -> fmt::Result {
        writeln!(self.out, "    {}::KindTable {{", self.room)?;
        writeln!(self.out, "        kind: {},", borrowed(&table.kind))?;
        writeln!(self.out, "        manifests: std::borrow::Cow::Borrowed(&[")?;
        let mut manifests = table.manifests.iter();
        manifests.try_for_each(|manifest| self.manifest(manifest))?;
        writeln!(self.out, "        ]),\n    }},")
    }

    fn manifest(&mut self, manifest: &Manifest) -> fmt::Result {
        let namespace = match &manifest.namespace {
            Some(namespace) => format!("Some({})", borrowed(namespace)),
            None => "None".to_owned(),
        };
        writeln!(self.out, "            {}::Manifest {{", self.room)?;
        for (field, value) in [
            ("api_version", borrowed(&manifest.api_version)),
            ("kind", borrowed(&manifest.kind)),
            ("name", borrowed(&manifest.name)),
            ("namespace", namespace),
            ("file", borrowed(&manifest.file)),
            ("line", manifest.line.to_string()),
            ("json", borrowed(&manifest.json)),
        ] {
            writeln!(self.out, "                {field}: {value},")?;
        }
        writeln!(self.out, "            }},")
    }

    fn services(&mut self, catalog: &Catalog) -> Result<(), EmitError> {
        let room = self.room;
        self.out.push_str("/// Every service, sorted by name.\n");
        writeln!(
            self.out,
            "pub static SERVICES: &[{room}::EmbeddedService] = &["
        )?;
        for service in &catalog.services {
            self.embedded(service)?;
        }
        let digest = &catalog.digest;
        self.out
            .push_str("];\n\n/// SHA-256 over the digests of the services.\n");
        writeln!(self.out, "pub static DIGEST: &str = {digest:?};\n")?;
        Ok(())
    }

    fn embedded(&mut self, service: &Service) -> Result<(), EmitError> {
        let spec = serde_json::to_string(&service.spec)?;
        let kube = if service.kube.is_empty() {
            "&[]".to_owned()
        } else {
            table_name(&service.name)
        };
        let out = &mut self.out;
        writeln!(out, "    {}::EmbeddedService {{", self.room)?;
        writeln!(out, "        name: {:?},", service.name)?;
        writeln!(out, "        file: {:?},", service.spec_place.file)?;
        writeln!(out, "        spec: {spec:?},")?;
        writeln!(out, "        digest: {:?},", service.digest)?;
        writeln!(out, "        kube: {kube},\n    }},")?;
        Ok(())
    }
}

fn borrowed(text: &str) -> String {
    format!("std::borrow::Cow::Borrowed({text:?})")
}
