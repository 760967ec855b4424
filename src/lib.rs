

pub mod cluster;
pub mod config;
pub mod desired;
pub mod drivers;
pub mod embedded;
pub mod engine;
pub mod manifest;
