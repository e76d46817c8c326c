//! Starts the real server as a process of its own on a free port, and ends it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running `proof-server`; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: String,
    http: Option<String>,
}

impl Server {
    /// Starts `proof-server serve` with more arguments, on a free port of the loopback address.
    ///
    /// # Panics
    /// When it does not say within 20 seconds where it listens.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_logging(arguments, Stdio::inherit())
    }

    /// [`Self::start`] with the log in a file.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn start_logged(arguments: &[&str], log: std::fs::File) -> Self {
        Self::start_logging(arguments, log.into())
    }

    fn start_logging(arguments: &[&str], log: Stdio) -> Self {
        let output = tempfile::NamedTempFile::new().expect("a temporary file");
        let child = Command::new(binary("proof-server"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            // Recorded statements are about other chains too.
            .env("SEXTANT_NETWORKS", "any")
            .stdout(Stdio::from(output.reopen().expect("the same file")))
            .stderr(log)
            .spawn()
            .expect("proof-server starts");
        let mut server = Self { child, address: String::new(), http: None };
        let limit = Instant::now() + Duration::from_secs(20);
        while server.address.is_empty() {
            assert!(Instant::now() < limit, "proof-server does not say where it listens");
            std::thread::sleep(Duration::from_millis(50));
            // All of them are said at once.
            let text = std::fs::read_to_string(output.path()).expect("its output");
            let said = |what| {
                text.lines().find_map(|line| line.strip_prefix(what)).map(|said| said.trim().to_owned())
            };
            server.http = said("http on ");
            server.address = said("listening on ").unwrap_or_default();
        }
        server
    }

    /// `host:port` to connect to.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// `host:port` for HTTP and WebSocket.
    ///
    /// # Panics
    /// If it was started without `--http-listen`.
    pub fn http(&self) -> &str {
        self.http.as_deref().expect("--http-listen")
    }

    /// The prover workers that it runs now: its child processes.
    pub fn workers(&self) -> Vec<i32> {
        children(self.child.id())
    }

    /// Resident memory of the server itself, without its workers, bytes.
    pub fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The part of it that is not its program's file, which the system drops where it needs the room, bytes.
    pub fn anonymous_memory(&self) -> u64 {
        self.status("RssAnon:")
    }

    fn status(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let kib = status.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.trim().parse::<u64>().ok()).unwrap_or(0) << 10
    }

    /// The server's own process.
    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    /// Threads of the server itself.
    pub fn threads(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.child.id())).map_or(0, Iterator::count)
    }

    /// Processor time that the server itself has taken so far.
    pub fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // After the name, which may hold anything: fields 14 and 15 of the whole, in hundredths of a second.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
        let hundredths: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Duration::from_millis(10 * hundredths)
    }

    /// Sends a signal to the server itself.
    pub fn signal(&self, signal: i32) {
        send_signal(self.child.id() as i32, signal);
    }

    /// Waits until the server has ended, and returns its exit code; `None` after `limit`.
    pub fn wait(&mut self, limit: Duration) -> Option<i32> {
        let limit = Instant::now() + limit;
        while Instant::now() < limit {
            if let Some(status) = self.child.try_wait().expect("its status") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its workers end with it: that is the server's promise, and a test's.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a process may get memory in pages of two megabytes.
pub fn has_large_pages(pid: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.split_whitespace().eq(["THP_enabled:", "1"]))
}

/// The processes that a process started and that are there, zombies included.
pub fn children(pid: u32) -> Vec<i32> {
    let mut children = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let list = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.extend(list.split_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
    }
    children
}

/// Sends a signal to one process.
pub fn send_signal(pid: i32, signal: i32) {
    let status =
        Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status().expect("kill runs");
    assert!(status.success(), "no process {pid}");
}

/// Whether a process is there and no zombie.
pub fn is_alive(pid: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

/// A program of this workspace, beside the running test or tool.
///
/// # Panics
/// When it was not built: `make test` builds everything first.
pub fn binary(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("this program's path");
    // Tests lie in a folder of their own below the programs'; tools lie among them.
    let folder = this.parent().filter(|folder| !folder.ends_with("deps"));
    let folder = folder.or_else(|| this.ancestors().nth(2)).expect("target folder");
    let path = folder.join(name);
    assert!(
        path.exists(),
        "{} is not built: run `make test`, or `cargo build --release` first",
        path.display()
    );
    path
}
