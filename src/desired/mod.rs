//! What ought to be.
pub mod key;
