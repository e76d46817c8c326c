//! An upstream that is played: what it answers to each message is the test's.

use std::net::SocketAddr;

use sextant_protocol::{
    ClientMessage, ProofKind, ServerInfo, ServerMessage,
    frame::{MAX_FRAME, MessageReader, MessageWriter},
    request::ProgramInfo,
};
use tokio::net::{TcpListener, TcpStream};

use super::record;

/// Plays one, on a free port, that says `answer` to each message, or nothing.
pub async fn upstream(
    answer: impl Fn(ClientMessage) -> Option<ServerMessage> + Clone + Send + 'static,
) -> SocketAddr {
    slow_upstream(move |message| std::future::ready(answer(message))).await
}

/// The same, for answers that take a while; those on other connections do not wait for them.
pub async fn slow_upstream<A>(answer: impl Fn(ClientMessage) -> A + Clone + Send + 'static) -> SocketAddr
where
    A: Future<Output = Option<ServerMessage>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(speak(stream, answer.clone()));
        }
    });
    address
}

async fn speak<A>(stream: TcpStream, answer: impl Fn(ClientMessage) -> A)
where
    A: Future<Output = Option<ServerMessage>>,
{
    let (read, write) = stream.into_split();
    let mut reader = MessageReader::<_, ClientMessage>::new(read, MAX_FRAME, "client message");
    let mut writer = MessageWriter::new(write, MAX_FRAME);
    while let Ok(Some(message)) = reader.next().await {
        let Some(reply) = answer(message).await else { continue };
        if writer.send(&reply).await.is_err() {
            return;
        }
    }
}

/// How it greets.
pub fn welcome() -> ServerMessage {
    ServerMessage::Welcome { version: 3, agent: "played".into(), capabilities: Vec::new() }
}

/// What it says of itself: it proves committee changes, in this form.
pub fn offers(kind: ProofKind) -> ServerInfo {
    let program = ProgramInfo {
        program: 1,
        vk_hash: record().vk_hash,
        elf_sha256: [0; 32],
        queued: 0,
        queue_capacity: 16,
        running: 0,
        kinds: vec![kind],
        ready: true,
    };
    ServerInfo {
        agent: "played".into(),
        circuit_version: record().circuit_version,
        kinds: program.kinds.clone(),
        programs: vec![program],
        ready: true,
        reason: String::new(),
        networks: Vec::new(),
        oldest_version: 3,
        newest_version: 3,
        limits: Default::default(),
        uptime_s: 1,
    }
}
