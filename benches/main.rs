//! Measures jsorc against what one API server can do at all, and beside other appliers: `make bench`.
//!
//! README.md says what each figure means and how to ask for a part of them. Everything runs against
//! etcd and kube-apiserver of this machine; what is compared runs in turns on the same server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement that cannot be made ends the program with what was in its way"
)]

#[path = "../tests/support/mod.rs"]
mod support;

mod applying;
mod chart;
mod child;
mod figures;
mod flood;
mod healing;
mod idling;
mod mix;
mod peers;
mod report;
mod starting;
mod subject;
mod wire;
mod wishes;

use report::Report;
use wishes::{Part, Wishes};

fn main() {
    let wishes = Wishes::read();
    if let Some(folder) = &wishes.write {
        return mix::write_all(folder);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    // Fails only where there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut report = Report::new(&wishes);
    for part in Part::ALL {
        if !wishes.wants(*part) {
            continue;
        }
        eprintln!("bench: {}", part.title());
        report.begin(part.title());
        match part {
            Part::Start => starting::measure(&wishes, &mut report),
            Part::Apply => applying::measure(&wishes, &runtime, &mut report),
            Part::Requests => applying::count_requests(&wishes, &mut report),
            Part::Memory => applying::measure_memory(&wishes, &mut report),
            Part::Heal => healing::measure(&wishes, &runtime, &mut report),
            Part::Idle => idling::measure(&wishes, &runtime, &mut report),
        }
        report.save();
    }
    println!("{}", report.text());
    eprintln!("bench: written to {}", report.place().display());
}
