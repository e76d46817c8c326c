//! A sub-server: everything between a prove request for one program and its answer.
//!
//! Cheap checks come first, then the proof is looked for: kept, or being made for somebody else. Only then is the
//! whole statement checked natively, and only what passes gets to a prover, here or upstream: a garbage request never
//! does.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use sextant_consensus::Program;
use sextant_protocol::{
    ErrorCode, JobKey, Progress, ProofAnswer, ProofKind, ProveRequest, ServerError, request::ProgramInfo,
    wire,
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    access::Caller,
    audience::{Audience, ProgressSender},
    blocking::blocking,
    budget::{Budgets, OpenRequest},
    cache::ProofKey,
    checked::CheckedRequest,
    errors::shutting_down,
    forward::Upstreams,
    jobs::{Found, JobOutcome, Jobs},
    local::LocalProver,
    memory::Held,
    metrics::Metrics,
    programs,
    submissions::Submissions,
    witness,
};

/// Makes or finds the proofs of one program.
pub(crate) struct SubServer {
    pub(crate) program: Program,
    pub(crate) prover: Prover,
    pub(crate) shared: Arc<Shared>,
}

/// Where proofs are made.
pub(crate) enum Prover {
    /// By this server's worker.
    Local(LocalProver),
    /// By other servers.
    Upstream(Arc<Upstreams>),
}

/// What all sub-servers have in common.
pub(crate) struct Shared {
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) submissions: Arc<Submissions>,
    pub(crate) budgets: Arc<Budgets>,
    /// Native checks running at once.
    pub(crate) checks: Arc<Semaphore>,
    /// Bytes of the largest statement input.
    pub(crate) max_input: usize,
    /// Kinds of proof that this server itself makes.
    pub(crate) kinds: Vec<ProofKind>,
    pub(crate) metrics: Arc<Metrics>,
}

impl SubServer {
    /// Kinds of proof that are made here; `None` as long as that is not known.
    pub(crate) fn kinds(&self) -> Option<Vec<ProofKind>> {
        match &self.prover {
            Prover::Local(_) => Some(self.shared.kinds.clone()),
            Prover::Upstream(upstreams) => upstreams.kinds(),
        }
    }

    /// The program and its queue, for clients.
    pub(crate) fn info(&self) -> ProgramInfo {
        let artifact = programs::artifact(self.program);
        let ((queued, capacity), running) = match &self.prover {
            Prover::Local(local) => (local.depth(), local.running()),
            Prover::Upstream(upstreams) => (upstreams.depth(), upstreams.running()),
        };
        ProgramInfo {
            program: self.program.tag(),
            vk_hash: artifact.vk_hash,
            elf_sha256: artifact.elf_sha256,
            queued: count(queued),
            queue_capacity: count(capacity),
            running: count(running),
            kinds: self.kinds().unwrap_or_default(),
            ready: true,
        }
    }

    /// Finds or makes the proof; the answer is encoded. Dropped half-way, it leaves the job to others who wait, or ends
    /// it. `held` is kept as long as the request's bytes are.
    pub(crate) async fn prove(
        self: &Arc<Self>,
        request: ProveRequest,
        caller: &Caller,
        progress: ProgressSender,
        open: OpenRequest,
        held: Held,
    ) -> JobOutcome {
        match self.find(request, caller, progress, open, held).await?.1 {
            Found::Cached(response) => Ok(response),
            Found::Shared(mut waiter) | Found::Started(mut waiter) => waiter.outcome().await,
        }
    }

    /// Takes a job on for a client that comes back for it, within `limit`.
    pub(crate) async fn submit(
        self: &Arc<Self>,
        request: ProveRequest,
        caller: &Caller,
        open: OpenRequest,
        held: Held,
        limit: Duration,
    ) -> Result<JobKey, ServerError> {
        // Whoever waits for it here does not go with the connection.
        let waiting = Caller { gone: CancellationToken::new(), ..caller.clone() };
        let (key, found) = self.find(request, &waiting, ProgressSender::nobody(), open, held).await?;
        if let Found::Shared(waiter) | Found::Started(waiter) = found {
            self.shared.submissions.wait(key.job(), waiting.identity, waiter, limit);
        }
        Ok(key.job())
    }

    /// The proof, or the job that makes it.
    async fn find(
        self: &Arc<Self>,
        request: ProveRequest,
        caller: &Caller,
        progress: ProgressSender,
        open: OpenRequest,
        held: Held,
    ) -> Result<(ProofKey, Found), ServerError> {
        self.check_cheaply(&request)?;
        let vk_hash = programs::artifact(self.program).vk_hash;
        // Of a large input that takes a while.
        let (request, input_digest) = blocking(move || {
            let digest = request.input.digest();
            (request, digest)
        })
        .await?;
        let key = ProofKey { input_digest, vk_hash, kind: request.kind };
        let Shared { jobs, submissions, metrics, .. } = &*self.shared;
        submissions.note(key);
        let found = match jobs.cache().get(&key).await {
            Some(response) => Found::Cached(response),
            None => jobs.find_or_start(key, caller, progress, open, |audience| {
                // Before the check already: a full server should not spend more on a request than on saying so.
                self.prover.has_place(&caller.identity)?;
                Ok(self.clone().make(request, key, caller.clone(), audience, held))
            })?,
        };
        metrics.found(match &found {
            Found::Cached(_) => "cached",
            Found::Shared(_) => "shared",
            Found::Started(_) => "started",
        });
        if let (Found::Shared(_), Prover::Local(local)) = (&found, &self.prover) {
            local.reorder();
        }
        Ok((key, found))
    }

    fn check_cheaply(&self, request: &ProveRequest) -> Result<(), ServerError> {
        if self.kinds().is_some_and(|kinds| !kinds.contains(&request.kind)) {
            let message = format!("{} proofs are not made by this server", request.kind);
            return Err(ServerError::new(ErrorCode::Unsupported, message));
        }
        let pinned = programs::artifact(self.program).vk_hash;
        if let Some(wanted) = request.vk_hash.filter(|wanted| *wanted != pinned) {
            let (got, wanted) = (hex::encode(pinned), hex::encode(wanted));
            let message = format!("{} is 0x{got} here, not 0x{wanted}", programs::name(self.program));
            return Err(ServerError::new(ErrorCode::Unsupported, message));
        }
        let (got, limit) = (request.input.bytes.len(), self.shared.max_input);
        if got > limit {
            let message = format!("statement input of {got} bytes exceeds the limit of {limit}");
            return Err(ServerError::new(ErrorCode::TooLarge, message));
        }
        Ok(())
    }

    /// The job itself.
    async fn make(
        self: Arc<Self>,
        request: ProveRequest,
        key: ProofKey,
        caller: Caller,
        audience: Arc<Audience>,
        held: Held,
    ) -> JobOutcome {
        let _held = held;
        audience.send(Progress::Checking);
        let (request, checked) = self.check(request).await?;
        self.shared.budgets.charge(&caller)?;
        let request = CheckedRequest {
            request,
            hints: checked.hints,
            input_digest: key.input_digest,
            public_values: checked.statement.abi_encode(),
            caller,
            audience: audience.clone(),
        };
        let made = match &self.prover {
            Prover::Local(local) => local.prove(request).await?,
            Prover::Upstream(upstreams) => upstreams.prove(request).await?,
        };
        self.shared.metrics.proof(self.program, key.kind, made.record.len());
        let answer = ProofAnswer { job: key.job(), ..made };
        let encoded = blocking(move || Bytes::from(wire::to_bytes(&answer))).await?;
        audience.send(Progress::Done);
        Ok(encoded)
    }

    async fn check(&self, request: ProveRequest) -> Result<(ProveRequest, witness::Checked), ServerError> {
        let program = self.program;
        let _permit = self.shared.checks.acquire().await.map_err(|_| shutting_down())?;
        let started = std::time::Instant::now();
        let checked = tokio::task::spawn_blocking(move || {
            witness::check(program, &request.input.bytes).map(|checked| (request, checked))
        })
        .await
        .map_err(|error| ServerError::new(ErrorCode::Internal, format!("native check: {error}")))?;
        self.shared.metrics.stage("check", started.elapsed());
        checked.map_err(|error| ServerError::new(ErrorCode::InvalidStatement, error.to_string()))
    }
}

impl Prover {
    fn has_place(&self, identity: &crate::access::Identity) -> Result<(), ServerError> {
        match self {
            Self::Local(local) => local.has_place(identity),
            Self::Upstream(upstreams) => upstreams.has_place(),
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
