//! How often a request may be passed on: a server that forwards to itself, and servers in a circle. Provers are scripts, so are
//! verification workers.

mod common;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use common::{Client, Server, good_request, introduction, server_tokens, until, worker::Script};
use proof_server::{Config, Role};
use sextant_protocol::{ClientMessage, ErrorCode, ProofKind, Request, Response, ServerError, ServerMessage};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// An address for a server that is not started yet, and where to say what it leads to.
async fn detour() -> (SocketAddr, watch::Sender<Option<SocketAddr>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (leads, to) = watch::channel(None);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut to = to.clone();
            tokio::spawn(async move {
                let Some(there) = to.wait_for(Option::is_some).await.ok().and_then(|there| *there) else {
                    return;
                };
                let Ok(mut far) = TcpStream::connect(there).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    (address, leads)
}

/// An entrypoint that was told to forward to itself, and to nobody else, knows of no prover.
#[tokio::test]
async fn a_server_that_forwards_to_itself_alone_is_not_ready() {
    let (address, leads) = detour().await;
    let entrypoint = Server::start(Some(common::HANGS), |config| {
        config.role = Role::Entrypoint;
        config.upstreams.committee_change = vec![address.to_string()];
    })
    .await;
    leads.send_replace(Some(entrypoint.address));
    let looked = "it has asked itself what it makes";
    let answered = "sextant_requests_total{request=\"info\",outcome=\"ok\"}";
    until(looked, common::PATIENCE, async || entrypoint.metric(answered).await > 1.0).await;
    let (status, reason) = entrypoint.http("/readyz").await;
    assert!(status == 503 && reason.contains("no upstream for committee-change is up"), "{reason}");
    let mut client = Client::connect(&entrypoint).await;
    client.request(1, good_request()).await;
    assert_eq!(client.error(1).await.code, ErrorCode::Busy);
    entrypoint.stop().await;
}

/// One that forwards to itself besides a prover asks itself as often as a request may be passed on, and no more.
#[tokio::test]
async fn a_server_that_forwards_to_itself_among_others_comes_to_an_end() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let prover = common::played::upstream({
        let heard = heard.clone();
        move |message| match message {
            ClientMessage::Introduction { hops, on_behalf, .. } => {
                // Whoever only looks comes for nobody.
                if !on_behalf.is_empty() {
                    heard.lock().unwrap().push(hops);
                }
                Some(common::played::welcome())
            }
            ClientMessage::Request { id, request: Request::Info } => {
                let info = Response::Info(common::played::offers(ProofKind::Stark));
                Some(ServerMessage::Answer { id, result: Ok(info) })
            }
            ClientMessage::Request { id, .. } => {
                let full = ServerError::retryable(ErrorCode::Busy, "full", 1);
                Some(ServerMessage::Answer { id, result: Err(full) })
            }
            _ => None,
        }
    })
    .await;
    let ((address, leads), (known, token)) = (detour().await, server_tokens());
    let entrypoint = Server::start(Some(common::HANGS), |config| {
        config.role = Role::Entrypoint;
        config.token_file = Some(known.path().into());
        config.upstreams.token_file = Some(token.path().into());
        config.upstreams.committee_change = vec![prover.to_string(), address.to_string()];
    })
    .await;
    leads.send_replace(Some(entrypoint.address));
    until("it knows both", common::PATIENCE, async || {
        entrypoint.http("/readyz").await.1.contains("2 of 2 upstreams up")
    })
    .await;
    let mut client = Client::connect(&entrypoint).await;
    client.request(1, good_request()).await;
    assert_eq!(client.error(1).await.code, ErrorCode::Busy, "as the prover says");
    let mut heard = heard.lock().unwrap().clone();
    heard.sort_unstable();
    assert_eq!(heard, [1, 2, 3], "straight, and by one and by two turns");
    entrypoint.stop().await;
}

#[tokio::test]
async fn servers_in_a_circle_do_not_forward_for_ever() {
    // An entrypoint whose upstream is an entrypoint whose upstream proves: as many servers as are allowed.
    let (known, token) = server_tokens();
    let closed = |config: &mut Config| {
        (config.token_file, config.anonymous) = (Some(known.path().into()), false);
        config.upstreams.token_file = Some(token.path().into());
    };
    let forwards_to = |upstream: &Server| {
        let names = vec![upstream.address.to_string()];
        move |config: &mut Config| {
            config.role = Role::Entrypoint;
            config.upstreams.committee_change = names;
        }
    };
    let verifies = || Some(Script::for_jobs(&good_request(), "cat $D/verified"));
    let prover = Server::start_with(Some(Script::for_jobs(&good_request(), "cat $D/proved")), |config| {
        config.role = Role::CommitteeChange;
        closed(config);
    })
    .await;
    let to_prover = forwards_to(&prover);
    let inner = Server::start_with(verifies(), |config| {
        to_prover(config);
        closed(config);
    })
    .await;
    let to_inner = forwards_to(&inner);
    let outer = Server::start_with(verifies(), |config| {
        to_inner(config);
        config.upstreams.token_file = Some(token.path().into());
    })
    .await;
    until("it is ready", common::PATIENCE, async || outer.http("/readyz").await.0 == 200).await;
    let mut client = Client::connect(&outer).await;
    client.request(1, good_request()).await;
    assert!(matches!(client.answer().await, (1, Ok(Response::Proof { .. }))), "two servers are fine");
    // A third one before it would be too many: the innermost says so.
    let mut far = Client::mute(&prover).await;
    far.send(&common::hello()).await;
    far.send(&introduction("fleet", 3)).await;
    assert_eq!(far.refusal().await.code, ErrorCode::Unsupported);
    for server in [outer, inner, prover] {
        server.stop().await;
    }
}
