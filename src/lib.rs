//! jsorc.
pub mod desired;
pub mod engine;
