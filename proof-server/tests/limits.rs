//! Caps and deadlines against clients that take more than their part.

mod common;

use std::time::{Duration, Instant};

use common::{Client, HANGS, Server, good_request, prove, worker::Script};
use sextant_consensus::Program;
use sextant_protocol::{ClientMessage, ErrorCode, Progress, Request, Response, encoding};
use sha2::Digest;

#[tokio::test]
async fn too_many_connections_are_refused_with_a_reason() {
    let server = Server::start(Some(HANGS), |config| config.max_connections = 3).await;
    let held =
        [Client::connect(&server).await, Client::connect(&server).await, Client::connect(&server).await];
    let asked = Instant::now();
    let error = Client::mute(&server).await.refusal().await;
    assert_eq!(error.code, ErrorCode::Busy);
    assert!(error.retry_after_ms > 0 && asked.elapsed() < Duration::from_millis(500), "{error}");
    drop(held);
    common::until("places are free again", Duration::from_secs(5), async || {
        let mut client = Client::mute(&server).await;
        client.greet("").await;
        matches!(client.try_receive().await, Ok(Some(sextant_protocol::ServerMessage::Welcome { .. })))
    })
    .await;
    server.stop().await;

    let server = Server::start(Some(HANGS), |config| config.max_connections_per_address = 1).await;
    let _held = Client::connect(&server).await;
    let error = Client::mute(&server).await.refusal().await;
    assert!(error.message.contains("your address"), "{error}");
    assert_eq!(
        server.metric("sextant_connections_refused_total{reason=\"connections_of_address\"}").await,
        1.0
    );
    server.stop().await;
}

/// Strangers who say nothing keep nobody out who speaks, however many they are and whatever they do.
#[tokio::test]
async fn silent_connections_make_room() {
    let tokens = tempfile::NamedTempFile::new().unwrap();
    let hash = hex::encode(sha2::Sha256::digest("secret"));
    std::fs::write(tokens.path(), format!("[[token]]\nname = \"alice\"\nsha256 = \"{hash}\"")).unwrap();
    let server = Server::start(Some(HANGS), |config| {
        (config.max_connections, config.max_connections_per_address) = (32, 32);
        (config.token_file, config.anonymous) = (Some(tokens.path().into()), false);
    })
    .await;
    let mut silent = Vec::new();
    let mut known = Vec::new();
    for _ in 0..16 {
        for _ in 0..16 {
            silent.push(Client::mute(&server).await);
        }
        let mut alice = Client::mute(&server).await;
        alice.greet("secret").await;
        alice.welcome().await;
        known.push(alice);
    }
    for alice in &mut known {
        alice.request(1, Request::Ping).await;
        assert_eq!(alice.answer().await, (1, Ok(Response::Pong)), "who is known stays");
    }
    assert!(server.metric("sextant_connections_refused_total{reason=\"shed\"}").await > 200.0);
    assert!(server.metric("sextant_connections").await <= 32.0);
    server.stop().await;
}

/// A message that has begun must arrive, also while other requests are open.
#[tokio::test]
async fn a_half_sent_message_is_cut_off() {
    let server = Server::start(Some(HANGS), |config| config.frame_timeout = Duration::from_millis(300)).await;
    let mut client = Client::connect(&server).await;
    client.request(1, good_request()).await;
    client.wait_for(1, Progress::Preparing).await;
    let began = Instant::now();
    let mut client = client.half_a_frame(43, &[1, 0, 0, 0]).await;
    // A byte now and then does not help.
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        client = client.raw(&[0]).await;
    }
    let error = loop {
        match client.receive().await {
            sextant_protocol::ServerMessage::Refused(error) => break error,
            sextant_protocol::ServerMessage::Progress { .. }
            | sextant_protocol::ServerMessage::Answer { id: 1, result: Err(_) } => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(error.code, ErrorCode::DeadlineExceeded);
    let took = began.elapsed();
    assert!((290..1500).contains(&took.as_millis()), "{took:?}");
    server.stop().await;
}

/// Large messages share one memory: what does not fit is read past and refused, and the connection goes on.
#[tokio::test]
async fn memory_for_large_messages_is_bounded() {
    let server = Server::start(Some(HANGS), |config| config.buffers = 1 << 20).await;
    let large = prove(Program::Inclusion, vec![0; 600 << 10]);
    let message = encoding::encode(&ClientMessage::Request { id: 1, request: large.clone() });
    // One client has announced its message and sent a part of it.
    let slow = Client::connect(&server).await;
    let slow = slow.half_a_frame(message.len() as u32, &message[..1000]).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut other = Client::connect(&server).await;
    other.request(1, large.clone()).await;
    let error = other.error(1).await;
    assert_eq!(error.code, ErrorCode::Busy);
    assert!(error.message.contains("memory"), "{error}");
    other.request(2, Request::Ping).await;
    assert_eq!(other.answer().await, (2, Ok(Response::Pong)));
    // With the slow one gone there is room.
    drop(slow);
    tokio::time::sleep(Duration::from_millis(200)).await;
    other.request(3, large).await;
    assert_eq!(other.error(3).await.code, ErrorCode::InvalidStatement);
    server.stop().await;
}

/// Every type of message has its own cap; what is over it is not read into memory.
#[tokio::test]
async fn small_requests_cannot_be_large() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    let mut ping = encoding::encode(&ClientMessage::Request { id: 5, request: Request::Ping });
    ping.resize(1 << 20, 0);
    let mut client = Client::connect(&server).await.half_a_frame(ping.len() as u32, &ping).await;
    assert_eq!(client.error(5).await.code, ErrorCode::TooLarge);
    client.request(6, Request::Ping).await;
    assert_eq!(client.answer().await, (6, Ok(Response::Pong)));
    server.stop().await;
}

/// A client that asks for proofs and never reads them is cut off; others are served all the while.
#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let request = good_request();
    let server = Server::start_with(Some(Script::for_jobs(&request, "cat $D/proved")), |config| {
        config.write_timeout = Duration::from_millis(300);
        config.max_requests = 1000;
    })
    .await;
    let mut deaf = Client::connect(&server).await;
    deaf.request(1, request.clone()).await;
    assert!(matches!(deaf.answer().await, (1, Ok(Response::Proof { .. }))));
    for id in 2..400 {
        // From the kept proofs, 100 kB each: more than the sockets' buffers take.
        if deaf.try_send(&ClientMessage::Request { id, request: request.clone() }).await.is_err() {
            break;
        }
    }
    common::until("the server closes", Duration::from_secs(10), async || {
        server.metric("sextant_connections").await == 0.0
    })
    .await;
    let mut other = Client::connect(&server).await;
    other.request(1, Request::Ping).await;
    assert_eq!(other.answer().await, (1, Ok(Response::Pong)));
    server.stop().await;
}

/// Pings do not wait for proofs, checks or verifications.
#[tokio::test]
async fn pings_overtake_everything() {
    let request = good_request();
    let server =
        Server::start_with(Some(Script::for_jobs(&request, "cat $D/executing; sleep 600")), |_| {}).await;
    let mut busy = Client::connect(&server).await;
    for (id, request) in (1..).zip(common::good_requests()) {
        busy.request(id, request).await;
    }
    let mut client = Client::connect(&server).await;
    let mut slowest = Duration::ZERO;
    for id in 0..200 {
        let asked = Instant::now();
        client.request(id, Request::Ping).await;
        assert_eq!(client.answer().await, (id, Ok(Response::Pong)));
        slowest = slowest.max(asked.elapsed());
    }
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    server.stop().await;
}
