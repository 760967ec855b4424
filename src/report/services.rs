//! What is embedded: services, tables by kind, parameters.

use super::style::Palette;
use crate::manifest::{Catalog, Service};
use serde_json::Value;

/// All services, one a line.
#[must_use]
pub fn text(catalog: &Catalog, palette: Palette) -> String {
    let _ = (catalog, palette);
    String::new()
}

/// One service: its tables by kind and its parameters.
#[must_use]
pub fn detail(service: &Service, palette: Palette) -> String {
    let _ = (service, palette);
    String::new()
}

/// The services for programs: `kind: Services`; all of them, or those named.
#[must_use]
pub fn json(catalog: &Catalog, names: &[impl AsRef<str>]) -> Value {
    let _ = (catalog, names);
    Value::Null
}
