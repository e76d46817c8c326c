//! The protocol over WebSocket: the same messages with the same answers, and nothing that a stranger sends ends a server.

mod common;

use std::time::Duration;

use common::{
    Client, HANGS, Server, good_request, hello, http::get, introduction, token_file, worker::Script,
};
use futures_util::{SinkExt, StreamExt};
use proof_server::Origins;
use sextant_protocol::{
    ClientMessage, ErrorCode, Request, RequestId, Response, ServerError, ServerMessage, frame::MAX_FRAME,
    parts::PART, wire,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

/// A client that speaks WebSocket.
struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    async fn open(server: &Server, headers: &[(&'static str, &str)]) -> Result<Self, tungstenite::Error> {
        let stream = TcpStream::connect(server.http).await.unwrap();
        let mut request = "ws://localhost/v1/rpc".into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let opened = timeout(common::PATIENCE, client_async(request, stream)).await.unwrap();
        opened.map(|(socket, _)| Self(socket))
    }

    /// Opens it and shakes hands.
    async fn connect(server: &Server, token: &str) -> Self {
        let mut socket = Self::open(server, &[]).await.unwrap();
        socket.send(&hello()).await;
        socket.send(&introduction(token, 0)).await;
        let welcome = socket.receive().await;
        assert!(matches!(welcome, Some(ServerMessage::Welcome { .. })), "{welcome:?}");
        socket
    }

    async fn raw(&mut self, message: Message) {
        // The server may have closed.
        let _ = timeout(common::PATIENCE, self.0.send(message)).await.unwrap();
    }

    async fn send(&mut self, message: &ClientMessage) {
        self.raw(Message::binary(wire::to_bytes(message))).await;
    }

    async fn request(&mut self, id: RequestId, mut request: Request) {
        let parts = request.split();
        self.send(&ClientMessage::Request { id, request }).await;
        for (offset, bytes) in parts {
            self.send(&ClientMessage::Part { id, offset, bytes }).await;
        }
    }

    /// The next message, each of which comes in one of the socket's; `None` at the end.
    async fn receive(&mut self) -> Option<ServerMessage> {
        loop {
            match timeout(common::PATIENCE, self.0.next()).await.expect("a message in time") {
                Some(Ok(Message::Binary(body))) => {
                    return Some(wire::from_bytes("server message", body, MAX_FRAME).unwrap());
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next answer; progress is skipped.
    async fn answer(&mut self) -> Result<Response, ServerError> {
        loop {
            match self.receive().await.expect("an answer") {
                ServerMessage::Answer { result, .. } => return result,
                ServerMessage::Progress { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_browser_speaks_the_protocol() {
    let script = Script::for_jobs(&good_request(), "cat $D/proved").proving(&good_request(), 2 * PART);
    let server = Server::start_with(Some(script), |_| {}).await;
    let mut socket = Socket::connect(&server, "").await;
    socket.request(1, Request::Ping).await;
    assert_eq!(socket.answer().await, Ok(Response::Pong));
    socket.request(2, good_request()).await;
    let Ok(Response::Proof(mut proof)) = socket.answer().await else { panic!("a proof") };
    let mut record = proof.record.to_vec();
    while proof.more > 0 {
        let Some(ServerMessage::Part { id: 2, offset, bytes }) = socket.receive().await else {
            panic!("a part")
        };
        assert_eq!(offset, record.len() as u64);
        record.extend_from_slice(&bytes);
        proof.more -= bytes.len() as u64;
    }
    // The same as over TCP.
    let mut client = Client::connect(&server).await;
    client.request(1, good_request()).await;
    let (1, Ok(Response::Proof(over_tcp))) = client.answer().await else { panic!("a proof") };
    assert_eq!((&over_tcp.record[..], over_tcp.job), (&record[..], proof.job));
    socket.0.close(None).await.unwrap();
    assert_eq!(socket.receive().await, None);
    server.stop().await;
}

#[tokio::test]
async fn tokens_come_in_the_introduction() {
    let tokens = token_file(&[("alice", "")]);
    let server = Server::start(Some(HANGS), |config| {
        (config.token_file, config.anonymous) = (Some(tokens.path().into()), false);
    })
    .await;
    Socket::connect(&server, "alice").await;
    let mut socket = Socket::open(&server, &[]).await.unwrap();
    socket.send(&hello()).await;
    socket.send(&introduction("mallory", 0)).await;
    let refused = socket.receive().await;
    assert!(
        matches!(&refused, Some(ServerMessage::Refused(error)) if error.code == ErrorCode::Unauthorized),
        "{refused:?}"
    );
    assert_eq!(socket.receive().await, None);
    server.stop().await;
}

#[tokio::test]
async fn only_pages_of_named_origins_open_sockets() {
    let server = Server::start(Some(HANGS), |config| {
        config.http_origins = Origins::named(&["https://wallet.example".into()]).unwrap();
    })
    .await;
    Socket::open(&server, &[("origin", "https://wallet.example")]).await.unwrap();
    match Socket::open(&server, &[("origin", "https://evil.example")]).await {
        Err(tungstenite::Error::Http(answer)) => assert_eq!(answer.status(), 403),
        other => panic!("{:?}", other.map(drop)),
    }
    server.stop().await;
}

/// Sends one message after a handshake, and returns what the server says to it, if anything.
async fn said_to(server: &Server, message: Message) -> Option<ErrorCode> {
    let mut socket = Socket::connect(server, "").await;
    socket.raw(message).await;
    match socket.receive().await {
        Some(ServerMessage::Refused(error)) => Some(error.code),
        None => None,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_no_message_ends_its_connection_alone() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    let mut honest = Socket::connect(&server, "").await;
    let malformed = Some(ErrorCode::Malformed);
    assert_eq!(said_to(&server, Message::text("{\"ping\":1}")).await, malformed);
    assert_eq!(said_to(&server, Message::binary(vec![])).await, malformed);
    assert_eq!(said_to(&server, Message::binary(vec![0xff])).await, malformed);
    assert_eq!(said_to(&server, Message::binary(wire::to_bytes(&hello()))).await, malformed);
    // Over the cap: not read any further.
    assert_eq!(said_to(&server, Message::binary(vec![0; MAX_FRAME + 1])).await, None);
    // Before the handshake the cap is smaller.
    let mut socket = Socket::open(&server, &[]).await.unwrap();
    socket.raw(Message::binary(vec![0; 5000])).await;
    let refused = socket.receive().await;
    assert!(
        matches!(&refused, Some(ServerMessage::Refused(error)) if error.code == ErrorCode::TooLarge),
        "{refused:?}"
    );
    honest.request(1, Request::Ping).await;
    assert_eq!(honest.answer().await, Ok(Response::Pong));
    server.stop().await;
}

/// Bytes that are no WebSocket, or the beginning of a message that does not go on.
#[tokio::test]
async fn broken_frames_end_their_connections_and_nothing_else() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = Server::start(Some(HANGS), |config| config.frame_timeout = Duration::from_secs(1)).await;
    let broken: [&[u8]; 6] = [
        // Not masked.
        &[0x82, 1, 0],
        // Reserved bits and kinds.
        &[0xf2, 0x80, 0, 0, 0, 0],
        &[0x83, 0x80, 0, 0, 0, 0],
        // A ping that is too long, and one in pieces.
        &[0x89, 0xfe, 1, 0, 0, 0, 0, 0],
        &[0x09, 0x80, 0, 0, 0, 0],
        // A length of 2^63 and more.
        &[0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
    ];
    let half: &[u8] = &[0x82, 0xfe, 0xff, 0xff, 0, 0, 0, 0, 1, 2, 3];
    for bytes in broken.into_iter().chain([half]) {
        let mut socket = Socket::connect(&server, "").await;
        // An open request keeps no broken connection.
        socket.request(1, good_request()).await;
        let stream = socket.0.get_mut();
        stream.write_all(bytes).await.unwrap();
        let mut rest = Vec::new();
        let ended = timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "{bytes:x?}: the connection ends");
    }
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..200 {
        let mut socket = Socket::open(&server, &[]).await.unwrap();
        let noise: Vec<u8> = (0..64)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 33) as u8
            })
            .collect();
        // Ended before it is written, perhaps.
        let _ = socket.0.get_mut().write_all(&noise).await;
    }
    let mut honest = Socket::connect(&server, "").await;
    honest.request(1, Request::Ping).await;
    assert_eq!(honest.answer().await, Ok(Response::Pong));
    assert_eq!(get(server.http, "/v1/programs").await.status, 200);
    server.stop().await;
}
