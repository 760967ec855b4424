//! The configuration with the origin of each value.

use super::style::Palette;
use crate::config::Loaded;
use crate::manifest::Catalog;
use serde_json::Value;

/// The values with dotted keys; with `origin`, each with the layer that set it.
#[must_use]
pub fn text(loaded: &Loaded, catalog: &Catalog, origin: bool, palette: Palette) -> String {
    let _ = (loaded, catalog, origin, palette);
    String::new()
}

/// The configuration for programs: `kind: Config`.
#[must_use]
pub fn json(loaded: &Loaded, catalog: &Catalog) -> Value {
    let _ = (loaded, catalog);
    Value::Null
}
