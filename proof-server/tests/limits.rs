//! Caps and deadlines against clients that take more than their part.

mod common;

use std::time::{Duration, Instant};

use common::{Client, HANGS, Server, good_request, prove, worker::Script};
use sextant_consensus::Program;
use sextant_protocol::{
    ClientMessage, ErrorCode, Progress, Request, RequestId, Response, ServerMessage, frame::MAX_FRAME,
    parts::PART,
};
use sha2::Digest;
use tokio::net::TcpSocket;

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

/// Strangers who say nothing keep nobody out who speaks, however many they are, from however many addresses.
#[tokio::test]
async fn silent_connections_make_room() {
    let tokens = tempfile::NamedTempFile::new().unwrap();
    let hash = hex::encode(sha2::Sha256::digest("secret"));
    std::fs::write(tokens.path(), format!("[[token]]\nname = \"alice\"\nsha256 = \"{hash}\"")).unwrap();
    let server = Server::start(Some(HANGS), |config| {
        (config.max_connections, config.max_connections_per_address) = (32, 16);
        (config.token_file, config.anonymous) = (Some(tokens.path().into()), false);
    })
    .await;
    let mut silent = Vec::new();
    let mut known = Vec::new();
    for _ in 0..16 {
        for address in 0..16 {
            silent.push(Client::mute_from(&server, [127, 0, 7, 1 + address % 4]).await);
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

/// What is announced takes no memory, only what has come does: nobody is kept out by a promise.
#[tokio::test]
async fn announcements_keep_nobody_out() {
    let server = Server::start(Some(HANGS), |config| config.buffers = 2 << 20).await;
    let mut held = Vec::new();
    for _ in 0..16 {
        // The largest frame, and the largest request, with a few bytes of each.
        let client = Client::connect(&server).await;
        held.push(client.half_a_frame(MAX_FRAME as u32, &[2, 0, 1, 0, 8, 0]).await);
        let mut client = Client::connect(&server).await;
        client.send(&announcing(1, 7 << 20)).await;
        held.push(client);
    }
    let mut other = Client::connect(&server).await;
    other.request(1, prove(Program::Inclusion, vec![0; 600 << 10])).await;
    assert_eq!(other.error(1).await.code, ErrorCode::InvalidStatement, "it was read and looked at");
    server.stop().await;
}

/// What has come takes memory, and no client takes all of it.
#[tokio::test]
async fn memory_for_large_requests_is_bounded() {
    let server = Server::start(Some(HANGS), |config| config.buffers = 2 << 20).await;
    let mut slow = Client::connect(&server).await;
    slow.send(&announcing(1, 3 << 20)).await;
    for part in 0..3 {
        slow.send(&part_of(1, part)).await;
    }
    // Three quarters of what one client may have are taken.
    let mut other = Client::connect(&server).await;
    common::until("they have come", Duration::from_secs(5), async || {
        other.request(1, prove(Program::Inclusion, vec![0; 600 << 10])).await;
        let error = other.error(1).await;
        error.code == ErrorCode::Busy && error.message.contains("memory")
    })
    .await;
    other.request(2, Request::Ping).await;
    assert_eq!(other.answer().await, (2, Ok(Response::Pong)));
    // With the slow one gone there is room.
    drop(slow);
    common::until("there is room", Duration::from_secs(5), async || {
        other.request(3, prove(Program::Inclusion, vec![0; 600 << 10])).await;
        other.error(3).await.code == ErrorCode::InvalidStatement
    })
    .await;
    server.stop().await;
}

/// A request whose parts do not come, or come as they should not, ends by itself; the connection goes on.
#[tokio::test]
async fn broken_uploads_end_alone() {
    let server = Server::start(Some(HANGS), |config| config.frame_timeout = Duration::from_millis(300)).await;
    let mut client = Client::connect(&server).await;
    client.send(&announcing(1, 1 << 20)).await;
    client.send(&part_of(1, 0)).await;
    assert_eq!(client.error(1).await.code, ErrorCode::DeadlineExceeded);
    client.send(&announcing(2, 1 << 20)).await;
    client.send(&part_of(2, 1)).await;
    let error = client.error(2).await;
    assert!(error.code == ErrorCode::Malformed && error.message.contains("a part at"), "{error}");
    client.send(&announcing(3, 5)).await;
    client.send(&part_of(3, 0)).await;
    assert_eq!(client.error(3).await.code, ErrorCode::Malformed, "more than was announced");
    // Over the limit of its type, and over any number.
    for (id, more) in [(4, 8 << 20), (5, u64::MAX)] {
        client.send(&announcing(id, more)).await;
        let error = client.error(id).await;
        assert!(error.code == ErrorCode::TooLarge && error.message.contains("8388608"), "{error}");
    }
    client.send(&announcing(6, 1 << 20)).await;
    client.send(&ClientMessage::Cancel { id: 6 }).await;
    assert_eq!(client.error(6).await.code, ErrorCode::Cancelled);
    // Parts of what is over, or never was, disturb nobody.
    for id in [1, 6, 99] {
        client.send(&part_of(id, 0)).await;
    }
    client.request(7, Request::Ping).await;
    assert_eq!(client.answer().await, (7, Ok(Response::Pong)));
    server.stop().await;
}

/// A request of which a byte is here and `more` are to come.
fn announcing(id: RequestId, more: u64) -> ClientMessage {
    let Request::Prove(mut request) = prove(Program::Inclusion, vec![0]) else { unreachable!() };
    request.more = more;
    ClientMessage::Request { id, request: Request::Prove(request) }
}

/// The part number `part` of that.
fn part_of(id: RequestId, part: u64) -> ClientMessage {
    ClientMessage::Part { id, offset: 1 + part * PART as u64, bytes: vec![0; PART].into() }
}

/// A slow reader gets its proofs, however long it takes, and whatever is small does not wait for them. How much the
/// system takes ahead of what it has sent is no measure of who reads.
#[tokio::test]
async fn slow_readers_are_served() {
    const PROOF: usize = 4 << 20;
    let request = good_request();
    let script = Script::for_jobs(&request, "cat $D/proved").proving(&request, PROOF);
    let server = Server::start_with(Some(script), |config| {
        config.write_timeout = Duration::from_secs(1);
    })
    .await;
    let mut client = Client::connect(&server).await;
    client.request(1, request.clone()).await;
    assert!(matches!(client.answer().await, (1, Ok(Response::Proof { .. }))));
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(32 << 10).unwrap();
    let mut client = Client::over(socket.connect(server.address).await.unwrap());
    client.greet("").await;
    client.welcome().await;
    client.request(2, request.clone()).await;
    client.request(3, request).await;
    client.request(4, Request::Ping).await;
    let (began, mut answered, mut came) = (Instant::now(), Vec::new(), 0);
    while came < 2 * PROOF {
        match client.receive().await {
            ServerMessage::Part { bytes, .. } => came += bytes.len(),
            ServerMessage::Answer { id, result: Ok(Response::Proof(proof)) } => {
                answered.push(id);
                came += proof.record.len();
            }
            ServerMessage::Answer { id: 4, result: Ok(Response::Pong) } => {
                assert!(came < 2 * PROOF, "the pong came in between");
                answered.push(4);
            }
            ServerMessage::Progress { .. } => {}
            other => panic!("{other:?}"),
        }
        // Less than a megabyte a second.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert!(began.elapsed() > Duration::from_secs(5), "slower than the deadline");
    answered.sort_unstable();
    assert_eq!(answered, [2, 3, 4]);
    server.stop().await;
}

/// A proof of any size is an answer like another, also one that is larger than any frame.
#[tokio::test]
async fn large_proofs_come_whole() {
    const PROOF: usize = 35_000_000;
    let request = good_request();
    let script = Script::for_jobs(&request, "cat $D/proved").proving(&request, PROOF);
    let server = Server::start_with(Some(script), |_| {}).await;
    let mut client = Client::connect(&server).await;
    client.request(1, request).await;
    let (mut hash, mut wanted, mut more) = (sha2::Sha256::new(), None, 0);
    while wanted.is_none() || more > 0 {
        match client.receive().await {
            ServerMessage::Answer { id: 1, result: Ok(Response::Proof(proof)) } => {
                (wanted, more) = (Some(proof.sha256), proof.more);
                assert!(more as usize > PROOF - PART);
                hash.update(&proof.record);
            }
            ServerMessage::Part { id: 1, bytes, .. } => {
                more -= bytes.len() as u64;
                hash.update(&bytes);
            }
            ServerMessage::Progress { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(Some(hash.finalize().into()), wanted);
    client.request(2, Request::Ping).await;
    assert_eq!(client.answer().await, (2, Ok(Response::Pong)), "the connection goes on");
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
