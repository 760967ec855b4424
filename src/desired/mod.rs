//! What ought to be: configuration and tables become a [`DesiredSet`].
//!
//! Invariants: the set is a pure function of configuration, tables, instance and key; every body
//! is serialised once and sent as it is; no body holds a value that a person did not give (generated
//! ones are markers until their Secret is created).

pub mod at;
pub mod body;
pub mod compose;
mod drafting;
pub mod edges;
pub mod fingerprint;
pub mod fronts;
pub mod image;
pub mod instance;
pub mod key;
pub mod kinds;
pub mod links;
mod metadata;
mod namespace;
pub mod order;
pub mod patch;
pub mod path;
pub mod rights;
mod rolling;
pub mod secret;
mod set;
pub mod source;
pub mod workload;

pub use body::ObjectBody;
pub use compose::{Context, Problems, compose};
pub use fingerprint::{Fingerprint, FingerprintKey};
pub use instance::Instance;
pub use key::{ObjectKey, Resource};
pub use set::{
    DesiredObject, DesiredService, DesiredSet, Generated, Need, PROTECTED_KINDS, Prerequisite,
    RunPolicy, WriteMode,
};

#[cfg(test)]
mod tests;
