//! Layers to one configuration: defaults, `service.yaml`, file, drop-ins, stored settings,
//! environment, flags; later ones win. Every value keeps the layer that set it.
//!
//! Invariants: nothing is half loaded (all problems of all layers, or a configuration); no message
//! holds a value that could be a secret; a list in a higher layer replaces the one below.

mod check;
pub mod environment;
pub mod file;
mod layer;
mod load;
mod redact;
mod settings;
pub mod shape;

pub use check::{Problem, nearest};
pub use layer::{Layer, Origin, Source};
pub use load::{Loaded, Problems, Sources, load};
pub use redact::{flatten, is_secret};
pub use settings::{Config, Kubernetes, KubernetesMode, LogFormat, Patch, Policy, ServiceConfig};

#[cfg(test)]
mod tests;
