//! One question to one upstream, on a connection of its own: what happens to one request touches no other.

use std::{sync::Arc, time::Duration};

use sextant_link::{AskError, Introduction, Link, LinkConfig, Tls, TransportError};
use sextant_protocol::{ProofAnswer, ProveRequest, Request, Response, ServerInfo, Token, proof::MAX_RECORD};
use tokio::time::timeout;

use super::{failure::Failure, upstream::Upstream};
use crate::{checked::CheckedRequest, programs::AGENT};

/// For a connection to be made and greeted.
const CONNECT: Duration = Duration::from_secs(5);

/// How a connection to an upstream is kept.
const LINK: LinkConfig = LinkConfig {
    ping_interval: Duration::from_secs(10),
    silence_limit: Duration::from_secs(40),
    max_record: MAX_RECORD,
};

/// How upstreams are reached.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) tls: Tls,
    pub(crate) token: Token,
}

/// Asks for a proof by the program with the key `vk_hash`, and passes the steps on. Dropped half-way, the upstream is
/// told to cancel.
pub(super) async fn prove(
    connector: &Connector,
    upstream: &Arc<Upstream>,
    request: &Arc<CheckedRequest>,
    vk_hash: [u8; 32],
) -> Result<ProofAnswer, Failure> {
    // Of those who wait, the one in whose turn it is.
    let on_behalf = request.audience.identities().first().map(ToString::to_string).unwrap_or_default();
    let link = connect(connector, upstream, request.hops + 1, on_behalf).await?;
    // Who waits here keeps their own time, and may be joined by others.
    let asked = ProveRequest { deadline_ms: 0, vk_hash: Some(vk_hash), ..request.request.clone() };
    let mut pending = link.ask(Request::Prove(asked)).map_err(AskError::from)?;
    while let Some(step) = pending.progress().await {
        request.audience.send(step);
    }
    match pending.answer().await? {
        Response::Proof(answer) => Ok(answer),
        _ => Err(Failure::Lied("it answered another question".into())),
    }
}

/// Asks what it runs.
pub(super) async fn info(connector: &Connector, upstream: &Upstream) -> Result<ServerInfo, Failure> {
    // As a client of its own: whom it would forward to does not matter here.
    let link = connect(connector, upstream, 1, String::new()).await?;
    match link.ask(Request::Info).map_err(AskError::from)?.answer().await? {
        Response::Info(info) => Ok(info),
        _ => Err(Failure::Broken("it answered another question".into())),
    }
}

/// Connects and greets. What fails here fails whatever the request is, but for a refusal, which says why.
async fn connect(
    connector: &Connector,
    upstream: &Upstream,
    hops: u32,
    on_behalf: String,
) -> Result<Link, Failure> {
    let introduction = Introduction { agent: AGENT.into(), token: connector.token.clone(), hops, on_behalf };
    let connecting = async {
        let dialed = Link::dial(upstream.address, &upstream.host, connector.tls.clone());
        let (reader, writer) = dialed.await?;
        Link::greet(reader, writer, introduction, &LINK).await
    };
    match timeout(CONNECT, connecting).await {
        Ok(Ok(link)) => Ok(link),
        Ok(Err(TransportError::Refused(error))) => Err(Failure::Refused(error)),
        Ok(Err(error)) => Err(Failure::Unreachable(error.to_string())),
        Err(_) => Err(Failure::Unreachable(format!("no connection within {} s", CONNECT.as_secs()))),
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Server(error) | AskError::Transport(TransportError::Refused(error)) => {
                Self::Refused(error)
            }
            AskError::Transport(error) => Self::Broken(error.to_string()),
            error @ (AskError::TooLarge { .. } | AskError::Checksum) => Self::Lied(error.to_string()),
        }
    }
}
