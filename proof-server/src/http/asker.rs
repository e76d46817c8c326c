//! Who asks, and what is done for them: from here on a request is one of the protocol like any other.

use std::sync::{Arc, PoisonError};

use axum::extract::FromRequestParts;
use hyper::{HeaderMap, header, http::request::Parts};
use sextant_protocol::{ErrorCode, Progress, Request, Response, ServerError, ServerMessage, Token};
use tokio::sync::mpsc;

use super::{Guest, problem::Problem};
use crate::{
    access::Caller,
    account::Account,
    audience::ProgressSender,
    connection::{Context, OUTBOX},
    memory::Held,
    outbox::{Outgoing, Reply},
    traces::Span,
};

/// A client that was let in, with one request.
#[derive(Clone)]
pub(super) struct Asker {
    pub(super) caller: Arc<Caller>,
    pub(super) context: Arc<Context>,
}

/// Steps of a request on their way to whoever made it.
pub(super) struct Steps(mpsc::Receiver<Outgoing>);

impl<S: Sync> FromRequestParts<S> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let token = token(&parts.headers)?;
        let lost = || ServerError::new(ErrorCode::Internal, "the connection is lost");
        let guest = parts.extensions.get::<Guest>().ok_or_else(lost)?;
        let mut visitor = guest.visitor.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody asks over HTTP on behalf of others.
        let caller = visitor.as_mut().ok_or_else(lost)?.admit(token, 0, String::new(), None)?;
        Ok(Self { caller: Arc::new(caller), context: guest.context.clone() })
    }
}

/// The bearer token, where there is one.
fn token(headers: &HeaderMap) -> Result<Token, ServerError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(Token::default()) };
    let bearer = value.to_str().ok().and_then(|value| value.split_once(' '));
    match bearer {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Token(token.trim().into())),
        _ => Err(ServerError::new(ErrorCode::Unauthorized, "the only authorization here is a bearer token")),
    }
}

impl Asker {
    /// Memory for what a request brings.
    pub(super) fn hold(&self) -> Held {
        self.context.memory.hold(&self.caller.identity)
    }

    /// A request that has begun to arrive.
    pub(super) fn account(&self, request: &Request) -> Account {
        let services = &self.context.services;
        Account::new((&services.metrics, &services.traces), &self.caller, request)
    }

    /// Answers a request that is there whole, and tells its steps.
    pub(super) async fn answer(
        self,
        request: Request,
        steps: ProgressSender,
        held: Held,
        span: Span,
    ) -> Result<Reply, ServerError> {
        self.context.services.answer(request, &self.caller, steps, held, &span).await
    }

    /// Answers a request that brings nothing and has no steps.
    pub(super) async fn ask(self, request: Request) -> Result<Response, Problem> {
        let (account, held) = (self.account(&request), self.hold());
        let result = self.answer(request, ProgressSender::nobody(), held, account.span()).await;
        account.close(result.as_ref().err());
        small(result?)
    }
}

/// An answer that is not a proof.
pub(super) fn small(reply: Reply) -> Result<Response, Problem> {
    match reply {
        Reply::Response(response) => Ok(response),
        Reply::Proof(..) => Err(unexpected().into()),
    }
}

/// What no request of this side is answered with.
pub(super) fn unexpected() -> ServerError {
    ServerError::new(ErrorCode::Internal, "an answer to another question")
}

impl Steps {
    pub(super) fn new() -> (ProgressSender, Self) {
        let (sender, steps) = mpsc::channel(OUTBOX);
        (ProgressSender::new(0, sender), Self(steps))
    }

    /// The next one; `None` when there are no more. Safe to drop half-way.
    pub(super) async fn next(&mut self) -> Option<Progress> {
        loop {
            if let Outgoing::Message(ServerMessage::Progress { progress, .. }) = self.0.recv().await? {
                return Some(progress);
            }
        }
    }
}
