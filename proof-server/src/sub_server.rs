//! A sub-server: everything between a request for a proof by one program and its answer.
//!
//! Cheap checks come first: what is asked, and whether this client may ask. Then the whole statement is checked natively,
//! unless this very input is known, or the proof that was brought verified, and only what passes gets to a prover, here or
//! upstream: a garbage request never does. What a statement says names its proof, which is looked for: kept, or being made
//! for somebody else.

mod gathered;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use sextant_consensus::Program;
use sextant_protocol::{JobKey, Progress, ProofAnswer, ProofKind, ServerError, request::ProgramInfo};
use tokio_util::sync::CancellationToken;

use crate::{
    access::{Caller, Identity},
    audience::{Audience, ProgressSender},
    budget::{Budgets, OpenRequest},
    checked::CheckedRequest,
    checks::Checks,
    evidence::{Brought, Checked, Evidence},
    forward::Upstreams,
    jobs::{Entrant, Found, JobId, JobOutcome, Jobs},
    kinds::{self, Kinds},
    local::{LocalProver, Queued},
    made::ProofKey,
    memory::Held,
    metrics::{self, Metrics},
    programs,
    submissions::Submissions,
    traces::{Kind, Span},
    verification::Verification,
    window::Window,
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
    pub(crate) checks: Checks,
    pub(crate) verification: Arc<Verification>,
    /// Bytes of the largest statement input.
    pub(crate) max_input: usize,
    /// Kinds of proof that this server itself makes.
    pub(crate) kinds: Kinds,
    /// Where statements are gathered that share a proof, if they are.
    pub(crate) window: Option<Arc<Window>>,
    pub(crate) metrics: Arc<Metrics>,
}

impl SubServer {
    /// Kinds of proof that are made here; `None` as long as that is not known.
    pub(crate) fn kinds(&self) -> Option<Vec<ProofKind>> {
        let mut kinds = match &self.prover {
            Prover::Local(_) => self.shared.kinds.offered().to_vec(),
            Prover::Upstream(upstreams) => upstreams.kinds()?,
        };
        if self.shared.window.is_some() {
            // Here or nowhere, whatever others offer.
            kinds.retain(|kind| *kind != ProofKind::Bundled);
        }
        let window = self.shared.window.as_ref().filter(|_| Program::OF_CHAINS.contains(&self.program));
        if kinds.contains(&ProofKind::Compressed) && window.is_some_and(|window| window.makes_bundles()) {
            kinds.push(ProofKind::Bundled);
        }
        kinds.retain(|kind| kinds::is_made_by(self.program, *kind));
        Some(kinds)
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

    /// Finds or makes the proof. Dropped half-way, it leaves the job to others who wait, or ends it. `held` is kept as
    /// long as the request's bytes are.
    pub(crate) async fn prove(
        self: &Arc<Self>,
        brought: Brought,
        caller: &Caller,
        progress: ProgressSender,
        open: OpenRequest,
        held: Held,
        span: &Span,
    ) -> JobOutcome {
        let (_, own_digest, found) = self.find(brought, caller, progress, (open, held), span).await?;
        let answer = match found {
            Found::Cached(answer) => answer,
            Found::Shared(waiter) | Found::Started(waiter) => waiter.outcome().await?,
        };
        let input_digest = own_digest.unwrap_or(answer.input_digest);
        Ok(ProofAnswer { input_digest, ..answer })
    }

    /// Takes a job on for a client that comes back for it, within `limit`.
    pub(crate) async fn submit(
        self: &Arc<Self>,
        brought: Brought,
        caller: &Caller,
        (open, held): (OpenRequest, Held),
        limit: Duration,
        span: &Span,
    ) -> Result<JobKey, ServerError> {
        // Whoever waits for it here does not go with the connection.
        let waiting = Caller { gone: CancellationToken::new(), ..caller.clone() };
        let (id, _, found) =
            self.find(brought, &waiting, ProgressSender::nobody(), (open, held), span).await?;
        let job = id.proof.job();
        if let Found::Shared(waiter) | Found::Started(waiter) = found {
            self.shared.submissions.wait(job, waiting.identity, waiter, limit);
        }
        Ok(job)
    }

    /// The proof, or the job that makes it; and the digest of the input that was asked with, if there was one.
    async fn find(
        self: &Arc<Self>,
        brought: Brought,
        caller: &Caller,
        progress: ProgressSender,
        (open, held): (OpenRequest, Held),
        span: &Span,
    ) -> Result<(JobId, Option<[u8; 32]>, Found), ServerError> {
        let Shared { jobs, submissions, budgets, checks, verification, max_input, .. } = &*self.shared;
        let kind = brought.kind();
        if self.kinds().is_some_and(|kinds| !kinds.contains(&kind)) {
            return Err(self.shared.kinds.refusal(kind));
        }
        let evidence = Evidence::look(self.program, brought, *max_input, held).await?;
        let digest = evidence.input_digest();
        if let Some(proof) = evidence.recall(checks)
            && let Some(answer) = jobs.cache().get(&proof.job()).await
        {
            let id = self.id(proof, caller);
            submissions.note(id);
            let found = Found::Cached(answer);
            self.found(id, &found, span);
            return Ok((id, digest, found));
        }
        let reserved = budgets.reserve(caller).await?;
        progress.send(Progress::Checking);
        // A full server should not spend more on a request than on saying so.
        let has_place = || self.prover.has_place(&caller.identity);
        let checking = span.trace().span("check", Kind::Internal);
        let checked = evidence.check(checks, verification, caller, has_place).await;
        checking.end(metrics::outcome(checked.as_ref().err().map(|error| error.code)));
        let checked = checked?;
        let id = self.id(checked.expected.key, caller);
        let compressed = self.compressed(id.proof).await;
        submissions.note(id);
        // Something else may have stated the same.
        let found = match jobs.cache().get(&id.proof.job()).await {
            Some(answer) => Found::Cached(answer),
            None => {
                let held = Some((open, reserved));
                let entrant = Entrant { caller, progress, held, trace: span.trace().clone() };
                let may_join = || self.prover.may_join(&caller.identity);
                match self.gathers(kind) {
                    Some(window) => {
                        // Before the job begins, since nothing of a window may go while jobs are locked. Whoever shares
                        // a job that has its place leaves this one again.
                        let member = self.enter(window, &checked, caller, id.hops)?;
                        jobs.find_or_start(id, entrant, may_join, |audience| {
                            Ok(self.clone().prove_with_others(member, checked, id.hops, audience))
                        })
                    }
                    None => jobs.find_or_start(id, entrant, may_join, |audience| {
                        self.start(checked, compressed, id.hops, audience)
                    }),
                }?
            }
        };
        self.found(id, &found, span);
        self.prover.reorder();
        Ok((id, digest, found))
    }

    /// Counts how a request has found its proof, and says so of it.
    fn found(&self, id: JobId, found: &Found, span: &Span) {
        let source = match found {
            Found::Cached(_) => "cached",
            Found::Shared(waiter) => {
                span.link(waiter.trace());
                "shared"
            }
            Found::Started(_) => "started",
        };
        self.shared.metrics.found(source);
        span.set("sextant.job", id.proof.job().to_string());
        span.set("sextant.found", source);
    }

    /// The compressed proof on the way to `proof`, if it is kept here and would have to be made again elsewhere.
    async fn compressed(&self, proof: ProofKey) -> Option<Bytes> {
        if matches!(self.prover, Prover::Local(_)) || proof.kind != ProofKind::Groth16 {
            return None;
        }
        let before = ProofKey { kind: ProofKind::Compressed, ..proof };
        self.shared.jobs.cache().get(&before.job()).await.map(|answer| answer.record)
    }

    /// Where statements wait for others, if proofs of this kind are made so here.
    fn gathers(&self, kind: ProofKind) -> Option<&Arc<Window>> {
        self.shared.window.as_ref().filter(|_| kind == ProofKind::Bundled)
    }

    fn id(&self, proof: ProofKey, caller: &Caller) -> JobId {
        JobId { proof, hops: self.prover.hops(caller) }
    }

    /// Takes a place for a job; the job itself is what is returned.
    fn start(
        self: &Arc<Self>,
        checked: Checked,
        compressed: Option<Bytes>,
        hops: u32,
        audience: Arc<Audience>,
    ) -> Result<impl Future<Output = JobOutcome> + Send + 'static, ServerError> {
        let Checked { source, expected, held } = checked;
        let kind = expected.key.kind;
        let audience_of_it = audience.clone();
        let request = CheckedRequest { source, compressed, expected, hops, audience: audience_of_it };
        let work = self.prover.start(request)?;
        let this = self.clone();
        Ok(async move {
            let _held = held;
            let answer = work.proof().await?;
            this.shared.metrics.proof(this.program, kind, answer.record.len());
            audience.send(Progress::Done);
            Ok(answer)
        })
    }
}

/// A job that has its place.
enum Work {
    Local(Queued),
    Upstream(Arc<Upstreams>, CheckedRequest),
}

impl Work {
    async fn proof(self) -> JobOutcome {
        match self {
            Self::Local(queued) => queued.proof().await,
            Self::Upstream(upstreams, request) => upstreams.prove(request).await,
        }
    }
}

impl Prover {
    fn has_place(&self, identity: &Identity) -> Result<(), ServerError> {
        match self {
            Self::Local(local) => local.has_place(identity),
            Self::Upstream(upstreams) => upstreams.has_place(),
        }
    }

    fn may_join(&self, identity: &Identity) -> Result<(), ServerError> {
        match self {
            Self::Local(local) => local.may_join(identity),
            Self::Upstream(_) => Ok(()),
        }
    }

    /// A job may have got another client.
    fn reorder(&self) {
        if let Self::Local(local) = self {
            local.reorder();
        }
    }

    /// What a request has passed through, where that matters: only what is passed on can go too far.
    fn hops(&self, caller: &Caller) -> u32 {
        match self {
            Self::Local(_) => 0,
            Self::Upstream(_) => caller.hops,
        }
    }

    fn start(&self, request: CheckedRequest) -> Result<Work, ServerError> {
        Ok(match self {
            Self::Local(local) => Work::Local(local.enqueue(request)?),
            Self::Upstream(upstreams) => {
                upstreams.has_place()?;
                Work::Upstream(upstreams.clone(), request)
            }
        })
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
