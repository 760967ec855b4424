//! From YAML files to checked tables: the services folder is read, checked and grouped by kind.
//!
//! This room is pure apart from [`folder`], which reads a directory. It is also compiled into the
//! build script, so that a folder read at run time and the embedded one pass the same checks and
//! carry the same digest. It therefore uses nothing else of the crate, and no clock and no network.

pub mod catalog;
pub mod duration;
pub mod fill;
pub mod kinds;
pub mod names;
pub mod parameter;
pub mod placeholder;
mod placeholder_parser;
pub mod problem;
pub mod quantity;
pub mod source;
pub mod spec;
pub mod yaml;

pub use catalog::{Catalog, Checked, EmbeddedService, KindTable, Manifest, Service, table_name};
pub use parameter::{Parameter, ParameterType};
pub use problem::{Place, Problem, Problems, Severity};
pub use spec::{External, Ignore, Policy, Probe, Remedy, ServiceSpec};
