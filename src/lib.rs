//! jsorc.

pub mod drivers;
