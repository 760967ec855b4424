//! The API server's audit log: every request with who asked, how and when.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use serde_json::Value;

use super::{kubectl::Kubectl, process::eventually};

/// A reader of the log.
pub struct Audit {
    path: PathBuf,
    admin: Kubectl,
}

/// A moment in the log.
#[derive(Clone, Copy)]
pub struct Mark(u64);

/// One line of the log. A watch has two: `ResponseStarted` and, when it ends, `ResponseComplete`.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// `ResponseStarted`, `ResponseComplete` or `Panic`.
    pub stage: String,
    /// get, list, watch, create, update, patch, delete, deletecollection.
    pub verb: String,
    /// Path and query.
    pub uri: String,
    /// The user's name.
    pub user: String,
    /// The program's `User-Agent`.
    pub agent: String,
    /// The answer's status.
    pub code: u64,
    /// The resource's plural name; empty for a path that is no resource.
    pub resource: String,
    /// The object's namespace, or empty.
    pub namespace: String,
    /// The object's name, or empty.
    pub name: String,
    /// When the request came.
    pub time: String,
    /// When this stage was reached: for `ResponseComplete`, when it was answered.
    pub answered: String,
}

impl Audit {
    pub(super) fn new(path: &Path, admin: Kubectl) -> Self {
        Self {
            path: path.to_owned(),
            admin,
        }
    }

    /// Now: everything that was answered before is before the mark.
    pub fn mark(&self) -> Mark {
        self.settle();
        Mark(self.size())
    }

    /// How many bytes the log has: whether it grows is known without reading it.
    pub fn size(&self) -> u64 {
        std::fs::metadata(&self.path).unwrap().len()
    }

    /// What was logged since the mark, up to now.
    pub fn since(&self, mark: Mark) -> Vec<AuditEntry> {
        self.settle();
        self.so_far(mark)
    }

    /// What is in the log since the mark, without asking the server to finish it.
    pub fn so_far(&self, mark: Mark) -> Vec<AuditEntry> {
        let text = self.text_since(mark);
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let entries = whole
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        entries
            .map(|value| AuditEntry::read(&value))
            .filter(|entry| !entry.is_marker())
            .collect()
    }

    /// The log is written just after the answer: sends a request of its own and waits for its line.
    fn settle(&self) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let before = Mark(self.size());
        let marker = format!("{MARKER}{}-{count}.", std::process::id());
        self.admin.run(&["get", "--raw", &marker]);
        eventually(
            "the audit log's own marker",
            Duration::from_secs(10),
            || self.text_since(before).contains(&marker).then_some(()),
        );
    }

    fn text_since(&self, mark: Mark) -> String {
        let mut file = File::open(&self.path).unwrap();
        file.seek(SeekFrom::Start(mark.0)).unwrap();
        let mut text = Vec::new();
        file.read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    }
}

const MARKER: &str = "/version?mark=";

impl AuditEntry {
    fn read(value: &Value) -> Self {
        let text = |pointer: &str| {
            value
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Self {
            stage: text("/stage"),
            verb: text("/verb"),
            uri: text("/requestURI"),
            user: text("/user/username"),
            agent: text("/userAgent"),
            code: value
                .pointer("/responseStatus/code")
                .and_then(Value::as_u64)
                .unwrap_or(0),
            resource: text("/objectRef/resource"),
            namespace: text("/objectRef/namespace"),
            name: text("/objectRef/name"),
            time: text("/requestReceivedTimestamp"),
            answered: text("/stageTimestamp"),
        }
    }

    /// Would it change something, had it no `dryRun=All`?
    pub fn is_write(&self) -> bool {
        let writes = ["create", "update", "patch", "delete", "deletecollection"];
        // Reviews are created, and change nothing.
        writes.contains(&self.verb.as_str()) && !self.resource.ends_with("reviews")
    }

    /// Was it asked as a dry run?
    pub fn is_dry_run(&self) -> bool {
        let query = self.uri.split_once('?').map_or("", |(_, query)| query);
        query.split('&').any(|pair| pair == "dryRun=All")
    }

    fn is_marker(&self) -> bool {
        self.uri.starts_with(MARKER)
    }
}
