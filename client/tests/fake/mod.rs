//! A server that follows a script, and statements to ask it for.

// Each test file uses its own part.
#![allow(dead_code)]

use std::{future::Future, net::SocketAddr, time::Duration};

use sextant_client::{
    Client, ClientConfig, Progress, ProofKind, ProofRecord, ServerError, ServerInfo, StatementInput,
    verify::pinned_vk_hash,
};
use sextant_consensus::{Program, bls::Plain, check_statement, codec};
use sextant_protocol::{
    ClientMessage, JobKey, PROTOCOL_VERSION, ProofAnswer, ProveRequest, Request, RequestId, Response,
    ServerMessage,
    frame::{MAX_FRAME, MessageReader, MessageWriter},
    message::MAGIC,
    proof::Circuits,
    request::{ProgramInfo, ProvingCost, ServerLimits},
};
use tokio::net::{
    TcpListener, TcpStream,
    tcp::{OwnedReadHalf, OwnedWriteHalf},
};

/// One connection of a scripted server, after its handshake.
pub struct Peer {
    pub reader: MessageReader<OwnedReadHalf, ClientMessage>,
    pub writer: MessageWriter<OwnedWriteHalf, ServerMessage>,
    /// What it says of itself.
    pub info: ServerInfo,
}

impl Peer {
    /// The server's side of the handshake.
    pub async fn greet(stream: TcpStream) -> Self {
        Self::greet_knowing(stream, &[]).await
    }

    /// The same of a server with these capabilities.
    pub async fn greet_knowing(stream: TcpStream, capabilities: &[&str]) -> Self {
        let (reader, writer) = stream.into_split();
        let mut reader = MessageReader::new(reader, MAX_FRAME, "client message");
        let mut writer = MessageWriter::new(writer, MAX_FRAME);
        match reader.next().await.unwrap() {
            Some(ClientMessage::Hello { magic: MAGIC, newest: PROTOCOL_VERSION, agent, .. }) => {
                assert!(agent.len() <= 64);
            }
            other => panic!("a hello was due: {other:?}"),
        }
        match reader.next().await.unwrap() {
            Some(ClientMessage::Introduction { hops: 0, .. }) => {}
            other => panic!("an introduction was due: {other:?}"),
        }
        let mut welcome = welcome(PROTOCOL_VERSION);
        if let ServerMessage::Welcome { capabilities: told, .. } = &mut welcome {
            told.extend(capabilities.iter().map(|capability| String::from(*capability)));
        }
        writer.send(&welcome).await.unwrap();
        Self { reader, writer, info: everything() }
    }

    /// The next request for a proof.
    pub async fn prove_request(&mut self) -> (RequestId, ProveRequest) {
        match self.request().await {
            (id, Request::Prove(request)) => (id, request),
            other => panic!("a request for a proof was due: {other:?}"),
        }
    }

    /// The next request, with all its parts. Before it, the client may ask what is offered: everything is.
    pub async fn request(&mut self) -> (RequestId, Request) {
        loop {
            match self.any_request().await {
                (id, Request::Info) => self.answer(id, Ok(Response::Info(self.info.clone()))).await,
                other => return other,
            }
        }
    }

    /// The next request, whatever it is.
    pub async fn any_request(&mut self) -> (RequestId, Request) {
        let (id, mut request) = match self.reader.next().await.unwrap() {
            Some(ClientMessage::Request { id, request }) => (id, request),
            other => panic!("a request was due: {other:?}"),
        };
        if let Some((content, more)) = request.content() {
            while *more > 0 {
                match self.reader.next().await.unwrap() {
                    Some(ClientMessage::Part { id: of, offset, bytes })
                        if (of, offset) == (id, content.len() as u64) =>
                    {
                        content.extend_from_slice(&bytes);
                        *more -= bytes.len() as u64;
                    }
                    other => panic!("a part of {id} was due: {other:?}"),
                }
            }
        }
        (id, request)
    }

    /// The next cancellation.
    pub async fn cancelled(&mut self) -> RequestId {
        match self.reader.next().await.unwrap() {
            Some(ClientMessage::Cancel { id }) => id,
            other => panic!("a cancellation was due: {other:?}"),
        }
    }

    pub async fn answer(&mut self, id: RequestId, result: Result<Response, ServerError>) {
        self.writer.send(&ServerMessage::Answer { id, result }).await.unwrap();
    }

    pub async fn progress(&mut self, id: RequestId, progress: Progress) {
        self.writer.send(&ServerMessage::Progress { id, progress }).await.unwrap();
    }

    /// Until the client closes.
    pub async fn drain(mut self) {
        while let Ok(Some(_)) = self.reader.next().await {}
    }
}

/// Listens once and runs `script` on the bare connection.
pub async fn listen<F, T>(script: impl FnOnce(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = T> + Send,
    T: Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        script(stream).await;
    });
    address
}

/// Listens and runs `script` on each connection.
pub async fn listen_each<F>(script: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(script(stream));
        }
    });
    address
}

/// A client, connected to a server that shakes hands and then runs `script`.
pub async fn connected<F, T>(config: ClientConfig, script: impl FnOnce(Peer) -> F + Send + 'static) -> Client
where
    F: Future<Output = T> + Send,
    T: Send + 'static,
{
    let address = listen(async |stream: TcpStream| script(Peer::greet(stream).await).await).await;
    Client::connect_with(&address.to_string(), config).await.unwrap()
}

/// What a server says that makes every proof.
pub fn everything() -> ServerInfo {
    let kinds = vec![ProofKind::Stark, ProofKind::Compressed, ProofKind::Groth16];
    let info = |program: Program| ProgramInfo {
        program: program.tag(),
        vk_hash: pinned_vk_hash(program),
        elf_sha256: [0; 32],
        queued: 0,
        queue_capacity: 16,
        running: 0,
        kinds: kinds.clone(),
        ready: true,
    };
    ServerInfo {
        agent: "fake".into(),
        circuit_version: "v0".into(),
        programs: Program::ALL.map(info).into(),
        kinds: kinds.clone(),
        ready: true,
        reason: String::new(),
        networks: Vec::new(),
        oldest_version: PROTOCOL_VERSION,
        newest_version: PROTOCOL_VERSION,
        limits: ServerLimits::default(),
        uptime_s: 0,
    }
}

pub fn welcome(version: u32) -> ServerMessage {
    ServerMessage::Welcome { version, agent: "fake".into(), capabilities: Vec::new() }
}

pub fn quick() -> ClientConfig {
    ClientConfig {
        connect_timeout: Duration::from_millis(200),
        request_timeout: Duration::from_millis(200),
        deadline_grace: Duration::from_millis(100),
        reconnects: 0,
        ..ClientConfig::default()
    }
}

pub fn one_handover() -> StatementInput {
    StatementInput::new(Program::CommitteeChange, codec::encode(&sextant_fixtures::committee_change(1)))
}

/// The answer with a proof.
pub fn answer_with(proof: &ProofRecord, input: &StatementInput) -> Response {
    Response::Proof(ProofAnswer::new(proof, input.digest(), ProvingCost::default(), JobKey([7; 32])))
}

/// A record that claims what `input` says, with a proof that is none.
pub fn claiming(input: &StatementInput, kind: ProofKind) -> ProofRecord {
    let statement = check_statement(input.program().unwrap(), &input.bytes, &mut Plain).unwrap();
    ProofRecord {
        program: input.program,
        kind,
        circuits: Circuits::Release,
        circuit_version: sextant_verifier::Verifier::circuit_version().into(),
        vk_hash: sextant_artifacts::COMMITTEE_CHANGE.vk_hash,
        public_values: statement.abi_encode(),
        proof: vec![0; 64],
    }
}
