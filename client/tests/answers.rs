//! Prove requests and the answers to them: nothing a server says is believed.

mod fake;

use std::time::Duration;

use fake::{Peer, answer_with, claiming, connected, one_handover, quick};
use futures::StreamExt;
use sextant_client::{
    AnswerError, CheckedInput, Client, ClientConfig, ClientError, NotOffered, Progress, ProofKind,
    ProofRecord, ServerError, StatementInput, Submitted,
};
use sextant_consensus::{Program, codec};
use sextant_protocol::{ErrorCode, JobKey, Request, Response, ServerMessage, parts::PART};
use tokio::net::TcpListener;

#[tokio::test]
async fn an_answer_to_another_question_is_refused() {
    let client = connected(ClientConfig::default(), async |mut peer| {
        let (id, _) = peer.request().await;
        peer.answer(id, Ok(Response::Verified)).await;
        let (id, _) = peer.request().await;
        peer.answer(id, Ok(Response::Pong)).await;
        peer.drain().await;
    })
    .await;
    let error = client.ping().await.unwrap_err();
    assert!(matches!(error, ClientError::Answer(AnswerError::Unexpected { .. })), "{error:?}");
    let proving = client.prove(one_handover(), ProofKind::Stark, None).await.unwrap();
    let error = proving.finish().await.unwrap_err();
    assert!(matches!(error, ClientError::Answer(AnswerError::Unexpected { .. })), "{error:?}");
}

#[tokio::test]
async fn the_clients_own_clock_ends_a_proof_that_never_comes() {
    let client = connected(quick(), async |mut peer: Peer| {
        let (id, request) = peer.request().await;
        let Request::Prove(prove) = request else { panic!("{request:?}") };
        assert_eq!(prove.deadline_ms, 50);
        peer.progress(id, Progress::Queued { position: 3 }).await;
        assert_eq!(peer.cancelled().await, id);
        peer.drain().await;
    })
    .await;
    let limit = Duration::from_millis(50);
    let mut proving = client.prove(one_handover(), ProofKind::Stark, Some(limit)).await.unwrap();
    let steps: Vec<_> = proving.progress().collect().await;
    assert_eq!(steps, [Progress::Queued { position: 3 }]);
    let error = proving.finish().await.unwrap_err();
    assert!(matches!(error, ClientError::Deadline(late) if late.what == "proof"), "{error:?}");
}

#[tokio::test]
async fn dropping_a_proof_request_cancels_it_and_nothing_else() {
    let client = connected(ClientConfig::default(), async |mut peer: Peer| {
        let (first, _) = peer.request().await;
        let (second, _) = peer.request().await;
        assert_ne!(first, second);
        assert_eq!(peer.cancelled().await, first);
        peer.answer(first, Err(ServerError::new(ErrorCode::Cancelled, "cancelled"))).await;
        peer.progress(second, Progress::Done).await;
        peer.answer(second, Err(ServerError::new(ErrorCode::ProverFailed, "out of memory"))).await;
        peer.drain().await;
    })
    .await;
    let first = client.prove(one_handover(), ProofKind::Stark, None).await.unwrap();
    let mut second = client.prove(one_handover(), ProofKind::Stark, None).await.unwrap();
    drop(first);
    assert_eq!(second.next_progress().await, Some(Progress::Done));
    match second.finish().await.unwrap_err() {
        ClientError::Server(error) => assert_eq!(error.code, ErrorCode::ProverFailed),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn progress_comes_in_order_and_ends_with_the_answer() {
    let steps = [
        Progress::Checking,
        Progress::Queued { position: 0 },
        Progress::Preparing,
        Progress::Executing { cycles: 7 },
        Progress::Proving { done: 1, total: 2 },
        Progress::Verifying,
        Progress::Done,
    ];
    let client = connected(ClientConfig::default(), async move |mut peer: Peer| {
        let (id, _) = peer.request().await;
        for step in steps {
            peer.progress(id, step).await;
        }
        peer.answer(id, Err(ServerError::new(ErrorCode::Internal, "made up"))).await;
        peer.drain().await;
    })
    .await;
    let mut proving = client.prove(one_handover(), ProofKind::Stark, None).await.unwrap();
    assert_eq!(proving.progress().collect::<Vec<_>>().await, steps);
    assert!(proving.finish().await.is_err());
}

/// A flood of events for a client that does not read them costs bounded memory, and not the answer.
#[tokio::test]
async fn a_flood_of_progress_does_not_hold_the_answer_up() {
    let client = connected(ClientConfig::default(), async |mut peer: Peer| {
        let (id, _) = peer.request().await;
        for cycles in 0..5000 {
            peer.progress(id, Progress::Executing { cycles }).await;
        }
        peer.answer(id, Err(ServerError::new(ErrorCode::Internal, "made up"))).await;
        peer.drain().await;
    })
    .await;
    let proving = client.prove(one_handover(), ProofKind::Stark, None).await.unwrap();
    assert!(matches!(proving.finish().await, Err(ClientError::Server(_))));
}

/// What comes back for one handover when the server answers with an edited proof.
async fn answered(edit: impl FnOnce(&mut ProofRecord) + Send + 'static) -> AnswerError {
    let client = connected(ClientConfig::default(), async move |mut peer: Peer| {
        let (id, request) = peer.request().await;
        let Request::Prove(prove) = request else { panic!("{request:?}") };
        let mut proof = claiming(&prove.input, prove.kind);
        edit(&mut proof);
        peer.answer(id, Ok(answer_with(&proof, &prove.input))).await;
        peer.drain().await;
    })
    .await;
    let proving = client.prove(one_handover(), ProofKind::Compressed, None).await.unwrap();
    match proving.finish().await {
        Err(ClientError::Answer(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// A job that was left with a server is asked for by its name, and what comes compared with what was asked for first.
#[tokio::test]
async fn what_was_submitted_is_fetched_by_its_name() {
    let two = || {
        let two = codec::encode(&sextant_fixtures::committee_change(2));
        StatementInput::new(Program::CommitteeChange, two)
    };
    let client = connected(ClientConfig::default(), async move |mut peer: Peer| {
        let (id, Request::Submit(asked)) = peer.request().await else { panic!("a submission") };
        assert_eq!((asked.kind, asked.deadline_ms), (ProofKind::Stark, 60_000));
        peer.answer(id, Ok(Response::Submitted { job: JobKey([9; 32]), kept_s: 60 })).await;
        for input in [asked.input, two()] {
            let (id, Request::Fetch { job: JobKey([9, ..]), offset: 0, .. }) = peer.request().await else {
                panic!("the job's proof")
            };
            peer.answer(id, Ok(answer_with(&claiming(&input, ProofKind::Stark), &input))).await;
        }
        peer.drain().await;
    })
    .await;
    let checked = CheckedInput::check(one_handover()).await.unwrap();
    let submitted = client.submit(checked.clone(), ProofKind::Stark, Some(Duration::from_secs(60)));
    let Submitted { job, kept } = submitted.await.unwrap();
    assert_eq!((job, kept), (JobKey([9; 32]), Duration::from_secs(60)));
    let fetched = async || client.fetch(job, checked.clone(), ProofKind::Stark, None).unwrap().finish().await;
    // It says what was asked for; that it is no proof is found out next.
    let said = fetched().await;
    assert!(matches!(said, Err(ClientError::Answer(AnswerError::Verify(_)))), "{said:?}");
    let other = fetched().await;
    assert!(matches!(other, Err(ClientError::Answer(AnswerError::PublicValues { .. }))), "{other:?}");
}

#[tokio::test]
async fn a_swapped_proof_is_refused() {
    let error = answered(|proof| proof.program = Program::Inclusion.tag()).await;
    assert!(matches!(error, AnswerError::Program { got: 2, .. }), "{error:?}");

    let error = answered(|proof| proof.kind = ProofKind::Stark).await;
    assert!(matches!(error, AnswerError::Kind { .. }), "{error:?}");

    // The proof of another true statement.
    let error = answered(|proof| {
        let two = codec::encode(&sextant_fixtures::committee_change(2));
        *proof = claiming(&StatementInput::new(Program::CommitteeChange, two), ProofKind::Compressed);
    })
    .await;
    assert!(matches!(error, AnswerError::PublicValues { .. }), "{error:?}");

    let error = answered(|proof| proof.public_values.truncate(32)).await;
    assert!(matches!(error, AnswerError::PublicValues { at: 32 }), "{error:?}");
}

/// Right in everything but the proof itself.
#[tokio::test]
async fn a_worthless_proof_is_refused() {
    let error = answered(|_| {}).await;
    assert!(matches!(error, AnswerError::Verify(_)), "{error:?}");
}

#[tokio::test]
async fn a_false_statement_is_never_sent() {
    let client = connected(ClientConfig::default(), async |mut peer: Peer| match peer.reader.next().await {
        Ok(None) => {}
        other => panic!("nothing was to be sent: {other:?}"),
    })
    .await;
    let mut input = sextant_fixtures::committee_change(1);
    input.signer_committee_root[0] ^= 1;
    let input = StatementInput::new(Program::CommitteeChange, codec::encode(&input));
    let error = client.prove(input, ProofKind::Stark, None).await.unwrap_err();
    assert!(matches!(error, ClientError::Check(_)), "{error:?}");
    let garbage = StatementInput::new(Program::Inclusion, vec![1, 2, 3]);
    let error = client.prove(garbage, ProofKind::Stark, None).await.unwrap_err();
    assert!(matches!(error, ClientError::Check(_)), "{error:?}");
    let unknown = StatementInput { program: 9, bytes: Vec::new() };
    let error = client.prove(unknown, ProofKind::Stark, None).await.unwrap_err();
    assert!(error.to_string().contains("no program has tag 9"), "{error}");
}

/// What the server would refuse for its size stays here; the server is asked once what it takes.
#[tokio::test]
async fn an_input_over_the_servers_limit_is_never_sent() {
    let size = one_handover().bytes.len() as u64;
    let client = connected(ClientConfig::default(), async move |mut peer: Peer| {
        peer.info.limits.input = size;
        let (id, prove) = peer.prove_request().await;
        assert_eq!(prove.input, one_handover());
        peer.answer(id, Err(ServerError::new(ErrorCode::ProverFailed, "made up"))).await;
        match peer.reader.next().await {
            Ok(None) => {}
            other => panic!("nothing was to be sent: {other:?}"),
        }
    })
    .await;
    let proving = client.prove(one_handover(), ProofKind::Stark, None).await.unwrap();
    assert!(matches!(proving.finish().await, Err(ClientError::Server(_))));
    let two = codec::encode(&sextant_fixtures::committee_change(2));
    let two = StatementInput::new(Program::CommitteeChange, two);
    let checked = CheckedInput::check(two.clone()).await.unwrap();
    for error in [
        client.prove(two.clone(), ProofKind::Stark, None).await.unwrap_err(),
        client.submit(checked, ProofKind::Stark, None).await.unwrap_err(),
    ] {
        let ClientError::NotOffered(NotOffered::Size(error)) = error else { panic!("{error:?}") };
        assert_eq!((error.got, error.limit), (two.bytes.len() as u64, size));
        assert!(error.to_string().contains("fewer handovers (2 take "), "{error}");
    }
}

/// After a broken connection there may be another server, which takes less than the one before.
#[tokio::test]
async fn a_new_connection_is_asked_what_it_takes() {
    let size = one_handover().bytes.len() as u64;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = tokio::spawn(async move {
        let mut peer = Peer::greet(listener.accept().await.unwrap().0).await;
        peer.info.limits.input = size;
        peer.prove_request().await;
        drop(peer);
        let mut peer = Peer::greet(listener.accept().await.unwrap().0).await;
        peer.info.limits.input = size - 1;
        let (id, asked) = peer.any_request().await;
        assert_eq!(asked, Request::Info);
        peer.answer(id, Ok(Response::Info(peer.info.clone()))).await;
        match peer.reader.next().await {
            Ok(None) => {}
            other => panic!("nothing was to be sent: {other:?}"),
        }
    });
    let client = Client::connect(&address).await.unwrap();
    let error =
        client.prove(one_handover(), ProofKind::Stark, None).await.unwrap().finish().await.unwrap_err();
    let ClientError::NotOffered(NotOffered::Size(error)) = error else { panic!("{error:?}") };
    assert_eq!((error.got, error.limit), (size, size - 1));
    server.await.unwrap();
}

/// The connection breaks in the middle of a proof: a new one brings the rest, and no more.
#[tokio::test]
async fn a_broken_download_goes_on_where_it_broke() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = tokio::spawn(async move {
        let mut peer = Peer::greet(listener.accept().await.unwrap().0).await;
        let (id, prove) = peer.prove_request().await;
        let mut proof = claiming(&prove.input, prove.kind);
        proof.proof = vec![9; 3 * PART];
        let Response::Proof(whole) = answer_with(&proof, &prove.input) else { unreachable!() };
        let mut answer = whole.clone();
        let mut parts = answer.split(0);
        peer.answer(id, Ok(Response::Proof(answer))).await;
        let (offset, bytes) = parts.next().unwrap();
        peer.writer.send(&ServerMessage::Part { id, offset, bytes }).await.unwrap();
        // Says good-bye after it, so that what was sent arrives.
        drop(peer);

        let mut peer = Peer::greet(listener.accept().await.unwrap().0).await;
        let (id, Request::Fetch { job, offset, .. }) = peer.request().await else {
            panic!("a fetch was due")
        };
        assert_eq!((job, offset), (whole.job, 2 * PART as u64));
        let mut answer = whole;
        let parts = answer.split(offset);
        peer.answer(id, Ok(Response::Proof(answer))).await;
        for (offset, bytes) in parts {
            peer.writer.send(&ServerMessage::Part { id, offset, bytes }).await.unwrap();
        }
        peer.drain().await;
    });
    let client = Client::connect(&address).await.unwrap();
    let proving = client.prove(one_handover(), ProofKind::Stark, None).await.unwrap();
    // It is whole, and worthless.
    let error = proving.finish().await.unwrap_err();
    assert!(matches!(error, ClientError::Answer(AnswerError::Verify(_))), "{error:?}");
    drop(client);
    server.await.unwrap();
}

/// A server that has forgotten the job, or has another proof of it, is asked for the whole.
#[tokio::test]
async fn a_forgotten_download_begins_again() {
    for forgotten in [true, false] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(async move {
            let mut peer = Peer::greet(listener.accept().await.unwrap().0).await;
            let (id, prove) = peer.prove_request().await;
            let mut proof = claiming(&prove.input, prove.kind);
            proof.proof = vec![9; 2 * PART];
            let Response::Proof(mut answer) = answer_with(&proof, &prove.input) else { unreachable!() };
            drop(answer.split(0));
            peer.answer(id, Ok(Response::Proof(answer))).await;
            drop(peer);

            let mut peer = Peer::greet(listener.accept().await.unwrap().0).await;
            let (id, Request::Fetch { offset, .. }) = peer.request().await else { panic!("a fetch was due") };
            if forgotten {
                peer.answer(id, Err(ServerError::new(ErrorCode::UnknownJob, "gone"))).await;
            } else {
                proof.proof[0] ^= 1;
                let Response::Proof(mut answer) = answer_with(&proof, &prove.input) else { unreachable!() };
                drop(answer.split(offset));
                answer.more = 0;
                peer.answer(id, Ok(Response::Proof(answer))).await;
            }
            let mut peer = Peer::greet(listener.accept().await.unwrap().0).await;
            let (id, again) = peer.prove_request().await;
            assert_eq!(again, prove);
            peer.answer(id, Err(ServerError::new(ErrorCode::ProverFailed, "made up"))).await;
            peer.drain().await;
        });
        let client = Client::connect(&address).await.unwrap();
        let proving = client.prove(one_handover(), ProofKind::Stark, None).await.unwrap();
        let error = proving.finish().await.unwrap_err();
        assert!(matches!(error, ClientError::Server(error) if error.code == ErrorCode::ProverFailed));
        drop(client);
        server.await.unwrap();
    }
}

/// What is announced over the client's own limit ends that request, and no other.
#[tokio::test]
async fn a_proof_over_the_limit_is_an_error_of_its_request() {
    let config = ClientConfig { max_record: 1 << 20, ..ClientConfig::default() };
    let client = connected(config, async |mut peer: Peer| {
        let (id, prove) = peer.prove_request().await;
        let proof = claiming(&prove.input, prove.kind);
        let Response::Proof(mut answer) = answer_with(&proof, &prove.input) else { unreachable!() };
        answer.more = 1 << 20;
        peer.answer(id, Ok(Response::Proof(answer))).await;
        assert_eq!(peer.cancelled().await, id);
        // A part that was on its way already.
        let bytes = vec![0; 10].into();
        peer.writer.send(&ServerMessage::Part { id, offset: 1000, bytes }).await.unwrap();
        let (id, _) = peer.request().await;
        peer.answer(id, Ok(Response::Pong)).await;
        peer.drain().await;
    })
    .await;
    let proving = client.prove(one_handover(), ProofKind::Stark, None).await.unwrap();
    let error = proving.finish().await.unwrap_err();
    assert!(matches!(error, ClientError::Answer(AnswerError::TooLarge { limit: 1048576, .. })), "{error:?}");
    client.ping().await.unwrap();
}

/// A proof that is not the one of which the hash was announced.
#[tokio::test]
async fn a_damaged_download_is_refused() {
    let client = connected(ClientConfig::default(), async |mut peer: Peer| {
        let (id, prove) = peer.prove_request().await;
        let proof = claiming(&prove.input, prove.kind);
        let Response::Proof(mut answer) = answer_with(&proof, &prove.input) else { unreachable!() };
        answer.sha256[0] ^= 1;
        peer.answer(id, Ok(Response::Proof(answer))).await;
        peer.drain().await;
    })
    .await;
    let proving = client.prove(one_handover(), ProofKind::Stark, None).await.unwrap();
    let error = proving.finish().await.unwrap_err();
    assert!(matches!(error, ClientError::Answer(AnswerError::Checksum)), "{error:?}");
}
