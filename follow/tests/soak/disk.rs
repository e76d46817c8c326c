//! A disk that can be filled to its last byte: a small file system in memory, in a user namespace, for which nobody needs
//! to be root. Where a system lets nobody have one (containers often do not), no file of the follower may grow, by the
//! limit on its files' size: the same writes fail then, for another reason.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A folder, on such a file system where that can be had.
pub struct Disk {
    folder: PathBuf,
    /// Keeps the namespace while followers come and go; ends with its input.
    holder: Option<Child>,
}

impl Disk {
    /// Puts the file system over a folder that is there.
    pub fn over(folder: &Path) -> Self {
        let mount = r#"mount -t tmpfs -o size=16m tmpfs "$0" && echo mounted && exec cat"#;
        let holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", mount])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let is_mounted = |holder: &mut Child| {
            let mut line = String::new();
            let read = BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line);
            read.is_ok() && line == "mounted\n"
        };
        let holder = holder.ok().and_then(|mut holder| match is_mounted(&mut holder) {
            true => Some(holder),
            false => holder.wait().map(|_| None).unwrap(),
        });
        Self { folder: folder.into(), holder }
    }

    /// Whether it is a file system that gets full.
    pub fn is_real(&self) -> bool {
        self.holder.is_some()
    }

    /// How a program is started that has its files there.
    pub fn command(&self, program: &Path) -> Command {
        let mut command;
        if let Some(holder) = &self.holder {
            command = Command::new("nsenter");
            command.args(["--target", &holder.id().to_string(), "--user", "--mount"]);
            command.arg("--preserve-credentials").arg("--").arg(program);
        } else {
            command = Command::new("sh");
            // Its writes fail then; without this it would be killed by a signal.
            command.args(["-c", r#"trap "" XFSZ; exec "$0" "$@""#]).arg(program);
        }
        command
    }

    /// From now on the process of this id can write no more.
    pub fn fill(&self, process: u32) {
        let Some(filler) = self.filler() else { return limit(process, "0:") };
        let mut filler = File::create(filler).unwrap();
        let error = loop {
            if let Err(error) = filler.write_all(&[0; 4096]) {
                break error;
            }
        };
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{error}");
    }

    /// There is room again.
    pub fn free(&self, process: u32) {
        match self.filler() {
            Some(filler) => fs::remove_file(filler).unwrap(),
            None => limit(process, "unlimited:"),
        }
    }

    /// What takes all the room, as it is seen from outside.
    fn filler(&self) -> Option<PathBuf> {
        let inside = PathBuf::from(format!("/proc/{}/root", self.holder.as_ref()?.id()));
        Some(inside.join(self.folder.strip_prefix("/").unwrap()).join("filler"))
    }
}

/// The size that files of a process may grow to.
fn limit(process: u32, size: &str) {
    let process = process.to_string();
    let done = Command::new("prlimit").args(["--pid", &process, &format!("--fsize={size}")]).status();
    assert!(done.unwrap().success());
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(holder) = &mut self.holder {
            drop(holder.stdin.take());
            let _ = holder.wait();
        }
    }
}
