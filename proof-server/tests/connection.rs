//! The server at byte level: handshake, frames, limits, requests that need no prover.

mod common;

use std::time::Duration;

use common::{
    Client, HANGS, PATIENCE, Server, good_request, good_requests, hello, introduction, prove, worker::Script,
};
use sextant_artifacts::INCLUSION;
use sextant_consensus::Program;
use sextant_protocol::{
    ClientMessage, ErrorCode, OLDEST_VERSION, PROTOCOL_VERSION, ProofKind, ProveRequest, Request, Response,
    StatementInput, message::MAGIC,
};
use tokio::time::timeout;

#[tokio::test]
async fn a_handshake_that_is_none_is_refused() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    let refused = |message| {
        let server = &server;
        async move {
            let mut client = Client::mute(server).await;
            client.send(&message).await;
            client.refusal().await
        }
    };
    let hello_of = |magic, oldest, newest, agent: &str| ClientMessage::Hello {
        magic,
        oldest,
        newest,
        agent: agent.into(),
        capabilities: Vec::new(),
    };
    let stranger = hello_of(*b"SSH-2.0-", OLDEST_VERSION, PROTOCOL_VERSION, "test");
    assert_eq!(refused(stranger).await.code, ErrorCode::Version);
    for (oldest, newest) in [(PROTOCOL_VERSION + 1, PROTOCOL_VERSION + 9), (0, OLDEST_VERSION - 1)] {
        let error = refused(hello_of(MAGIC, oldest, newest, "test")).await;
        assert_eq!(error.code, ErrorCode::Version);
        assert!(error.message.contains("versions 3 to 3"), "{error}");
    }
    let long = hello_of(MAGIC, OLDEST_VERSION, PROTOCOL_VERSION, &"x".repeat(65));
    assert_eq!(refused(long).await.code, ErrorCode::TooLarge);
    assert_eq!(
        refused(ClientMessage::Request { id: 1, request: Request::Ping }).await.code,
        ErrorCode::Malformed
    );
    let mut without_introduction = Client::mute(&server).await;
    without_introduction.send(&hello()).await;
    without_introduction.request(1, Request::Ping).await;
    assert_eq!(without_introduction.refusal().await.code, ErrorCode::Malformed);
    // How far its requests have come is believed of servers only.
    let mut far = Client::mute(&server).await;
    far.send(&hello()).await;
    far.send(&introduction("", 3)).await;
    far.welcome().await;
    server.stop().await;
}

/// Whatever a client has sent behind what it is refused for, it can read why.
#[tokio::test]
async fn a_refusal_arrives_before_the_end() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    for _ in 0..20 {
        let mut client = Client::mute(&server).await;
        let hello = ClientMessage::Hello {
            magic: MAGIC,
            oldest: PROTOCOL_VERSION + 1,
            newest: PROTOCOL_VERSION + 1,
            agent: "later".into(),
            capabilities: Vec::new(),
        };
        client.send(&hello).await;
        // It may be refused half-way.
        let _ =
            client.try_send(&ClientMessage::Part { id: 1, offset: 0, bytes: vec![0; 300_000].into() }).await;
        assert_eq!(client.refusal().await.code, ErrorCode::Version);
    }
    server.stop().await;
}

/// Each request has one answer, also one that is cancelled while its answer is on the way.
#[tokio::test]
async fn a_cancelled_request_has_its_answer() {
    let request = good_request();
    let server = Server::start_with(Some(Script::for_jobs(&request, "cat $D/proved")), |_| {}).await;
    let mut client = Client::connect(&server).await;
    client.request(0, request.clone()).await;
    assert!(matches!(client.answer().await, (0, Ok(Response::Proof(_)))));
    for id in 1..200 {
        // Kept by now: the answer is there at once, and so is the cancellation.
        client.request(id, request.clone()).await;
        client.request(1_000 + id, request.clone()).await;
        client.send(&ClientMessage::Cancel { id }).await;
        client.send(&ClientMessage::Cancel { id: 1_000 + id }).await;
        for _ in 0..2 {
            match client.answer().await {
                (_, Ok(Response::Proof(_))) => {}
                (_, Err(error)) => assert_eq!(error.code, ErrorCode::Cancelled),
                other => panic!("{other:?}"),
            }
        }
    }
    server.stop().await;
}

/// A client that knows later versions as well, and capabilities that nobody here has heard of.
#[tokio::test]
async fn a_later_client_is_served_in_the_newest_common_version() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    let mut client = Client::mute(&server).await;
    let capabilities = vec!["telepathy".into()];
    let hello = ClientMessage::Hello {
        magic: MAGIC,
        oldest: OLDEST_VERSION,
        newest: PROTOCOL_VERSION + 1,
        agent: "later".into(),
        capabilities,
    };
    client.send(&hello).await;
    client.send(&introduction("", 0)).await;
    client.welcome().await;
    // What it asks beyond this version is refused by its id or ignored, and the rest goes on.
    client.request(1, Request::Unknown(77)).await;
    assert_eq!(client.error(1).await.code, ErrorCode::Unsupported);
    client.send(&ClientMessage::Unknown(77)).await;
    client.request(2, Request::Ping).await;
    assert_eq!(client.answer().await, (2, Ok(Response::Pong)));
    server.stop().await;
}

/// A request that makes no sense is its own fault alone.
#[tokio::test]
async fn a_request_that_does_not_decode_is_answered_by_its_id() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    let mut client = Client::connect(&server).await;
    client.request(1, good_request()).await;
    // An input without a program, and a kind of proof that there is not.
    let prove = |input: &[u8], kind: u32| {
        let request = [&[2, 0][..], &field(1, input), &field(2, &kind.to_le_bytes())].concat();
        [&[2, 0][..], &field(1, &5_u64.to_le_bytes()), &field(2, &request)].concat()
    };
    let good = [&field(1, &1_u32.to_le_bytes())[..], &field(2, &[0; 8])].concat();
    for (body, code) in
        [(prove(&field(2, &[0; 8]), 0), ErrorCode::Malformed), (prove(&good, 17), ErrorCode::Unsupported)]
    {
        client = client.half_a_frame(body.len() as u32, &body).await;
        let error = client.error(5).await;
        assert_eq!(error.code, code, "{error}");
    }
    client.request(6, Request::Ping).await;
    assert_eq!(client.answer().await, (6, Ok(Response::Pong)));
    server.stop().await;
}

fn field(tag: u16, value: &[u8]) -> Vec<u8> {
    [&tag.to_le_bytes()[..], &(value.len() as u32).to_le_bytes(), value].concat()
}

/// Who closes its sending side after a question still gets the answer.
#[tokio::test]
async fn a_client_that_has_said_all_is_answered() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    for _ in 0..20 {
        let mut client = Client::connect(&server).await;
        client.request(1, Request::Ping).await;
        client.request(2, Request::Info).await;
        let mut client = client.close().await;
        assert_eq!(client.answer().await, (1, Ok(Response::Pong)));
        assert!(matches!(client.answer().await, (2, Ok(Response::Info(_)))));
        assert!(matches!(client.try_receive().await, Ok(None)));
    }
    server.stop().await;
}

#[tokio::test]
async fn bytes_that_are_no_frame_end_the_connection_with_a_reason() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    for (bytes, code) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], ErrorCode::TooLarge),
        (&[0, 0, 0, 0], ErrorCode::Malformed),
        (&[0, 0, 0, 3, 0, 0, 3], ErrorCode::Malformed),
        (&[0xff, 0xff, 0xff, 0xff], ErrorCode::TooLarge),
        // One more than a hello may have.
        (&[0, 0, 0x10, 1], ErrorCode::TooLarge),
    ] {
        let mut client = Client::mute(&server).await.raw(bytes).await;
        assert_eq!(client.refusal().await.code, code, "{bytes:?}");
    }
    // After the handshake frames may be large, but not any size.
    let over = (sextant_protocol::frame::MAX_FRAME as u32 + 1).to_be_bytes();
    let mut client = Client::connect(&server).await.raw(&over).await;
    assert_eq!(client.refusal().await.code, ErrorCode::TooLarge);
    let mut client = Client::connect(&server).await.raw(&[0, 0, 0, 4, 4, 0, 0, 0]).await;
    assert_eq!(client.refusal().await.code, ErrorCode::Malformed);
    let mut client = Client::connect(&server).await;
    client.send(&hello()).await;
    assert_eq!(client.refusal().await.code, ErrorCode::Malformed);
    // And all the while others are served.
    let mut client = Client::connect(&server).await;
    client.request(1, Request::Ping).await;
    assert_eq!(client.answer().await, (1, Ok(Response::Pong)));
    server.stop().await;
}

#[tokio::test]
async fn silence_has_a_limit() {
    let server = Server::start(Some(HANGS), |config| {
        config.handshake_timeout = Duration::from_millis(200);
        config.idle_timeout = Duration::from_millis(200);
    })
    .await;
    let mut mute = Client::mute(&server).await;
    assert!(matches!(mute.try_receive().await, Ok(None)));
    let mut idle = Client::connect(&server).await;
    assert!(matches!(idle.try_receive().await, Ok(None)));
    // Waiting for an answer is not idling.
    let mut waiting = Client::connect(&server).await;
    waiting.request(1, good_request()).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    waiting.request(2, Request::Ping).await;
    assert_eq!(waiting.answer().await, (2, Ok(Response::Pong)));
    server.stop().await;
}

#[tokio::test]
async fn info_names_what_is_pinned() {
    let server = Server::start(Some(HANGS), |config| config.queue_capacity = 5).await;
    let mut client = Client::connect(&server).await;
    client.request(7, Request::Info).await;
    let (7, Ok(Response::Info(info))) = client.answer().await else { panic!("an info") };
    assert_eq!(info.circuit_version, sextant_artifacts::CIRCUIT_VERSION);
    assert_eq!(info.kinds, [ProofKind::Stark, ProofKind::Compressed]);
    assert_eq!((info.oldest_version, info.newest_version), (OLDEST_VERSION, PROTOCOL_VERSION));
    let limits = info.limits;
    assert_eq!((limits.input, limits.record, limits.requests), (8 << 20, 64 << 20, 32));
    assert_eq!(info.programs.len(), Program::ALL.len());
    for (program, artifact) in info.programs.iter().zip(sextant_artifacts::ALL) {
        assert_eq!((program.vk_hash, program.elf_sha256), (artifact.vk_hash, artifact.elf_sha256));
        assert_eq!((program.queued, program.queue_capacity, program.running), (0, 5, 0));
        // A STARK about proofs would leave open whether they hold.
        let of_proofs = program.program > Program::Inclusion.tag();
        assert_eq!(program.kinds, info.kinds[usize::from(of_proofs)..]);
    }
    server.stop().await;
}

#[tokio::test]
async fn what_is_false_or_not_offered_is_refused_before_any_prover() {
    // A worker would be noticed: it fails.
    let server = Server::start(Some(common::CRASHES), |config| config.max_input = 1 << 20).await;
    let mut client = Client::connect(&server).await;
    let Request::Prove(good) = good_request() else { unreachable!() };
    let asked = |change: &dyn Fn(&mut ProveRequest)| {
        let mut request = good.clone();
        change(&mut request);
        Request::Prove(request)
    };
    for (request, code) in [
        (asked(&|r| r.input.bytes.truncate(100)), ErrorCode::InvalidStatement),
        (asked(&|r| r.input.bytes.push(0)), ErrorCode::InvalidStatement),
        (asked(&|r| *r.input.bytes.last_mut().unwrap() ^= 1), ErrorCode::InvalidStatement),
        (asked(&|r| r.input.program = 9), ErrorCode::Unsupported),
        (
            asked(&|r| r.input = StatementInput::new(Program::Inclusion, r.input.bytes.clone())),
            ErrorCode::InvalidStatement,
        ),
        (asked(&|r| r.kind = ProofKind::Groth16), ErrorCode::Unsupported),
        // Another build of the program.
        (asked(&|r| r.vk_hash = Some(INCLUSION.vk_hash)), ErrorCode::Unsupported),
        (prove(Program::Inclusion, vec![]), ErrorCode::InvalidStatement),
        (prove(Program::Inclusion, vec![0; (1 << 20) + 1]), ErrorCode::TooLarge),
        // Over the limit by its announcement: nothing of the rest is kept, and the connection goes on.
        (prove(Program::Inclusion, vec![0; 8 << 20]), ErrorCode::TooLarge),
    ] {
        client.request(1, request).await;
        let (1, Err(error)) = client.answer().await else { panic!("an error") };
        assert_eq!(error.code, code, "{error}");
        assert!(!error.message.is_empty());
    }
    server.stop().await;
}

#[tokio::test]
async fn many_requests_share_a_connection_by_id() {
    let server = Server::start(Some(HANGS), |config| config.max_requests = 3).await;
    let mut client = Client::connect(&server).await;
    client.request(1, good_request()).await;
    // A ping does not wait for the proof before it.
    client.request(2, Request::Ping).await;
    assert_eq!(client.answer().await, (2, Ok(Response::Pong)));
    // The id is taken while its request is open; the open one goes on.
    client.request(1, Request::Ping).await;
    let (1, Err(error)) = client.answer().await else { panic!("an error") };
    assert_eq!(error.code, ErrorCode::DuplicateRequest);
    client.request(3, good_requests().swap_remove(1)).await;
    client.request(4, good_requests().swap_remove(2)).await;
    client.request(5, Request::Ping).await;
    let (5, Err(error)) = client.answer().await else { panic!("an error") };
    assert_eq!(error.code, ErrorCode::Busy);
    // An unknown id is nothing to cancel; a known one ends, and is free again.
    client.send(&ClientMessage::Cancel { id: 99 }).await;
    client.send(&ClientMessage::Cancel { id: 1 }).await;
    let (1, Err(error)) = client.answer().await else { panic!("an error") };
    assert_eq!(error.code, ErrorCode::Cancelled);
    client.request(1, Request::Ping).await;
    assert_eq!(client.answer().await, (1, Ok(Response::Pong)));
    server.stop().await;
}

#[tokio::test]
async fn shutdown_tells_clients_and_ends() {
    let server = Server::start(Some(HANGS), |_| {}).await;
    let mut busy = Client::connect(&server).await;
    busy.request(1, good_request()).await;
    let mut idle = Client::connect(&server).await;
    idle.request(1, Request::Ping).await;
    assert_eq!(idle.answer().await, (1, Ok(Response::Pong)));
    server.control.stop.cancel();
    assert_eq!(idle.refusal().await.code, ErrorCode::ShuttingDown);
    // The open request is answered or cut off with the connection; either way the client hears the reason.
    let reason = loop {
        match busy.receive().await {
            sextant_protocol::ServerMessage::Progress { .. } => {}
            sextant_protocol::ServerMessage::Answer { result: Err(error), .. } => break error.code,
            sextant_protocol::ServerMessage::Refused(error) => break error.code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(reason, ErrorCode::ShuttingDown);
    timeout(PATIENCE, server.stop()).await.expect("the server ends");
}
