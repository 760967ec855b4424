//! What ought to be.
pub mod fingerprint;
pub mod key;
pub mod path;
