//! What the server offers, by request: the sub-servers, verification, and facts about itself.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sextant_artifacts::CIRCUIT_VERSION;
use sextant_consensus::Program;
use sextant_protocol::{
    ErrorCode, JobKey, OLDEST_VERSION, PROTOCOL_VERSION, ProofKind, Request, Response, ServerError,
    ServerInfo, request::ServerLimits,
};
use tokio::time::timeout;

use crate::{
    access::Caller,
    audience::ProgressSender,
    budget::{Budgets, OpenRequest},
    control::Control,
    errors::shutting_down,
    evidence::Brought,
    forward::{self, Upstreams},
    jobs::{JobOutcome, Jobs},
    memory::Held,
    metrics::Metrics,
    networks::Networks,
    outbox::Reply,
    programs::AGENT,
    readiness::Readiness,
    sub_server::SubServer,
    submissions::{self, Submissions},
    traces::{Span, Traces},
    verification::Verification,
    worker::health::Health,
};

/// Everything a connection can ask for.
pub(crate) struct Services {
    /// Those that this server's role has.
    pub(crate) sub_servers: Vec<Arc<SubServer>>,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) submissions: Arc<Submissions>,
    /// Those of an entrypoint, for each program.
    pub(crate) upstreams: Vec<Arc<Upstreams>>,
    pub(crate) verification: Arc<Verification>,
    pub(crate) budgets: Arc<Budgets>,
    pub(crate) networks: Networks,
    pub(crate) max_deadline: Duration,
    /// What is said about them.
    pub(crate) limits: ServerLimits,
    pub(crate) started: Instant,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) traces: Traces,
    pub(crate) readiness: Arc<Readiness>,
    /// The lanes of workers, by name.
    pub(crate) lanes: [(&'static str, Arc<Health>); 2],
    pub(crate) control: Control,
}

impl Services {
    /// Answers what needs no work.
    pub(crate) fn answer_at_once(&self, request: &Request) -> Option<Result<Response, ServerError>> {
        match request {
            Request::Ping => Some(Ok(Response::Pong)),
            Request::Info => Some(Ok(Response::Info(self.info()))),
            Request::Unknown(tag) => {
                let message = format!("this server has no request {tag}");
                Some(Err(ServerError::new(ErrorCode::Unsupported, message)))
            }
            _ => None,
        }
    }

    /// Answers one request. Dropped half-way, whatever nobody else waits for ends. `held` is kept as long as the
    /// request's bytes are.
    pub(crate) async fn answer(
        &self,
        request: Request,
        caller: &Caller,
        progress: ProgressSender,
        held: Held,
        span: &Span,
    ) -> Result<Reply, ServerError> {
        let deadline = self.deadline(&request);
        let work = self.answer_in_time(request, caller, progress, held, span);
        timeout(deadline, work).await.unwrap_or_else(|_| {
            let message = format!("not done within {} ms", deadline.as_millis());
            Err(ServerError::new(ErrorCode::DeadlineExceeded, message))
        })
    }

    async fn answer_in_time(
        &self,
        request: Request,
        caller: &Caller,
        progress: ProgressSender,
        held: Held,
        span: &Span,
    ) -> Result<Reply, ServerError> {
        let brought = match request {
            Request::Verify { record, .. } => {
                let _open = self.open(caller)?;
                self.verification.verify(record.into(), &caller.identity).await?;
                drop(held);
                return Ok(Reply::Response(Response::Verified));
            }
            Request::Prove(request) => Brought::Statement(request),
            Request::Wrap(request) => Brought::Compressed(request),
            Request::Bundle(request) => Brought::Parts(request),
            Request::Submit(request) => {
                return self.submit(Brought::Statement(request), caller, held, span).await;
            }
            Request::SubmitWrap(request) => {
                return self.submit(Brought::Compressed(request), caller, held, span).await;
            }
            Request::SubmitBundle(request) => {
                return self.submit(Brought::Parts(request), caller, held, span).await;
            }
            Request::Fetch { job, offset, .. } => {
                return self.fetch(job, caller, progress).await.map(|proof| Reply::Proof(proof, offset));
            }
            Request::Withdraw { job } => {
                self.submissions.withdraw(job, &caller.identity)?;
                return Ok(Reply::Response(Response::Withdrawn));
            }
            Request::Ping | Request::Info | Request::Unknown(_) => {
                let answer = self.answer_at_once(&request).unwrap_or_else(|| Err(shutting_down()));
                return answer.map(Reply::Response);
            }
        };
        let sub_server = self.sub_server(brought.program()?)?;
        let open = self.open(caller)?;
        let proof = sub_server.prove(brought, caller, progress, open, held, span).await?;
        Ok(Reply::Proof(proof, 0))
    }

    async fn submit(
        &self,
        brought: Brought,
        caller: &Caller,
        held: Held,
        span: &Span,
    ) -> Result<Reply, ServerError> {
        let sub_server = self.sub_server(brought.program()?)?;
        let (open, limit) = (self.open(caller)?, self.within(brought.deadline_ms()));
        let job = sub_server.submit(brought, caller, (open, held), limit, span).await?;
        Ok(Reply::Response(Response::Submitted { job, kept_s: submissions::KEPT.as_secs() }))
    }

    async fn fetch(&self, job: JobKey, caller: &Caller, progress: ProgressSender) -> JobOutcome {
        let key = self.submissions.find(job);
        if let Some(waiter) = key.and_then(|key| self.jobs.join(&key, caller, progress.clone())) {
            return waiter.outcome().await;
        }
        // At any time it is either running or kept, if there is room for it at all; and a folder outlives its server.
        if let Some(answer) = self.jobs.cache().get(&job).await {
            return Ok(answer);
        }
        let absence = self.submissions.absence(job);
        if absence.code != ErrorCode::UnknownJob || self.upstreams.is_empty() {
            return Err(absence);
        }
        // Another entrypoint may have taken it on.
        let _open = self.open(caller)?;
        let found = forward::fetch(&self.upstreams, job, caller, &progress).await?;
        let answer = found.ok_or(absence)?;
        self.jobs.cache().insert(job, &answer);
        Ok(answer)
    }

    fn open(&self, caller: &Caller) -> Result<OpenRequest, ServerError> {
        if self.control.is_ending() {
            return Err(shutting_down());
        }
        self.budgets.open(caller)
    }

    fn deadline(&self, request: &Request) -> Duration {
        match request {
            Request::Prove(request) => self.within(request.deadline_ms),
            Request::Wrap(request) => self.within(request.deadline_ms),
            Request::Bundle(request) => self.within(request.deadline_ms),
            Request::Fetch { deadline_ms, .. } => self.within(*deadline_ms),
            _ => self.max_deadline,
        }
    }

    fn within(&self, deadline_ms: u64) -> Duration {
        match deadline_ms {
            0 => self.max_deadline,
            limit => Duration::from_millis(limit).min(self.max_deadline),
        }
    }

    fn sub_server(&self, program: Program) -> Result<&Arc<SubServer>, ServerError> {
        let unsupported = |message| Err(ServerError::new(ErrorCode::Unsupported, message));
        match self.sub_servers.iter().find(|sub_server| sub_server.program == program) {
            Some(sub_server) => Ok(sub_server),
            None if self.sub_servers.is_empty() => {
                unsupported("this server verifies, it proves nothing for clients".into())
            }
            None => unsupported(format!("this server does not prove {program} statements")),
        }
    }

    fn info(&self) -> ServerInfo {
        let programs: Vec<_> = match &self.sub_servers[..] {
            // A verifier says what it verifies; its queues take nothing.
            [] => Program::ALL.map(crate::programs::info_without_queue).into(),
            sub_servers => sub_servers.iter().map(|sub_server| sub_server.info()).collect(),
        };
        let offered = |kind: &ProofKind| programs.iter().any(|program| program.kinds.contains(kind));
        let able = self.readiness.able();
        ServerInfo {
            agent: AGENT.into(),
            circuit_version: CIRCUIT_VERSION.into(),
            kinds: ProofKind::ALL.into_iter().filter(offered).collect(),
            ready: able.is_ok(),
            reason: able.err().unwrap_or_default(),
            networks: self.networks.names(),
            oldest_version: OLDEST_VERSION,
            newest_version: PROTOCOL_VERSION,
            limits: self.limits,
            uptime_s: self.started.elapsed().as_secs(),
            programs,
        }
    }
}
