//! Files that are read again while the server runs: when they change, and when it is told to. What nobody tells (a
//! secret that Kubernetes replaces, a certificate that was renewed) is seen by looking.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::control::Control;

/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// How something that is made of files is made anew.
pub(crate) struct Reloaded {
    /// For the log.
    what: &'static str,
    files: Vec<PathBuf>,
    /// The files as they were no later than when they were read last: what has changed since is seen.
    seen: Vec<Content>,
    /// Makes it anew and puts it into use, or says why not; what there was stays then.
    read: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
}

/// A file's content, as far as it matters here; `None` if it cannot be read.
type Content = Option<[u8; 32]>;

/// Something made of files as they are now, for whoever watches it to see what follows, and how it is made anew.
///
/// # Errors
/// Those of `read`.
pub(crate) fn reloaded<T, E>(
    what: &'static str,
    files: Vec<PathBuf>,
    read: impl Fn() -> Result<T, E> + Send + Sync + 'static,
) -> Result<(watch::Receiver<T>, Reloaded), E>
where
    T: Send + Sync + 'static,
    E: std::fmt::Display,
{
    // Looked at before they are read: what changes in between is read once too often, and not never.
    let seen = contents(&files);
    let (sender, receiver) = watch::channel(read()?);
    let again = move || {
        sender.send_replace(read().map_err(|error| error.to_string())?);
        Ok(())
    };
    Ok((receiver, Reloaded { what, files, seen, read: Box::new(again) }))
}

/// The paths of a configuration that are there.
pub(crate) fn files<const N: usize>(paths: [Option<&Path>; N]) -> Vec<PathBuf> {
    paths.into_iter().flatten().map(Path::to_owned).collect()
}

/// Reads again what has changed, or all of it when told to, until the server stops.
pub(crate) async fn watch(mut all: Vec<Reloaded>, control: Control) {
    loop {
        let told = tokio::select! {
            () = tokio::time::sleep(LOOK) => false,
            () = control.reload.notified() => true,
            () = control.stop.cancelled() => return,
        };
        let looked = tokio::task::spawn_blocking(move || {
            all.iter_mut().for_each(|one| one.look(told));
            all
        });
        match looked.await {
            Ok(back) => all = back,
            Err(error) => {
                tracing::error!(%error, "files are no longer read again");
                return;
            }
        }
    }
}

impl Reloaded {
    /// Reads the files if they have changed, or if told to.
    fn look(&mut self, told: bool) {
        let now = contents(&self.files);
        if !told && now == self.seen {
            return;
        }
        self.seen = now;
        match (self.read)() {
            Ok(()) => tracing::info!(what = self.what, "read again"),
            Err(error) => tracing::error!(what = self.what, %error, "what was there stays"),
        }
    }
}

fn contents(files: &[PathBuf]) -> Vec<Content> {
    let read = |path: &PathBuf| std::fs::read(path).ok().map(|bytes| Sha256::digest(bytes).into());
    files.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However soon: a file that changes while it is read for the first time, before anybody watches it.
    #[test]
    fn what_changes_after_it_was_read_is_read_again() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "old").unwrap();
        let path = file.path().to_owned();
        let read = move || {
            let text = std::fs::read_to_string(&path);
            std::fs::write(&path, "new").unwrap();
            text
        };
        let (seen, mut reloaded) = reloaded("a file", vec![file.path().to_owned()], read).unwrap();
        assert_eq!(*seen.borrow(), "old");
        reloaded.look(false);
        assert_eq!(*seen.borrow(), "new");
    }

    #[test]
    fn only_what_has_changed_is_read_again_unless_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_owned();
        let read = move || std::fs::read_to_string(&path);
        let (mut seen, mut reloaded) = reloaded("a file", vec![file.path().to_owned()], read).unwrap();
        seen.mark_unchanged();
        reloaded.look(false);
        assert!(!seen.has_changed().unwrap());
        reloaded.look(true);
        assert!(seen.has_changed().unwrap());
    }
}
