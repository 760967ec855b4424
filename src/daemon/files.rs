//! Watches the files that a run is made of, and says when they may have changed.
//!
//! Folders are watched, not files: an editor or a `ConfigMap` mount replaces a file by renaming,
//! which a watch on the file sees once and never again. Reading causes events of its own, so those
//! are left out. What a change comes to is found by reading everything again; here it is only
//! noticed. Where the system cannot watch, looking every minute remains.

use notify::event::EventKind;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, timeout};

/// After the first sign of a change, how long until the files are read: writers need a moment.
const QUIET: Duration = Duration::from_millis(100);
/// A writer that never pauses is read all the same after this time.
const AT_MOST: Duration = Duration::from_secs(2);
/// How often files are read without any sign, for file systems that give none.
const POLL: Duration = Duration::from_secs(60);

/// Files under watch.
pub struct Files {
    signs: UnboundedReceiver<()>,
    /// Held because dropping it ends the watch.
    _watcher: Option<RecommendedWatcher>,
    problem: Option<String>,
}

impl Files {
    /// Watches the folders of a configuration file and its drop-ins, and a services folder with
    /// everything below it.
    #[must_use]
    pub fn watch(config_file: &Path, services: Option<&Path>) -> Self {
        let (sender, signs) = unbounded_channel();
        let made = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let is_sign = event.map_or(true, |event| !matches!(event.kind, EventKind::Access(_)));
            if is_sign {
                // Nobody is left to tell when the receiver is gone.
                let _ = sender.send(());
            }
        });
        let mut watcher = match made {
            Ok(watcher) => watcher,
            Err(error) => {
                return Self {
                    signs,
                    _watcher: None,
                    problem: Some(error.to_string()),
                };
            }
        };
        let mut problem = None;
        for (folder, mode) in folders(config_file, services) {
            if let Err(error) = watcher.watch(&folder, mode) {
                problem = Some(format!("{}: {error}", folder.display()));
            }
        }
        Self {
            signs,
            _watcher: Some(watcher),
            problem,
        }
    }

    /// Why changes are only noticed by looking every minute, if that is so.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Waits until files may have changed and have been quiet for a moment.
    pub async fn changed(&mut self) {
        if let Ok(None) = timeout(POLL, self.signs.recv()).await {
            tokio::time::sleep(POLL).await;
        }
        let latest = Instant::now() + AT_MOST;
        while Instant::now() < latest {
            match timeout(QUIET, self.signs.recv()).await {
                Ok(Some(())) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }
}

/// The folders to watch that exist; a mounted `ConfigMap` changes by renaming within the folder of
/// its links.
fn folders(config_file: &Path, services: Option<&Path>) -> Vec<(PathBuf, RecursiveMode)> {
    let parent = config_file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let mut found = vec![
        (
            parent.unwrap_or(Path::new(".")).to_path_buf(),
            RecursiveMode::NonRecursive,
        ),
        (
            crate::config::file::drop_in_folder(config_file),
            RecursiveMode::NonRecursive,
        ),
    ];
    if let Some(services) = services {
        found.push((services.to_path_buf(), RecursiveMode::Recursive));
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
        let mut files = Files::watch(&file, None);
        for round in 0..3 {
            let next = folder.join("next");
            fs::write(&next, format!("a: {round}")).unwrap();
            fs::rename(&next, &file).unwrap();
            assert!(notices(&mut files).await, "round {round}");
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_swapped_config_map_mount_is_noticed_every_time() {
        let folder = scratch("mount");
        let file = folder.join("jsorc.yaml");
        fs::create_dir(folder.join("..0")).unwrap();
        symlink("..0", folder.join("..data")).unwrap();
        symlink("..data/jsorc.yaml", &file).unwrap();
        let mut files = Files::watch(&file, None);
        for round in 1..4 {
            fs::create_dir(folder.join(format!("..{round}"))).unwrap();
            symlink(format!("..{round}"), folder.join("..data_tmp")).unwrap();
            fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
            assert!(notices(&mut files).await, "round {round}");
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn a_new_file_deep_in_a_services_folder_is_noticed_and_reading_is_not() {
        let folder = scratch("services");
        fs::create_dir_all(folder.join("redis/kube")).unwrap();
        fs::write(folder.join("redis/service.yaml"), "driver: none").unwrap();
        let mut files = Files::watch(Path::new("/nonexistent/jsorc.yaml"), Some(&folder));
        let _ = fs::read_to_string(folder.join("redis/service.yaml")).unwrap();
        let quiet = timeout(Duration::from_millis(500), files.changed()).await;
        assert!(quiet.is_err(), "reading is no change");
        fs::write(folder.join("redis/kube/new.yaml"), "a: 1").unwrap();
        assert!(notices(&mut files).await);
        fs::remove_dir_all(folder).unwrap();
    }
}
