//! What ought to be: configuration and tables become a [`DesiredSet`].
//!
//! Invariants: the set is a pure function of configuration, tables, instance and key; every body
//! is serialised once and sent as it is; no body holds a value that a person did not give (generated
//! ones are markers until their Secret is created).

pub mod at;
pub mod compose;
mod drafting;
mod dress;
pub mod edges;
pub mod fingerprint;
pub mod fronts;
pub mod image;
pub mod instance;
pub mod key;
pub mod kinds;
pub mod links;
mod namespace;
pub mod order;
mod parallel;
pub mod patch;
pub mod path;
mod plain;
mod portions;
pub mod rights;
mod rolling;
pub mod secret;
mod set;
pub mod source;
mod wanted;
pub mod workload;

pub use compose::{Context, Problems, compose};
pub use fingerprint::{Fingerprint, FingerprintKey};
pub use instance::Instance;
pub use key::{ObjectKey, Resource};
pub use set::{
    DesiredObject, DesiredService, DesiredSet, Generated, Need, PROTECTED_KINDS, Prerequisite,
    RunPolicy, WriteMode,
};
pub use wanted::Wanted;

#[cfg(test)]
mod tests;
