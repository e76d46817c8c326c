//! The server's private folder for its workers' temporary files, and what earlier servers left of theirs.
//!
//! SP1 unpacks an executable into its temporary folder and trusts what it finds there: not in everybody's `/tmp`. A
//! server that is killed cannot remove its folder, so each holds a lock in it for as long as it lives, and the next
//! one removes those that nobody holds.

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
};

use tempfile::TempDir;

const PREFIX: &str = "sextant-";
const LOCK: &str = "lock";

/// The folder; removed when dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: TempDir,
    /// Locked until the process ends.
    _lock: File,
}

impl Scratch {
    /// Makes a folder in `parent`, after removing those of servers that are gone.
    pub(crate) fn new(parent: &Path) -> io::Result<Self> {
        remove_abandoned(parent);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        // Locked before it has its name: another server that is starting must not find it free.
        let unnamed = folder.path().join("lock-new");
        let lock = File::create_new(&unnamed)?;
        lock.lock()?;
        std::fs::rename(unnamed, folder.path().join(LOCK))?;
        Ok(Self { folder, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn remove_abandoned(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let named = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        // A link is not followed: somebody else could have made it.
        if !named || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        // Another user's folder does not open; a folder without a lock was not made here, or is being made.
        let Ok(lock) = File::open(entry.path().join(LOCK)) else { continue };
        match lock.try_lock() {
            Ok(()) => match std::fs::remove_dir_all(entry.path()) {
                Ok(()) => {
                    tracing::info!(folder = %entry.path().display(), "removed what a killed server left")
                }
                Err(error) => tracing::warn!(folder = %entry.path().display(), %error, "an old folder stays"),
            },
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => tracing::debug!(%error, "lock of an old folder"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_holds_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let living = Scratch::new(parent.path()).unwrap();
        let abandoned = parent.path().join("sextant-killed");
        std::fs::create_dir(&abandoned).unwrap();
        std::fs::write(abandoned.join(LOCK), "").unwrap();
        std::fs::write(abandoned.join("large"), "file").unwrap();
        let others = parent.path().join("sextant-notes");
        std::fs::create_dir(&others).unwrap();

        let next = Scratch::new(parent.path()).unwrap();
        assert!(!abandoned.exists() && others.exists() && living.path().exists());
        let path = next.path().to_owned();
        drop(next);
        assert!(!path.exists() && living.path().exists());
    }
}
