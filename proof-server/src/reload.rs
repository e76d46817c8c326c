//! Files that are read again while the server runs: when they change, and when it is told to. What nobody tells (a
//! secret that Kubernetes replaces, a certificate that was renewed) is seen by looking.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sha2::{Digest, Sha256};

use crate::control::Control;

/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Something that is made of files.
pub(crate) struct Reloaded {
    /// For the log.
    pub(crate) what: &'static str,
    pub(crate) files: Vec<PathBuf>,
    /// Makes it anew and puts it into use, or says why not; what there was stays then.
    pub(crate) read: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
}

/// A file's content, as far as it matters here; `None` if it cannot be read.
type Content = Option<[u8; 32]>;

/// The paths of a configuration that are there.
pub(crate) fn files<const N: usize>(paths: [Option<&Path>; N]) -> Vec<PathBuf> {
    paths.into_iter().flatten().map(Path::to_owned).collect()
}

/// Reads again what has changed, or all of it when told to, until the server stops.
pub(crate) async fn watch(all: Vec<Reloaded>, control: Control) {
    let mut seen = contents(&all).await;
    loop {
        let told = tokio::select! {
            () = tokio::time::sleep(LOOK) => false,
            () = control.reload.notified() => true,
            () = control.stop.cancelled() => return,
        };
        let now = contents(&all).await;
        for ((one, now), seen) in all.iter().zip(&now).zip(&seen) {
            if !told && now == seen {
                continue;
            }
            match (one.read)() {
                Ok(()) => tracing::info!(what = one.what, "read again"),
                Err(error) => tracing::error!(what = one.what, %error, "what was there stays"),
            }
        }
        seen = now;
    }
}

async fn contents(all: &[Reloaded]) -> Vec<Vec<Content>> {
    let files: Vec<Vec<PathBuf>> = all.iter().map(|one| one.files.clone()).collect();
    let read = |path: &PathBuf| std::fs::read(path).ok().map(|bytes| Sha256::digest(bytes).into());
    let looked = tokio::task::spawn_blocking(move || {
        files.iter().map(|files| files.iter().map(read).collect()).collect()
    });
    looked.await.unwrap_or_default()
}
