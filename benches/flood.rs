//! The raw bound: finished bodies, no logic, as many requests at once as the server takes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use hyper::body::Bytes;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::{mix::path_of, wire::Wire};

/// The field manager of raw writes.
pub const MANAGER: &str = "rawflood";
/// How many requests at once are tried; the best counts.
pub const WIDTHS: &[usize] = &[1, 2, 4, 8, 16, 32, 64];

/// Finished requests.
#[derive(Clone)]
pub struct Shots(Arc<Vec<(String, Bytes)>>);

impl Shots {
    /// The objects as they are applied in a namespace.
    pub fn of(objects: &[Value], namespace: &str) -> Self {
        let shot = |object: &Value| (path_of(object, namespace), object.to_string().into());
        Self(Arc::new(objects.iter().map(shot).collect()))
    }

    /// Applies all of them, so many at once, and says how long that took.
    pub fn fire(&self, runtime: &Runtime, wire: &Wire, width: usize) -> Duration {
        let next = Arc::new(AtomicUsize::new(0));
        runtime.block_on(async {
            // The connection is set up before the clock starts.
            wire.send("GET", "/version", "application/json", Bytes::new())
                .await;
            let begun = Instant::now();
            let lanes: Vec<_> = (0..width)
                .map(|_| tokio::spawn(lane(self.clone(), next.clone(), wire.clone())))
                .collect();
            for lane in lanes {
                lane.await.unwrap();
            }
            begun.elapsed()
        })
    }
}

async fn lane(shots: Shots, next: Arc<AtomicUsize>, wire: Wire) {
    while let Some((path, body)) = shots.0.get(next.fetch_add(1, Ordering::Relaxed)) {
        let answer = wire.apply(path, MANAGER, body.clone()).await;
        let text = String::from_utf8_lossy(&answer.body);
        assert!(matches!(answer.status, 200 | 201), "{path}: {text}");
    }
}
