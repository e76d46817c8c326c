//! One request as it is counted, logged and traced: one line, one count and one span, whatever becomes of it.

use std::{sync::Arc, time::Instant};

use sextant_protocol::{Request, ServerError, proof::ProofView};
use sha2::{Digest, Sha256};

use crate::{
    access::Caller,
    metrics::{Metrics, Work},
    traces::{Span, Traces},
};

/// A request that was made.
pub(crate) struct Account {
    metrics: Arc<Metrics>,
    caller: Arc<Caller>,
    since: Instant,
    request: &'static str,
    work: Work,
    /// The beginning of the digest that names what it is about, the same on every server that the request passes.
    job: String,
    /// Of a request for a proof.
    span: Span,
}

impl Account {
    /// Opens it.
    pub(crate) fn new(
        (metrics, traces): (&Arc<Metrics>, &Traces),
        caller: &Arc<Caller>,
        request: &Request,
    ) -> Self {
        let (name, work) = match request {
            Request::Prove(request) => ("prove", Work::new(request.input.program, request.kind)),
            Request::Submit(request) => ("submit", Work::new(request.input.program, request.kind)),
            Request::Fetch { .. } => ("fetch", Work::default()),
            Request::Withdraw { .. } => ("withdraw", Work::default()),
            Request::Verify { .. } => ("verify", Work::default()),
            // What they are about is known when they are there whole.
            Request::Wrap(_) => ("wrap", Work::default()),
            Request::SubmitWrap(_) => ("submit_wrap", Work::default()),
            Request::Bundle(request) => ("bundle", Work::new(request.program, request.kind)),
            Request::SubmitBundle(request) => ("submit_bundle", Work::new(request.program, request.kind)),
            Request::Info => ("info", Work::default()),
            Request::Ping => ("ping", Work::default()),
            Request::Unknown(_) => ("unknown", Work::default()),
        };
        let (metrics, caller) = (metrics.clone(), caller.clone());
        let span = match request {
            Request::Prove(_)
            | Request::Submit(_)
            | Request::Wrap(_)
            | Request::SubmitWrap(_)
            | Request::Bundle(_)
            | Request::SubmitBundle(_) => traces.request(name, caller.within),
            _ => Span::default(),
        };
        Self { metrics, caller, since: Instant::now(), request: name, work, job: String::new(), span }
    }

    /// Below it belongs what is done for the request.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// The request is there whole.
    pub(crate) fn arrived(&mut self, request: &Request) {
        match request {
            Request::Prove(request) | Request::Submit(request) => {
                self.job = hex::encode(&request.input.digest()[..8]);
            }
            Request::Bundle(request) | Request::SubmitBundle(request) => {
                self.job = hex::encode(&Sha256::digest(&request.records)[..8]);
            }
            Request::Wrap(request) | Request::SubmitWrap(request) => {
                self.job = hex::encode(&Sha256::digest(&request.record)[..8]);
                if let Ok(proof) = ProofView::of(&request.record) {
                    self.work = Work::new(proof.program, request.kind);
                }
            }
            _ => {}
        }
    }

    /// Closes it with what was answered.
    pub(crate) fn close(self, error: Option<&ServerError>) {
        let took = self.since.elapsed();
        let code = error.map(|error| error.code);
        let outcome =
            self.metrics.answered(self.request, self.work, self.caller.identity.account(), code, took);
        self.span.set("sextant.program", self.work.program());
        self.span.set("sextant.kind", self.work.kind());
        self.span.set("sextant.hops", self.caller.hops);
        self.span.end(outcome);
        let (client, request, ms) = (&self.caller.identity, self.request, crate::time::millis(took));
        let (program, kind, job) = (self.work.program(), self.work.kind(), self.job.as_str());
        let reason = error.map(|error| error.message.as_str()).unwrap_or_default();
        match request {
            // Health checks, every few seconds.
            "info" | "ping" => tracing::debug!(%client, request, outcome, ms, "request"),
            _ => tracing::info!(%client, request, program, kind, job, outcome, ms, reason, "request"),
        }
    }
}
