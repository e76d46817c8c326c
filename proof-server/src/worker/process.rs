//! The server's handle on one worker process: start, talk, watch, kill.

use std::{
    collections::{BTreeSet, VecDeque},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sextant_protocol::frame::{FrameError, MessageReader, MessageWriter};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
    time::timeout,
};

use super::{
    WorkerEvent, WorkerMode, WorkerRequest, messages::MAX_WORKER_FRAME, program::WorkerProgram, watch::Limits,
};
use crate::{circuits::CircuitsConfig, process, system};

/// Lines of a worker's stderr kept for the reason of its end.
const KEPT_LINES: usize = 6;
/// Longest line taken from a worker's stderr, bytes.
const MAX_LINE: u64 = 2 << 10;

/// For a worker that is ending: to have ended, and to have been read to its end.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Looks at the children of a killed worker before they are left to themselves.
const REAPING: u32 = 100;

/// How to start workers.
#[derive(Clone, Debug)]
pub(crate) struct WorkerSpec {
    pub(crate) program: WorkerProgram,
    /// Memory the worker plans with, bytes.
    pub(crate) memory: u64,
    /// What it is held to, and refuses by itself where it can tell beforehand.
    pub(crate) limits: Limits,
    /// Folder for its temporary files, private to the server.
    pub(crate) scratch: PathBuf,
    /// What SNARKs are made with.
    pub(crate) circuits: CircuitsConfig,
}

/// A running worker. Dropping it kills it.
pub(crate) struct WorkerProcess {
    child: Child,
    pid: u32,
    requests: MessageWriter<ChildStdin, WorkerRequest>,
    events: MessageReader<ChildStdout, WorkerEvent>,
    last_lines: Arc<Mutex<VecDeque<String>>>,
    /// Reads its stderr to the end.
    log: JoinHandle<()>,
    /// Shared-memory files it was seen with.
    shared_memory: BTreeSet<PathBuf>,
}

/// What a worker takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Resident memory, bytes.
    pub(crate) memory: u64,
    /// Processor time so far, hundredths of a second.
    pub(crate) processor: u64,
}

impl WorkerProcess {
    /// Starts a worker; it is ready when it says so.
    pub(crate) fn start(spec: &WorkerSpec, mode: WorkerMode) -> std::io::Result<Self> {
        let mut command = Command::from(spec.program.command());
        command
            .arg("worker")
            .args(["--mode", mode.as_str()])
            .args(["--memory", &spec.memory.to_string()])
            .args(["--memory-limit", &spec.limits.memory.to_string()])
            .args(["--time-limit", &spec.limits.time.as_secs().to_string()])
            .args(spec.circuits.arguments())
            .env("TMPDIR", &spec.scratch)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: a kill takes the executor process along, a terminal's ^C does not reach it.
            .process_group(0)
            .kill_on_drop(true);
        #[cfg(feature = "prover")]
        process::memory_settings(command.as_std_mut(), spec.memory);
        let mut child = command.spawn()?;
        let missing = || std::io::Error::other("a pipe of the worker is missing");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        // A whole proof at once.
        system::widen(&stdin, 1 << 20);
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let last_lines = Arc::default();
        let log = tokio::spawn(relay_log(stderr, mode, Arc::clone(&last_lines)));
        Ok(Self {
            pid: child.id().ok_or_else(|| std::io::Error::other("the worker ended at once"))?,
            child,
            requests: MessageWriter::new(stdin, MAX_WORKER_FRAME),
            events: MessageReader::new(stdout, MAX_WORKER_FRAME, "worker event"),
            last_lines,
            log,
            shared_memory: BTreeSet::new(),
        })
    }

    /// Hands it a job.
    pub(crate) async fn send(&mut self, request: &WorkerRequest) -> Result<(), FrameError> {
        self.requests.send(request).await
    }

    /// Its next event; `None` when it is gone. Safe to drop half-way.
    pub(crate) async fn next_event(&mut self) -> Option<WorkerEvent> {
        match self.events.next().await {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(%error, "worker speaks gibberish");
                None
            }
        }
    }

    /// What it takes now, its executor included. Also notes what would have to be cleaned up.
    pub(crate) fn inspect(&mut self) -> Usage {
        self.shared_memory.extend(process::shared_memory(self.pid));
        Usage { memory: process::resident_memory(self.pid), processor: process::processor_time(self.pid) }
    }

    /// Whether it is still there.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Makes sure it is dead and says how it ended.
    pub(crate) async fn end(mut self) -> String {
        // It may be on its way out already with a status worth reporting: a moment for that, then the kill.
        let status = match timeout(LAST_WORDS, self.child.wait()).await {
            Ok(status) => status,
            Err(_) => {
                system::kill_group(self.pid);
                self.child.wait().await
            }
        };
        let how = status.map_or_else(|error| error.to_string(), describe);
        // What it wrote last may still be on its way; a grandchild that holds the pipe open is not waited for.
        let _ = timeout(LAST_WORDS, &mut self.log).await;
        let lines = self.last_lines.lock().unwrap_or_else(PoisonError::into_inner);
        match lines.back() {
            Some(last) => format!("{how}; last line: {last}"),
            None => how,
        }
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        self.shared_memory.extend(process::shared_memory(self.pid));
        system::kill_group(self.pid);
        process::remove_files(&self.shared_memory);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(reap(self.pid));
        }
    }
}

/// Takes note of the ends of a killed worker's children: where this server is the first process, nobody else does.
async fn reap(group: u32) {
    for _ in 0..REAPING {
        if system::reap_group(group) {
            return;
        }
        tokio::time::sleep(LAST_WORDS).await;
    }
    tracing::warn!(group, "a killed worker's process does not end");
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(libc::SIGKILL)) => "killed (signal 9)".into(),
        (None, Some(libc::SIGABRT)) => "aborted (signal 6)".into(),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "ended".into(),
    }
}

/// Passes a worker's stderr on to the log, escaped and cut, and keeps the last lines.
async fn relay_log(
    stderr: impl AsyncRead + Unpin,
    mode: WorkerMode,
    last_lines: Arc<Mutex<VecDeque<String>>>,
) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader).take(MAX_LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line).trim_end().escape_debug().to_string();
        if text.is_empty() {
            continue;
        }
        tracing::info!(target: "worker", mode = mode.as_str(), "{text}");
        let mut kept = last_lines.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT_LINES {
            kept.pop_front();
        }
        kept.push_back(text);
    }
}
