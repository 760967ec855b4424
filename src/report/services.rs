//! What is embedded: services, tables by kind, parameters.

use super::document;
use super::layout::safe;
use super::measure::count;
use super::style::{Meaning, Palette};
use super::table::{Cell, Table};
use crate::desired::path::plain;
use crate::manifest::catalog::environment_name;
use crate::manifest::{Catalog, Parameter, ParameterType, Service, table_name};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What `services export` wrote, and how to go on. Ends with a line feed.
#[must_use]
pub fn exported(dir: &Path, files: &[PathBuf]) -> String {
    let dir = dir.to_string_lossy();
    let dir = safe(&dir);
    format!(
        "{} written to {dir}\nEdit them, then: jsorc --services {dir} plan\n",
        count(files.len(), "file")
    )
}

/// What `services export` wrote, as a document.
#[must_use]
pub fn exported_json(dir: &Path, files: &[PathBuf]) -> Value {
    let files: Vec<_> = files.iter().map(|file| file.to_string_lossy()).collect();
    document::new(
        "Export",
        json!({"folder": dir.to_string_lossy(), "files": files}),
    )
}

/// All services, one a line. Ends with a line feed.
#[must_use]
pub fn text(catalog: &Catalog, palette: Palette) -> String {
    let mut table = Table::new(0).right(&[2, 3]);
    let titles = ["SERVICE", "DRIVER", "OBJECTS", "PARAMETERS", "BY KIND"];
    table.row(titles.map(|title| Cell::new(Meaning::Faint, title)));
    for service in &catalog.services {
        let kinds: Vec<String> = service
            .kube
            .iter()
            .map(|table| format!("{} {}", table.manifests.len(), table.kind))
            .collect();
        let kinds = if kinds.is_empty() {
            "no manifests, rerun only".to_owned()
        } else {
            kinds.join(", ")
        };
        table.row([
            Cell::from(&*service.name),
            service.spec.driver.as_str().into(),
            service.manifests().count().to_string().into(),
            service.spec.parameters.len().to_string().into(),
            kinds.into(),
        ]);
    }
    let mut text = table.render(palette, None);
    let objects: usize = catalog.services.iter().map(|s| s.manifests().count()).sum();
    let _ = writeln!(
        text,
        "{}, {} · digest {}",
        count(catalog.services.len(), "service"),
        count(objects, "object"),
        safe(&catalog.digest)
    );
    text
}

/// One service: its tables by kind, its parameters and its environment names. Ends with a line
/// feed.
#[must_use]
pub fn detail(service: &Service, palette: Palette) -> String {
    let spec = &service.spec;
    let mut text = palette.paint(Meaning::Strong, &service.name);
    for part in [
        format!("driver {}", spec.driver),
        safe(&spec.description).into_owned(),
        service.spec_place.file.to_string(),
    ] {
        if !part.is_empty() {
            let _ = write!(text, " · {part}");
        }
    }
    text.push('\n');
    if !spec.depends_on.is_empty() {
        let _ = writeln!(text, "needs {}", spec.depends_on.join(", "));
    }
    text.push_str(&tables(service, palette));
    text.push_str(&parameters(service, palette));
    text.push_str(&settings(service, palette));
    text
}

fn tables(service: &Service, palette: Palette) -> String {
    if service.kube.is_empty() {
        return "\nno manifests, rerun only\n".to_owned();
    }
    let mut table = Table::new(2);
    for kind in service.kube.iter() {
        for manifest in kind.manifests.iter() {
            let place = format!("{}:{}", manifest.file, manifest.line);
            table.row([
                Cell::from(&*kind.kind),
                (&*manifest.name).into(),
                Cell::new(Meaning::Faint, place),
            ]);
        }
    }
    format!(
        "\n{} · {}\n{}",
        table_name(&service.name),
        count(service.manifests().count(), "object"),
        table.render(palette, None)
    )
}

fn parameters(service: &Service, palette: Palette) -> String {
    let declared = &service.spec.parameters;
    if declared.is_empty() {
        return String::new();
    }
    let mut table = Table::new(2);
    for (name, parameter) in declared {
        table.row([
            Cell::from(name),
            kind(parameter).into(),
            default(parameter).into(),
            Cell::new(Meaning::Faint, parameter_variable(&service.name, name)),
            parameter.description.as_str().into(),
        ]);
    }
    format!("\nparameters\n{}", table.render(palette, None))
}

/// The driver's settings that the original's variables set.
fn settings(service: &Service, palette: Palette) -> String {
    let spec = &service.spec;
    if spec.env.is_empty() {
        return String::new();
    }
    let mut table = Table::new(2);
    for (setting, variable) in &spec.env {
        let name = format!(
            "JSORC_SERVICES__{}__CONFIG__{}",
            environment_name(&service.name),
            environment_name(setting)
        );
        table.row([
            Cell::from(format!("config.{setting}")),
            Cell::new(Meaning::Faint, name),
            format!("or {variable}").into(),
        ]);
    }
    format!("\nsettings\n{}", table.render(palette, None))
}

fn parameter_variable(service: &str, parameter: &str) -> String {
    format!(
        "JSORC_SERVICES__{}__PARAMETERS__{}",
        environment_name(service),
        environment_name(parameter)
    )
}

fn kind_word(kind: ParameterType) -> &'static str {
    match kind {
        ParameterType::String => "string",
        ParameterType::Int => "int",
        ParameterType::Bool => "bool",
        ParameterType::Quantity => "quantity",
        ParameterType::Duration => "duration",
        ParameterType::Enum => "enum",
        ParameterType::List => "list",
        ParameterType::Map => "map",
        ParameterType::Secret => "secret",
    }
}

/// The type with its words and bounds: `int 1..16`, `enum AOF|RDB`.
fn kind(parameter: &Parameter) -> String {
    let mut said = kind_word(parameter.kind).to_owned();
    if !parameter.values.is_empty() {
        let _ = write!(said, " {}", parameter.values.join("|"));
    }
    let bound = |value: &Option<Value>| value.as_ref().map(plain).unwrap_or_default();
    if parameter.min.is_some() || parameter.max.is_some() {
        let _ = write!(
            said,
            " {}..{}",
            bound(&parameter.min),
            bound(&parameter.max)
        );
    }
    said
}

fn default(parameter: &Parameter) -> String {
    match (&parameter.default, parameter.generate) {
        (_, Some(length)) => format!("generated, {length} characters"),
        (Some(_), _) if parameter.kind == ParameterType::Secret => "••••".to_owned(),
        (Some(Value::Null), _) => "left out".to_owned(),
        (Some(Value::String(text)), _) if text.is_empty() => "\"\"".to_owned(),
        (Some(value), _) => plain(value),
        (None, None) => "to be given".to_owned(),
    }
}

/// The services for programs: `kind: Services`; those named, or all of them.
#[must_use]
pub fn json(catalog: &Catalog, names: &[impl AsRef<str>]) -> Value {
    let wanted = |service: &&Service| {
        names.is_empty() || names.iter().any(|name| *name.as_ref() == *service.name)
    };
    let services: Vec<Value> = catalog.services.iter().filter(wanted).map(one).collect();
    document::new(
        "Services",
        json!({"digest": catalog.digest, "services": services}),
    )
}

fn one(service: &Service) -> Value {
    let spec = &service.spec;
    let tables: Vec<Value> = service
        .kube
        .iter()
        .map(|table| {
            let objects: Vec<Value> = table
                .manifests
                .iter()
                .map(|manifest| {
                    json!({
                        "apiVersion": manifest.api_version,
                        "name": manifest.name,
                        "namespace": manifest.namespace,
                        "file": manifest.file,
                        "line": manifest.line,
                    })
                })
                .collect();
            json!({"kind": table.kind, "objects": objects})
        })
        .collect();
    let parameters: Vec<Value> = spec
        .parameters
        .iter()
        .map(|(name, parameter)| one_parameter(&service.name, name, parameter))
        .collect();
    json!({
        "name": service.name,
        "description": spec.description,
        "driver": spec.driver,
        "enabled": spec.enabled,
        "keep_alive": spec.keep_alive,
        "depends_on": spec.depends_on,
        "table": (!service.kube.is_empty()).then(|| table_name(&service.name)),
        "kinds": tables,
        "parameters": parameters,
        "env": spec.env,
    })
}

fn one_parameter(service: &str, name: &str, parameter: &Parameter) -> Value {
    let secret = parameter.kind == ParameterType::Secret;
    json!({
        "name": name,
        "type": kind_word(parameter.kind),
        "default": parameter.default.as_ref().filter(|_| !secret),
        "required": parameter.required(),
        "generate": parameter.generate,
        "values": parameter.values,
        "min": parameter.min,
        "max": parameter.max,
        "description": parameter.description,
        "variable": parameter_variable(service, name),
    })
}

#[cfg(test)]
mod tests;
