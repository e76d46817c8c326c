//! The program that workers run: this one, as it was when the server started.

use std::{fs::File, io, os::fd::AsRawFd, path::PathBuf, process::Command, sync::Arc};

/// A program to start workers with.
#[derive(Clone, Debug)]
pub(crate) enum WorkerProgram {
    /// This process's own image. Held open: whatever becomes of the file that it was started from, replaced by another
    /// version above all, workers and server go on being of one build.
    Own(Arc<File>),
    /// A file.
    File(PathBuf),
}

impl WorkerProgram {
    /// This program.
    ///
    /// # Errors
    /// If the system does not say what it is.
    pub(crate) fn own() -> io::Result<Self> {
        match File::open("/proc/self/exe") {
            Ok(image) => Ok(Self::Own(Arc::new(image))),
            // No /proc, or a program that may be run and not read.
            Err(_) => std::env::current_exe().map(Self::File),
        }
    }

    /// A command that runs it.
    pub(crate) fn command(&self) -> Command {
        match self {
            Self::Own(image) => {
                use std::os::unix::process::CommandExt;
                // Looked up by the child, which has all descriptors until its program has begun.
                let mut command = Command::new(format!("/proc/self/fd/{}", image.as_raw_fd()));
                command.arg0(env!("CARGO_PKG_NAME"));
                command
            }
            Self::File(path) => Command::new(path),
        }
    }
}
