//! jsorc.
fn main() {}
