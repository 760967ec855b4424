//! Whether files are still the ones that were read, without reading them.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, Metadata};
use std::hash::{Hash, Hasher};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Folders below each other; links can go in circles.
const DEEPEST: usize = 16;

/// What tells the state of some files from the next: names, sizes, times and inodes of them, where
/// links lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(u64);

impl Stamp {
    /// The stamp of these files and folders as they are now, with everything below them.
    pub(super) fn of<'a>(paths: impl Iterator<Item = &'a Path>) -> Self {
        let mut hash = DefaultHasher::new();
        for path in paths {
            add(path, DEEPEST, &mut hash);
        }
        Self(hash.finish())
    }
}

fn add(path: &Path, depth: usize, hash: &mut DefaultHasher) {
    path.hash(hash);
    let found = fs::metadata(path).ok();
    found.as_ref().map(marks).hash(hash);
    if depth > 0 && found.is_some_and(|found| found.is_dir()) {
        for path in below(path) {
            add(&path, depth - 1, hash);
        }
    }
}

/// A folder's own times say that something unrelated came or went.
fn marks(found: &Metadata) -> Option<(u64, u64, [i64; 4])> {
    let times = [
        found.mtime(),
        found.mtime_nsec(),
        found.ctime(),
        found.ctime_nsec(),
    ];
    found.is_file().then(|| (found.ino(), found.len(), times))
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
