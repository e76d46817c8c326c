//! A broker for a test: on a free port of this machine, with a folder of its own, and killed with it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

pub struct NatsServer {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
    settings: String,
}

/// The program: `NATS_SERVER`, or one that is built here; `None` on a machine where it is not, and cannot be built.
fn program() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        if let Some(program) = std::env::var_os("NATS_SERVER") {
            return Some(PathBuf::from(program));
        }
        let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        let script = folders.map(|folder| folder.join("scripts/nats.sh")).find(|script| script.is_file());
        let output = Command::new(script?).stderr(Stdio::inherit()).output().ok()?;
        let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
        path.is_file().then_some(path)
    };
    PROGRAM.get_or_init(find).as_deref()
}

impl NatsServer {
    /// A broker with `settings` besides where it listens and keeps things.
    pub async fn start(settings: &str) -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("no nats-server here and no Go to build it with: nothing was tested");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        // A port that is free now may be somebody else's when the broker comes to it: it takes one itself, and tells.
        let child = run(program, folder.path(), "-1", settings);
        let mut server = Self { child, folder, port: 0, settings: settings.into() };
        server.port = server.listens().await;
        Some(server)
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was.
    pub async fn again(&mut self) {
        self.child = run(program().unwrap(), self.folder.path(), &self.port.to_string(), &self.settings);
        self.listens().await;
    }

    /// As a disk does that has to be replaced.
    #[allow(dead_code)] // Not by everybody.
    pub fn lose_everything(&self) {
        std::fs::remove_dir_all(self.folder.path().join("store")).unwrap();
    }

    /// Waits until it listens; the port, which it writes into a file that has its process's number in its name.
    async fn listens(&mut self) -> u16 {
        let began = Instant::now();
        loop {
            if let Some(port) = self.told() {
                return port;
            }
            assert!(self.child.try_wait().unwrap().is_none(), "nats-server ended");
            assert!(began.elapsed() < Duration::from_secs(20), "nats-server does not listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn told(&self) -> Option<u16> {
        let ending = format!("_{}.ports", self.child.id());
        let mut files = std::fs::read_dir(self.folder.path()).ok()?.flatten();
        let file = files.find(|file| file.file_name().to_string_lossy().ends_with(&ending))?;
        let text = std::fs::read_to_string(file.path()).ok()?;
        // "nats": ["nats://127.0.0.1:PORT"]; it may be half written.
        text.split_once("nats://127.0.0.1:")?.1.split_once('"')?.0.parse().ok()
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(program: &Path, folder: &Path, port: &str, settings: &str) -> Child {
    let config = folder.join("nats.conf");
    let store = folder.join("store");
    let text = format!(
        "listen: \"127.0.0.1:{port}\"\nports_file_dir: {folder:?}\n\
         jetstream {{ store_dir: {store:?}, max_file_store: 20GB }}\n{settings}\n"
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(program);
    command.arg("-c").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}
