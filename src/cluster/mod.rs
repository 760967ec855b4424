//! Hands and eyes: connects, reads, watches and writes. It decides nothing.
//!
//! Invariants: a [`Reader`] cannot change a cluster (it has no method that would, and its
//! connection refuses every mutating request without `dryRun=All`); every request ends within a
//! deadline; nothing that a server says about a Secret's values is repeated.

mod body;
mod classify;
mod client;
mod connect;
mod discover;
mod effective;
mod explain;
mod eyes;
mod fence;
mod forward;
mod freshness;
mod hands;
mod inventory;
mod key;
mod lease;
mod look;
mod metadata_list;
mod orders;
mod page;
mod records;
mod request;
mod review;
mod transport;
mod untyped;
mod watch;
mod wording;

pub use client::Client;
pub use connect::{ConnectError, Greeting, Target, find};
pub use eyes::Eyes;
pub use forward::{Forward, Forwarder};
pub use hands::{Hands, Reader};
pub use inventory::{INVENTORY_LABEL, Stored};
pub use key::passing_key;
pub use lease::{Candidate, Lease, RETRY_PERIOD, Standing};
pub use metadata_list::MetadataItem;
pub use transport::Counter;
pub use wording::credentials;
