//! The brain.
pub mod diff;
pub mod health;
pub mod ownership;
