//! One question to one upstream, on a connection of its own: what happens to one request touches no other.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use sextant_consensus::Program;
use sextant_link::{AskError, Introduction, Link, LinkConfig, Tls, TransportError, is_this_machine};
use sextant_protocol::{
    BundleRequest, ErrorCode, JobKey, Progress, ProofAnswer, ProveRequest, Request, Response, ServerError,
    ServerInfo, Token, WrapRequest,
    message::{BUNDLE, CHAIN, WRAP},
    proof::MAX_RECORD,
};
use tokio::time::timeout;

use super::{failure::Failure, upstream::Upstream};
use crate::{
    access::{Caller, Identity},
    checked::{CheckedRequest, Source},
    made::ProofKey,
    programs::AGENT,
    traces::Trace,
};

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
    /// Whether the token may cross a network without TLS.
    pub(crate) allow_plain: bool,
}

impl Connector {
    /// Whether whoever is there may be told the token. Names were looked at when the server started, and may stand for
    /// another machine by now.
    fn check_token(&self, address: SocketAddr) -> Result<(), Failure> {
        let safe =
            self.token.0.is_empty() || self.tls.is_some() || self.allow_plain || is_this_machine(&[address]);
        if safe {
            return Ok(());
        }
        let reason = "the token would cross the network in the clear: speak TLS (--upstream-ca FILE), or say \
                      --allow-plain-secrets";
        Err(Failure::Unreachable(reason.into()))
    }
}

/// Asks for a proof by the program pinned here, for one of those who wait, and passes the steps on. Dropped half-way,
/// the upstream is told to cancel.
pub(super) async fn prove(
    connector: &Connector,
    upstream: &Upstream,
    request: &CheckedRequest,
    on_behalf: &Identity,
    trace: &Trace,
) -> Result<ProofAnswer, Failure> {
    let link = connect(connector, upstream, request.hops + 1, on_behalf.to_string(), trace).await?;
    proof(&link, question(request, &link)?, |step| request.audience.send(step)).await
}

/// Asks for the proof of a job that somebody else has asked it for, and passes the steps on.
pub(super) async fn fetch(
    connector: &Connector,
    upstream: &Upstream,
    job: JobKey,
    caller: &Caller,
    on_step: impl Fn(Progress),
) -> Result<ProofAnswer, Failure> {
    let link =
        connect(connector, upstream, caller.hops + 1, caller.identity.to_string(), &Trace::default()).await?;
    // Who waits here keeps their own time.
    proof(&link, Request::Fetch { job, offset: 0, deadline_ms: 0 }, on_step).await
}

async fn proof(link: &Link, request: Request, on_step: impl Fn(Progress)) -> Result<ProofAnswer, Failure> {
    let mut pending = link.ask(request).map_err(AskError::from)?;
    while let Some(step) = pending.progress().await {
        on_step(step);
    }
    match pending.answer().await? {
        Response::Proof(answer) => Ok(answer),
        _ => Err(Failure::Lied("it answered another question".into())),
    }
}

/// What the server at the other end of `link` is asked. Who waits here keeps their own time, and may be joined by others.
fn question(request: &CheckedRequest, link: &Link) -> Result<Request, Failure> {
    let ProofKey { vk_hash, kind, .. } = request.expected.key;
    let knows = |wanted: &str| link.capabilities().iter().any(|capability| capability == wanted);
    let knows_how = knows(WRAP);
    let unable = |message| Err(Failure::Refused(ServerError::new(ErrorCode::Unsupported, message)));
    let wrap = |record: &Bytes| WrapRequest { record: record.to_vec(), kind, deadline_ms: 0, more: 0 };
    match (&request.source, &request.compressed) {
        (Source::Compressed(record), _) if knows_how => Ok(Request::Wrap(wrap(record))),
        (Source::Compressed(_), _) => {
            unable("the prover behind this server does not know how to wrap proofs")
        }
        (Source::Statement { .. } | Source::Proofs { .. }, Some(record)) if knows_how => {
            Ok(Request::Wrap(wrap(record)))
        }
        (Source::Statement { input, .. }, _) => {
            let asked = ProveRequest { vk_hash: Some(vk_hash), ..ProveRequest::new(input.clone(), kind) };
            Ok(Request::Prove(asked))
        }
        (Source::Proofs { proofs, .. }, _) => {
            let program = request.expected.program;
            if !knows(if program == Program::Chain { CHAIN } else { BUNDLE }) {
                return unable("the prover behind this server does not know how to prove that proofs hold");
            }
            let (records, vk_hash, program) = (proofs.to_vec(), Some(vk_hash), program.tag());
            Ok(Request::Bundle(BundleRequest { records, kind, deadline_ms: 0, vk_hash, more: 0, program }))
        }
    }
}

/// Asks what it runs.
pub(super) async fn info(connector: &Connector, upstream: &Upstream) -> Result<ServerInfo, Failure> {
    // As a client of its own: whom it would forward to does not matter here.
    let link = connect(connector, upstream, 1, String::new(), &Trace::default()).await?;
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
    trace: &Trace,
) -> Result<Link, Failure> {
    connector.check_token(upstream.address)?;
    let (agent, token) = (AGENT.into(), connector.token.clone());
    let introduction = Introduction { agent, token, hops, on_behalf, traceparent: trace.traceparent() };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_stands_for_another_machine_by_now_is_not_told_the_token() {
        let bare = Connector { tls: None, token: Token("secret".into()), allow_plain: false };
        let [here, there] = ["127.0.0.1:7100", "192.0.2.7:7100"].map(|address| address.parse().unwrap());
        assert!(bare.check_token(here).is_ok());
        assert!(matches!(bare.check_token(there), Err(Failure::Unreachable(_))));
        let nothing = Connector { token: Token::default(), ..bare.clone() };
        let allowed = Connector { allow_plain: true, ..bare };
        assert!(nothing.check_token(there).is_ok() && allowed.check_token(there).is_ok());
    }
}
