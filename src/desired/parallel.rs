//! Thousands of objects are read and serialised by as many threads as there are cores.

use std::num::NonZero;
use std::sync::OnceLock;
use std::thread;

/// Fewer than this many are done before a thread has begun.
const WORTH_IT: usize = 200;

/// Maps items in order.
pub(super) fn map<T: Send, R: Send>(items: Vec<T>, change: impl Fn(T) -> R + Sync) -> Vec<R> {
    let cores = cores();
    if cores == 1 || items.len() < WORTH_IT {
        return items.into_iter().map(change).collect();
    }
    let size = items.len().div_ceil(cores.min(4));
    let mut rest = items;
    let mut parts = Vec::new();
    while rest.len() > size {
        let tail = rest.split_off(size);
        parts.push(std::mem::replace(&mut rest, tail));
    }
    let change = &change;
    thread::scope(|scope| {
        let threads: Vec<_> = parts
            .into_iter()
            .map(|part| scope.spawn(move || part.into_iter().map(change).collect::<Vec<R>>()))
            .collect();
        let last: Vec<R> = rest.into_iter().map(change).collect();
        let mut whole = Vec::new();
        for thread in threads {
            match thread.join() {
                Ok(part) => whole.extend(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        whole.extend(last);
        whole
    })
}

/// Asking for it reads files, so it is asked once.
fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| thread::available_parallelism().map_or(1, NonZero::get))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_stays() {
        for count in [0, 1, WORTH_IT - 1, WORTH_IT, WORTH_IT + 1, 5003] {
            let doubled: Vec<usize> = (0..count).map(|number| number * 2).collect();
            assert_eq!(map((0..count).collect(), |number| number * 2), doubled);
        }
    }
}
