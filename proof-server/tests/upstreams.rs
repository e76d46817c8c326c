//! What an entrypoint makes of what its upstreams say, whose part is played: of servers as they are, and of jobs that others
//! took on.

mod common;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use common::{Client, Server, good_request, played, record, until, worker::Script};
use proof_server::{Config, Role};
use sextant_protocol::{
    ClientMessage, ErrorCode, JobKey, ProofAnswer, ProofKind, ProofRecord, Request, Response, ServerError,
    ServerInfo, ServerMessage, Token, request::ProgramInfo,
};

/// Upstreams that are up.
const UP: &str = "sextant_upstreams{program=\"committee-change\",health=\"up\"}";

/// Asks for a job that somebody else took on.
const FETCH: Request = Request::Fetch { job: JobKey([1; 32]), offset: 0, deadline_ms: 0 };

/// An entrypoint in front of one upstream that takes every proof for true, and has looked at it.
async fn entrypoint(upstream: std::net::SocketAddr, adjust: impl FnOnce(&mut Config)) -> Server {
    let script = Script::for_jobs(&good_request(), "cat $D/verified");
    let server = Server::start_with(Some(script), |config| {
        config.role = Role::Entrypoint;
        config.upstreams.committee_change = vec![upstream.to_string()];
        adjust(config);
    })
    .await;
    until("it has looked at its upstream", common::PATIENCE, async || {
        !server.http("/readyz").await.1.starts_with("warming")
    })
    .await;
    server
}

/// What an upstream answers that is asked about itself.
fn about_itself(message: ClientMessage, info: ServerInfo) -> Option<ServerMessage> {
    match message {
        ClientMessage::Introduction { .. } => Some(played::welcome()),
        ClientMessage::Request { id, request: Request::Info } => {
            Some(ServerMessage::Answer { id, result: Ok(Response::Info(info)) })
        }
        _ => None,
    }
}

/// It may be ready for one program and not for the other, have another build of it, or take nothing.
#[tokio::test]
async fn an_upstream_that_is_not_ready_for_the_program_is_not_asked() {
    let unfit: [fn(&mut ProgramInfo); 5] = [
        |_| {},
        |program| program.ready = false,
        |program| program.program = 2,
        |program| program.vk_hash = [9; 32],
        |program| program.queue_capacity = 0,
    ];
    for (number, change) in unfit.into_iter().enumerate() {
        let there = played::upstream(move |message| {
            let mut info = played::offers(ProofKind::Stark);
            change(&mut info.programs[0]);
            about_itself(message, info)
        });
        let entrypoint = entrypoint(there.await, |_| {}).await;
        let (_, ready) = entrypoint.http("/readyz").await;
        let up = usize::from(number == 0);
        let told = format!("committee-change: {up} of 1 upstreams up");
        assert!(ready.contains(&told), "{number}: {ready}");
        entrypoint.stop().await;
    }
}

/// One that has no place for another connection stays what it was, up or down; any other refusal takes it out.
#[tokio::test]
async fn an_upstream_that_is_full_is_not_down() {
    let refusal = Arc::new(Mutex::new(Some(ErrorCode::Busy)));
    let looks = Arc::new(AtomicUsize::new(0));
    let there = played::upstream({
        let (refusal, looks) = (refusal.clone(), looks.clone());
        move |message| {
            looks.fetch_add(1, Ordering::SeqCst);
            match *refusal.lock().unwrap() {
                Some(code) => Some(ServerMessage::Refused(ServerError::new(code, "no"))),
                None => about_itself(message, played::offers(ProofKind::Stark)),
            }
        }
    });
    let entrypoint = entrypoint(there.await, |_| {}).await;
    let up = async || entrypoint.metric(UP).await == 1.0;
    let looked_at_again = async || {
        let before = looks.load(Ordering::SeqCst);
        until("it is looked at again", common::PATIENCE, async || looks.load(Ordering::SeqCst) > before + 2)
            .await;
    };
    looked_at_again().await;
    assert!(!up().await, "nobody knows yet whether it proves");
    *refusal.lock().unwrap() = None;
    until("it is up", common::PATIENCE, up).await;
    *refusal.lock().unwrap() = Some(ErrorCode::Busy);
    looked_at_again().await;
    assert!(up().await, "it is only full");
    *refusal.lock().unwrap() = Some(ErrorCode::Unauthorized);
    until("it is down", common::PATIENCE, async || !up().await).await;
    entrypoint.stop().await;
}

/// What is passed on says how far it has come, and in whose name: provers count each client of an entrypoint for itself.
#[tokio::test]
async fn what_is_passed_on_says_how_far_it_has_come_and_for_whom() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let there = played::upstream({
        let heard = heard.clone();
        move |message| {
            if let ClientMessage::Introduction { hops, on_behalf, .. } = &message {
                heard.lock().unwrap().push((*hops, on_behalf.clone()));
            }
            if let ClientMessage::Request { id, request: Request::Fetch { .. } | Request::Prove(_) } = message
            {
                let refusal = ServerError::new(ErrorCode::Unsupported, "no");
                return Some(ServerMessage::Answer { id, result: Err(refusal) });
            }
            about_itself(message, played::offers(ProofKind::Stark))
        }
    });
    let known = common::token_file(&[("fleet", "server = true"), ("alice", "")]);
    let entrypoint = entrypoint(there.await, |config| config.token_file = Some(known.path().into())).await;
    for request in [FETCH, good_request()] {
        // One that comes straight, whatever it says, and one of another entrypoint's.
        for (token, on_behalf, expected) in [
            ("alice", "token bob", (1, "token alice")),
            ("fleet", "token carol", (2, "token carol, forwarded")),
        ] {
            let mut client = Client::mute(&entrypoint).await;
            client.send(&common::hello()).await;
            let token = Token(token.into());
            let (on_behalf, traceparent) = (on_behalf.into(), None);
            client.send(&ClientMessage::Introduction { token, hops: 1, on_behalf, traceparent }).await;
            client.welcome().await;
            heard.lock().unwrap().clear();
            client.request(1, request.clone()).await;
            client.error(1).await;
            let mut heard = heard.lock().unwrap();
            // Those that looked at it meanwhile came for nobody.
            heard.retain(|(_, on_behalf)| !on_behalf.is_empty());
            assert_eq!(*heard, [(expected.0, expected.1.to_owned())], "{request:?}");
        }
    }
    let refused = entrypoint.metric("sextant_upstream_requests_total{outcome=\"refused\"}").await;
    assert_eq!(refused, 4.0, "whatever was asked for");
    entrypoint.stop().await;
}

/// Requests that have come as far wait for one job. Those that have not are apart, though they want the same at once: what one
/// of them may still pass through is not what the other may, and one that comes round must not wait for itself.
#[tokio::test]
async fn requests_that_have_come_further_are_another_job() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let there = played::upstream({
        let heard = heard.clone();
        move |message| {
            if let ClientMessage::Introduction { hops, on_behalf, .. } = &message
                && !on_behalf.is_empty()
            {
                heard.lock().unwrap().push(*hops);
            }
            // What is to be proven has no answer.
            about_itself(message, played::offers(ProofKind::Stark))
        }
    });
    let known = common::token_file(&[("fleet", "server = true")]);
    let entrypoint = entrypoint(there.await, |config| config.token_file = Some(known.path().into())).await;
    let mut clients = Vec::new();
    for hops in [1, 1, 0, 0] {
        let mut client = Client::mute(&entrypoint).await;
        client.send(&common::hello()).await;
        let introduction = ClientMessage::Introduction {
            token: Token("fleet".into()),
            hops,
            on_behalf: "token carol".into(),
            traceparent: None,
        };
        client.send(&introduction).await;
        client.welcome().await;
        client.request(1, good_request()).await;
        clients.push(client);
        let found = async |source| {
            entrypoint.metric(&format!("sextant_proofs_found_total{{source=\"{source}\"}}")).await
        };
        let waits = clients.len() as f64;
        until("it waits", common::PATIENCE, async || found("started").await + found("shared").await == waits)
            .await;
    }
    until("both were asked for", common::PATIENCE, async || heard.lock().unwrap().len() == 2).await;
    assert_eq!(*heard.lock().unwrap(), [2, 1], "one for each distance");
    entrypoint.stop().await;
}

/// The name of a job says what its proof must say: a proof of something else is a lie, however true it is.
#[tokio::test]
async fn a_prover_that_shows_the_proof_of_another_job_lies() {
    let liar = played::upstream(|message| {
        let (id, response) = match message {
            ClientMessage::Introduction { .. } => return Some(played::welcome()),
            ClientMessage::Request { id, request: Request::Info } => {
                (id, Response::Info(played::offers(ProofKind::Stark)))
            }
            ClientMessage::Request { id, request: Request::Fetch { job, .. } } => {
                (id, Response::Proof(ProofAnswer::new(&record(), [0; 32], Default::default(), job)))
            }
            _ => return None,
        };
        Some(ServerMessage::Answer { id, result: Ok(response) })
    });
    let entrypoint = entrypoint(liar.await, |_| {}).await;
    let mut client = Client::connect(&entrypoint).await;
    client.request(1, FETCH).await;
    let error = client.error(1).await;
    assert!(error.code == ErrorCode::ProverFailed && error.message.contains("falsely"), "{error}");
    assert_eq!(entrypoint.metric("sextant_upstream_requests_total{outcome=\"lied\"}").await, 1.0);
    entrypoint.stop().await;
}

/// However true a proof is: one of another program, of another kind or of something else is not what was asked for.
#[tokio::test]
async fn a_true_proof_of_something_else_is_a_lie() {
    let other_values = [&record().public_values[..], &[0; 32]].concat();
    for told in [
        ProofRecord { program: 2, ..record() },
        ProofRecord { kind: ProofKind::Compressed, ..record() },
        ProofRecord { public_values: other_values, ..record() },
        record(),
    ] {
        let what = format!("{} by {} of {}", told.kind, told.program, told.public_values.len());
        let is_true = told == record();
        let there = played::upstream(move |message| {
            if let ClientMessage::Request { id, request: Request::Prove(_) } = message {
                let answer = ProofAnswer::new(&told, [7; 32], Default::default(), JobKey([7; 32]));
                return Some(ServerMessage::Answer { id, result: Ok(Response::Proof(answer)) });
            }
            about_itself(message, played::offers(ProofKind::Stark))
        });
        let entrypoint = entrypoint(there.await, |_| {}).await;
        let mut client = Client::connect(&entrypoint).await;
        client.request(1, good_request()).await;
        let (1, result) = client.answer().await else { panic!("an answer") };
        let lies = entrypoint.metric("sextant_upstream_requests_total{outcome=\"lied\"}").await;
        match result {
            Ok(Response::Proof(_)) => assert!(is_true && lies == 0.0, "{what}"),
            Err(error) => {
                assert!(!is_true && lies == 1.0 && error.message.contains("falsely"), "{what}: {error}");
            }
            other => panic!("{other:?}"),
        }
        entrypoint.stop().await;
    }
}

/// What an answer is called besides, the job and the digest of the input, is whoever asked to say: an upstream that calls a true
/// proof by other names misleads nobody.
#[tokio::test]
async fn an_answer_has_the_names_under_which_it_was_asked_for() {
    let there = played::upstream(|message| {
        if let ClientMessage::Request { request: Request::Prove(asked), .. } = &message {
            assert_eq!(asked.vk_hash, Some(record().vk_hash), "by this build of the program and no other");
        }
        if let ClientMessage::Request { id, request: Request::Fetch { .. } | Request::Prove(_) } = message {
            let answer = ProofAnswer::new(&record(), [7; 32], Default::default(), JobKey([7; 32]));
            return Some(ServerMessage::Answer { id, result: Ok(Response::Proof(answer)) });
        }
        about_itself(message, played::offers(ProofKind::Stark))
    });
    let there = there.await;
    let Request::Prove(asked) = good_request() else { unreachable!() };
    let digest = asked.input.digest();
    let first = entrypoint(there, |_| {}).await;
    let mut client = Client::connect(&first).await;
    client.request(1, good_request()).await;
    let (1, Ok(Response::Proof(made))) = client.answer().await else { panic!("a proof") };
    assert_eq!(made.input_digest, digest);
    assert_ne!(made.job, JobKey([7; 32]));
    // As it is kept, for those who come without the input.
    client.request(2, Request::Fetch { job: made.job, offset: 0, deadline_ms: 0 }).await;
    let (2, Ok(Response::Proof(kept))) = client.answer().await else { panic!("a proof") };
    assert_eq!((kept.input_digest, kept.job), (digest, made.job));
    first.stop().await;
    // Asked by its name alone, at a server that has not had it made.
    let second = entrypoint(there, |_| {}).await;
    let mut client = Client::connect(&second).await;
    client.request(1, Request::Fetch { job: made.job, offset: 0, deadline_ms: 0 }).await;
    let (1, Ok(Response::Proof(fetched))) = client.answer().await else { panic!("a proof") };
    assert_eq!(fetched.job, made.job);
    second.stop().await;
}

/// Only what is full for one client may have room for another, and so many are tried: whatever else an upstream says, it says
/// to all who wait.
#[tokio::test]
async fn an_upstream_is_asked_in_other_names_only_while_it_is_full() {
    let names: Vec<String> = (0..10).map(|number| format!("client-{number}")).collect();
    for (code, times) in [(ErrorCode::Busy, 8), (ErrorCode::Unsupported, 1)] {
        let (answer, asked) = (Arc::new(tokio::sync::Notify::new()), Arc::new(AtomicUsize::new(0)));
        let there = played::slow_upstream({
            let (answer, asked) = (answer.clone(), asked.clone());
            move |message| {
                let (answer, asked) = (answer.clone(), asked.clone());
                async move {
                    if let ClientMessage::Request { id, request: Request::Prove(_) } = message {
                        asked.fetch_add(1, Ordering::SeqCst);
                        answer.notified().await;
                        answer.notify_one();
                        return Some(ServerMessage::Answer { id, result: Err(ServerError::new(code, "no")) });
                    }
                    about_itself(message, played::offers(ProofKind::Stark))
                }
            }
        });
        let known: Vec<_> = names.iter().map(|name| (&**name, "")).collect();
        let known = common::token_file(&known);
        let entrypoint =
            entrypoint(there.await, |config| config.token_file = Some(known.path().into())).await;
        let mut waiting = Vec::new();
        for name in &names {
            let mut client = Client::named(&entrypoint, name).await;
            client.request(1, good_request()).await;
            until("it is asked", common::PATIENCE, async || asked.load(Ordering::SeqCst) > 0).await;
            waiting.push(client);
        }
        until("all wait for it", common::PATIENCE, async || {
            entrypoint.metric("sextant_proofs_found_total{source=\"shared\"}").await == 9.0
        })
        .await;
        answer.notify_one();
        for client in &mut waiting {
            assert_eq!(client.error(1).await.code, code);
        }
        assert_eq!(asked.load(Ordering::SeqCst), times, "{code:?}");
        entrypoint.stop().await;
    }
}
