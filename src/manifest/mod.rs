//! From YAML files to checked tables: the services folder is read, checked and grouped by kind.
//!
//! This room is pure apart from [`folder`], which reads a directory. It is also compiled into the
//! build script, so that a folder read at run time and the embedded one pass the same checks and
//! carry the same digest. It therefore uses nothing else of the crate, and no clock and no network.

pub mod assembly;
pub mod catalog;
mod checks;
mod conduct_reader;
mod document;
pub mod duration;
pub mod emit;
pub mod fill;
pub mod folder;
mod hidden;
pub mod kinds;
pub mod names;
pub mod nearest;
pub mod parameter;
mod parameter_reader;
pub mod placeholder;
mod placeholder_parser;
pub mod problem;
pub mod quantity;
pub mod source;
pub mod spec;
mod spec_reader;
mod stand_in;
pub mod system;
pub mod yaml;

pub use catalog::{Catalog, Checked, EmbeddedService, KindTable, Manifest, Service, table_name};
pub use parameter::{Parameter, ParameterType};
pub use problem::{Place, Problem, Problems, Severity};
pub use spec::{External, Ignore, Policy, Probe, Remedy, ServiceSpec};
