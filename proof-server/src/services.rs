//! What the server offers, by request: the sub-servers, verification, and facts about itself.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sextant_artifacts::CIRCUIT_VERSION;
use sextant_consensus::Program;
use sextant_protocol::{ErrorCode, ProofKind, ProveRequest, Request, Response, ServerError, ServerInfo};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

use crate::{
    access::Caller,
    audience::ProgressSender,
    budget::{Budgets, OpenRequest},
    control::Control,
    errors::shutting_down,
    metrics::Metrics,
    outbox::Reply,
    programs::AGENT,
    readiness::Readiness,
    sub_server::SubServer,
    verification::Verification,
};

/// Everything a connection can ask for.
pub(crate) struct Services {
    /// Those that this server's role has.
    pub(crate) sub_servers: Vec<Arc<SubServer>>,
    pub(crate) verification: Arc<Verification>,
    pub(crate) budgets: Arc<Budgets>,
    pub(crate) max_deadline: Duration,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) control: Control,
}

impl Services {
    /// Answers one request. Dropped half-way, whatever nobody else waits for ends. `buffer` is held as long as the
    /// request's bytes are.
    pub(crate) async fn answer(
        &self,
        request: Request,
        caller: &Caller,
        progress: ProgressSender,
        buffer: Option<OwnedSemaphorePermit>,
    ) -> Result<Reply, ServerError> {
        let (name, started) = (name(&request), Instant::now());
        let deadline = self.deadline(&request);
        let work = self.answer_in_time(request, caller, progress, buffer);
        let result = timeout(deadline, work).await.unwrap_or_else(|_| {
            let message = format!("not done within {} ms", deadline.as_millis());
            Err(ServerError::new(ErrorCode::DeadlineExceeded, message))
        });
        self.metrics.answered(name, result.as_ref().err().map(|error| error.code), started.elapsed());
        result
    }

    async fn answer_in_time(
        &self,
        request: Request,
        caller: &Caller,
        progress: ProgressSender,
        buffer: Option<OwnedSemaphorePermit>,
    ) -> Result<Reply, ServerError> {
        let (request, vk_hash) = match request {
            Request::Ping => return Ok(Reply::Response(Response::Pong)),
            Request::Info => return Ok(Reply::Response(Response::Info(self.info()))),
            Request::Verify(proof) => {
                let _open = self.open(caller)?;
                self.verification.verify(proof, caller.identity.clone()).await?;
                return Ok(Reply::Response(Response::Verified));
            }
            Request::Prove(request) => (request, None),
            Request::ProveBy { request, vk_hash } => (request, Some(vk_hash)),
        };
        let sub_server = self.sub_server(&request)?;
        let open = self.open(caller)?;
        sub_server.prove(request, vk_hash, caller, progress, open, buffer).await.map(Reply::Encoded)
    }

    fn open(&self, caller: &Caller) -> Result<OpenRequest, ServerError> {
        if self.control.is_ending() {
            return Err(shutting_down());
        }
        self.budgets.open(caller)
    }

    fn deadline(&self, request: &Request) -> Duration {
        match request {
            Request::Prove(request) | Request::ProveBy { request, .. } if request.deadline_ms > 0 => {
                Duration::from_millis(request.deadline_ms).min(self.max_deadline)
            }
            _ => self.max_deadline,
        }
    }

    fn sub_server(&self, request: &ProveRequest) -> Result<&Arc<SubServer>, ServerError> {
        let unsupported = |message| Err(ServerError::new(ErrorCode::Unsupported, message));
        let Some(program) = request.input.program() else {
            return unsupported(format!("no program has the tag {}", request.input.program));
        };
        match self.sub_servers.iter().find(|sub_server| sub_server.program == program) {
            Some(sub_server) => Ok(sub_server),
            None if self.sub_servers.is_empty() => {
                unsupported("this server verifies, it proves nothing".into())
            }
            None => unsupported(format!("this server does not prove {program} statements")),
        }
    }

    fn info(&self) -> ServerInfo {
        let mut kinds: Vec<ProofKind> = Vec::new();
        for kind in self.sub_servers.iter().filter_map(|sub_server| sub_server.kinds()).flatten() {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        ServerInfo {
            agent: AGENT.into(),
            circuit_version: CIRCUIT_VERSION.into(),
            programs: match &self.sub_servers[..] {
                // A verifier says what it verifies; its queues take nothing.
                [] => Program::ALL.map(crate::programs::info_without_queue).into(),
                sub_servers => sub_servers.iter().map(|sub_server| sub_server.info()).collect(),
            },
            kinds,
        }
    }
}

fn name(request: &Request) -> &'static str {
    match request {
        Request::Prove(_) | Request::ProveBy { .. } => "prove",
        Request::Verify(_) => "verify",
        Request::Info => "info",
        Request::Ping => "ping",
    }
}
