//! A server on a free port and a client that writes what it is told, whether it makes sense or not.

// Each test file uses its own part.
#![allow(dead_code)]

pub mod collector;
pub mod fleet;
pub mod http;
#[path = "../../fleet/tests/common/nats.rs"]
pub mod nats;
pub mod played;
pub mod worker;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use proof_server::{CircuitsConfig, Config, Control, Fleet, Listeners, Role, Settings, StartError};
use sextant_artifacts::{CIRCUIT_VERSION, COMMITTEE_CHANGE};
use sextant_consensus::{Program, bls, check_statement};
use sextant_protocol::{
    ClientMessage, PROTOCOL_VERSION, ProofAnswer, ProofKind, ProofRecord, ProveRequest, Request, RequestId,
    Response, ServerError, ServerMessage, StatementInput, Token,
    frame::{FrameError, MAX_FRAME, MessageReader, MessageWriter},
    proof::Circuits,
};
use sha2::Digest;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use worker::Script;

/// Longest anything here may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A worker that never gets ready.
pub const HANGS: &str = "exec sleep 600";
/// A worker that ends at once, with a word.
pub const CRASHES: &str = "echo 'out of luck' >&2; exit 3";

pub struct Server {
    pub address: SocketAddr,
    pub operations: SocketAddr,
    /// Where it speaks HTTP.
    pub http: SocketAddr,
    pub control: Control,
    task: JoinHandle<Result<(), StartError>>,
    pub script: Option<Script>,
}

impl Server {
    /// A server whose workers are a shell script, or the real binary for `None`.
    pub async fn start(worker: Option<&str>, adjust: impl FnOnce(&mut Config)) -> Self {
        Self::start_with(worker.map(Script::new), adjust).await
    }

    /// A server whose workers are this script, or the real binary.
    pub async fn start_with(script: Option<Script>, adjust: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(None, script, adjust).await
    }

    /// The same in a fleet.
    pub async fn start_in(
        fleet: Option<Fleet>,
        script: Option<Script>,
        adjust: impl FnOnce(&mut Config),
    ) -> Self {
        let program = match &script {
            Some(script) => script.path(),
            None => env!("CARGO_BIN_EXE_proof-server").into(),
        };
        let mut config = settings().resolve().unwrap();
        config.role = Role::All;
        config.worker_program = Some(program);
        config.warm = false;
        // Recorded statements are about other chains too.
        config.networks = proof_server::Networks::Any;
        // Tests that want the grace say so; the others want to see what happens without.
        config.reconnect_grace = Duration::ZERO;
        adjust(&mut config);
        let clients = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let operations = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, operations_address) = (clients.local_addr().unwrap(), operations.local_addr().unwrap());
        let control = Control::default();
        let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http_address = http.local_addr().unwrap();
        let listeners = Listeners { clients, http: Some(http), operations: Some(operations) };
        let running = control.clone();
        let task = tokio::spawn(async move {
            match fleet {
                Some(_) => proof_server::run_in(fleet, listeners, config, running).await,
                None => proof_server::run(listeners, config, running).await,
            }
        });
        Self { address, operations: operations_address, http: http_address, control, task, script }
    }

    /// Stops it and waits until it is gone.
    pub async fn stop(self) {
        self.control.stop.cancel();
        self.ended().await;
    }

    /// Waits until it has ended by itself.
    pub async fn ended(self) {
        timeout(PATIENCE, self.task).await.expect("the server stops").unwrap().unwrap();
    }

    /// Asks an operations endpoint: status and body.
    pub async fn http(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.operations).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut text)).await.unwrap().unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// One metric's value; 0 if it is not there yet.
    pub async fn metric(&self, name_and_labels: &str) -> f64 {
        let (_, text) = self.http("/metrics").await;
        let line = text.lines().find_map(|line| line.strip_prefix(name_and_labels)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }
}

/// A folder of files that a server takes for development circuits.
pub fn circuits() -> (tempfile::TempDir, CircuitsConfig) {
    let folder = tempfile::tempdir().unwrap();
    let mut manifest = serde_json::Map::new();
    for name in ["groth16_circuit.bin", "groth16_pk.bin", "groth16_vk.bin"] {
        std::fs::write(folder.path().join(name), name).unwrap();
        let sha256 = hex::encode(sha2::Sha256::digest(name));
        manifest.insert(name.into(), serde_json::json!({ "bytes": name.len(), "sha256": sha256 }));
    }
    std::fs::write(folder.path().join("manifest.json"), serde_json::to_vec(&manifest).unwrap()).unwrap();
    let config = CircuitsConfig { folder: Some(folder.path().into()), allow_development: true };
    (folder, config)
}

/// Settings that every build can resolve.
pub fn settings() -> Settings {
    Settings { role: Some(Role::Verifier), ..Settings::default() }
}

/// Waits until something is so.
pub async fn until(what: &str, limit: Duration, mut so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !so().await {
        assert!(start.elapsed() < limit, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

trait Both: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Both for T {}
type Stream = Box<dyn Both>;

/// A connection before or after its handshake.
pub struct Client {
    reader: MessageReader<tokio::io::ReadHalf<Stream>, ServerMessage>,
    writer: MessageWriter<tokio::io::WriteHalf<Stream>, ClientMessage>,
    /// Proofs that are coming in parts.
    coming: HashMap<RequestId, ProofAnswer>,
}

impl Client {
    /// Connects and says nothing.
    pub async fn mute(server: &Server) -> Self {
        Self::over(TcpStream::connect(server.address).await.unwrap())
    }

    /// [`Self::mute`], from another of this machine's own addresses.
    pub async fn mute_from(server: &Server, source: [u8; 4]) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((source, 0).into()).unwrap();
        Self::over(socket.connect(server.address).await.unwrap())
    }

    /// Speaks over a stream that is connected already.
    pub fn over(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        let (read, write) = tokio::io::split(Box::new(stream) as Stream);
        Self {
            reader: MessageReader::new(read, MAX_FRAME, "server message"),
            writer: MessageWriter::new(write, MAX_FRAME),
            coming: HashMap::new(),
        }
    }

    /// Connects over TLS.
    pub async fn secure(server: &Server, config: rustls::ClientConfig) -> std::io::Result<Self> {
        let stream = TcpStream::connect(server.address).await?;
        let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        Ok(Self::over(connector.connect(name, stream).await?))
    }

    /// Connects and shakes hands.
    pub async fn connect(server: &Server) -> Self {
        let mut client = Self::mute(server).await;
        client.greet("").await;
        client.welcome().await;
        client
    }

    /// Connects as the owner of one of [`token_file`]'s tokens.
    pub async fn named(server: &Server, name: &str) -> Self {
        let mut client = Self::mute(server).await;
        client.greet(name).await;
        client.welcome().await;
        client
    }

    /// Says who it is.
    pub async fn greet(&mut self, token: &str) {
        self.send(&hello()).await;
        self.send(&introduction(token, 0)).await;
    }

    /// The next message must be a welcome.
    pub async fn welcome(&mut self) {
        let welcome = self.receive().await;
        assert!(matches!(welcome, ServerMessage::Welcome { version: PROTOCOL_VERSION, .. }), "{welcome:?}");
    }

    /// A frame of `length` bytes of which only the first are written.
    pub async fn half_a_frame(self, length: u32, start: &[u8]) -> Self {
        self.raw(&[&length.to_be_bytes(), start].concat()).await
    }

    pub async fn send(&mut self, message: &ClientMessage) {
        self.writer.send(message).await.unwrap();
    }

    /// Sends to a server that may have closed.
    pub async fn try_send(&mut self, message: &ClientMessage) -> Result<(), FrameError> {
        timeout(PATIENCE, self.writer.send(message)).await.expect("the server reads or closes")
    }

    /// A request, and what follows it.
    pub async fn request(&mut self, id: RequestId, mut request: Request) {
        let parts = request.split();
        self.send(&ClientMessage::Request { id, request }).await;
        for (offset, bytes) in parts {
            self.send(&ClientMessage::Part { id, offset, bytes }).await;
        }
    }

    /// Waits for one step of one request; anything else but an error is skipped.
    pub async fn wait_for(&mut self, wanted: RequestId, step: sextant_protocol::Progress) {
        loop {
            match self.receive().await {
                ServerMessage::Progress { id, progress } if (id, progress) == (wanted, step) => return,
                ServerMessage::Progress { .. } => {}
                ServerMessage::Answer { id, result } if id != wanted => drop(result),
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next answer, which must be an error.
    pub async fn error(&mut self, wanted: RequestId) -> ServerError {
        match self.answer().await {
            (id, Err(error)) if id == wanted => error,
            other => panic!("an error for {wanted} was due: {other:?}"),
        }
    }

    /// Closes the sending side.
    pub async fn close(self) -> Self {
        let mut write = self.writer.into_inner();
        write.shutdown().await.unwrap();
        Self { writer: MessageWriter::new(write, MAX_FRAME), ..self }
    }

    /// Writes bytes that no message is made of.
    pub async fn raw(self, bytes: &[u8]) -> Self {
        let mut write = self.writer.into_inner();
        write.write_all(bytes).await.unwrap();
        Self { writer: MessageWriter::new(write, MAX_FRAME), ..self }
    }

    pub async fn receive(&mut self) -> ServerMessage {
        self.try_receive().await.unwrap().expect("a message, not the end")
    }

    pub async fn try_receive(&mut self) -> Result<Option<ServerMessage>, FrameError> {
        timeout(PATIENCE, self.reader.next()).await.expect("a message in time")
    }

    /// The next answer that is there to its last part, whatever request it is for; progress is skipped.
    pub async fn answer(&mut self) -> (RequestId, Result<Response, ServerError>) {
        loop {
            match self.receive().await {
                ServerMessage::Answer { id, result: Ok(Response::Proof(proof)) } if proof.more > 0 => {
                    assert!(self.coming.insert(id, proof).is_none(), "one answer to each request");
                }
                ServerMessage::Answer { id, result } => return (id, result),
                ServerMessage::Part { id, offset, bytes } => {
                    let proof = self.coming.get_mut(&id).expect("a part after its answer");
                    assert_eq!(offset, proof.offset + proof.record.len() as u64);
                    proof.more -= bytes.len() as u64;
                    proof.record = [&proof.record[..], &bytes].concat().into();
                    if proof.more == 0 {
                        let proof = self.coming.remove(&id).unwrap();
                        return (id, Ok(Response::Proof(proof)));
                    }
                }
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

/// A token file in which each name's token is the name, with more lines for its entry.
pub fn token_file(entries: &[(&str, &str)]) -> tempfile::NamedTempFile {
    let entry = |(name, rest): &(&str, &str)| {
        let hash = hex::encode(sha2::Sha256::digest(name));
        format!("[[token]]\nname = \"{name}\"\nsha256 = \"{hash}\"\n{rest}\n")
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), entries.iter().map(entry).collect::<String>()).unwrap();
    file
}

/// A token file with one entry that is a server's, and the file with its token.
pub fn server_tokens() -> (tempfile::NamedTempFile, tempfile::NamedTempFile) {
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "fleet\n").unwrap();
    (token_file(&[("fleet", "server = true")]), token)
}

pub fn hello() -> ClientMessage {
    ClientMessage::hello("test")
}

pub fn introduction(token: &str, hops: u32) -> ClientMessage {
    let (token, on_behalf) = (Token(token.into()), String::new());
    ClientMessage::Introduction { token, hops, on_behalf, traceparent: None }
}

pub fn prove(program: Program, bytes: Vec<u8>) -> Request {
    Request::Prove(ProveRequest::new(StatementInput::new(program, bytes), ProofKind::Stark))
}

/// True statements by program. Making them takes a part of a second, and tests want them often.
static STATEMENTS: LazyLock<Vec<(Program, Vec<u8>)>> = LazyLock::new(|| {
    sextant_fixtures::statements().into_iter().map(|(_, program, bytes)| (program, bytes)).collect()
});

/// A true statement on real data.
pub fn good_request() -> Request {
    let (program, bytes) = &STATEMENTS[0];
    prove(*program, bytes.clone())
}

/// True statements, each another.
pub fn good_requests() -> Vec<Request> {
    STATEMENTS.iter().map(|(program, bytes)| prove(*program, bytes.clone())).collect()
}

/// True statements about committee changes, each another: all for one queue.
pub fn committee_changes() -> Vec<Request> {
    let changes = STATEMENTS.iter().filter(|(program, _)| *program == Program::CommitteeChange);
    changes.map(|(program, bytes)| prove(*program, bytes.clone())).collect()
}

/// What says the right things about itself, and is no proof.
pub fn record() -> ProofRecord {
    let (program, input) = &STATEMENTS[0];
    let statement = check_statement(*program, input, &mut bls::Plain).unwrap();
    ProofRecord {
        program: 1,
        kind: ProofKind::Stark,
        circuits: Circuits::Release,
        circuit_version: CIRCUIT_VERSION.into(),
        vk_hash: COMMITTEE_CHANGE.vk_hash,
        public_values: statement.abi_encode(),
        proof: vec![0; 100],
    }
}
