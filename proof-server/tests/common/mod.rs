//! A server on a free port and a client that writes what it is told, whether it makes sense or not.

// Each test file uses its own part.
#![allow(dead_code)]

use std::{net::SocketAddr, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use proof_server::{CancellationToken, Config, Settings};
use sextant_consensus::Program;
use sextant_protocol::{
    ClientMessage, PROTOCOL_VERSION, ProofKind, ProveRequest, Request, RequestId, Response, ServerError,
    ServerMessage, StatementInput,
    frame::{FrameError, MAX_CLIENT_FRAME, MAX_SERVER_FRAME, MessageReader, MessageWriter},
    message::MAGIC,
};
use tempfile::TempDir;
use tokio::{
    io::AsyncWriteExt,
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
    time::timeout,
};

/// Longest anything here may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A worker that never gets ready.
pub const HANGS: &str = "exec sleep 600";
/// A worker that ends at once, with a word.
pub const CRASHES: &str = "echo 'out of luck' >&2; exit 3";

pub struct Server {
    pub address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
    _folder: TempDir,
}

impl Server {
    /// A server whose workers are a shell script, or the real binary for `None`.
    pub async fn start(worker: Option<&str>, adjust: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = match worker {
            Some(script) => write_script(&folder, script),
            None => env!("CARGO_BIN_EXE_proof-server").into(),
        };
        let mut config = Settings::default().resolve().unwrap();
        config.worker_program = Some(program);
        config.warm = false;
        adjust(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(proof_server::run(listener, config, shutdown.clone()));
        Self { address, shutdown, task, _folder: folder }
    }

    /// Stops it and waits until it is gone.
    pub async fn stop(self) {
        self.shutdown.cancel();
        timeout(PATIENCE, self.task).await.expect("the server stops").unwrap().unwrap();
    }

    pub fn begin_shutdown(&self) {
        self.shutdown.cancel();
    }
}

fn write_script(folder: &TempDir, script: &str) -> PathBuf {
    let path = folder.path().join("worker.sh");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// A connection before or after its handshake.
pub struct Client {
    reader: MessageReader<OwnedReadHalf, ServerMessage>,
    writer: MessageWriter<OwnedWriteHalf, ClientMessage>,
}

impl Client {
    /// Connects and says nothing.
    pub async fn mute(server: &Server) -> Self {
        let (read, write) = TcpStream::connect(server.address).await.unwrap().into_split();
        Self {
            reader: MessageReader::new(read, MAX_SERVER_FRAME, "server message"),
            writer: MessageWriter::new(write, MAX_CLIENT_FRAME),
        }
    }

    /// Connects and shakes hands.
    pub async fn connect(server: &Server) -> Self {
        let mut client = Self::mute(server).await;
        client.send(&hello()).await;
        let welcome = client.receive().await;
        assert!(matches!(welcome, ServerMessage::Welcome { version: PROTOCOL_VERSION, .. }), "{welcome:?}");
        client
    }

    pub async fn send(&mut self, message: &ClientMessage) {
        self.writer.send(message).await.unwrap();
    }

    pub async fn request(&mut self, id: RequestId, request: Request) {
        self.send(&ClientMessage::Request { id, request }).await;
    }

    /// Writes bytes that no message is made of.
    pub async fn raw(self, bytes: &[u8]) -> Self {
        let mut write = self.writer.into_inner();
        write.write_all(bytes).await.unwrap();
        Self { reader: self.reader, writer: MessageWriter::new(write, MAX_CLIENT_FRAME) }
    }

    pub async fn receive(&mut self) -> ServerMessage {
        self.try_receive().await.unwrap().expect("a message, not the end")
    }

    pub async fn try_receive(&mut self) -> Result<Option<ServerMessage>, FrameError> {
        timeout(PATIENCE, self.reader.next()).await.expect("a message in time")
    }

    /// The next answer, whatever request it is for; progress is skipped.
    pub async fn answer(&mut self) -> (RequestId, Result<Response, ServerError>) {
        loop {
            match self.receive().await {
                ServerMessage::Answer { id, result } => return (id, result),
                ServerMessage::Progress { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next message must be a refusal, and the end.
    pub async fn refusal(&mut self) -> ServerError {
        let error = match self.receive().await {
            ServerMessage::Refused(error) => error,
            other => panic!("{other:?}"),
        };
        // Whatever was still unread on the server's side may turn the close into a reset.
        assert!(matches!(self.try_receive().await, Ok(None) | Err(FrameError::Io(_))));
        error
    }
}

pub fn hello() -> ClientMessage {
    ClientMessage::Hello { magic: MAGIC, version: PROTOCOL_VERSION, agent: "test".into() }
}

pub fn prove(program: Program, bytes: Vec<u8>) -> Request {
    Request::Prove(ProveRequest {
        input: StatementInput::new(program, bytes),
        kind: ProofKind::Stark,
        deadline_ms: 0,
    })
}

/// A true statement on real data.
pub fn good_request() -> Request {
    let (_, program, bytes) = sextant_fixtures::statements().swap_remove(0);
    prove(program, bytes)
}
