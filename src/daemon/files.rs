//! Watches the files that a run is made of, and says when they may have changed.
//!
//! Folders are watched, not files: an editor or a `ConfigMap` mount replaces a file by renaming,
//! which a watch on the file sees once and never again. Reading causes events of its own, so those
//! are left out, and so is what has the stamp that it had. What a change comes to is found by reading
//! everything again; here it is only noticed. Folders come and go, and one that was replaced is
//! another folder: all of them are taken under watch anew before the files are read. Where the
//! system cannot watch, a look every minute remains.

use super::inputs::Paths;
use super::stamp::Stamp;
use notify::event::EventKind;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, timeout, timeout_at};

/// After the first sign of a change, how long until the files are read: writers need a moment.
const QUIET: Duration = Duration::from_millis(100);
/// A writer that never pauses is read all the same after this time.
const AT_MOST: Duration = Duration::from_secs(2);
/// How often files are looked at without any sign, for file systems that give none.
const POLL: Duration = Duration::from_secs(60);

/// Files under watch.
pub struct Files {
    signs: UnboundedReceiver<()>,
    watcher: Option<RecommendedWatcher>,
    paths: Paths,
    problem: Option<String>,
    /// When the change that is waited out was first noticed.
    first_sign: Option<Instant>,
    /// When files are looked at without any sign.
    poll_at: Instant,
    /// What they were just before they were read; `None` when what was read was no good.
    stamp: Option<Stamp>,
}

impl Files {
    /// Watches the folders of a configuration file and its drop-ins, and a services folder with
    /// everything below it. Files that hold single values are looked at every minute. They were
    /// read when they had this stamp: what changed before they were watched is found at the first
    /// look.
    #[must_use]
    pub(super) fn watch(paths: Paths, read: Stamp) -> Self {
        let (sender, signs) = unbounded_channel();
        let (config_file, services) = (paths.config_file.clone(), paths.services.clone());
        let made = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.map_or(true, |event| {
                is_sign(&event, &config_file, services.as_deref())
            }) {
                // Nobody is left to tell when the receiver is gone.
                let _ = sender.send(());
            }
        });
        let (watcher, problem) = match made {
            Ok(watcher) => (Some(watcher), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let mut files = Self {
            signs,
            watcher,
            paths,
            problem,
            first_sign: None,
            poll_at: Instant::now() + POLL,
            stamp: Some(read),
        };
        files.watch_folders();
        files
    }

    /// Watches every folder that exists now. To watch one a second time changes nothing.
    fn watch_folders(&mut self) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        self.problem = None;
        for (folder, mode) in folders(&self.paths) {
            if let Err(error) = watcher.watch(&folder, mode) {
                self.problem = Some(format!("{}: {error}", folder.display()));
            }
        }
    }

    /// Why changes are only noticed by looking every minute, if that is so.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Waits until files have changed and been quiet for a moment. A sign that was seen is kept when
    /// the wait is given up, and found again by the next one.
    pub async fn changed(&mut self) {
        loop {
            let first = match self.first_sign {
                Some(first) => first,
                None => self.sign().await,
            };
            self.quiet(first).await;
            self.first_sign = None;
            self.watch_folders();
            // Taken before they are read: what changes meanwhile gives a sign of its own.
            let stamp = Some(self.paths.stamp());
            if std::mem::replace(&mut self.stamp, stamp) != stamp {
                return;
            }
        }
    }

    /// What was read was not to be had, or no good: it is read again at the next look.
    pub fn read_again(&mut self) {
        self.stamp = None;
    }

    async fn sign(&mut self) -> Instant {
        if let Ok(None) = timeout_at(self.poll_at, self.signs.recv()).await {
            tokio::time::sleep_until(self.poll_at).await;
        }
        let now = Instant::now();
        self.poll_at = now + POLL;
        *self.first_sign.insert(now)
    }

    async fn quiet(&mut self, first: Instant) {
        let latest = first + AT_MOST;
        while Instant::now() < latest {
            match timeout(QUIET, self.signs.recv()).await {
                Ok(Some(())) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }
}

/// Whether something changed that is ours: reading is no change, and the folder above the services
/// may hold much that is none of our business.
fn is_sign(event: &notify::Event, config_file: &Path, services: Option<&Path>) -> bool {
    if matches!(event.kind, EventKind::Access(_)) {
        return false;
    }
    let drop_ins = crate::config::file::drop_in_folder(config_file);
    let ours = |path: &PathBuf| {
        path.parent() == config_file.parent()
            || path.starts_with(&drop_ins)
            || services.is_some_and(|services| path.starts_with(services))
    };
    event.paths.is_empty() || event.paths.iter().any(ours)
}

/// The folders to watch that exist; a mounted `ConfigMap` changes by renaming within the folder of
/// its links.
fn folders(paths: &Paths) -> Vec<(PathBuf, RecursiveMode)> {
    let parent = paths.config_file.parent().unwrap_or(&paths.config_file);
    let mut found = vec![
        (parent.to_path_buf(), RecursiveMode::NonRecursive),
        (paths.drop_ins(), RecursiveMode::NonRecursive),
    ];
    if let Some(services) = &paths.services {
        // The folder itself may be replaced, or be a link that is.
        let above = services.parent().unwrap_or(services).to_path_buf();
        found.push((above, RecursiveMode::NonRecursive));
        found.push((services.clone(), RecursiveMode::Recursive));
    }
    found.retain(|(folder, _)| folder.is_dir());
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn scratch(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("jsorc-files-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Watches what was read just now.
    fn watch(config_file: &Path, services: Option<&Path>, values: Vec<PathBuf>) -> Files {
        let paths = Paths {
            config_file: config_file.to_owned(),
            services: services.map(Path::to_owned),
            values,
        };
        let stamp = paths.stamp();
        Files::watch(paths, stamp)
    }

    async fn notices(files: &mut Files) -> bool {
        timeout(Duration::from_secs(10), files.changed())
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn a_replaced_file_is_noticed_every_time() {
        let folder = scratch("replace");
        let file = folder.join("jsorc.yaml");
        fs::write(&file, "a: 1").unwrap();
        let mut files = watch(&file, None, Vec::new());
        for round in 0..3 {
            let next = folder.join("next");
            fs::write(&next, format!("a: {round}")).unwrap();
            fs::rename(&next, &file).unwrap();
            assert!(notices(&mut files).await, "round {round}");
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn what_is_not_ours_and_what_is_as_it_was_is_no_change() {
        let folder = scratch("others");
        let file = folder.join("jsorc.yaml");
        let services = folder.join("services");
        fs::create_dir_all(services.join("redis")).unwrap();
        let secret = scratch("value").join("password");
        let mut files = watch(&file, Some(&services), vec![secret.clone()]);
        fs::write(&file, "a: 1").unwrap();
        assert!(notices(&mut files).await);
        fs::write(folder.join("log.txt"), "nothing of ours").unwrap();
        let quiet = timeout(Duration::from_millis(500), files.changed()).await;
        assert!(quiet.is_err(), "another file beside the configuration");
        files.poll_at = Instant::now();
        let quiet = timeout(Duration::from_millis(500), files.changed()).await;
        assert!(quiet.is_err(), "a look without a sign");
        fs::write(&secret, "hunter2").unwrap();
        files.poll_at = Instant::now();
        assert!(notices(&mut files).await, "the file of a value");
        files.read_again();
        files.poll_at = Instant::now();
        assert!(notices(&mut files).await, "what was no good");
        fs::write(services.join("redis/service.yaml"), "driver: none").unwrap();
        assert!(notices(&mut files).await);
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn the_first_look_finds_what_changed_since_it_was_read_and_nothing_else() {
        let folder = scratch("first-look");
        let file = folder.join("jsorc.yaml");
        let services = folder.join("services");
        fs::create_dir_all(services.join("redis")).unwrap();
        fs::write(services.join("redis/service.yaml"), "driver: none").unwrap();
        let mut files = watch(&file, Some(&services), Vec::new());
        files.poll_at = Instant::now();
        let quiet = timeout(Duration::from_millis(500), files.changed()).await;
        assert!(quiet.is_err(), "everything is as it was read");
        let paths = || Paths {
            config_file: file.clone(),
            services: Some(services.clone()),
            values: Vec::new(),
        };
        let read = paths().stamp();
        fs::write(services.join("redis/service.yaml"), "driver: redis").unwrap();
        let mut files = Files::watch(paths(), read);
        files.poll_at = Instant::now();
        assert!(notices(&mut files).await, "changed before it was watched");
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_change_is_not_lost_when_the_wait_for_quiet_is_given_up() {
        let folder = scratch("given-up");
        let file = folder.join("jsorc.yaml");
        let mut files = watch(&file, None, Vec::new());
        fs::write(&file, "a: 1").unwrap();
        // The first sign is taken in, and something else happens before it was quiet.
        let given_up = timeout(QUIET / 2, files.changed()).await;
        assert!(given_up.is_err());
        assert!(notices(&mut files).await);
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_swapped_config_map_mount_is_noticed_every_time() {
        let folder = scratch("mount");
        let file = folder.join("jsorc.yaml");
        fs::create_dir(folder.join("..0")).unwrap();
        symlink("..0", folder.join("..data")).unwrap();
        symlink("..data/jsorc.yaml", &file).unwrap();
        let mut files = watch(&file, None, Vec::new());
        for round in 1..4 {
            let next = folder.join(format!("..{round}"));
            fs::create_dir(&next).unwrap();
            fs::write(next.join("jsorc.yaml"), "a: 1").unwrap();
            symlink(format!("..{round}"), folder.join("..data_tmp")).unwrap();
            fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
            assert!(notices(&mut files).await, "round {round}");
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn folders_that_come_later_or_are_replaced_are_watched() {
        let folder = scratch("later");
        let services = folder.join("services");
        fs::create_dir(&services).unwrap();
        let mut files = watch(&folder.join("jsorc.yaml"), Some(&services), Vec::new());
        fs::create_dir(folder.join("jsorc.d")).unwrap();
        assert!(notices(&mut files).await, "the drop-ins' folder");
        fs::write(folder.join("jsorc.d/10.yaml"), "a: 1").unwrap();
        assert!(notices(&mut files).await, "a drop-in in it");
        fs::remove_dir_all(&services).unwrap();
        fs::create_dir_all(services.join("web")).unwrap();
        assert!(notices(&mut files).await, "a replaced services folder");
        fs::write(services.join("web/service.yaml"), "driver: none").unwrap();
        assert!(notices(&mut files).await, "a file in it");
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_new_file_deep_in_a_services_folder_is_noticed_and_reading_is_not() {
        let folder = scratch("services");
        fs::create_dir_all(folder.join("redis/kube")).unwrap();
        fs::write(folder.join("redis/service.yaml"), "driver: none").unwrap();
        let mut files = watch(
            Path::new("/nonexistent/jsorc.yaml"),
            Some(&folder),
            Vec::new(),
        );
        let _ = fs::read_to_string(folder.join("redis/service.yaml")).unwrap();
        let quiet = timeout(Duration::from_millis(500), files.changed()).await;
        assert!(quiet.is_err(), "reading is no change");
        fs::write(folder.join("redis/kube/new.yaml"), "a: 1").unwrap();
        assert!(notices(&mut files).await);
        fs::remove_dir_all(folder).unwrap();
    }
}
