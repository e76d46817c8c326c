//! The client's connection against servers that are slow, mixed up, silent or broken.

mod fake;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fake::{Peer, claiming, connected, listen, listen_each, one_handover, quick, welcome};
use sextant_client::{Client, ClientConfig, ClientError, ProofKind, ServerError, TransportError};
use sextant_protocol::{
    ClientMessage, ErrorCode, PROTOCOL_VERSION, Request, Response, ServerMessage,
    frame::{MAX_FRAME, MessageWriter},
    proof::ProofView,
};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::oneshot,
    time::{Instant, sleep, timeout},
};

#[tokio::test]
async fn answers_may_come_in_any_order() {
    let client = connected(ClientConfig::default(), async |mut peer| {
        let mut asked = Vec::new();
        for _ in 0..3 {
            asked.push(peer.request().await);
        }
        for (id, request) in asked.into_iter().rev() {
            let result = match request {
                Request::Ping => Ok(Response::Pong),
                Request::Verify { record, .. } if ProofView::of(&record).unwrap().proof.is_empty() => {
                    Ok(Response::Verified)
                }
                Request::Verify { .. } => Err(ServerError::new(ErrorCode::InvalidProof, "no")),
                other => panic!("{other:?}"),
            };
            peer.answer(id, result).await;
        }
        peer.drain().await;
    })
    .await;
    let mut good = claiming(&one_handover(), ProofKind::Stark);
    let bad = good.clone();
    good.proof.clear();
    let (ping, good, bad) =
        tokio::join!(client.ping(), client.verify_remote(good), client.verify_remote(bad));
    ping.unwrap();
    good.unwrap();
    match bad.unwrap_err() {
        ClientError::Server(error) => assert_eq!(error.code, ErrorCode::InvalidProof),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_answer_to_no_request_ends_the_connection() {
    for id in [0, 99, u64::MAX] {
        let client = connected(ClientConfig::default(), async move |mut peer: Peer| {
            peer.request().await;
            peer.answer(id, Ok(Response::Pong)).await;
            peer.drain().await;
        })
        .await;
        let error = client.ping().await.unwrap_err();
        assert!(matches!(error, ClientError::Transport(TransportError::Protocol(_))), "{id}: {error:?}");
        // And so does every later request, at once.
        let error = client.info().await.unwrap_err();
        assert!(matches!(error, ClientError::Transport(TransportError::Protocol(_))), "{id}: {error:?}");
    }
}

#[tokio::test]
async fn a_dropped_connection_ends_every_request() {
    let client = connected(ClientConfig::default(), async |mut peer: Peer| {
        peer.any_request().await;
        peer.any_request().await;
    })
    .await;
    let (ping, info) = tokio::join!(client.ping(), client.info());
    for error in [ping.unwrap_err(), info.unwrap_err()] {
        assert!(matches!(error, ClientError::Transport(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_frame_torn_in_the_middle_is_a_broken_connection() {
    let client = connected(ClientConfig::default(), async |mut peer: Peer| {
        peer.request().await;
        let Peer { reader, writer, .. } = peer;
        let mut stream = writer.into_inner();
        stream.write_all(&[0, 0, 0, 16, 3, 0]).await.unwrap();
        drop((reader, stream));
    })
    .await;
    let error = client.ping().await.unwrap_err();
    assert!(matches!(error, ClientError::Transport(TransportError::Broken(_))), "{error:?}");
}

#[tokio::test]
async fn a_length_bomb_is_a_broken_connection() {
    let client = connected(ClientConfig::default(), async |mut peer: Peer| {
        peer.request().await;
        let mut stream = peer.writer.into_inner();
        stream.write_all(&[0xff; 4]).await.unwrap();
        sleep(Duration::from_secs(60)).await;
    })
    .await;
    let error = client.ping().await.unwrap_err();
    assert!(matches!(error, ClientError::Transport(TransportError::Broken(_))), "{error:?}");
    assert!(error.to_string().contains("exceeds the cap"), "{error}");
}

#[tokio::test]
async fn a_refused_handshake_says_why() {
    let address = listen(async |stream: TcpStream| {
        let mut writer = MessageWriter::new(stream, MAX_FRAME);
        let error = ServerError::new(ErrorCode::Version, "this server speaks version 7");
        writer.send(&ServerMessage::Refused(error)).await.unwrap();
        sleep(Duration::from_secs(1)).await;
    })
    .await;
    let error = Client::connect(&address.to_string()).await.unwrap_err();
    assert!(matches!(error, ClientError::Transport(TransportError::Refused(_))), "{error:?}");
    assert!(error.to_string().contains("this server speaks version 7"), "{error}");
}

#[tokio::test]
async fn another_version_is_refused() {
    let address = listen(async |stream: TcpStream| {
        let mut writer = MessageWriter::new(stream, MAX_FRAME);
        writer.send(&welcome(1)).await.unwrap();
        sleep(Duration::from_secs(1)).await;
    })
    .await;
    let error = Client::connect(&address.to_string()).await.unwrap_err();
    assert!(matches!(error, ClientError::Transport(TransportError::Version { got: 1 })), "{error:?}");
}

#[tokio::test]
async fn a_handshake_is_small_and_comes_first() {
    let long = ServerMessage::Welcome {
        version: PROTOCOL_VERSION,
        agent: "x".repeat(5000),
        capabilities: Vec::new(),
    };
    let early = ServerMessage::Answer { id: 1, result: Ok(Response::Pong) };
    for message in [long, early] {
        let address = listen(async move |stream: TcpStream| {
            let mut writer = MessageWriter::new(stream, MAX_FRAME);
            writer.send(&message).await.unwrap();
            sleep(Duration::from_secs(1)).await;
        })
        .await;
        let error = Client::connect(&address.to_string()).await.unwrap_err();
        let kind =
            matches!(error, ClientError::Transport(TransportError::Broken(_) | TransportError::Protocol(_)));
        assert!(kind, "{error:?}");
    }
}

#[tokio::test]
async fn a_silent_handshake_runs_into_the_deadline() {
    let address = listen(async |stream: TcpStream| {
        sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    let error = Client::connect_with(&address.to_string(), quick()).await.unwrap_err();
    assert!(matches!(error, ClientError::Deadline(late) if late.what == "handshake"), "{error:?}");
}

#[tokio::test]
async fn a_silent_answer_runs_into_the_deadline_and_is_cancelled() {
    let (sender, cancelled) = oneshot::channel();
    let client = connected(quick(), async |mut peer: Peer| {
        let (id, _) = peer.request().await;
        assert_eq!(peer.cancelled().await, id);
        // The late answer must harm nobody.
        peer.answer(id, Ok(Response::Pong)).await;
        let (id, _) = peer.request().await;
        peer.answer(id, Ok(Response::Pong)).await;
        sender.send(()).unwrap();
        peer.drain().await;
    })
    .await;
    let error = client.ping().await.unwrap_err();
    assert!(matches!(error, ClientError::Deadline(late) if late.what == "pong"), "{error:?}");
    client.ping().await.unwrap();
    cancelled.await.unwrap();
}

/// Requests outlive the `Client` they were made with.
#[tokio::test]
async fn the_connection_lives_as_long_as_its_requests() {
    let (sender, closed) = oneshot::channel();
    let client = connected(ClientConfig::default(), async |mut peer: Peer| {
        let (id, _) = peer.request().await;
        sleep(Duration::from_millis(50)).await;
        peer.answer(id, Err(ServerError::new(ErrorCode::Busy, "full"))).await;
        peer.drain().await;
        sender.send(()).unwrap();
    })
    .await;
    let proving = client.prove(one_handover(), ProofKind::Stark, None).await.unwrap();
    drop(client);
    assert!(
        matches!(proving.finish().await, Err(ClientError::Server(error)) if error.code == ErrorCode::Busy)
    );
    timeout(Duration::from_secs(5), closed)
        .await
        .expect("the connection closes with its last request")
        .unwrap();
}

/// A peer that vanished without closing: pings go unanswered, and the requests end.
#[tokio::test]
async fn a_silent_peer_is_given_up() {
    let config = ClientConfig {
        ping_interval: Duration::from_millis(20),
        silence_limit: Duration::from_millis(150),
        reconnects: 0,
        ..ClientConfig::default()
    };
    let client = connected(config, async |mut peer: Peer| {
        peer.request().await;
        let mut pings = 0;
        while let Ok(Some(ClientMessage::Request { request: Request::Ping, .. })) = peer.reader.next().await {
            pings += 1;
        }
        assert!(pings > 2);
    })
    .await;
    let start = Instant::now();
    let proving = client.prove(one_handover(), ProofKind::Stark, None).await.unwrap();
    let error = proving.finish().await.unwrap_err();
    assert!(matches!(error, ClientError::Transport(TransportError::Silent { .. })), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

/// A peer that is there but slow: its pongs keep the request alive.
#[tokio::test]
async fn a_slow_peer_that_answers_pings_is_waited_for() {
    let config = ClientConfig {
        ping_interval: Duration::from_millis(10),
        silence_limit: Duration::from_millis(100),
        ..ClientConfig::default()
    };
    let client = connected(config, async |mut peer: Peer| {
        let (proof, _) = peer.request().await;
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(400) {
            let (id, request) = peer.request().await;
            assert_eq!(request, Request::Ping);
            peer.answer(id, Ok(Response::Pong)).await;
        }
        peer.answer(proof, Err(ServerError::new(ErrorCode::ProverFailed, "made up"))).await;
        peer.drain().await;
    })
    .await;
    let proving = client.prove(one_handover(), ProofKind::Stark, None).await.unwrap();
    let error = proving.finish().await.unwrap_err();
    assert!(matches!(error, ClientError::Server(_)), "{error:?}");
}

/// A server may end the connection with a reason at any time.
#[tokio::test]
async fn a_late_refusal_reaches_every_request() {
    let client = connected(ClientConfig::default(), async |mut peer: Peer| {
        peer.request().await;
        let error = ServerError::new(ErrorCode::ShuttingDown, "going down for maintenance");
        peer.writer.send(&ServerMessage::Refused(error)).await.unwrap();
    })
    .await;
    let error = client.ping().await.unwrap_err();
    assert!(matches!(error, ClientError::Transport(TransportError::Refused(_))), "{error:?}");
    assert!(error.to_string().contains("going down for maintenance"), "{error}");
}

/// Whoever was let in before and is not any more learns why, and does not knock until it may not.
#[tokio::test]
async fn a_server_that_does_not_take_a_client_back_says_why() {
    let doors = Arc::new(AtomicUsize::new(0));
    let count = doors.clone();
    let address = listen_each(move |stream| {
        let count = count.clone();
        async move {
            if count.fetch_add(1, Ordering::SeqCst) == 0 {
                let mut peer = Peer::greet(stream).await;
                peer.request().await;
                return;
            }
            let mut writer = MessageWriter::new(stream, MAX_FRAME);
            let revoked = ServerError::new(ErrorCode::Unauthorized, "this token is not known");
            writer.send(&ServerMessage::Refused(revoked)).await.unwrap();
            let (mut reader, _writer) = writer.into_inner().into_split();
            let _ = tokio::io::copy(&mut reader, &mut tokio::io::sink()).await;
        }
    })
    .await;
    let config = ClientConfig { reconnects: 5, ..ClientConfig::default() };
    let client = Client::connect_with(&address.to_string(), config).await.unwrap();
    let proving = client.prove(one_handover(), ProofKind::Stark, None).await.unwrap();
    match proving.finish().await.unwrap_err() {
        ClientError::Transport(TransportError::Refused(error)) => {
            assert_eq!(error.message, "this token is not known");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(doors.load(Ordering::SeqCst), 2, "asked once more, and not again");
}
