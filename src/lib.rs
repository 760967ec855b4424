//! jsorc.
