//! The loop that carries events to the engine and its commands to the hands.
//!
//! Invariants: one task owns the engine; whatever can hang or panic runs in a task of its own; a
//! session that only reads has no hands.

mod attaching;
mod attention;
mod author;
mod carrying;
mod concurrency;
mod connected;
mod ends;
mod files;
mod inputs;
mod keeper;
mod leadership;
mod leading;
pub mod loading;
mod prefetch;
mod reach;
mod refreshing;
mod reloading;
mod runner;
mod seeking;
mod session;
mod stamp;
mod unchanged;
mod write_pool;

pub use attaching::Beginning;
pub use connected::{Connected, connect};
pub use ends::{Ends, Refreshed, Request, Snapshot};
pub use inputs::Inputs;
pub use keeper::{Keeper, Sink};
pub use loading::{LoadError, Settings};
pub use session::{Access, Session, SessionError};
