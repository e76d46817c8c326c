//! The command itself: what it refuses at the start and in which words, what it announces and when, `check-config`,
//! `health` and `new-token`.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use sha2::Digest;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proof-server"));
    command.args(arguments);
    without_settings(command)
}

fn without_settings(mut command: Command) -> Command {
    command.env_remove("RUST_LOG");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SEXTANT_")) {
        command.env_remove(name);
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running server that only verifies.
struct Server {
    child: Running,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Server {
    fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = command(&["serve", "--role", "verifier", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child: Running(child), lines }
    }

    /// The address that it announces next.
    fn address(&mut self, what: &str) -> String {
        let line = self.lines.next().expect("an announcement").unwrap();
        line.strip_prefix(what).unwrap_or_else(|| panic!("{line}")).trim().to_owned()
    }
}

/// A file that nobody may execute.
const NO_PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");

/// Every error at the start names the setting and the file, says its cause once and in one line, and comes before any
/// announcement; `check-config` says the same.
#[test]
fn what_stops_the_start_is_named() {
    let entrypoint = ["--role", "entrypoint", "--inclusion-upstreams", "127.0.0.1:1"];
    let elsewhere = ["--role", "entrypoint", "--inclusion-upstreams", "192.0.2.7:1"];
    let in_fleet = ["--role", "entrypoint", "--fleet", "nats://192.0.2.7:4222"];
    let verifier = ["--role", "verifier"];
    let nowhere = "/nonexistent/file";
    let cases: [(&[&str], &[&str], &str, &str); 12] = [
        (&verifier, &["--cache-dir", "/proc/nope"], "cache-dir", "/proc/nope"),
        (&verifier, &["--cache-dir", "/proc/self"], "cache-dir", "/proc/self"),
        (&verifier, &["--token-file", nowhere], "token-file", nowhere),
        (&verifier, &["--tls-cert", nowhere, "--tls-key", nowhere], "tls-cert", nowhere),
        (&verifier, &["--circuits", nowhere], "circuits", nowhere),
        (&verifier, &["--worker-program", nowhere], "worker-program", nowhere),
        (&verifier, &["--worker-program", NO_PROGRAM], "worker-program", NO_PROGRAM),
        (&verifier, &["--config", nowhere], "configuration file", nowhere),
        (&entrypoint, &["--upstream-ca", nowhere], "upstream-ca", nowhere),
        (&entrypoint, &["--upstream-token-file", nowhere], "upstream-token-file", nowhere),
        // Secrets that would leave this machine in the clear, whatever is in their files.
        (&elsewhere, &["--upstream-token-file", nowhere], "--allow-plain-secrets", "192.0.2.7:1"),
        (&in_fleet, &["--fleet-credentials", nowhere], "--allow-plain-secrets", "192.0.2.7:4222"),
    ];
    for (role, arguments, setting, path) in cases {
        let serve = run(&[&["serve", "--listen", "127.0.0.1:0"], role, arguments].concat());
        assert_eq!((serve.status.code(), text(&serve.stdout)), (Some(1), ""), "{arguments:?}");
        let line = text(&serve.stderr);
        let last = line.lines().last().unwrap();
        assert!(last.contains(setting) && last.contains(path), "{line}");
        assert!(last.matches("os error").count() <= 1 && line.lines().count() == 1, "{line}");
        let check = run(&[&["check-config"], role, arguments].concat());
        assert_eq!(check.status.code(), Some(1), "{arguments:?}");
        let said = text(&check.stderr);
        assert!(said.contains(setting) && said.contains(path) && said.lines().count() == 1, "{said}");
    }
}

/// Of circuits a file, of the right size, is not the one that their manifest names.
#[test]
fn circuits_are_compared_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut manifest = serde_json::Map::new();
    for name in ["groth16_circuit.bin", "groth16_pk.bin", "groth16_vk.bin"] {
        std::fs::write(folder.path().join(name), name).unwrap();
        let sha256 = hex::encode(sha2::Sha256::digest(name.replace("pk", "kp")));
        manifest.insert(name.into(), serde_json::json!({ "bytes": name.len(), "sha256": sha256 }));
    }
    std::fs::write(folder.path().join("manifest.json"), serde_json::to_vec(&manifest).unwrap()).unwrap();
    let circuits = folder.path().to_str().unwrap();
    let output = run(&["check-config", "--role", "verifier", "--circuits", circuits, "--allow-dev-circuits"]);
    let said = text(&output.stderr);
    assert!(said.contains("groth16_pk.bin") && said.contains("SHA-256"), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn an_address_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&["serve", "--role", "verifier", "--listen", &address]);
    let line = text(&output.stderr);
    assert!(line.starts_with(&format!("proof-server: listen: {address}: Address already in use")), "{line}");
}

/// What systemd is told: ready when clients are let in, alive all the while, and stopping.
#[test]
fn the_supervisor_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let heard = || {
        let mut bytes = [0; 256];
        let length = socket.recv(&mut bytes).expect("something to hear");
        text(&bytes[..length]).trim().to_owned()
    };
    // The process that is watched is told so by its number, which it has from the shell.
    let serve = "WATCHDOG_PID=$$ exec \"$0\" serve --role verifier --listen 127.0.0.1:0";
    let mut shell = Command::new("sh");
    shell.args(["-c", serve, env!("CARGO_BIN_EXE_proof-server")]);
    shell.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000").stdout(Stdio::null());
    let server = Running(without_settings(shell).spawn().unwrap());
    // The first sign of life may come before clients do.
    let before = std::iter::repeat_with(heard).take_while(|said| said != "READY=1").collect::<Vec<_>>();
    assert!(before.iter().all(|said| said == "WATCHDOG=1"), "{before:?}");
    let begun = Instant::now();
    assert_eq!([heard(), heard(), heard()], ["WATCHDOG=1"; 3]);
    assert!(begun.elapsed() < Duration::from_secs(10), "again and again");
    assert!(Command::new("kill").arg(server.0.id().to_string()).status().unwrap().success());
    let last = std::iter::repeat_with(heard).find(|said| said != "WATCHDOG=1");
    assert_eq!(last.as_deref(), Some("STOPPING=1"));
}

#[test]
fn a_misspelt_variable_is_told() {
    let misspelt = ("SEXTANT_QUEUE_SIZE", "s3cret");
    let check =
        command(&["check-config", "--role", "verifier"]).env(misspelt.0, misspelt.1).output().unwrap();
    assert_eq!(check.status.code(), Some(1));
    assert!(text(&check.stderr).contains("no such setting: SEXTANT_QUEUE_SIZE"));
    assert!(!text(&check.stderr).contains("s3cret") && !text(&check.stdout).contains("s3cret"));

    let mut server = Server::start(&[], &[misspelt]);
    server.address("listening on ");
    let mut log = BufReader::new(server.child.0.stderr.take().unwrap()).lines();
    let line = log.next().unwrap().unwrap();
    assert!(line.contains("WARN") && line.contains("SEXTANT_QUEUE_SIZE"), "{line}");
}

#[test]
fn settings_are_shown_with_their_source() {
    let file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file.as_file(), "max_requests = 7").unwrap();
    let path = file.path().to_str().unwrap();
    let output = command(&["check-config", "--role", "verifier", "--config", path])
        .env("SEXTANT_QUEUE_CAPACITY", "9")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let listing = text(&output.stdout);
    for (name, source) in [
        ("role = \"verifier\"", "# --role"),
        ("max_requests = 7", path),
        ("queue_capacity = 9", "# SEXTANT_QUEUE_CAPACITY"),
        ("# max_connections = 256", "# default"),
    ] {
        assert!(listing.lines().any(|line| line.starts_with(name) && line.ends_with(source)), "{listing}");
    }

    writeln!(file.as_file(), "queue_size = 7").unwrap();
    let output = run(&["check-config", "--config", path]);
    let line = text(&output.stderr);
    assert!(line.contains(&format!("{path}:2: unknown field `queue_size`")), "{line}");
    assert_eq!(line.lines().count(), 1);
}

#[test]
fn tokens_are_made_only_for_names_that_the_server_takes() {
    for name in ["a b", "", "a\nb"] {
        let output = run(&["new-token", name]);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""), "{name:?}");
        assert!(text(&output.stderr).contains("a name is 1 to 64 letters"));
    }
    let output = run(&["new-token", "alice@example.org"]);
    assert!(text(&output.stdout).starts_with("sextant_"));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &output.stderr).unwrap();
    let path = file.path().to_str().unwrap();
    assert!(run(&["check-config", "--role", "verifier", "--token-file", path]).status.success());
}

#[test]
fn health_is_asked_where_the_server_listens() {
    let everywhere = ["--http-listen", "127.0.0.1:0", "--operations-listen", "127.0.0.1:0"];
    let mut server = Server::start(&everywhere, &[]);
    let clients = server.address("listening on ");
    let (_, operations) = (server.address("http on "), server.address("operations on "));
    let health = |arguments: &[&str]| {
        let output = run(&[&["health", "--role", "verifier"], arguments].concat());
        (output.status.code(), text(&output.stdout).trim().to_owned(), text(&output.stderr).to_owned())
    };
    assert_eq!(health(&["--operations-listen", &operations]).1, "alive");
    assert_eq!(health(&["--operations-listen", &operations, "--ready"]).1, "ready");
    assert_eq!(health(&["--listen", &clients]).1, "welcomes clients");
    let (code, _, reason) = health(&["--listen", &clients, "--ready"]);
    assert!(code == Some(1) && reason.contains("operations-listen"), "{reason}");
    drop(server);
    for arguments in [["--operations-listen", &operations], ["--listen", &clients]] {
        let (code, _, reason) = health(&arguments);
        assert!(code == Some(1) && reason.contains(arguments[1]), "{reason}");
    }
}
