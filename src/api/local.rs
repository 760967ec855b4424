//! The local socket of a daemon: one per user and instance, for who works on the same machine.
//!
//! It lies in a folder that belongs to this user and that nobody else may enter, so whoever reaches
//! it is the same user. A folder of somebody else, or a symlink in its place, is never used: not
//! to listen in, and not to ask.

use nix::unistd::geteuid;
use std::fs::{DirBuilder, symlink_metadata};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream as Knock;
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};

/// The longest path that a socket can have everywhere.
const LONGEST: usize = 103;

/// Why there is no local socket.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// Its folder is not ours alone.
    #[error("{} {why}, so it is not used", .folder.display())]
    NotOurs {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Another daemon of the same instance listens there.
    #[error("another daemon of this instance listens at {}", .0.display())]
    Taken(PathBuf),
    /// The system does not allow it.
    #[error("{}: {}", .path.display(), crate::manifest::system::words(.source))]
    System {
        /// The folder or the socket.
        path: PathBuf,
        /// What the system said.
        source: Error,
    },
}

/// An open socket; its file goes with it.
#[derive(Debug)]
pub struct LocalSocket {
    path: PathBuf,
    inode: u64,
}

impl Drop for LocalSocket {
    fn drop(&mut self) {
        // Another daemon may have replaced it.
        if symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Where the socket of an instance is: below `$XDG_RUNTIME_DIR`, else in `/tmp`.
#[must_use]
pub fn path_of(identity: &str) -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let folder = match runtime.filter(|folder| folder.is_absolute()) {
        Some(folder) => folder.join("jsorc"),
        None => PathBuf::from(format!("/tmp/jsorc-{}", geteuid())),
    };
    fitting(&folder, identity)
}

/// The instance's own name, or a hash of it where the path would be too long.
fn fitting(folder: &Path, identity: &str) -> PathBuf {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use sha2::{Digest as _, Sha256};
    let path = folder.join(format!("{identity}.sock"));
    if path.as_os_str().len() <= LONGEST {
        return path;
    }
    let hash = Sha256::digest(identity.as_bytes());
    let short = URL_SAFE_NO_PAD.encode(&hash[..12]);
    folder.join(format!("{short}.sock"))
}

/// Opens the socket of an instance; what a daemon left behind that was killed is replaced.
///
/// # Errors
/// When the folder is not ours, the socket is in use, or the system does not allow it.
pub fn open(path: &Path) -> Result<(UnixListener, LocalSocket), LocalError> {
    let folder = path.parent().unwrap_or(path);
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(system(folder)(error));
        }
        _ => check(folder)?,
    }
    if let Ok(found) = symlink_metadata(path) {
        if found.file_type().is_socket() && Knock::connect(path).is_ok() {
            return Err(LocalError::Taken(path.to_owned()));
        }
        std::fs::remove_file(path).map_err(system(path))?;
    }
    let listener = UnixListener::bind(path).map_err(system(path))?;
    let inode = symlink_metadata(path).map_err(system(path))?.ino();
    let path = path.to_owned();
    Ok((listener, LocalSocket { path, inode }))
}

/// A connection to the socket; `None` where nobody listens.
///
/// # Errors
/// When the folder is not ours.
pub async fn connect(path: &Path) -> Result<Option<UnixStream>, LocalError> {
    if symlink_metadata(path).is_err() {
        return Ok(None);
    }
    check(path.parent().unwrap_or(path))?;
    Ok(UnixStream::connect(path).await.ok())
}

/// Whether a folder is a folder, ours, and ours alone.
fn check(folder: &Path) -> Result<(), LocalError> {
    let found = symlink_metadata(folder).map_err(system(folder))?;
    let why = if !found.is_dir() {
        "is no folder"
    } else if found.uid() != geteuid().as_raw() {
        "belongs to another user"
    } else if found.mode() & 0o077 != 0 {
        "is open to other users"
    } else {
        return Ok(());
    };
    let folder = folder.to_owned();
    Err(LocalError::NotOurs { folder, why })
}

fn system(path: &Path) -> impl Fn(Error) -> LocalError {
    let path = path.to_owned();
    move |source| LocalError::System {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_becomes_a_short_one_that_differs_by_instance() {
        let folder = Path::new("/run/user/1000/jsorc");
        assert_eq!(
            fitting(folder, "jsorc.prod.jsorc"),
            folder.join("jsorc.prod.jsorc.sock")
        );
        let long = |end: &str| fitting(folder, &format!("jsorc.{}.{end}", "n".repeat(100)));
        assert!(long("a").as_os_str().len() <= LONGEST);
        assert_ne!(long("a"), long("b"));
    }
}
