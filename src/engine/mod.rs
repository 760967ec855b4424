//! The brain.
pub mod diff;
pub mod fingerprint;
pub mod health;
pub mod ownership;
pub mod path;
